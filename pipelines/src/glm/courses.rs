//! A run as time courses of a mask, with as little of it in memory as its kind allows.

use std::sync::Arc;

use crate::io::detect::{self, Kind};
use crate::io::nifti;
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::study::{BoldRun, Source};
use crate::volume::Series;

/// A run of which the header is known.
pub(crate) struct OpenRun<'a> {
    bold: &'a BoldRun,
    /// Shape and place of its volumes.
    pub(crate) grid: Grid,
    /// Volumes.
    pub(crate) n_times: usize,
    /// Seconds from one to the next, by the file itself.
    pub(crate) tr_secs: Option<f64>,
    /// All of it, where it cannot be read in parts.
    series: Option<Arc<Series>>,
}

/// Reads the header of a NIfTI series; any other run whole.
pub(crate) fn open<'a>(bold: &'a BoldRun, run: &Run<'_>) -> Result<OpenRun<'a>, Stop> {
    if let Source::File(path) = &bold.bold
        && matches!(detect::kind(path), Ok(Kind::Nifti))
    {
        let header = nifti::read_header(path)?;
        // A single volume is left to the reader of series, which says what is the matter.
        if header.n_volumes() > 1 {
            return Ok(OpenRun {
                bold,
                n_times: header.n_volumes(),
                tr_secs: header.tr_secs,
                grid: header.grid,
                series: None,
            });
        }
    }
    let series = bold.bold.load(run)?;
    Ok(OpenRun {
        bold,
        grid: series.grid.clone(),
        n_times: series.n_times,
        tr_secs: series.tr_secs,
        series: Some(series),
    })
}

impl OpenRun<'_> {
    /// `n_times × n_voxels` of a mask on the run's grid.
    pub(crate) fn courses(&self, mask: &Mask, run: &Run<'_>) -> Result<Matrix, Stop> {
        match (&self.series, self.bold.bold.path()) {
            (None, Some(path)) => nifti::read_masked(path, mask, run),
            (Some(series), _) => Ok(mask.gather(series)?),
            (None, None) => Ok(mask.gather(&*self.bold.bold.load(run)?)?),
        }
    }
}
