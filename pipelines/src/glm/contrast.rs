//! Contrasts: what is asked of a fitted model ([`Question`]), what runs say to it ([`Effects`]) and how sure that is
//! ([`test`]).

mod effects;
mod expression;

use expression::{Names, Value};

pub use effects::{Effects, Tested, effects, t, test};

use crate::glm::design::Design;
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
            .map(|part| match expression::read(part, &names)? {
                Value::Sum(weights) => Ok(weights),
                Value::Number(_) => Err(Error::Choice(format!(
                    "the contrast “{part}” names no condition: choose among {}",
                    names.listed()
                ))),
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
