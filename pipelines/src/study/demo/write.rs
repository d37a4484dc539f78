//! Writing a study that is held in memory, or made on demand, as a BIDS folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::json;

use crate::Error;
use crate::io::table::{self, Table};
use crate::io::{Datatype, gifti, nifti, picture, write};
use crate::run::{Run, Stop};
use crate::study::derivative::{self, About, file_name};
use crate::study::{BoldRun, Study, Subject};
use crate::surface::{Hemisphere, Shape};
use crate::volume::Series;

/// Intensities are kept in steps of this, far below the noise.
const STEP: f32 = 0.25;
/// The derivative dataset that holds all but the anatomy.
const DERIVATIVE: &str = "derivatives/fusiform";
/// Runs made and written at the same time: each takes some tens of megabytes.
const AT_ONCE: usize = 2;

const README: &str = "\
This dataset was made by a program: nobody was scanned. It is the demo study of Fusiform, \
written to disk as BIDS.

Each subject's anatomy is in sub-*/anat. The BOLD runs, which need no preprocessing, their events, \
masks, the atlas and the surfaces are in derivatives/fusiform, the pictures with captions and \
categories in stimuli.

Some pictures are shown three times within one run, and to every subject; the others once, to one \
subject. Everything follows from the seed in the dataset's name.
";

/// Writes `study` as a BIDS folder. Nothing is at `folder` before all of it is: it is written to
/// `folder` with `.partial` at its end and then renamed.
///
/// # Errors
/// When `folder` is there and not empty, when its `.partial` is there, and when the system refuses.
/// After an error or a cancel nothing is left.
pub fn write_bids(study: &Study, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    if folder.exists() && !is_empty_folder(folder) {
        return Err(Error::file(
            folder,
            "is there already and is not an empty folder: name a new one",
        )
        .into());
    }
    // Without a slash at its end.
    let folder: &Path = &folder.components().collect::<PathBuf>();
    let mut name = folder.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    if partial.exists() {
        return Err(Error::file(
            &partial,
            "is left over from a run that was interrupted: delete it, or name another folder",
        )
        .into());
    }
    write::make_folder(&partial)?;
    let written = fill(study, &partial, run).and_then(|()| {
        if folder.exists() {
            std::fs::remove_dir(folder).map_err(|e| Error::io(folder, e))?;
        }
        Ok(std::fs::rename(&partial, folder).map_err(|e| Error::io(folder, e))?)
    });
    if written.is_err() {
        // The first failure is the one to tell of.
        let _best_effort = std::fs::remove_dir_all(&partial);
    }
    written
}

fn is_empty_folder(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

fn fill(study: &Study, root: &Path, run: &Run<'_>) -> Result<(), Stop> {
    let derived = root.join(DERIVATIVE);
    write::make_folder(&derived)?;
    for (place, kind) in [(root, "raw"), (derived.as_path(), "derivative")] {
        derivative::describe(place, &study.name, kind)?;
    }
    write::write_text(&root.join("README"), README)?;
    let participants = study.subjects.iter().map(|s| vec![format!("sub-{}", s.id)]);
    write_table(
        &root.join("participants.tsv"),
        ["participant_id"],
        participants.collect(),
    )?;
    run.stage("writing the pictures");
    stimuli(study, &root.join("stimuli"), run)?;
    for subject in &study.subjects {
        run.stage(format!("writing subject {}", subject.id));
        let id = format!("sub-{}", subject.id);
        anatomy(subject, &root.join(&id).join("anat"), run)?;
        sheets(subject, &derived.join(&id).join("anat"), run)?;
        runs(subject, &derived.join(&id).join("func"), run)?;
    }
    Ok(())
}

fn stimuli(study: &Study, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    write::make_folder(folder)?;
    let total = study.stimuli.len();
    let done = AtomicUsize::new(0);
    study.stimuli.par_iter().try_for_each(|stimulus| {
        if let Some(image) = &stimulus.image {
            picture::write_png(&folder.join(&stimulus.id), &*image.load(run)?)?;
        }
        run.progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok::<(), Stop>(())
    })?;
    let or_na = |text: &Option<String>| text.clone().unwrap_or_else(|| "n/a".to_owned());
    let rows = study
        .stimuli
        .iter()
        .map(|s| vec![s.id.clone(), or_na(&s.caption), or_na(&s.category)]);
    write_table(
        &folder.join("stimuli.tsv"),
        ["stim_file", "caption", "category"],
        rows.collect(),
    )
}

fn anatomy(subject: &Subject, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    let Some(source) = &subject.anatomy else {
        return Ok(());
    };
    write::make_folder(folder)?;
    let path = folder.join(format!("sub-{}_T1w.nii.gz", subject.id));
    Ok(nifti::write_volume(&path, &*source.load(run)?)?)
}

/// Masks, atlases and surfaces.
fn sheets(subject: &Subject, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    write::make_folder(folder)?;
    for mask in &subject.masks {
        let volume = mask.source.load(run)?;
        let inside: Vec<bool> = volume.data.iter().map(|&v| v > 0.0).collect();
        let about = About {
            description: format!("The voxels of the mask “{}”.", mask.name),
            ..About::default()
        };
        derivative::write_mask(folder, &mask.entities, (&volume.grid, &inside), &about)?;
    }
    for atlas in &subject.atlases {
        derivative::write_atlas(folder, &atlas.entities, &*atlas.source.load(run)?)?;
    }
    for surface in &subject.surfaces {
        run.check()?;
        let side = match surface.hemisphere {
            Hemisphere::Left => "L",
            Hemisphere::Right => "R",
        };
        let file = |rest: &str| folder.join(format!("sub-{}_hemi-{side}_{rest}.gii", subject.id));
        for (shape, source) in &surface.shapes {
            let suffix = match shape {
                Shape::White => "white",
                Shape::Midthickness => "midthickness",
                Shape::Pial => "pial",
                Shape::Inflated => "inflated",
                Shape::Sphere => "sphere",
                Shape::Flat => "flat",
            };
            gifti::write_surface(&file(&format!("{suffix}.surf")), &*source.load(run)?)?;
        }
        if let Some(sulcal) = &surface.sulcal {
            gifti::write_map(&file("sulc.shape"), &*sulcal.load(run)?)?;
        }
        if let Some(labels) = &surface.labels {
            gifti::write_labels(
                &file("desc-areas_dseg.label"),
                &*labels.load(run)?,
                Some(surface.hemisphere),
            )?;
        }
    }
    Ok(())
}

fn runs(subject: &Subject, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    write::make_folder(folder)?;
    // What the runs have in common is made with the first.
    let (first, others) = subject.runs.split_at(1.min(subject.runs.len()));
    let mut n_done = 0;
    for few in std::iter::once(first).chain(others.chunks(AT_ONCE)) {
        few.par_iter()
            .try_for_each(|bold| one_run(bold, folder, run))?;
        n_done += few.len();
        run.progress(n_done, subject.runs.len());
    }
    Ok(())
}

fn one_run(bold: &BoldRun, folder: &Path, run: &Run<'_>) -> Result<(), Stop> {
    let series = bold.bold.load(run)?;
    let path = folder.join(file_name(&bold.entities, "bold", "nii.gz"));
    nifti::write_scaled(
        &path,
        &series,
        Datatype::I16,
        (f64::from(step_for(&series)), 0.0),
    )?;
    let task = bold.entities.get("task").map_or("", String::as_str);
    let sidecar = json!({
        "TaskName": task,
        "RepetitionTime": bold.tr_secs.or(series.tr_secs),
        "SkullStripped": false,
    });
    let path = folder.join(file_name(&bold.entities, "bold", "json"));
    derivative::write_json(&path, &sidecar)?;
    if let Some(events) = &bold.events {
        let mut plain = bold.entities.clone();
        plain.retain(|key, _| !matches!(key.as_str(), "space" | "desc"));
        let path = folder.join(file_name(&plain, "events", "tsv"));
        events.load(run)?.write(&path)?;
    }
    Ok(())
}

/// [`STEP`], or more where it would not reach the largest value.
fn step_for(series: &Series) -> f32 {
    let largest = series.data.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    STEP.max(largest / 32_000.0)
}

fn write_table<const N: usize>(
    path: &Path,
    columns: [&str; N],
    rows: Vec<Vec<String>>,
) -> Result<(), Stop> {
    let columns = columns.map(str::to_owned).to_vec();
    Ok(table::write(path, &Table { columns, rows })?)
}
