//! The `.hdr` and the `.img` of a pair, found from each other.

use std::path::{Path, PathBuf};

use super::fields::Fields;
use crate::{Error, Result};

impl Fields {
    /// The file that holds the values.
    pub(super) fn data_path(&self) -> Result<PathBuf> {
        if self.single_file {
            return Ok(self.path.clone());
        }
        let (stem, _) = split_pair_name(&self.path).unwrap_or((self.path.clone(), ""));
        let candidates = ["img", "img.gz", "IMG"].map(|e| with_ending(&stem, e));
        let mut paths = self.image.iter().chain(&candidates);
        paths.find(|p| p.is_file()).cloned().ok_or_else(|| {
            Error::file(
                &self.path,
                format!(
                    "is the header of a pair and its data file {} is not there: put the two into one folder",
                    candidates[0].display()
                ),
            )
        })
    }
}

/// The header of the pair when `path` is its `.img`, else `path`.
pub(super) fn header_of(path: &Path) -> PathBuf {
    match split_pair_name(path) {
        Some((stem, "img")) => ["hdr", "hdr.gz", "HDR"]
            .iter()
            .map(|e| with_ending(&stem, e))
            .find(|p| p.is_file())
            .unwrap_or_else(|| path.to_path_buf()),
        _ => path.to_path_buf(),
    }
}

/// `a/b.img.gz` → (`a/b`, `img`).
fn split_pair_name(path: &Path) -> Option<(PathBuf, &'static str)> {
    let plain = if path.extension()?.eq_ignore_ascii_case("gz") {
        path.with_extension("")
    } else {
        path.to_path_buf()
    };
    let kind = ["img", "hdr"]
        .into_iter()
        .find(|k| plain.extension().is_some_and(|e| e.eq_ignore_ascii_case(k)))?;
    Some((plain.with_extension(""), kind))
}

fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
