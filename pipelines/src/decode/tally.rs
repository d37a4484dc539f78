//! Sums over trials, and the scores with their companions.

use crate::decode::fold::{Drawn, Outcome};
use crate::decode::{Score, Scores};

/// A mean in the making; the carry keeps equal terms equal to their mean.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    carry: f64,
    n: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        let term = value - self.carry;
        let sum = self.sum + term;
        self.carry = (sum - self.sum) - term;
        self.sum = sum;
        self.n += 1;
    }

    fn value(self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

/// The sums of one pass over the study, true or shuffled.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    accuracy: Mean,
    pixcorr: Mean,
    ssim: Mean,
    two_way: Mean,
    top1: Mean,
    one_in_candidates: Mean,
    guess_pixcorr: Mean,
    guess_ssim: Mean,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        for &correct in &outcome.correct {
            self.accuracy.add(if correct { 1.0 } else { 0.0 });
        }
        for drawn in &outcome.drawn {
            self.pixcorr.add(drawn.pixcorr);
            drawn.ssim.into_iter().for_each(|v| self.ssim.add(v));
            drawn.two_way.into_iter().for_each(|v| self.two_way.add(v));
            drawn
                .rank
                .into_iter()
                .for_each(|rank| self.top1.add(if rank == 1 { 1.0 } else { 0.0 }));
            self.one_in_candidates
                .add(1.0 / drawn.n_candidates.max(1) as f64);
        }
    }

    /// What guessing the mean training picture gets.
    pub(super) fn add_guess(&mut self, guess: &[Drawn]) {
        for drawn in guess {
            self.guess_pixcorr.add(drawn.pixcorr);
            drawn.ssim.into_iter().for_each(|v| self.guess_ssim.add(v));
        }
    }
}

/// The scores of the true pass beside the shuffled ones.
pub(super) fn scores(real: &Tally, shuffled: &[Tally], confusion: &[Vec<usize>]) -> Scores {
    let score = |of: fn(&Tally) -> Mean, chance: f64| {
        let value = of(real).value()?;
        let null: Vec<f64> = shuffled
            .iter()
            .filter_map(|tally| of(tally).value())
            .collect();
        Some(with_null(value, chance, &null))
    };
    let totals: Vec<usize> = confusion.iter().map(|row| row.iter().sum()).collect();
    let commonest = totals.iter().copied().max().unwrap_or(0) as f64;
    let n_trials = totals.iter().sum::<usize>().max(1) as f64;
    Scores {
        accuracy: score(|t| t.accuracy, commonest / n_trials),
        pixcorr: score(|t| t.pixcorr, real.guess_pixcorr.value().unwrap_or(0.0)),
        ssim: score(|t| t.ssim, real.guess_ssim.value().unwrap_or(0.0)),
        two_way: score(|t| t.two_way, 0.5),
        retrieval_top1: score(|t| t.top1, real.one_in_candidates.value().unwrap_or(0.0)),
    }
}

fn with_null(value: f64, chance: f64, null: &[f64]) -> Score {
    let n = null.len() as f64;
    let mean = null.iter().sum::<f64>() / n;
    let variance = null.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let as_good = null.iter().filter(|v| **v >= value).count() as f64;
    Score {
        value,
        chance,
        shuffled: mean,
        shuffled_sd: if null.is_empty() {
            f64::NAN
        } else {
            variance.sqrt()
        },
        p: (1.0 + as_good) / (1.0 + n),
    }
}
