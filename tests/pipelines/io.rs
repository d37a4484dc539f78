//! Readers and writers against what other programs read from the same files.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop where a test would"
)]

mod arrays;
mod gifti;
mod luts;
mod nifti;
mod orientation;
mod real;
mod real_surfaces;
mod tables;

use std::path::{Path, PathBuf};

use fusiform_pipelines::run::{Run, Stop, quietly};

pub(crate) use luts::LOOK_UP_TABLES;

/// A file of `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures")).join(name)
}

/// What nibabel and numpy read from the fixtures (`tests/fixtures/make.py`).
fn expected(kind: &str) -> serde_json::Map<String, serde_json::Value> {
    let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let files = all[kind].as_object().unwrap().clone();
    assert!(!files.is_empty(), "expected.json names no {kind} files");
    files
}

/// All numbers in a JSON value, in order, however deep it is nested.
fn numbers(value: &serde_json::Value) -> Vec<f64> {
    match value {
        serde_json::Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// Reads with nobody listening, and expects it to work.
fn read<T>(path: &Path, f: impl Fn(&Path, &Run<'_>) -> Result<T, Stop>) -> T {
    quietly(|run| f(path, run)).unwrap_or_else(|e| panic!("{e}"))
}

/// The sentence with which reading fails; checks that it names the file and is one line.
pub(crate) fn refusal<T, E: std::fmt::Display>(path: &Path, result: Result<T, E>) -> String {
    let Err(error) = result else {
        panic!("{} was read, though it should not be", path.display())
    };
    let text = error.to_string();
    let name = path.file_name().unwrap().to_string_lossy();
    let stem = name.split('.').next().unwrap();
    assert!(
        text.contains(stem),
        "the error does not name {name}: {text}"
    );
    assert!(
        !text.contains('\n'),
        "the error is more than one line: {text}"
    );
    text
}
