//! Which rows are held out together: runs, and never some repeats of a stimulus without the others.

use std::collections::BTreeMap;

use crate::linear::folds::Fold;
use crate::select::table::{Row, Table};
use crate::{Error, Result};

/// What is left out at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// A run; runs that share a stimulus together. Where that would hold out everything, a run, and of the training
    /// rows those that show a stimulus of the held-out run are left out.
    #[default]
    Runs,
    /// A session, in the same way.
    Sessions,
    /// Stimuli, in so many folds, whatever run they were shown in: training and test rows may be neighbours in time.
    Stimuli(usize),
    /// A run, though its stimuli were shown in training runs too: tells how well known stimuli are recognised.
    RunsOfKnownStimuli,
}

/// All folds.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The folds.
    pub folds: Vec<Fold>,
    /// How it was split, in words.
    pub words: String,
    /// Whether some stimulus is in the test and in the training rows of a fold.
    pub stimuli_shared: bool,
    /// What was left out or merged, in sentences for the user.
    pub notes: Vec<String>,
}

/// Fewer rows of a class than this cannot be learnt from.
const LEAST_ROWS: usize = 2;

/// Splits the rows of a table.
///
/// A fold in which some class has fewer than two training rows is left out, and said.
///
/// # Errors
/// With fewer than two runs (sessions, stimuli), when repeats of a stimulus cannot be kept together, and when fewer than
/// two folds are left: the text says what is possible.
pub fn split(table: &Table, rule: SplitRule) -> Result<Split> {
    let split = folds(&table.rows, rule)?;
    without_missing_classes(split, table)
}

/// As [`split`], for some rows of a table (the training rows of an outer fold): rows of the folds are those of the
/// table. Empty where nothing can be split.
pub(super) fn inner(table: &Table, train: &[usize], rule: SplitRule) -> Vec<Fold> {
    let part: Vec<Row> = train.iter().map(|&r| table.rows[r].clone()).collect();
    let rule = match rule {
        SplitRule::Stimuli(n) => SplitRule::Stimuli(n.min(5)),
        other => other,
    };
    let found = folds(&part, rule)
        .or_else(|_| folds(&part, SplitRule::Stimuli(5)))
        .map(|split| split.folds)
        .unwrap_or_default();
    let back = |rows: Vec<usize>| rows.into_iter().map(|r| train[r]).collect::<Vec<_>>();
    found
        .into_iter()
        .map(|fold| Fold {
            label: fold.label,
            test: back(fold.test),
            train: back(fold.train),
        })
        .filter(|fold| missing(fold, table).is_none())
        .collect()
}

fn folds(rows: &[Row], rule: SplitRule) -> Result<Split> {
    match rule {
        SplitRule::Runs => groups(rows, "run", |row| &row.run),
        SplitRule::Sessions => groups(rows, "session", |row| &row.session),
        SplitRule::Stimuli(n) => stimuli(rows, n),
        SplitRule::RunsOfKnownStimuli => {
            let labels = distinct(rows, |row| &row.run);
            require_two("run", &labels)?;
            let of = |row: &Row| labels.iter().position(|l| *l == row.run).unwrap_or(0);
            let group: Vec<usize> = rows.iter().map(of).collect();
            let folds = by_group(&group, &labels);
            let shared = folds.iter().any(|fold| shares(rows, fold));
            Ok(Split {
                words: format!("leave one run out, {} runs", labels.len()),
                folds,
                stimuli_shared: shared,
                notes: if shared {
                    vec!["Stimuli of the held-out run were shown in training runs too: the scores tell how well known stimuli are recognised, not whether new ones of their kind would be.".into()]
                } else {
                    Vec::new()
                },
            })
        }
    }
}

/// Runs or sessions, joined or purged where they share stimuli.
fn groups(rows: &[Row], what: &str, label: impl Fn(&Row) -> &String) -> Result<Split> {
    let labels = distinct(rows, &label);
    require_two(what, &labels)?;
    let own: Vec<usize> = rows
        .iter()
        .map(|row| labels.iter().position(|l| l == label(row)).unwrap_or(0))
        .collect();
    let joined = joined_by_stimulus(rows, &own, labels.len());
    let n_joined = joined.iter().max().map_or(0, |g| g + 1);
    if n_joined == labels.len() {
        return Ok(Split {
            folds: by_group(&own, &labels),
            words: format!("leave one {what} out, {} {what}s", labels.len()),
            stimuli_shared: false,
            notes: Vec::new(),
        });
    }
    if n_joined >= 3 {
        let of_row: Vec<usize> = own.iter().map(|&g| joined[g]).collect();
        let names: Vec<String> = (0..n_joined)
            .map(|g| {
                let members = labels.iter().zip(&joined).filter(|(_, j)| **j == g);
                members
                    .map(|(l, _)| l.as_str())
                    .collect::<Vec<_>>()
                    .join(" + ")
            })
            .collect();
        return Ok(Split {
            folds: by_group(&of_row, &names),
            words: format!(
                "leave out {what}s that share stimuli, {} {what}s in {n_joined} groups",
                labels.len()
            ),
            stimuli_shared: false,
            notes: vec![format!(
                "{what}s that show the same stimulus are held out together: {n_joined} folds instead of {}.",
                labels.len()
            )],
        });
    }
    purged(rows, what, &own, &labels)
}

/// Leaves a run out, and of the others the rows that show one of its stimuli.
fn purged(rows: &[Row], what: &str, own: &[usize], labels: &[String]) -> Result<Split> {
    let mut n_purged = 0;
    let folds: Vec<Fold> = by_group(own, labels)
        .into_iter()
        .map(|mut fold| {
            let mut held: Vec<&String> = fold.test.iter().flat_map(|&r| &rows[r].stimuli).collect();
            held.sort();
            let before = fold.train.len();
            fold.train.retain(|&r| {
                !rows[r]
                    .stimuli
                    .iter()
                    .any(|s| held.binary_search(&s).is_ok())
            });
            n_purged += before - fold.train.len();
            fold
        })
        .collect();
    let classes: Vec<usize> = {
        let mut classes: Vec<usize> = rows.iter().map(|row| row.class).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    };
    let complete = |fold: &&Fold| {
        classes.iter().all(|&class| {
            let n = fold.train.iter().filter(|&&r| rows[r].class == class);
            n.count() >= LEAST_ROWS
        })
    };
    if folds.iter().filter(complete).count() < 2 {
        let one_each = classes.iter().any(|&class| {
            let shown = rows.iter().filter(|row| row.class == class);
            let mut stimuli: Vec<&String> = shown.flat_map(|row| &row.stimuli).collect();
            stimuli.sort();
            stimuli.dedup();
            stimuli.len() < 2
        });
        let remedy = if one_each {
            "each class is shown by a single stimulus, so there is no new one to test on; --split known leaves a run out all the same and tells how well known stimuli are recognised"
        } else {
            "--split stimuli holds out stimuli whatever run they were shown in; --split known leaves a run out all the same and tells how well known stimuli are recognised"
        };
        return Err(Error::Choice(format!(
            "every {what} shows stimuli of the others, and repeats of a stimulus are never split between training and test: {remedy}"
        )));
    }
    Ok(Split {
        folds,
        words: format!(
            "leave one {what} out, {} {what}s, without training rows of its stimuli",
            labels.len()
        ),
        stimuli_shared: false,
        notes: vec![format!(
            "Stimuli come back in other {what}s: training rows that show a stimulus of the held-out {what} are left out, {:.0} a fold on average.",
            n_purged as f64 / labels.len() as f64
        )],
    })
}

/// Groups of stimuli in `n` folds of about equal size, classes spread over them.
fn stimuli(rows: &[Row], n: usize) -> Result<Split> {
    let single: Vec<usize> = (0..rows.len()).collect();
    let joined = joined_by_stimulus(rows, &single, rows.len());
    let n_units = joined.iter().max().map_or(0, |g| g + 1);
    let mut units: Vec<(usize, Vec<usize>)> = vec![(usize::MAX, Vec::new()); n_units];
    for (row, &unit) in joined.iter().enumerate() {
        units[unit].0 = units[unit].0.min(rows[row].class);
        units[unit].1.push(row);
    }
    let n_folds = n.max(2).min(n_units);
    if n_folds < 2 {
        return Err(Error::Choice(
            "all rows show one stimulus, or stimuli that are shown together: there is none to hold out".into(),
        ));
    }
    // Dealt out class by class: every fold gets about as many of each.
    units.sort_by_key(|(class, rows)| (*class, rows.first().copied()));
    let mut group = vec![0; rows.len()];
    for (place, (_, members)) in units.iter().enumerate() {
        for &row in members {
            group[row] = place % n_folds;
        }
    }
    let names: Vec<String> = (1..=n_folds).map(|f| format!("fold {f}")).collect();
    let mut notes = vec!["Training and test rows are of the same runs: slow changes of the signal within a run can pass for a difference between stimuli.".to_owned()];
    if n_folds < n {
        notes.push(format!(
            "There are {n_units} stimuli for {n} folds: {n_folds} folds are made."
        ));
    }
    Ok(Split {
        folds: by_group(&group, &names),
        words: format!("leave stimuli out, {n_units} in {n_folds} folds"),
        stimuli_shared: false,
        notes,
    })
}

/// A number for each of `n` groups (of which `own` gives each row's): those that share a stimulus, directly or by way of
/// others, have the same.
pub(super) fn joined_by_stimulus(rows: &[Row], own: &[usize], n: usize) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..n).collect();
    let root = |parent: &[usize], mut at: usize| {
        while parent[at] != at {
            at = parent[at];
        }
        at
    };
    let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, &group) in rows.iter().zip(own) {
        for stimulus in &row.stimuli {
            let first = *first_of.entry(stimulus).or_insert(group);
            let (a, b) = (root(&parent, first), root(&parent, group));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut number: BTreeMap<usize, usize> = BTreeMap::new();
    (0..n)
        .map(|group| {
            let next = number.len();
            *number.entry(root(&parent, group)).or_insert(next)
        })
        .collect()
}

fn by_group(group: &[usize], names: &[String]) -> Vec<Fold> {
    names
        .iter()
        .enumerate()
        .map(|(g, name)| {
            let (test, train) = (0..group.len()).partition(|&row| group[row] == g);
            Fold {
                label: name.clone(),
                test,
                train,
            }
        })
        .collect()
}

fn shares(rows: &[Row], fold: &Fold) -> bool {
    let mut held: Vec<&String> = fold.test.iter().flat_map(|&r| &rows[r].stimuli).collect();
    held.sort();
    let trained = fold.train.iter().flat_map(|&r| &rows[r].stimuli);
    trained.into_iter().any(|s| held.binary_search(&s).is_ok())
}

fn distinct(rows: &[Row], label: impl Fn(&Row) -> &String) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for row in rows {
        if !labels.contains(label(row)) {
            labels.push(label(row).clone());
        }
    }
    labels
}

fn require_two(what: &str, labels: &[String]) -> Result<()> {
    if labels.len() >= 2 {
        return Ok(());
    }
    Err(Error::Choice(format!(
        "one {what} is left out at a time, and the rows are of {} only: take more runs, or hold out stimuli with --split stimuli",
        match labels {
            [one] if !one.is_empty() => format!("{what} {one}"),
            _ => format!("one {what}"),
        }
    )))
}

/// The first class with too few training rows.
fn missing(fold: &Fold, table: &Table) -> Option<usize> {
    let n_of = |class: usize| {
        let rows = fold.train.iter().filter(|&&r| table.rows[r].class == class);
        rows.count()
    };
    (0..table.classes.len()).find(|&class| n_of(class) < LEAST_ROWS)
}

fn without_missing_classes(mut split: Split, table: &Table) -> Result<Split> {
    let (whole, broken): (Vec<Fold>, Vec<Fold>) = split
        .folds
        .into_iter()
        .partition(|fold| missing(fold, table).is_none());
    let say = |fold: &Fold| {
        let class = missing(fold, table).and_then(|c| table.classes.get(c));
        format!(
            "without {} there are fewer than {LEAST_ROWS} training rows of {}",
            fold.label,
            class.map_or("a class", String::as_str)
        )
    };
    if whole.len() < 2 {
        let why = broken
            .first()
            .map_or_else(|| "there are no folds".to_owned(), &say);
        return Err(Error::Choice(format!(
            "fewer than two folds can be tested: {why}; take more runs, loosen the filter of that class, or choose another --split"
        )));
    }
    for fold in &broken {
        split
            .notes
            .push(format!("Fold {} is left out: {}.", fold.label, say(fold)));
    }
    if !broken.is_empty() {
        split.words = format!("{}, {} of them tested", split.words, whole.len());
    }
    for fold in &whole {
        let absent: Vec<&str> = (0..table.classes.len())
            .filter(|&class| fold.test.iter().all(|&r| table.rows[r].class != class))
            .map(|class| table.classes[class].as_str())
            .collect();
        if !absent.is_empty() {
            split.notes.push(format!(
                "Fold {} tests no {}: its score is of the other classes.",
                fold.label,
                absent.join(", ")
            ));
        }
    }
    split.folds = whole;
    Ok(split)
}
