//! Opening a study and choosing a part of it: small trees made on the spot, and the real studies.

use std::path::{Path, PathBuf};

use fusiform_pipelines::run::{Stop, quietly};
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{Query, Selection, select};

mod bids;
mod derivative;
mod events;
mod files;
mod manifest;
mod nsd;
mod select;
mod summary;

/// A folder of made files that goes away with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with the folders above it.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// A series of zeros with `n` volumes of `shape`.
    fn put_series(&self, name: &str, shape: [u16; 3], n: u16) -> &Self {
        let n_values = shape.iter().map(|&n| usize::from(n)).product::<usize>() * usize::from(n);
        self.put(name, nifti(shape, n, &vec![0.0; n_values]))
    }

    /// One volume with these values.
    fn put_volume(&self, name: &str, shape: [u16; 3], values: &[f32]) -> &Self {
        self.put(name, nifti(shape, 1, values))
    }

    fn open(&self) -> Result<Study, Stop> {
        quietly(|run| Study::open(self.path(), run))
    }

    /// What the user is told when the study cannot be opened.
    fn complaint(&self) -> String {
        self.open()
            .expect_err("this study must not open")
            .to_string()
    }
}

/// A NIfTI-1 file by the standard's own offsets: 3 mm voxels, TR 2 s, float32, sform.
fn nifti(shape: [u16; 3], n_times: u16, values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0u8; 352];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &348i32.to_le_bytes());
    let n_dims = if n_times > 1 { 4u16 } else { 3 };
    let dims = [n_dims, shape[0], shape[1], shape[2], n_times, 1, 1, 1];
    for (i, dim) in dims.iter().enumerate() {
        put(40 + 2 * i, &dim.to_le_bytes());
    }
    put(70, &16i16.to_le_bytes());
    put(72, &32i16.to_le_bytes());
    for (i, zoom) in [1.0f32, 3.0, 3.0, 3.0, 2.0].iter().enumerate() {
        put(76 + 4 * i, &zoom.to_le_bytes());
    }
    put(108, &352.0f32.to_le_bytes());
    put(112, &1.0f32.to_le_bytes());
    put(123, &[2 | 8]);
    put(254, &1i16.to_le_bytes());
    for axis in 0..3 {
        put(280 + 16 * axis + 4 * axis, &3.0f32.to_le_bytes());
    }
    put(344, b"n+1\0");
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// What the user is told when the query cannot be answered.
fn refusal(study: &Study, query: &Query) -> String {
    select(study, query)
        .expect_err("this query must not be answered")
        .to_string()
}

fn labels(selection: &Selection<'_>) -> Vec<String> {
    selection.runs.iter().map(|run| run.label.clone()).collect()
}

/// Asserts that a message holds every part.
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "“{message}” does not say “{part}”");
    }
    assert!(!message.contains('\n'), "“{message}” is more than one line");
}
