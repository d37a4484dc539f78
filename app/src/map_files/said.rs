//! What files say of themselves beside their numbers: what a map is called, and whether it has a sign.

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::io::{gifti, nifti};

use super::fit::file_name;

/// Whether a file says of itself that its numbers are a statistic with a sign: a t, a z, a correlation, an estimate.
pub(crate) fn says_signed(path: &Path) -> bool {
    let meanings = match detect::kind(path) {
        Ok(Kind::Nifti) => nifti::read_header(path).map_or_else(|_| Vec::new(), |h| vec![h.intent]),
        Ok(Kind::GiftiMap) => gifti::read_intents(path).unwrap_or_default(),
        _ => Vec::new(),
    };
    let signed = [
        "t statistic",
        "z score",
        "correlation",
        "estimate",
        "TTEST",
        "ZSCORE",
        "CORREL",
        "ESTIMATE",
    ];
    meanings
        .iter()
        .any(|meaning| signed.iter().any(|words| meaning.starts_with(words)))
}

/// What a figure calls the map of some files: the name that the map has in its file, else that of the file without its
/// ending, and of two sides without these.
pub(crate) fn title(paths: &[PathBuf], own: &str) -> String {
    // Points in time have a number for a name.
    let is_name = !own.is_empty() && !own.starts_with(|c: char| c == '#' || c.is_ascii_digit());
    if is_name && paths.len() == 1 {
        return own.to_owned();
    }
    let file = paths
        .first()
        .map(|path| file_name(path))
        .unwrap_or_default();
    let endings = [
        "gz", "nii", "gii", "mgh", "mgz", "dscalar", "dtseries", "pscalar", "func", "shape",
    ];
    let mut stem = file.as_str();
    while let Some((rest, ending)) = stem.rsplit_once('.') {
        if !endings.contains(&ending) {
            break;
        }
        stem = rest;
    }
    if paths.len() > 1 {
        without_sides(stem).replace('.', " ")
    } else {
        stem.to_owned()
    }
}

/// A file's name without the words for its side.
pub(crate) fn without_sides(name: &str) -> String {
    let is_side = |word: &&str| {
        let side = word.to_lowercase();
        !matches!(
            side.as_str(),
            "l" | "r" | "lh" | "rh" | "left" | "right" | "hemi"
        )
    };
    let words = name.split(['.', '_', '-']).filter(is_side);
    words.collect::<Vec<_>>().join(".")
}
