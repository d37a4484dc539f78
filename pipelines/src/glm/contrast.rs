//! Contrasts: what is asked of a fitted model, in words and in numbers.

use std::collections::BTreeMap;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use rayon::prelude::*;

use crate::glm::design::{Design, Role};
use crate::glm::fit::Fit;
use crate::stats::tails;
use crate::study::did_you_mean;
use crate::{Error, Result};

/// A question: one weighted sum of columns (t), or several at once (F).
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Letters and digits, for file names.
    pub name: String,
    /// As it was asked.
    pub text: String,
    /// One expression for t, more for F.
    parts: Vec<String>,
}

impl Question {
    /// From `face - house`, `0.5 * (face + cat) - house`, `NAME = face - house`; expressions separated by commas are
    /// tested together.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, sums) = match text.split_once('=') {
            Some((name, sums)) => (Some(name.trim()), sums),
            None => (None, text),
        };
        let parts: Vec<String> = sums.split(',').map(|p| p.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            return Err(Error::Choice(format!(
                "the contrast “{text}” asks nothing: write sums of conditions, as in \"face - house\""
            )));
        }
        let name = camel(name.unwrap_or(sums));
        if name.is_empty() {
            return Err(Error::Choice(format!(
                "the contrast “{text}” has no name of letters and digits: write NAME = {}",
                sums.trim()
            )));
        }
        Ok(Self {
            name,
            text: sums.trim().to_owned(),
            parts,
        })
    }

    /// Whether several sums are tested together.
    pub fn is_f(&self) -> bool {
        self.parts.len() > 1
    }

    /// The weights of a design's columns, one row a sum. A condition that has no column of its own (finite impulse
    /// responses) is the mean of its columns.
    ///
    /// Fails when the expression is none, or names nothing in the design.
    pub fn weights(&self, design: &Design) -> Result<Vec<Vec<f64>>> {
        let names = Names::of(design);
        self.parts
            .iter()
            .map(|part| {
                let mut reader = Reader {
                    text: part,
                    rest: part,
                    names: &names,
                };
                let sum = reader.sum()?;
                if !reader.rest.trim_start().is_empty() {
                    return Err(reader.wrong());
                }
                match sum {
                    Value::Sum(weights) => Ok(weights),
                    Value::Number(_) => Err(Error::Choice(format!(
                        "the contrast “{part}” names no condition: choose among {}",
                        names.listed()
                    ))),
                }
            })
            .collect()
    }
}

/// `face - 0.5 * house` → `faceMinus05Timeshouse`, as nilearn names its files.
fn camel(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '-' => out.push_str("Minus"),
            '+' => out.push_str("Plus"),
            '*' => out.push_str("Times"),
            '/' => out.push_str("By"),
            ',' => out.push_str("And"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            _ => {}
        }
    }
    out
}

/// What expressions may name, and the weights each stands for.
struct Names {
    /// Longest first, so that `face_body` is not read as `face`.
    known: Vec<(String, Vec<f64>)>,
}

impl Names {
    fn of(design: &Design) -> Self {
        let n = design.columns.len();
        let mut known: Vec<(String, Vec<f64>)> = Vec::new();
        for (c, column) in design.columns.iter().enumerate() {
            let mut weights = vec![0.0; n];
            weights[c] = 1.0;
            known.push((column.name.clone(), weights));
        }
        for condition in design.conditions() {
            if design.column(condition).is_some() {
                continue;
            }
            let of_it: Vec<bool> = design
                .columns
                .iter()
                .map(|c| matches!(&c.role, Role::Condition(name) if name == condition))
                .collect();
            let share = 1.0 / of_it.iter().filter(|own| **own).count().max(1) as f64;
            let weights = of_it.iter().map(|own| if *own { share } else { 0.0 });
            known.push((condition.to_owned(), weights.collect()));
        }
        known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self { known }
    }

    fn listed(&self) -> String {
        let mut names: Vec<&str> = self.known.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

enum Value {
    Number(f64),
    Sum(Vec<f64>),
}

/// Reads sums of products; the rest of the text is what has not been read.
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    names: &'a Names,
}

impl Reader<'_> {
    fn wrong(&self) -> Error {
        let word: String = self
            .rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let names: Vec<&str> = self.names.known.iter().map(|(n, _)| n.as_str()).collect();
        let hint = match did_you_mean(&word, &names) {
            Some(near) if !word.is_empty() => format!(" (did you mean “{near}”?)"),
            _ => String::new(),
        };
        Error::Choice(format!(
            "the contrast “{}” cannot be read from “{}” on{hint}: write sums of columns of the design, which are {}",
            self.text,
            self.rest.trim(),
            self.names.listed()
        ))
    }

    fn takes(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Result<Value> {
        let mut left = self.product()?;
        loop {
            let sign = match (self.takes('+'), self.takes('-')) {
                (true, false) => 1.0,
                (false, true) => -1.0,
                (true, true) => -1.0,
                (false, false) => return Ok(left),
            };
            let right = self.product()?;
            left = match (left, right) {
                (Value::Number(a), Value::Number(b)) => Value::Number(a + sign * b),
                (Value::Sum(a), Value::Sum(b)) => {
                    Value::Sum(a.iter().zip(&b).map(|(a, b)| a + sign * b).collect())
                }
                _ => return Err(self.wrong()),
            };
        }
    }

    fn product(&mut self) -> Result<Value> {
        let mut left = self.factor()?;
        loop {
            let divided = match (self.takes('*'), self.takes('/')) {
                (true, _) => false,
                (_, true) => true,
                _ => return Ok(left),
            };
            let right = self.factor()?;
            left = match (left, right, divided) {
                (Value::Number(a), Value::Number(b), false) => Value::Number(a * b),
                (Value::Number(a), Value::Number(b), true) => Value::Number(a / b),
                (Value::Number(a), Value::Sum(b), false)
                | (Value::Sum(b), Value::Number(a), false) => {
                    Value::Sum(b.iter().map(|b| a * b).collect())
                }
                (Value::Sum(a), Value::Number(b), true) => {
                    Value::Sum(a.iter().map(|a| a / b).collect())
                }
                _ => return Err(self.wrong()),
            };
        }
    }

    fn factor(&mut self) -> Result<Value> {
        if self.takes('-') {
            return Ok(match self.factor()? {
                Value::Number(a) => Value::Number(-a),
                Value::Sum(a) => Value::Sum(a.iter().map(|a| -a).collect()),
            });
        }
        if self.takes('(') {
            let inner = self.sum()?;
            return match self.takes(')') {
                true => Ok(inner),
                false => Err(self.wrong()),
            };
        }
        let rest = self.rest.trim_start();
        let ends_word = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        for (name, weights) in &self.names.known {
            if let Some(after) = rest.strip_prefix(name.as_str())
                && ends_word(after)
            {
                self.rest = after;
                return Ok(Value::Sum(weights.clone()));
            }
        }
        let length = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        match rest[..length].parse() {
            Ok(number) => {
                self.rest = &rest[length..];
                Ok(Value::Number(number))
            }
            Err(_) => Err(self.wrong()),
        }
    }
}

/// What one run says to a question: effects and their covariance, a voxel.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// Sums × voxels, sum after sum.
    pub effect: Vec<Vec<f64>>,
    /// Their variances and covariances, upper triangle row by row, each a voxel.
    pub covariance: Vec<Vec<f64>>,
    /// Degrees of freedom.
    pub df: f64,
    /// Runs they are the sum of.
    pub n_runs: usize,
}

/// Effects of weighted sums of betas (`rows`, one a sum).
pub fn effects(fit: &Fit, rows: &[Vec<f64>]) -> Effects {
    let n = rows.len();
    let effect = rows
        .iter()
        .map(|weights| {
            let mut sum = vec![0.0; fit.betas.n_cols];
            for (c, w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                for (sum, beta) in sum.iter_mut().zip(fit.betas.row(c)) {
                    *sum += w * f64::from(*beta);
                }
            }
            sum
        })
        .collect();
    let mut known: BTreeMap<i16, Vec<f64>> = BTreeMap::new();
    let mut covariance = vec![Vec::with_capacity(fit.dispersion.len()); n * (n + 1) / 2];
    for (dispersion, phi) in fit.dispersion.iter().zip(&fit.phi_hundredths) {
        let upper = known.entry(*phi).or_insert_with(|| {
            let whole = fit.covariance(rows, *phi);
            let pairs = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
            pairs.map(|(i, j)| whole[(i, j)]).collect()
        });
        for (out, factor) in covariance.iter_mut().zip(upper.iter()) {
            out.push(dispersion * factor);
        }
    }
    Effects {
        effect,
        covariance,
        df: fit.df,
        n_runs: 1,
    }
}

impl Effects {
    /// Adds those of another, independent run: variances add up. Both have one number of sums and voxels.
    pub fn plus(&mut self, other: &Self) {
        let pairs = self.effect.iter_mut().zip(&other.effect);
        let more = self.covariance.iter_mut().zip(&other.covariance);
        for (sum, part) in pairs.chain(more) {
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        self.df += other.df;
        self.n_runs += other.n_runs;
    }

    /// The mean over the runs that were added up: their fixed effects.
    pub fn mean(mut self) -> Self {
        let n = self.n_runs as f64;
        self.effect.iter_mut().flatten().for_each(|e| *e /= n);
        self.covariance
            .iter_mut()
            .flatten()
            .for_each(|v| *v /= n * n);
        self.n_runs = 1;
        self
    }
}

/// A tested question, one number a voxel; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// The weighted sum of betas; of several, the root of their mean square.
    pub effect: Vec<f32>,
    /// Its variance; of several, the mean.
    pub variance: Vec<f32>,
    /// t, or F.
    pub statistic: Vec<f32>,
    /// The standard normal value that is as unlikely, with the sign of t.
    pub z: Vec<f32>,
    /// Probability of so large a t (one-sided) or F without an effect.
    pub p: Vec<f64>,
    /// Degrees of freedom: sums tested (0 for t) and of the noise.
    pub df: (f64, f64),
}

/// t of the first sum alone, without its probability.
pub fn t(effects: &Effects) -> Vec<f32> {
    let sums = effects.effect.first().zip(effects.covariance.first());
    let voxels = sums
        .into_iter()
        .flat_map(|(effect, variance)| effect.iter().zip(variance));
    voxels
        .map(|(effect, variance)| t_of(*effect, *variance) as f32)
        .collect()
}

fn t_of(effect: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        effect / variance.sqrt()
    } else {
        f64::NAN
    }
}

/// t of one sum, F of several. z and p are exact far into the tails: z is found from the logarithm of p.
pub fn test(effects: &Effects) -> Tested {
    let (n_sums, df) = (effects.effect.len(), effects.df);
    let n_voxels = effects.effect.first().map_or(0, Vec::len);
    let voxels: Vec<[f64; 5]> = (0..n_voxels)
        .into_par_iter()
        .with_min_len(256)
        .map(|v| {
            if n_sums == 1 {
                let (effect, variance) = (effects.effect[0][v], effects.covariance[0][v]);
                let t = t_of(effect, variance);
                let ln_p = tails::ln_t_above(t, df);
                [effect, variance, t, tails::z_of_t(t, df), ln_p.exp()]
            } else {
                let f = wald(effects, v);
                let ln_p = tails::ln_f_above(f, n_sums as f64, df);
                let squares: f64 = effects.effect.iter().map(|e| e[v] * e[v]).sum();
                let spread = mean_variance(effects, v);
                let root = (squares / n_sums as f64).sqrt();
                [root, spread, f, tails::z_of_ln_above(ln_p), ln_p.exp()]
            }
        })
        .collect();
    let column = |i: usize| voxels.iter().map(|v| v[i] as f32).collect();
    Tested {
        effect: column(0),
        variance: column(1),
        statistic: column(2),
        z: column(3),
        p: voxels.iter().map(|v| v[4]).collect(),
        df: (if n_sums == 1 { 0.0 } else { n_sums as f64 }, df),
    }
}

fn mean_variance(effects: &Effects, v: usize) -> f64 {
    let n = effects.effect.len();
    let (mut place, mut sum) = (0, 0.0);
    for i in 0..n {
        sum += effects.covariance[place][v];
        place += n - i;
    }
    sum / n as f64
}

/// eᵀ C⁻¹ e over the number of sums.
fn wald(effects: &Effects, v: usize) -> f64 {
    let n = effects.effect.len();
    let at = |i: usize, j: usize| {
        let (i, j) = (i.min(j), i.max(j));
        effects.covariance[i * n - i * (i + 1) / 2 + j][v]
    };
    let covariance = Mat::from_fn(n, n, at);
    let effect = Mat::from_fn(n, 1, |i, _| effects.effect[i][v]);
    let Ok(factor) = covariance.llt(Side::Lower) else {
        return f64::NAN;
    };
    let solved = factor.solve(&effect);
    (0..n).map(|i| effect[(i, 0)] * solved[(i, 0)]).sum::<f64>() / n as f64
}
