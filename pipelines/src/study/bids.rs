//! Opening a BIDS folder: raw data and derivatives become one index.
//!
//! Follows BIDS 1.10: entities in file names, the inheritance principle for sidecars and events,
//! `stimuli/` for what `stim_file` names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Error;
use crate::run::{Run, Stop};
use crate::study::names::{entity_text, file_name, natural_order};
use crate::study::stimuli::{self, EventsDigest};
use crate::study::surfaces::{self, SheetPart};
use crate::study::tree::{BidsFile, Tree, list_folder};
use crate::study::{BoldRun, CorticalSurface, Entities, Named, Source, Study, Subject};
use crate::surface::Hemisphere;

/// Opens a BIDS folder, or one `sub-…` folder of it, reading names, sidecars and tables only.
///
/// A run without events is kept, with a sentence in `assumptions`. Where two files have the same
/// entities (two pipelines in `derivatives`), the raw one, else the first in natural order, is taken.
///
/// # Errors
/// When the folder is no study, a sidecar or table cannot be read, or events name a stimulus that
/// `stimuli/` lacks.
pub fn open(path: &Path, run: &Run<'_>) -> Result<Study, Stop> {
    run.stage("reading the study's folders");
    if !path.is_dir() {
        return Err(Error::file(path, "there is no such folder: check the path").into());
    }
    // A relative path may have no parent to look for a subject's study in.
    let path = std::path::absolute(path).map_err(|source| Error::io(path, source))?;
    let (root, only) = root_and_subject(&path);
    let tree = Tree::walk(root, run)?;
    let mut assumptions = Vec::new();
    if tree.n_dangling > 0 {
        assumptions.push(format!(
            "links that lead nowhere are left out: {} (fetch their data to use them)",
            tree.n_dangling
        ));
    }
    let ids = subject_ids(&tree, only.as_deref());
    if ids.is_empty() {
        return Err(not_a_study(&path).into());
    }
    let name = study_name(root, &mut assumptions)?;
    let labels = RunLabels::of(&tree);
    let mut subjects = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        run.check()?;
        run.progress(index, ids.len());
        subjects.push(subject(&tree, id, &labels, &mut assumptions)?);
    }
    let tables: BTreeSet<&Path> = subjects
        .iter()
        .flat_map(|subject| &subject.runs)
        .filter_map(|run| run.events.as_ref().and_then(Source::path))
        .collect();
    let mut digest = EventsDigest::default();
    for table in tables {
        run.check()?;
        digest.add(table)?;
    }
    let stimuli = stimuli::from_folder(root, &digest.shown(), &mut assumptions)?;
    assumptions.extend(digest.assumptions);
    Ok(Study {
        name,
        root: Some(path.clone()),
        subjects,
        stimuli,
        assumptions,
    })
}

/// The study's folder and, when the path is that of one subject inside it, the subject's id.
fn root_and_subject(path: &Path) -> (&Path, Option<String>) {
    let id = path
        .file_name()
        .and_then(|name| name.to_str()?.strip_prefix("sub-"));
    match (id, path.parent()) {
        (Some(id), Some(parent)) if has_subject_data(path) => (parent, Some(id.to_owned())),
        _ => (path, None),
    }
}

fn has_subject_data(folder: &Path) -> bool {
    list_folder(folder).unwrap_or_default().iter().any(|entry| {
        let name = file_name(entry);
        entry.is_dir() && (name.starts_with("ses-") || name == "func" || name == "anat")
    })
}

fn not_a_study(path: &Path) -> Error {
    Error::file(
        path,
        "this is not a study: no study.toml and no sub-… folder with BOLD runs, anatomy, masks, atlases or surfaces is in it; give a BIDS folder, a study.toml or single files",
    )
}

/// Ids of the subjects that have any file this program uses.
fn subject_ids(tree: &Tree, only: Option<&str>) -> Vec<String> {
    let useful = |file: &&BidsFile| {
        ["bold", "T1w", "mask", "dseg", "probseg"]
            .iter()
            .any(|suffix| file.is_nifti(suffix))
            || surfaces::is_gifti(&file.path)
    };
    let ids: BTreeSet<&str> = tree
        .files
        .iter()
        .filter(useful)
        .filter_map(|file| file.entity("sub"))
        .filter(|id| only.is_none_or(|only| only == *id))
        .collect();
    let mut ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    ids.sort_by(|a, b| natural_order(a, b));
    ids
}

/// `Name` of `dataset_description.json`; the folder's own name where that file is missing.
fn study_name(root: &Path, assumptions: &mut Vec<String>) -> Result<String, Error> {
    let path = root.join("dataset_description.json");
    if path.is_file() {
        if let Some(Value::String(name)) = read_json(&path)?.get("Name") {
            return Ok(name.clone());
        }
        assumptions.push("dataset_description.json has no Name: named after its folder".into());
    } else {
        assumptions.push("no dataset_description.json: named after its folder".into());
    }
    Ok(file_name(root))
}

/// Which entities a run's label is made of, the same for the whole study.
struct RunLabels(BTreeSet<String>);

impl RunLabels {
    /// `run` always, `ses` when there are sessions, and what else differs between runs (`task`,
    /// `acq`, `echo`, …) short of `space`, `desc` and their like, which make versions of one run.
    fn of(tree: &Tree) -> Self {
        const VERSION: [&str; 5] = ["sub", "space", "desc", "res", "den"];
        let runs = || tree.files.iter().filter(|file| file.is_nifti("bold"));
        let keys: BTreeSet<&String> = runs().flat_map(|file| file.name.entities.keys()).collect();
        let tells_apart = |key: &str| {
            let values: BTreeSet<_> = runs().map(|file| file.entity(key)).collect();
            key == "run" || key == "ses" || (!VERSION.contains(&key) && values.len() > 1)
        };
        Self(
            keys.into_iter()
                .filter(|key| tells_apart(key))
                .cloned()
                .collect(),
        )
    }

    /// "01", "ses-02_run-01", "task-faces_run-01"; "01" when nothing tells runs apart.
    fn label(&self, entities: &Entities) -> String {
        let text = entity_text(entities, |key| self.0.contains(key));
        match text.strip_prefix("run-") {
            Some(number) if !number.contains('_') => number.to_owned(),
            _ if text.is_empty() => "01".to_owned(),
            _ => text,
        }
    }
}

fn subject(
    tree: &Tree,
    id: &str,
    labels: &RunLabels,
    assumptions: &mut Vec<String>,
) -> Result<Subject, Error> {
    let files = Distinct::of(tree, id, assumptions);
    let mut runs = Vec::new();
    for file in files.nifti("bold") {
        runs.push(bold_run(tree, file, labels, assumptions)?);
    }
    runs.sort_by(|a, b| natural_order(&a.label, &b.label));
    Ok(Subject {
        id: id.to_owned(),
        anatomy: anatomy(&files, assumptions),
        runs,
        masks: masks(&files, assumptions),
        atlases: named(&files.nifti("dseg")),
        surfaces: sheets(&files, id, assumptions),
        betas: None,
    })
}

/// One subject's files, without those that repeat the name of an earlier one.
struct Distinct<'a>(Vec<&'a BidsFile>);

impl<'a> Distinct<'a> {
    fn of(tree: &'a Tree, id: &str, assumptions: &mut Vec<String>) -> Self {
        let mut first: BTreeMap<(&str, &Entities), &BidsFile> = BTreeMap::new();
        let mut kept = Vec::new();
        for file in tree
            .files
            .iter()
            .filter(|file| file.entity("sub") == Some(id))
        {
            let is_image = file.name.extension.starts_with("nii");
            let key = (file.name.suffix.as_str(), &file.name.entities);
            match first.get(&key).filter(|_| is_image) {
                Some(other) => assumptions.push(format!(
                    "{} and {} have the same name parts: the first is used",
                    inside(&tree.root, &other.path),
                    inside(&tree.root, &file.path)
                )),
                None => kept.push(file),
            }
            if is_image {
                first.entry(key).or_insert(file);
            }
        }
        Self(kept)
    }

    fn nifti(&self, suffix: &str) -> Vec<&'a BidsFile> {
        self.0
            .iter()
            .copied()
            .filter(|file| file.is_nifti(suffix))
            .collect()
    }
}

fn inside(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn bold_run(
    tree: &Tree,
    file: &BidsFile,
    labels: &RunLabels,
    assumptions: &mut Vec<String>,
) -> Result<BoldRun, Error> {
    let events = tree
        .inherited(file, "events", "tsv")
        .first()
        .map(|events| events.path.clone());
    if events.is_none() {
        assumptions.push(format!(
            "{} has no events table: it can be viewed, but has no trials",
            file_name(&file.path)
        ));
    }
    let confounds = tree
        .of_same_run(file, "timeseries", "tsv")
        .into_iter()
        .find(|table| table.entity("desc") == Some("confounds"))
        .map(|table| table.path.clone());
    Ok(BoldRun {
        label: labels.label(&file.name.entities),
        session: file.entity("ses").unwrap_or_default().to_owned(),
        entities: file.name.entities.clone(),
        tr_secs: repetition_time(tree, file)?,
        bold: Source::File(file.path.clone()),
        events: events.map(Source::File),
        confounds: confounds.map(Source::File),
    })
}

/// `RepetitionTime` of the nearest sidecar that states it, seconds.
fn repetition_time(tree: &Tree, file: &BidsFile) -> Result<Option<f64>, Error> {
    for sidecar in tree.inherited(file, "bold", "json") {
        let Some(value) = read_json(&sidecar.path)?.get("RepetitionTime").cloned() else {
            continue;
        };
        return match value
            .as_f64()
            .filter(|secs| secs.is_finite() && *secs > 0.0)
        {
            Some(secs) => Ok(Some(secs)),
            None => Err(Error::file(
                &sidecar.path,
                format!("RepetitionTime is {value}: give the seconds between volumes, above 0"),
            )),
        };
    }
    Ok(None)
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    serde_json::from_slice(&bytes).map_err(|problem| {
        Error::file(
            path,
            format!("not readable as JSON ({problem}): correct it"),
        )
    })
}

/// A T1-weighted volume: the plain one before those of another space.
fn anatomy(
    files: &Distinct<'_>,
    assumptions: &mut Vec<String>,
) -> Option<Source<crate::volume::Volume>> {
    let all = files.nifti("T1w");
    let chosen = all
        .iter()
        .min_by_key(|file| usize::from(file.entity("space").is_some()))?;
    if all.len() > 1 {
        assumptions.push(format!(
            "{} of {} T1w volumes is taken as the anatomy",
            file_name(&chosen.path),
            all.len()
        ));
    }
    Some(Source::File(chosen.path.clone()))
}

/// Masks, then probabilistic segmentations, of which the voxels above one half count.
fn masks(files: &Distinct<'_>, assumptions: &mut Vec<String>) -> Vec<Named<crate::volume::Volume>> {
    let maps = files.nifti("probseg");
    if let Some(first) = maps.first() {
        assumptions.push(format!(
            "{} and {} other probability maps are listed with the masks (inside is above 0.5)",
            file_name(&first.path),
            maps.len() - 1
        ));
    }
    let all: Vec<&BidsFile> = files.nifti("mask").into_iter().chain(maps).collect();
    named(&all)
}

/// Names files by their `label` and `desc`, or by all their entities where that is not enough.
fn named<T>(files: &[&BidsFile]) -> Vec<Named<T>> {
    let short = |file: &BidsFile| {
        let parts = ["label", "desc"]
            .into_iter()
            .filter_map(|key| file.entity(key));
        parts.collect::<Vec<_>>().join("-")
    };
    files
        .iter()
        .map(|file| {
            let shared = files
                .iter()
                .filter(|other| short(other) == short(file))
                .count()
                > 1;
            let name = match short(file) {
                name if !name.is_empty() && !shared => name,
                _ => match entity_text(&file.name.entities, |key| key != "sub") {
                    text if text.is_empty() => file.name.suffix.clone(),
                    text => text,
                },
            };
            Named {
                name,
                entities: file.name.entities.clone(),
                source: Source::File(file.path.clone()),
            }
        })
        .collect()
}

/// The subject's sheets: of one space and density, the subject's own before a template's.
fn sheets(files: &Distinct<'_>, id: &str, assumptions: &mut Vec<String>) -> Vec<CorticalSurface> {
    type Parts = Vec<(PathBuf, Hemisphere, SheetPart)>;
    let mut by_space: BTreeMap<String, Parts> = BTreeMap::new();
    for file in files.0.iter().filter(|file| surfaces::is_gifti(&file.path)) {
        let (side, part) = (
            surfaces::hemisphere_of(&file.path),
            surfaces::part_of(&file.path),
        );
        if let (Some(side), Some(part)) = (side, part) {
            let space = entity_text(&file.name.entities, |key| key == "space" || key == "den");
            by_space
                .entry(space)
                .or_default()
                .push((file.path.clone(), side, part));
        }
    }
    // "" sorts first, so the subject's own space wins a tie.
    let n_shapes = |parts: &Parts| {
        parts
            .iter()
            .filter(|(_, _, part)| matches!(part, SheetPart::Shape(_)))
            .count()
    };
    by_space.retain(|_, parts| n_shapes(parts) > 0);
    let n_spaces = by_space.len();
    let Some((space, parts)) = by_space.into_iter().next() else {
        return Vec::new();
    };
    if n_spaces > 1 {
        let space = if space.is_empty() {
            "the subject's own space".to_owned()
        } else {
            space
        };
        assumptions.push(format!(
            "sub-{id} has surfaces in {n_spaces} spaces: {space} is used"
        ));
    }
    surfaces::assemble(&parts)
}
