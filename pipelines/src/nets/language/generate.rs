//! Text word by word: the best of several beginnings at each word. One beginning is greedy search.

use crate::run::{Run, Stop};

/// A text and how likely the model finds its average token.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Its tokens, the stop included where it came to one.
    pub ids: Vec<u32>,
    /// Mean of the logarithms of the tokens' probabilities.
    pub score: f64,
}

struct Beginning {
    ids: Vec<u32>,
    /// Sum of the logarithms.
    sum: f64,
    stopped: bool,
}

/// The `width` most likely texts of at most `n_max` tokens, likeliest first, in the manner of CLIPCap: texts compete
/// by the mean of their logarithms, and stop at any token of `stops`.
///
/// `first` are the scores of every token at the beginning (before the softmax). `next` gets, for each beginning kept,
/// which one before it continues and the token it ends in, and returns the scores of what follows each.
pub fn beam(
    first: &[f32],
    width: usize,
    n_max: usize,
    stops: &[u32],
    run: &Run<'_>,
    mut next: impl FnMut(&[usize], &[u32]) -> Result<Vec<Vec<f32>>, Stop>,
) -> Result<Vec<Text>, Stop> {
    let width = width.clamp(1, first.len().max(1));
    let mut beginnings = vec![Beginning {
        ids: Vec::new(),
        sum: 0.0,
        stopped: false,
    }];
    let mut scores = vec![first.to_vec()];
    for at in 0..n_max {
        run.check()?;
        let mut candidates: Vec<(f64, usize, Option<u32>, f64)> = Vec::new();
        for (parent, (beginning, scores)) in beginnings.iter().zip(&scores).enumerate() {
            let n = beginning.ids.len() as f64;
            if beginning.stopped {
                candidates.push((beginning.sum / n, parent, None, beginning.sum));
                continue;
            }
            let shift = log_sum_exp(scores);
            for (token, log) in best(scores, width) {
                let sum = beginning.sum + f64::from(log) - shift;
                candidates.push((sum / (n + 1.0), parent, Some(token), sum));
            }
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        candidates.truncate(width);
        let parents: Vec<usize> = candidates.iter().map(|c| c.1).collect();
        beginnings = candidates
            .into_iter()
            .filter_map(|(_, parent, token, sum)| {
                let mut ids = beginnings.get(parent)?.ids.clone();
                ids.extend(token);
                Some(Beginning {
                    stopped: token.is_none_or(|t| stops.contains(&t)),
                    ids,
                    sum,
                })
            })
            .collect();
        if at + 1 == n_max || beginnings.iter().all(|b| b.stopped) {
            break;
        }
        let newest: Vec<u32> = beginnings
            .iter()
            .filter_map(|b| b.ids.last().copied())
            .collect();
        scores = next(&parents, &newest)?;
    }
    let mut texts: Vec<Text> = beginnings
        .into_iter()
        .map(|b| Text {
            score: b.sum / (b.ids.len().max(1)) as f64,
            ids: b.ids,
        })
        .collect();
    texts.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(texts)
}

/// The `n` greatest scores and their tokens.
fn best(scores: &[f32], n: usize) -> Vec<(u32, f32)> {
    let mut all: Vec<(u32, f32)> = (0u32..).zip(scores.iter().copied()).collect();
    let n = n.min(all.len());
    if n > 0 && n < all.len() {
        all.select_nth_unstable_by(n - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(n);
    }
    all
}

fn log_sum_exp(scores: &[f32]) -> f64 {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|s| f64::from(s - most).exp()).sum();
    f64::from(most) + sum.ln()
}
