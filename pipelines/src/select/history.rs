//! Every attempt, one line each, in a file that only grows: what was tried counts as much as what came out best.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::io::table::{self, Table as Text};
use crate::io::write;
use crate::select::contrast::Contrast;
use crate::select::evaluate::{Evaluation, EvaluationPlan};
use crate::select::extraction::Extraction;
use crate::select::feature::FeatureKind;
use crate::select::id;
use crate::select::pick::Basket;
use crate::select::score::Scored;
use crate::{Error, Result};

/// What an attempt is repeated from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recipe {
    /// The study, as it was named.
    pub study: String,
    /// How responses were read; of several, the training rows of each fold chose.
    pub extractions: Vec<Extraction>,
    /// What was told apart.
    pub contrast: Contrast,
    /// By what.
    pub kind: FeatureKind,
    /// How it was picked and scored.
    pub plan: EvaluationPlan,
    /// The basket that somebody filled; `None` when the plan picked it.
    pub basket: Option<Basket>,
    /// The id of the data: it tells whether files have changed since.
    pub data: String,
}

impl Recipe {
    /// The id of all of it: attempts of the same key are the same attempt.
    ///
    /// # Errors
    /// When a number in it is not finite.
    pub fn key(&self) -> Result<String> {
        id::of(self)
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// Features picked anew in every fold.
    pub repicked: Scored,
    /// The fixed basket.
    pub fixed: Scored,
    /// Why the fixed score flatters, if it does.
    pub optimistic: Option<String>,
    /// What guessing gets.
    pub chance: f64,
    /// Rows tested.
    pub n_rows: usize,
    /// How rows were held out, in words.
    pub split: String,
    /// The classes.
    pub classes: Vec<String>,
    /// The basket that was scored.
    pub basket: Basket,
}

impl From<&Evaluation> for Outcome {
    fn from(evaluation: &Evaluation) -> Self {
        Self {
            repicked: evaluation.repicked.clone(),
            fixed: evaluation.fixed.clone(),
            optimistic: evaluation.optimistic.clone(),
            chance: evaluation.chance,
            n_rows: evaluation.n_rows,
            split: evaluation.split.clone(),
            classes: evaluation.classes.clone(),
            basket: evaluation.basket.clone(),
        }
    }
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Attempt {
    /// From 1, in order.
    pub id: u64,
    /// The attempt it was made from, if it was.
    pub parent: Option<u64>,
    /// When, as the caller writes times (RFC 3339 is meant).
    pub time: String,
    /// Seconds it took.
    pub seconds: f64,
    /// The program's version.
    pub version: String,
    /// [`Recipe::key`].
    pub key: String,
    /// What somebody wrote beside it.
    pub note: String,
    /// What it is repeated from.
    pub recipe: Recipe,
    /// What came out.
    pub outcome: Outcome,
    /// What a window showed meanwhile, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<serde_json::Value>,
}

/// An attempt before it has a number.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub time: String,
    /// Seconds it took.
    pub seconds: f64,
    /// What somebody wrote beside it.
    pub note: String,
    /// The attempt it was made from.
    pub parent: Option<u64>,
    /// What it is repeated from.
    pub recipe: Recipe,
    /// What came out.
    pub outcome: Outcome,
}

/// A history file and what it holds.
#[derive(Clone, Debug, Default)]
pub struct History {
    path: Option<PathBuf>,
    /// All attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Lines that could not be read, in words: the last one of a program that was stopped while writing, say.
    pub damaged: Vec<String>,
    /// Whether the file ends within a line.
    torn: bool,
}

impl History {
    /// Reads a history; a file that is not there is an empty one.
    ///
    /// # Errors
    /// When the file cannot be read. A line that is no attempt is no error: it is left alone and listed in `damaged`.
    pub fn open(path: &Path) -> Result<Self> {
        let mut text = String::new();
        match File::open(path) {
            Ok(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)
                    .map_err(|e| Error::io(path, e))?;
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io(path, e)),
        }
        let mut history = Self {
            path: Some(path.to_path_buf()),
            attempts: Vec::new(),
            damaged: Vec::new(),
            torn: !text.is_empty() && !text.ends_with('\n'),
        };
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(line) {
                Ok(attempt) => history.attempts.push(attempt),
                Err(e) => history
                    .damaged
                    .push(format!("line {} is no attempt ({e})", number + 1)),
            }
        }
        Ok(history)
    }

    /// A history that is kept in memory alone.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// What is in its file by now; of one that is kept in memory, itself.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn reopened(&self) -> Result<Self> {
        match &self.path {
            Some(path) => Self::open(path),
            None => Ok(self.clone()),
        }
    }

    fn place(&self) -> String {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        path.unwrap_or_else(|| "the history".to_owned())
    }

    /// The attempt of a number.
    ///
    /// # Errors
    /// When there is none: the text says which there are.
    pub fn attempt(&self, id: u64) -> Result<&Attempt> {
        let found = self.attempts.iter().find(|a| a.id == id);
        found.ok_or_else(|| {
            Error::Choice(format!(
                "{} holds no attempt {id}; it holds {}",
                self.place(),
                match (self.attempts.first(), self.attempts.last()) {
                    (Some(first), Some(last)) => format!("{} to {}", first.id, last.id),
                    _ => "none".to_owned(),
                }
            ))
        })
    }

    /// An attempt that was made from the same recipe, if there is one.
    ///
    /// # Errors
    /// When the recipe has no key.
    pub fn same_as(&self, recipe: &Recipe) -> Result<Option<&Attempt>> {
        let key = recipe.key()?;
        Ok(self.attempts.iter().rev().find(|a| a.key == key))
    }

    /// Refuses a recipe that was tried before, naming the attempt.
    ///
    /// # Errors
    /// When it was.
    pub fn refuse_repeat(&self, recipe: &Recipe) -> Result<()> {
        match self.same_as(recipe)? {
            None => Ok(()),
            Some(before) => Err(Error::Choice(format!(
                "this was tried before, as attempt {} on {} (re-picked accuracy {:.3}): change something, or repeat it with --force",
                before.id, before.time, before.outcome.repicked.accuracy
            ))),
        }
    }

    /// Adds an attempt: one line, written at once and brought to disk. Gives its number.
    ///
    /// # Errors
    /// When an equal recipe is there and `force` is not set, and when the file cannot be written.
    pub fn append(&mut self, entry: Entry, force: bool) -> Result<u64> {
        self.append_shown(entry, None, force)
    }

    /// The same, with what a window showed meanwhile, in its own words.
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub fn append_shown(
        &mut self,
        entry: Entry,
        view: Option<serde_json::Value>,
        force: bool,
    ) -> Result<u64> {
        if !force {
            self.refuse_repeat(&entry.recipe)?;
        }
        let id = self.attempts.iter().map(|a| a.id).max().unwrap_or(0) + 1;
        let attempt = Attempt {
            id,
            parent: entry.parent,
            time: entry.time,
            seconds: entry.seconds,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            key: entry.recipe.key()?,
            note: entry.note,
            recipe: entry.recipe,
            outcome: entry.outcome,
            view,
        };
        if let Some(path) = &self.path {
            write_line(path, &attempt, self.torn)?;
        }
        self.torn = false;
        self.attempts.push(attempt);
        Ok(id)
    }

    /// Writes all attempts as one JSON array.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn export_json(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.attempts)
            .map_err(|e| Error::file(path, format!("cannot hold the attempts: {e}")))?;
        write::write_text(path, &(text + "\n"))
    }

    /// Writes one row an attempt: CSV for a name that ends in `.csv`, else TSV.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn export_table(&self, path: &Path) -> Result<()> {
        let text = self.table();
        if path
            .extension()
            .is_none_or(|e| !e.eq_ignore_ascii_case("csv"))
        {
            return table::write(path, &text);
        }
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
        let lines = std::iter::once(&text.columns).chain(&text.rows).map(line);
        write::write_text(path, &(lines.collect::<Vec<_>>().join("\n") + "\n"))
    }

    /// One row an attempt: what a person compares.
    pub fn table(&self) -> Text {
        let columns = [
            "id",
            "time",
            "parent",
            "classes",
            "features",
            "n_picked",
            "model",
            "split",
            "n_rows",
            "accuracy_repicked",
            "accuracy_fixed",
            "optimistic",
            "chance",
            "p",
            "seed",
            "permutations",
            "extraction",
            "data",
            "note",
        ];
        let row = |a: &Attempt| {
            let (recipe, outcome) = (&a.recipe, &a.outcome);
            let ids: Vec<String> = recipe
                .extractions
                .iter()
                .filter_map(|e| e.id().ok())
                .collect();
            vec![
                a.id.to_string(),
                a.time.clone(),
                a.parent.map_or_else(String::new, |p| p.to_string()),
                outcome.classes.join(" / "),
                recipe.kind.word().into_owned(),
                outcome.basket.features.len().to_string(),
                recipe.plan.model.name(),
                outcome.split.clone(),
                outcome.n_rows.to_string(),
                format!("{:.6}", outcome.repicked.accuracy),
                format!("{:.6}", outcome.fixed.accuracy),
                if outcome.optimistic.is_some() {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
                format!("{:.6}", outcome.chance),
                outcome
                    .repicked
                    .p
                    .map_or_else(String::new, |p| format!("{p:.6}")),
                recipe.plan.seed.to_string(),
                recipe.plan.n_permutations.to_string(),
                ids.join(" "),
                recipe.data.clone(),
                a.note.clone(),
            ]
        };
        Text {
            columns: columns.map(str::to_owned).to_vec(),
            rows: self.attempts.iter().map(row).collect(),
        }
    }
}

/// Adds one line to a file and brings it to disk. A torn line stays what it is; the new one begins on its own.
fn write_line(path: &Path, attempt: &Attempt, torn: bool) -> Result<()> {
    let line = serde_json::to_string(attempt)
        .map_err(|e| Error::file(path, format!("cannot hold this attempt: {e}")))?;
    let text = format!("{}{line}\n", if torn { "\n" } else { "" });
    let io = |e| Error::io(path, e);
    if let Some(folder) = path.parent() {
        write::make_folder(folder)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(io)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.sync_data().map_err(io)
}
