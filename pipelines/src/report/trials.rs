//! Responses of single trials as a study of their own.

use std::path::{Path, PathBuf};

use crate::betas::{Betas, Columns, Trial};
use crate::io::table::Table;
use crate::io::{nifti, npy};
use crate::matrix::Matrix;
use crate::report::written::Written;
use crate::{Error, Result};

/// Writes `betas.npy` (trials × voxels), `trials.tsv`, `xyz.npy` (voxels × 3, world mm), for voxels of a grid
/// `mask.nii.gz`, and the `study.toml` that names them, into `out`, which is made when it is not there. Gives the paths.
pub fn write_trials(out: &Path, study: &str, betas: &Betas) -> Result<Vec<PathBuf>> {
    let Some(first) = betas.trials.first() else {
        return Err(Error::data("there are no trials to write"));
    };
    let mut written = Written::into(out)?;
    npy::write(&written.at("betas.npy"), &betas.values)?;
    written.table("trials.tsv", &trials(&betas.trials))?;
    let mut coordinates = "";
    let points: Vec<[f32; 3]> = match &betas.columns {
        Columns::Voxels(mask) => {
            let inside = vec![1.0; mask.len()];
            let volume = mask.scatter(&inside, 0.0)?;
            nifti::write_volume(&written.at("mask.nii.gz"), &volume)?;
            let centre = |v: &u32| mask.grid().world(mask.grid().ijk(*v as usize)).as_vec3();
            mask.voxels().iter().map(|v| centre(v).to_array()).collect()
        }
        Columns::Points(points) => points.iter().map(glam::Vec3::to_array).collect(),
    };
    if !points.is_empty() {
        let xyz = Matrix::from_values(points.len(), 3, points.concat())?;
        npy::write(&written.at("xyz.npy"), &xyz)?;
        coordinates = "coordinates = \"xyz.npy\"\n";
    }
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let toml = format!(
        "# {}\nname = {}\n\n[[subject]]\nid = {}\nbetas = \"betas.npy\"\ntrials = \"trials.tsv\"\n{coordinates}",
        betas.method.replace(['\n', '\r'], " "),
        quoted(&format!("Single trials of {study}")),
        quoted(&first.subject),
    );
    written.text("study.toml", &toml)?;
    Ok(written.files)
}

fn trials(trials: &[Trial]) -> Table {
    let columns = [
        "session",
        "run",
        "onset",
        "duration",
        "condition",
        "stimulus",
        "repeat",
    ];
    let row = |t: &Trial| {
        // A run of a session is written without it: the reader puts the two together again.
        let of_session = format!("ses-{}_run-", t.session);
        let run = t.run.strip_prefix(&of_session).unwrap_or(&t.run);
        vec![
            t.session.clone(),
            run.to_owned(),
            t.onset_secs.to_string(),
            t.duration_secs.to_string(),
            t.condition.clone(),
            t.stimulus.clone().unwrap_or_default(),
            t.repeat.to_string(),
        ]
    };
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: trials.iter().map(row).collect(),
    }
}
