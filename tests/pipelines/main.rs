//! Tests of the pipelines crate through its public face: one binary, one module a subject.

#![allow(
    clippy::print_stdout,
    reason = "a test that is skipped says so in a line"
)]

use std::path::PathBuf;

mod bad_input;
mod cifti;
mod clusters;
mod decode;
mod demo;
mod encode;
mod freesurfer;
mod fuzz;
mod glm;
mod io;
mod linear;
mod models;
mod nets;
mod parcels;
mod placement;
mod project;
mod roi;
mod select;
mod selectivity;
mod stats;
mod study;

/// A folder of the real test data, or `None` with a printed line where it is absent.
///
/// The data are looked for in `$FUSIFORM_DATA`, else in `../shared/data` beside the checkout.
pub fn real_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FUSIFORM_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!(
        "skipped: no real data at {} (set FUSIFORM_DATA)",
        path.display()
    );
    None
}
