//! To come.

use std::path::Path;

use crate::run::{Run, Stop};
use crate::study::Study;

/// Opens it.
pub fn open(path: &Path, run: &Run<'_>) -> Result<Study, Stop> {
    let _ = (path, run);
    Err(crate::Error::data("not written yet").into())
}
