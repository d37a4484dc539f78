//! Betas in a file a session, of which only the voxels that are asked for are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::betas::{Betas, Columns, Trial};
use crate::io::{Datatype, array, hdf5, mat, nifti};
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::study::Source;
use crate::study::names::file_name;
use crate::study::nsd::design::Design;
use crate::study::tree::list_folder;
use crate::volume::Volume;
use crate::{Error, Result};

/// Betas stored as int16 are per cent signal change times this (NSD data manual).
const STORED_PER_PERCENT: f32 = 300.0;

/// The sessions of one subject, all on one grid.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// A file a session, in order.
    pub files: Vec<PathBuf>,
    /// All trials, session after session, as many of each.
    pub trials: Vec<Trial>,
    /// The voxels of the files.
    pub grid: Grid,
    /// The mask that the field uses, when it is there: `nsdgeneral`.
    pub usual_mask: Option<Source<Volume>>,
    /// How the betas were made, in words.
    pub method: String,
}

/// The sessions in a folder and their numbers. Of one session in several formats the one that is
/// read in parts is taken.
pub(super) fn files(folder: &Path) -> Result<Vec<(usize, PathBuf)>> {
    const ENDINGS: [&str; 4] = [".hdf5", ".mat", ".nii", ".nii.gz"];
    let mut found: Vec<(usize, usize, PathBuf)> = Vec::new();
    for path in list_folder(folder)? {
        let name = file_name(&path);
        let rest = name.strip_prefix("betas_session").unwrap_or_default();
        for (rank, ending) in ENDINGS.iter().enumerate() {
            if let Some(number) = rest.strip_suffix(ending).and_then(|n| n.parse().ok()) {
                found.push((number, rank, path.clone()));
            }
        }
    }
    found.retain(|(number, ..)| *number > 0);
    found.sort();
    found.dedup_by_key(|(number, ..)| *number);
    Ok(found
        .into_iter()
        .map(|(number, _, path)| (number, path))
        .collect())
}

impl Sessions {
    /// Reads the heads of the files in a folder. `placed_by` is a volume on the same grid, for
    /// arrays do not say where they lie.
    pub(super) fn index(
        folder: &Path,
        subject: &str,
        number: usize,
        design: &Design,
        placed_by: Option<&Path>,
        usual_mask: Option<Source<Volume>>,
        assumptions: &mut Vec<String>,
    ) -> Result<Self> {
        let files = files(folder)?;
        let numbers: Vec<usize> = files.iter().map(|(number, _)| *number).collect();
        let files: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
        let Some(first) = files.first() else {
            return Err(Error::file(
                folder,
                "no betas_session files are in it: add them",
            ));
        };
        let shape = shape_of(first)?;
        let is_volume = |path: &Path| {
            let name = file_name(path);
            name.ends_with(".nii") || name.ends_with(".nii.gz")
        };
        let grid_file = files
            .iter()
            .map(PathBuf::as_path)
            .find(|path| is_volume(path))
            .or(placed_by);
        let grid_file = grid_file.ok_or_else(|| {
            let problem = "nothing says where its voxels lie: put a region volume into nsddata/ppdata/SUBJECT/GRID/roi";
            Error::file(first, problem)
        })?;
        let grid = nifti::read_header(grid_file)?.grid;
        let [ni, nj, nk, n_trials] = shape;
        if grid.shape != [ni, nj, nk] {
            return Err(Error::file(
                first,
                format!(
                    "has {} voxels where {} has {}: they must be on one grid",
                    array::times(&[ni, nj, nk]),
                    file_name(grid_file),
                    array::times(&grid.shape)
                ),
            ));
        }
        let all = numbers.last().copied().unwrap_or(0);
        if numbers.len() < all {
            assumptions.push(format!(
                "{subject}: {} of the first {all} sessions are there",
                numbers.len()
            ));
        }
        let trials = design.trials(subject, number, &numbers, n_trials)?;
        Ok(Self {
            method: format!(
                "{}, per cent signal change, session after session",
                file_name(folder)
            ),
            files,
            trials,
            grid,
            usual_mask,
        })
    }

    /// Trials × voxels of a mask on the same grid. Each file is gone through once; what is in memory
    /// beside the result is a slice of a session (HDF5), a volume (NIfTI), or a session (MATLAB 5).
    ///
    /// # Errors
    /// When the mask is on another grid, or a file is damaged or of another shape than the first.
    pub fn gather(&self, mask: &Mask, run: &Run<'_>) -> Result<Betas, Stop> {
        if !self.grid.same_as(mask.grid()) {
            return Err(Error::data(format!(
                "the mask is on a grid of {} voxels, the betas on one of {}: choose a mask made for them",
                array::times(&mask.grid().shape),
                array::times(&self.grid.shape)
            ))
            .into());
        }
        run.stage(format!(
            "reading {} voxels of {} sessions",
            mask.len(),
            self.files.len()
        ));
        let n_trials = self.trials.len() / self.files.len().max(1);
        let mut values = Matrix::zeros(self.trials.len(), mask.len());
        let [ni, nj, nk] = self.grid.shape;
        for (session, path) in self.files.iter().enumerate() {
            run.check()?;
            run.progress(session, self.files.len());
            if shape_of(path)? != [ni, nj, nk, n_trials] {
                let problem = format!(
                    "is not {} voxels × {n_trials} trials, as the first session is: leave it out",
                    array::times(&self.grid.shape)
                );
                return Err(Error::file(path, problem).into());
            }
            let rows = session * n_trials..(session + 1) * n_trials;
            let n_cols = values.n_cols;
            let out = &mut values.values[rows.start * n_cols..rows.end * n_cols];
            read_session(path, mask, out, run)?;
        }
        Ok(Betas {
            values,
            trials: self.trials.clone(),
            columns: Columns::Voxels(mask.clone()),
            method: self.method.clone(),
        })
    }

    /// The mask that the field uses, if it is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load_usual_mask(&self, run: &Run<'_>) -> Result<Option<Mask>, Stop> {
        let Some(source) = &self.usual_mask else {
            return Ok(None);
        };
        let volume: Arc<Volume> = source.load(run)?;
        Ok(Some(Mask::from_volume(&volume)))
    }
}

/// i, j, k and trials of a session, from its head.
fn shape_of(path: &Path) -> Result<[usize; 4]> {
    let shape: Vec<usize> = if hdf5::is_hdf5(path)? {
        let file = hdf5::open(path)?;
        // The file's own order is that of MATLAB, which wrote it, in reverse.
        file.array(&only(path, &file.list()?)?)?
            .dims()
            .iter()
            .rev()
            .copied()
            .collect()
    } else if mat::is_mat(path)? {
        let all = mat::list(path)?;
        let name = only(path, &all)?;
        all.into_iter()
            .find(|info| info.name == name)
            .map(|info| info.shape)
            .unwrap_or_default()
    } else {
        nifti::read_header(path)?.shape
    };
    shape.as_slice().try_into().map_err(|_other_rank| {
        let problem = format!(
            "has {} values where betas have i × j × k × trials",
            array::times(&shape)
        );
        Error::file(
            path,
            format!("{problem}: check that it is a session of betas"),
        )
    })
}

/// `betas`, or the only array there is.
fn only(path: &Path, all: &[array::ArrayInfo]) -> Result<String> {
    match all {
        [one] => Ok(one.name.clone()),
        _ if all.iter().any(|info| info.name == "betas") => Ok("betas".to_owned()),
        _ => Err(array::no_such_array(path, "betas", all)),
    }
}

/// Fills trials × voxels of a mask from one file.
fn read_session(path: &Path, mask: &Mask, out: &mut [f32], run: &Run<'_>) -> Result<(), Stop> {
    let stored_as_int = if hdf5::is_hdf5(path)? {
        read_hdf5(path, mask, out, run)?
    } else if mat::is_mat(path)? {
        read_mat(path, mask, out)?
    } else {
        read_nifti(path, mask, out, run)?
    };
    if stored_as_int {
        for value in out.iter_mut() {
            *value /= STORED_PER_PERCENT;
        }
    }
    Ok(())
}

/// Slice by slice along k, of each only the rectangle that holds masked voxels.
fn read_hdf5(path: &Path, mask: &Mask, out: &mut [f32], run: &Run<'_>) -> Result<bool, Stop> {
    let file = hdf5::open(path)?;
    let array = file.array(&only(path, &file.list()?)?)?;
    let n_trials = array.dims().first().copied().unwrap_or(0);
    let voxels: Vec<[usize; 3]> = mask
        .voxels()
        .iter()
        .map(|&v| mask.grid().ijk(v as usize))
        .collect();
    let mut column = 0;
    // Ascending flat indices come slice after slice.
    for slice in voxels.chunk_by(|a, b| a[2] == b[2]) {
        run.check()?;
        let range = |axis: usize| {
            let (low, high) = slice.iter().fold((usize::MAX, 0), |(l, h), v| {
                (l.min(v[axis]), h.max(v[axis]))
            });
            low..high + 1
        };
        let (is, js, ks) = (range(0), range(1), range(2));
        let block = array.block(&[0..n_trials, ks, js.clone(), is.clone()])?;
        for (trial, row) in out.chunks_exact_mut(mask.len()).enumerate() {
            for (value, [i, j, _]) in row[column..].iter_mut().zip(slice) {
                *value = block[(trial * js.len() + j - js.start) * is.len() + i - is.start];
            }
        }
        column += slice.len();
    }
    Ok(array.datatype() == "int16")
}

fn read_mat(path: &Path, mask: &Mask, out: &mut [f32]) -> Result<bool> {
    let all = mat::list(path)?;
    let name = only(path, &all)?;
    let values = mat::read(path, &name)?.values;
    let n_voxels = mask.grid().n_voxels();
    for (row, volume) in out
        .chunks_exact_mut(mask.len().max(1))
        .zip(values.chunks_exact(n_voxels))
    {
        for (value, &voxel) in row.iter_mut().zip(mask.voxels()) {
            *value = volume[voxel as usize];
        }
    }
    Ok(all
        .iter()
        .any(|info| info.name == name && info.datatype == "int16"))
}

fn read_nifti(path: &Path, mask: &Mask, out: &mut [f32], run: &Run<'_>) -> Result<bool, Stop> {
    let values = nifti::read_masked(path, mask, run)?.values;
    if values.len() != out.len() {
        let problem = "does not hold a volume a trial: check that it is a session of betas";
        return Err(Error::file(path, problem).into());
    }
    out.copy_from_slice(&values);
    let header = nifti::read_header(path)?;
    // A slope says itself what the numbers mean.
    let unscaled = header.scaling.is_none_or(|scaling| scaling == (1.0, 0.0));
    Ok(header.datatype == Datatype::I16 && unscaled)
}
