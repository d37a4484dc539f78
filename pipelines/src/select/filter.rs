//! Which trials are meant, in a line of text: `face`, `category=face`, `caption~dog & run!=03`.

use std::fmt;

use crate::betas::Trial;
use crate::study::Stimulus;
use crate::{Error, Result};

/// Trials with what is known of their stimuli: the table that filters look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrialTable {
    /// One a row of the betas.
    pub trials: Vec<Trial>,
    /// The category of the stimulus of each, where there is one.
    pub categories: Vec<Option<String>>,
    /// Its caption.
    pub captions: Vec<Option<String>>,
    /// The place of each in its run, from 1.
    pub places: Vec<usize>,
}

impl TrialTable {
    /// Looks up the stimulus of every trial.
    pub fn new(trials: &[Trial], stimuli: &[Stimulus]) -> Self {
        let known: std::collections::BTreeMap<&str, &Stimulus> =
            stimuli.iter().map(|s| (s.id.as_str(), s)).collect();
        let of = |trial: &Trial| {
            let id = trial.stimulus.as_deref()?;
            known.get(id).copied()
        };
        let mut n_of: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let places = trials.iter().map(|trial| {
            let n = n_of.entry(&trial.run).or_default();
            *n += 1;
            *n
        });
        Self {
            places: places.collect(),
            trials: trials.to_vec(),
            categories: trials
                .iter()
                .map(|t| of(t).and_then(|s| s.category.clone()))
                .collect(),
            captions: trials
                .iter()
                .map(|t| of(t).and_then(|s| s.caption.clone()))
                .collect(),
        }
    }

    /// The distinct conditions, and categories where stimuli have them, sorted.
    pub fn names(&self) -> Vec<String> {
        let conditions = self.trials.iter().map(|t| t.condition.clone());
        let categories = self.categories.iter().flatten().cloned();
        let mut names: Vec<String> = conditions.chain(categories).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What a trial is called when classes are made of all trials: its condition.
    pub(super) fn conditions(&self) -> Vec<String> {
        let mut names: Vec<String> = self.trials.iter().map(|t| t.condition.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// A column of the trial table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The condition or, where stimuli have them, the category: what a bare word is looked up in.
    Name,
    /// The category of the stimulus.
    Category,
    /// `trial_type` of the events.
    Condition,
    /// The stimulus id.
    Stimulus,
    /// The caption of the stimulus.
    Caption,
    /// The session id.
    Session,
    /// The run label.
    Run,
    /// 1 for the first time a stimulus is shown, 2 for the second, …
    Repeat,
    /// The place of a trial in its run, from 1; with a run before it (`03:2`) a single trial.
    Trial,
}

const FIELDS: [(&str, Field); 8] = [
    ("category", Field::Category),
    ("condition", Field::Condition),
    ("stimulus", Field::Stimulus),
    ("caption", Field::Caption),
    ("session", Field::Session),
    ("run", Field::Run),
    ("repeat", Field::Repeat),
    ("trial", Field::Trial),
];

/// How a cell is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Is one of the values, without regard to case; numbers are compared as numbers (`3` is `03`).
    Is,
    /// Is none of them.
    IsNot,
    /// Contains one of them, without regard to case.
    Contains,
    /// Contains none of them.
    ContainsNot,
    /// Is at most the number.
    AtMost,
    /// Is at least the number.
    AtLeast,
}

/// Longer signs first: `!=` is not `=` after an `!`.
const TESTS: [(&str, Test); 6] = [
    ("!=", Test::IsNot),
    ("!~", Test::ContainsNot),
    ("<=", Test::AtMost),
    (">=", Test::AtLeast),
    ("=", Test::Is),
    ("~", Test::Contains),
];

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
struct Clause {
    field: Field,
    test: Test,
    values: Vec<String>,
}

/// Trials for which every clause holds. Written as text in files.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    clauses: Vec<Clause>,
}

impl Filter {
    /// Reads a filter: clauses joined by `&`, each `field test value`, values separated by commas.
    ///
    /// Fields are category, condition, stimulus, caption, session, run, repeat and trial; tests are `=`, `!=`, `~` (contains),
    /// `!~`, `<=` and `>=`. A clause without a test is a condition or category: `face` is either.
    ///
    /// # Errors
    /// Says which part is not understood, and what there is.
    pub fn parse(text: &str) -> Result<Self> {
        let clauses: Vec<Clause> = text
            .split('&')
            .map(clause)
            .collect::<Result<Vec<Clause>>>()?;
        Ok(Self { clauses })
    }

    /// Whether a trial of the table is meant.
    pub fn holds(&self, table: &TrialTable, trial: usize) -> bool {
        self.clauses.iter().all(|c| c.holds(table, trial))
    }

    /// The bare word or single name it consists of, for headings; else all of it.
    pub fn name(&self) -> String {
        match self.clauses.as_slice() {
            [one] if one.test == Test::Is && one.values.len() == 1 => one.values[0].clone(),
            _ => self.to_string(),
        }
    }
}

fn clause(text: &str) -> Result<Clause> {
    let text = text.trim();
    let found = TESTS
        .iter()
        .filter_map(|&(sign, test)| Some((text.find(sign)?, sign, test)))
        .min_by_key(|&(at, sign, _)| (at, std::cmp::Reverse(sign.len())));
    let (field, test, values) = match found {
        None => (Field::Name, Test::Is, text),
        Some((at, sign, test)) => {
            let name = text[..at].trim();
            let field = FIELDS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            let Some((_, field)) = field else {
                let all: Vec<&str> = FIELDS.iter().map(|f| f.0).collect();
                return Err(Error::Choice(format!(
                    "“{name}” in “{text}” is no column of the trials: choose {}",
                    all.join(", ")
                )));
            };
            (*field, test, &text[at + sign.len()..])
        }
    };
    let values: Vec<String> = values
        .split(',')
        .map(|v| v.trim().trim_matches('"').trim().to_owned())
        .filter(|v| !v.is_empty())
        .collect();
    if values.is_empty() {
        return Err(Error::Choice(format!(
            "“{text}” names no trials: write a condition (face), or a column, a test and a value (caption~dog)"
        )));
    }
    let ordered = matches!(test, Test::AtMost | Test::AtLeast);
    if ordered && values.iter().any(|v| v.parse::<f64>().is_err()) {
        return Err(Error::Choice(format!(
            "“{text}” compares with something that is no number: write repeat>=2, say"
        )));
    }
    Ok(Clause {
        field,
        test,
        values,
    })
}

impl Clause {
    fn holds(&self, table: &TrialTable, trial: usize) -> bool {
        let Some(t) = table.trials.get(trial) else {
            return false;
        };
        let repeat = (t.repeat + 1).to_string();
        let place = table
            .places
            .get(trial)
            .map_or_else(String::new, usize::to_string);
        // The trial of one run alone: the run is looked at before the place is.
        let same = |cell: &str, value: &str| match (self.field, value.rsplit_once(':')) {
            (Field::Trial, Some((run, value))) => same(&t.run, run) && same(cell, value),
            _ => same(cell, value),
        };
        let of = |column: &[Option<String>]| column.get(trial).cloned().flatten();
        let (category, caption) = (of(&table.categories), of(&table.captions));
        let cells: Vec<&str> = match self.field {
            Field::Name => std::iter::once(t.condition.as_str())
                .chain(category.as_deref())
                .collect(),
            Field::Category => category.as_deref().into_iter().collect(),
            Field::Condition => vec![&t.condition],
            Field::Stimulus => t.stimulus.as_deref().into_iter().collect(),
            Field::Caption => caption.as_deref().into_iter().collect(),
            Field::Session => vec![&t.session],
            Field::Run => vec![&t.run],
            Field::Repeat => vec![&repeat],
            Field::Trial => vec![&place],
        };
        let any = |test: &dyn Fn(&str, &str) -> bool| {
            let values = || self.values.iter();
            cells.iter().any(|cell| values().any(|v| test(cell, v)))
        };
        let contains = |c: &str, v: &str| c.to_lowercase().contains(&v.to_lowercase());
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        match self.test {
            Test::Is => any(&same),
            Test::IsNot => !any(&same),
            Test::Contains => any(&contains),
            Test::ContainsNot => !any(&contains),
            Test::AtMost => any(&|c, v| number(c) <= number(v)),
            Test::AtLeast => any(&|c, v| number(c) >= number(v)),
        }
    }
}

/// Equal as text without regard to case, or as numbers, also with a BIDS key before one of them (`run-03`, `3`).
fn same(cell: &str, value: &str) -> bool {
    let plain = |text: &str| {
        let text = text.strip_prefix("run-").unwrap_or(text);
        text.strip_prefix("ses-").unwrap_or(text).to_lowercase()
    };
    let (cell, value) = (plain(cell), plain(value));
    let numbers = (cell.parse::<u64>(), value.parse::<u64>());
    cell == value || matches!(numbers, (Ok(a), Ok(b)) if a == b)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, clause) in self.clauses.iter().enumerate() {
            if i > 0 {
                f.write_str(" & ")?;
            }
            let field = FIELDS.iter().find(|(_, field)| *field == clause.field);
            let test = TESTS.iter().find(|(_, test)| *test == clause.test);
            if let (Some((field, _)), Some((test, _))) = (field, test) {
                write!(f, "{field}{test}")?;
            }
            f.write_str(&clause.values.join(","))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Filter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}
