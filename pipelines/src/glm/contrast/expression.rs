//! Sums of products of conditions, read into weights of the columns of a design.

use crate::glm::design::{Design, Role};
use crate::study::did_you_mean;
use crate::{Error, Result};

/// What expressions may name, and the weights each stands for.
pub(super) struct Names {
    /// Longest first, so that `face_body` is not read as `face`.
    known: Vec<(String, Vec<f64>)>,
}

impl Names {
    pub(super) fn of(design: &Design) -> Self {
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

    pub(super) fn listed(&self) -> String {
        let mut names: Vec<&str> = self.known.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

/// What an expression comes to.
pub(super) enum Value {
    Number(f64),
    Sum(Vec<f64>),
}

/// Reads sums of products; the rest of the text is what has not been read.
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    names: &'a Names,
}

/// What the whole of `text` comes to.
///
/// # Errors
/// When it is no sum of products of what `names` holds.
pub(super) fn read(text: &str, names: &Names) -> Result<Value> {
    let mut reader = Reader {
        text,
        rest: text,
        names,
    };
    let value = reader.sum()?;
    if !reader.rest.trim_start().is_empty() {
        return Err(reader.wrong());
    }
    Ok(value)
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
