//! The pictures behind the events: which exist, what they show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::io::table;
use crate::study::events::{cell, read_lines};
use crate::study::names::{did_you_mean, file_name, natural_order};
use crate::study::tree::list_folder;
use crate::study::{Source, Stimulus};
use crate::{Error, Result};

/// A stimulus that events name, with the first line that does.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// What the events call it.
    pub(super) id: String,
    /// The events table.
    pub(super) events: PathBuf,
    /// Its line; the heading is line 1.
    pub(super) line: usize,
}

/// What a set of events tables shows.
#[derive(Debug, Default)]
pub(super) struct EventsDigest {
    /// Every stimulus once, by its id.
    shown: BTreeMap<String, Shown>,
    /// What reading the tables assumes, in sentences.
    pub(super) assumptions: Vec<String>,
}

impl EventsDigest {
    /// Reads one more table.
    ///
    /// # Errors
    /// When it cannot be read or holds an impossible number.
    pub(super) fn add(&mut self, path: &Path) -> Result<()> {
        let lines = read_lines(path)?;
        if !lines.is_sorted_by(|(_, a), (_, b)| a.onset_secs <= b.onset_secs) {
            let name = file_name(path);
            self.assumptions.push(format!(
                "{name}: not in order of onset; taken in that order"
            ));
        }
        for (line, row) in lines {
            if let Some(id) = row.stim_file {
                let events = path.to_path_buf();
                self.shown
                    .entry(id.clone())
                    .or_insert(Shown { id, events, line });
            }
        }
        Ok(())
    }

    /// The stimuli in natural order of their ids.
    pub(super) fn shown(&self) -> Vec<&Shown> {
        let mut shown: Vec<&Shown> = self.shown.values().collect();
        shown.sort_by(|a, b| natural_order(&a.id, &b.id));
        shown
    }
}

/// The stimuli of a BIDS study: pictures from `stimuli/`, words from `captions.tsv` and
/// `stimuli.tsv` in it (columns `stim_file` or `stimulus`, `caption`, `category`).
///
/// Without that folder the stimuli have names only, and a sentence says so.
///
/// # Errors
/// When events name a stimulus that the folder lacks, or a table cannot be read.
pub(super) fn from_folder(
    root: &Path,
    shown: &[&Shown],
    assumptions: &mut Vec<String>,
) -> Result<Vec<Stimulus>> {
    let folder = root.join("stimuli");
    if !folder.is_dir() {
        if !shown.is_empty() {
            assumptions.push(format!(
                "no stimuli folder: the {} stimuli that the events name have no pictures",
                shown.len()
            ));
        }
        return Ok(shown.iter().map(|shown| nameless(&shown.id)).collect());
    }
    let mut words = Words::default();
    for name in ["captions.tsv", "stimuli.tsv"] {
        let path = folder.join(name);
        if path.is_file() {
            words.read(&path)?;
        }
    }
    let mut stimuli = Vec::with_capacity(shown.len());
    let mut n_unreadable = 0;
    for shown in shown {
        let path = [folder.join(&shown.id), root.join(&shown.id)]
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| missing_picture(&folder, shown))?;
        let readable = is_picture_name(&path);
        n_unreadable += usize::from(!readable);
        let (caption, category) = words.of(&shown.id);
        stimuli.push(Stimulus {
            id: shown.id.clone(),
            image: readable.then_some(Source::File(path)),
            caption,
            category,
        });
    }
    if n_unreadable > 0 {
        assumptions.push(format!(
            "{n_unreadable} stimuli are not PNG or JPEG pictures: they are known by name only"
        ));
    }
    Ok(stimuli)
}

/// The stimuli of a table in a `study.toml` study: columns `stimulus` (or `stim_file`) and any of
/// `image` (a file, relative to the table), `caption`, `category`.
///
/// # Errors
/// When the table cannot be read, names a stimulus twice, or names a picture that is not there.
pub(super) fn from_table(path: &Path) -> Result<Vec<Stimulus>> {
    let table = table::read(path)?;
    let key = key_column(path, &table)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let [image, caption, category] = ["image", "caption", "category"].map(|c| table.column(c));
    let mut stimuli: Vec<Stimulus> = Vec::with_capacity(table.rows.len());
    let mut lines = BTreeMap::new();
    for (index, row) in table.rows.iter().enumerate() {
        let line = index + 2;
        let text = |column: Option<usize>| cell(column.and_then(|c| row.get(c)));
        let id = text(Some(key)).ok_or_else(|| {
            Error::file(
                path,
                format!("line {line} names no stimulus: name it or delete the line"),
            )
        })?;
        if let Some(first) = lines.insert(id.to_owned(), line) {
            return Err(Error::file(
                path,
                format!("lines {first} and {line} both describe the stimulus “{id}”: keep one"),
            ));
        }
        let image = text(image).map(|name| folder.join(name));
        if let Some(picture) = image.as_ref().filter(|picture| !picture.is_file()) {
            return Err(Error::file(
                path,
                format!(
                    "line {line}: there is no picture {} for the stimulus “{id}”: add it or write n/a",
                    picture.display()
                ),
            ));
        }
        stimuli.push(Stimulus {
            id: id.to_owned(),
            image: image.map(Source::File),
            caption: text(caption).map(str::to_owned),
            category: text(category).map(str::to_owned),
        });
    }
    Ok(stimuli)
}

/// A stimulus of which only the name is known.
pub(super) fn nameless(id: &str) -> Stimulus {
    Stimulus {
        id: id.to_owned(),
        image: None,
        caption: None,
        category: None,
    }
}

/// Caption and category by stimulus.
#[derive(Default)]
struct Words(BTreeMap<String, (Option<String>, Option<String>)>);

impl Words {
    /// Adds a table; what is already known stays.
    fn read(&mut self, path: &Path) -> Result<()> {
        let table = table::read(path)?;
        let key = key_column(path, &table)?;
        let (caption, category) = (table.column("caption"), table.column("category"));
        for row in &table.rows {
            let text =
                |column: Option<usize>| cell(column.and_then(|c| row.get(c))).map(str::to_owned);
            if let Some(id) = text(Some(key)) {
                let known = self.0.entry(plain_id(&id).to_owned()).or_default();
                known.0 = known.0.take().or(text(caption));
                known.1 = known.1.take().or(text(category));
            }
        }
        Ok(())
    }

    fn of(&self, id: &str) -> (Option<String>, Option<String>) {
        self.0.get(plain_id(id)).cloned().unwrap_or_default()
    }
}

/// Tables and events may or may not write the folder before the file.
fn plain_id(id: &str) -> &str {
    id.strip_prefix("stimuli/").unwrap_or(id)
}

fn key_column(path: &Path, table: &table::Table) -> Result<usize> {
    table
        .column("stimulus")
        .or_else(|| table.column("stim_file"))
        .ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "no column names the stimuli (it has {}): call it stimulus or stim_file",
                    table.columns.join(", ")
                ),
            )
        })
}

fn is_picture_name(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

fn missing_picture(folder: &Path, shown: &Shown) -> Error {
    let present: Vec<String> = list_folder(folder)
        .unwrap_or_default()
        .iter()
        .map(|path| file_name(path))
        .collect();
    let present: Vec<&str> = present.iter().map(String::as_str).collect();
    let hint = did_you_mean(&shown.id, &present)
        .map_or_else(String::new, |near| format!(" (did you mean “{near}”?)"));
    Error::file(
        &shown.events,
        format!(
            "line {} shows the stimulus “{}”, which is not in {}{hint}: add the picture there or correct the line",
            shown.line,
            shown.id,
            folder.display()
        ),
    )
}
