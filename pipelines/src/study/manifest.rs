//! Opening a `study.toml`: ready-made betas, or runs in a layout of one's own.
//!
//! ```toml
//! name = "…"                     # else the folder's name
//! [[subject]]
//! id = "S1"
//! betas = "betas.npy"            # trials × voxels; needs `trials`; of a file that holds several
//!                                # arrays say which: x.npz:betas, x.mat:betas, x.h5:group/betas
//! trials = "trials.tsv"          # a row a trial: run, stimulus or condition (or both), and any of
//!                                # session, repeat (from 0), onset, duration (seconds)
//! coordinates = "xyz.npy"        # optional: voxels × 3, world mm
//! rois = ["rois.nii.gz"]         # optional: atlases
//! masks = ["v1.nii.gz"]          # optional
//! anatomy = "t1.nii.gz"          # optional
//! surfaces = "surf/"             # optional: a folder of GIFTI files named like lh.pial.gii
//! [[subject.run]]                # optional: BOLD runs, instead of betas or beside them
//! bold = "run1.nii.gz"
//! events = "run1.tsv"            # optional: onset, duration, trial_type, stim_file
//! label = "01"                   # else counted: 01, 02, …
//! session = "1"                  # optional
//! task = "faces"                 # optional
//! tr_secs = 2.0                  # else the header decides
//! [stimuli]
//! table = "stimuli.tsv"          # stimulus, image (relative to the table), caption, category
//! ```
//!
//! Paths are relative to the folder of the `study.toml`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::Error;
use crate::io::array::Address;
use crate::run::{Run, Stop};
use crate::study::names::{file_name, file_stem};
use crate::study::ready_betas::{self, KnownStimuli};
use crate::study::stimuli::EventsDigest;
use crate::study::tree::list_folder;
use crate::study::{BoldRun, CorticalSurface, Entities, Named, Source, Study, Subject, surfaces};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: Option<String>,
    #[serde(rename = "subject")]
    subjects: Vec<SubjectEntry>,
    stimuli: Option<StimuliEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectEntry {
    id: String,
    betas: Option<String>,
    trials: Option<PathBuf>,
    coordinates: Option<String>,
    #[serde(default)]
    rois: Vec<PathBuf>,
    #[serde(default)]
    masks: Vec<PathBuf>,
    anatomy: Option<PathBuf>,
    surfaces: Option<PathBuf>,
    #[serde(default, rename = "run")]
    runs: Vec<RunEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunEntry {
    bold: PathBuf,
    events: Option<PathBuf>,
    label: Option<String>,
    #[serde(default)]
    session: String,
    task: Option<String>,
    tr_secs: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StimuliEntry {
    table: PathBuf,
}

/// A `study.toml` and its folder, to complain about and to look in.
struct Place {
    manifest: PathBuf,
    folder: PathBuf,
}

/// Opens a `study.toml`, or the folder that holds one. Betas are read; BOLD is not.
///
/// # Errors
/// Names the line and key of a mistake in the manifest, the file that is missing, and the line and
/// column of a table that does not fit.
pub fn open(path: &Path, run: &Run<'_>) -> Result<Study, Stop> {
    run.stage("reading study.toml");
    let manifest_path = if path.is_dir() {
        path.join("study.toml")
    } else {
        path.to_path_buf()
    };
    let text = std::fs::read_to_string(&manifest_path)
        .map_err(|source| Error::io(&manifest_path, source))?;
    let manifest: Manifest =
        toml::from_str(&text).map_err(|problem| syntax_error(&manifest_path, &text, &problem))?;
    let folder = std::path::absolute(&manifest_path)
        .map_err(|source| Error::io(&manifest_path, source))?
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf);
    let place = Place {
        manifest: manifest_path,
        folder,
    };
    if manifest.subjects.is_empty() {
        return Err(place.problem("it lists no [[subject]]: add one").into());
    }
    let mut assumptions = Vec::new();
    let table = match &manifest.stimuli {
        Some(entry) => Some(place.file("stimuli.table", &entry.table)?),
        None => None,
    };
    let mut known = KnownStimuli::of(table)?;
    let mut subjects: Vec<Subject> = Vec::with_capacity(manifest.subjects.len());
    for entry in &manifest.subjects {
        run.check()?;
        if subjects.iter().any(|subject| subject.id == entry.id) {
            return Err(place
                .problem(&format!(
                    "two subjects have the id “{}”: rename one",
                    entry.id
                ))
                .into());
        }
        subjects.push(subject(&place, entry, &mut known, &mut assumptions)?);
    }
    Ok(Study {
        name: manifest.name.unwrap_or_else(|| file_name(&place.folder)),
        root: Some(path.to_path_buf()),
        subjects,
        stimuli: known.rows,
        assumptions,
    })
}

impl Place {
    fn problem(&self, problem: &str) -> Error {
        Error::file(&self.manifest, problem)
    }

    /// The array that a key names, in a file that is there.
    fn array(&self, key: &str, text: &str) -> Result<Address, Error> {
        let Address { path, name } = Address::parse(text);
        Ok(Address {
            path: self.file(key, &path)?,
            name,
        })
    }

    /// The file that a key names.
    fn file(&self, key: &str, path: &Path) -> Result<PathBuf, Error> {
        let full = self.folder.join(path);
        if full.is_file() {
            return Ok(full);
        }
        Err(self.problem(&format!(
            "{key} = “{}”: there is no such file beside it: correct the path",
            path.display()
        )))
    }
}

fn subject(
    place: &Place,
    entry: &SubjectEntry,
    known: &mut KnownStimuli,
    assumptions: &mut Vec<String>,
) -> Result<Subject, Error> {
    let betas = match (&entry.betas, &entry.trials) {
        (Some(betas), Some(trials)) => {
            let betas = place.array("betas", betas)?;
            let trials = place.file("trials", trials)?;
            let coordinates = match &entry.coordinates {
                Some(text) => Some(place.array("coordinates", text)?),
                None => None,
            };
            if coordinates.is_none() {
                assumptions.push(format!(
                    "subject {} has no coordinates: its voxels cannot be shown in space",
                    entry.id
                ));
            }
            Some(Arc::new(ready_betas::read(
                &entry.id,
                &betas,
                &trials,
                coordinates.as_ref(),
                known,
                assumptions,
            )?))
        }
        (None, None) => None,
        (Some(_), None) => {
            return Err(place.problem(&format!(
                "subject {} has betas but no trials: add trials = \"trials.tsv\", a row a trial",
                entry.id
            )));
        }
        (None, Some(_)) => {
            return Err(place.problem(&format!(
                "subject {} has trials but no betas: add betas = \"betas.npy\"",
                entry.id
            )));
        }
    };
    let mut runs = Vec::with_capacity(entry.runs.len());
    for (index, run) in entry.runs.iter().enumerate() {
        runs.push(bold_run(place, run, index, known, assumptions)?);
    }
    for (index, run) in runs.iter().enumerate() {
        if runs
            .iter()
            .take(index)
            .any(|earlier| earlier.label == run.label)
        {
            return Err(place.problem(&format!(
                "subject {} has two runs labelled “{}”: give each its own label",
                entry.id, run.label
            )));
        }
    }
    let anatomy = match &entry.anatomy {
        Some(path) => Some(Source::File(place.file("anatomy", path)?)),
        None => None,
    };
    Ok(Subject {
        id: entry.id.clone(),
        anatomy,
        runs,
        masks: named(place, "masks", &entry.masks)?,
        atlases: named(place, "rois", &entry.rois)?,
        surfaces: match &entry.surfaces {
            Some(folder) => sheets(place, folder)?,
            None => Vec::new(),
        },
        betas,
    })
}

fn named<T>(place: &Place, key: &str, paths: &[PathBuf]) -> Result<Vec<Named<T>>, Error> {
    paths
        .iter()
        .map(|path| {
            let source = Source::File(place.file(key, path)?);
            Ok(Named {
                name: file_stem(path),
                entities: Entities::new(),
                source,
            })
        })
        .collect()
}

fn sheets(place: &Place, folder: &Path) -> Result<Vec<CorticalSurface>, Error> {
    let full = place.folder.join(folder);
    if !full.is_dir() {
        return Err(place.problem(&format!(
            "surfaces = “{}”: there is no such folder beside it: correct the path",
            folder.display()
        )));
    }
    let files = list_folder(&full)?;
    let parts: Vec<_> = files
        .into_iter()
        .filter(|path| surfaces::is_gifti(path))
        .filter_map(|path| {
            let (side, part) = (surfaces::hemisphere_of(&path)?, surfaces::part_of(&path)?);
            Some((path, side, part))
        })
        .collect();
    let sheets = surfaces::assemble(&parts);
    if sheets.is_empty() {
        return Err(Error::file(
            full,
            "no surface is in this folder: name GIFTI files by side and shape, like lh.pial.gii",
        ));
    }
    Ok(sheets)
}

fn bold_run(
    place: &Place,
    entry: &RunEntry,
    index: usize,
    known: &mut KnownStimuli,
    assumptions: &mut Vec<String>,
) -> Result<BoldRun, Error> {
    if let Some(tr_secs) = entry
        .tr_secs
        .filter(|secs| !(secs.is_finite() && *secs > 0.0))
    {
        return Err(place.problem(&format!(
            "tr_secs = {tr_secs}: give the seconds between volumes, above 0"
        )));
    }
    let events = match &entry.events {
        Some(path) => Some(place.file("events", path)?),
        None => None,
    };
    if let Some(path) = &events {
        let mut digest = EventsDigest::default();
        digest.add(path)?;
        for shown in digest.shown() {
            known.meet(&shown.id, &shown.events, shown.line)?;
        }
        assumptions.extend(digest.assumptions);
    }
    let mut entities = Entities::new();
    if let Some(task) = &entry.task {
        entities.insert("task".to_owned(), task.clone());
    }
    Ok(BoldRun {
        label: entry
            .label
            .clone()
            .unwrap_or_else(|| format!("{:02}", index + 1)),
        session: entry.session.clone(),
        entities,
        tr_secs: entry.tr_secs,
        bold: Source::File(place.file("bold", &entry.bold)?),
        events: events.map(Source::File),
    })
}

fn syntax_error(path: &Path, text: &str, problem: &toml::de::Error) -> Error {
    let line = problem
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    let message = problem.message().trim().replace('\n', "; ");
    Error::file(path, format!("{place}{message}; correct it"))
}
