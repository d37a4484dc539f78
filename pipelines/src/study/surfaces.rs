//! Which hemisphere and shape a surface file holds, by its name.
//!
//! One rule for the names in use: BIDS (`hemi-L_pial.surf.gii`), FreeSurfer (`lh.pial.gii`), HCP
//! (`S.L.midthickness.32k_fs_LR.surf.gii`) and words (`pial_left.gii.gz`).

use std::path::{Path, PathBuf};

use crate::Result;
use crate::io::detect::{self, Kind};
use crate::study::names::{file_name, file_stem};
use crate::study::tree::list_folder;
use crate::study::{CorticalSurface, Entities, Named, Source};
use crate::surface::{Hemisphere, Shape};

/// What a surface file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SheetPart {
    /// Vertices and triangles.
    Shape(Shape),
    /// Sulcal depth.
    SulcalDepth,
    /// Curvature: shading where there is no sulcal depth.
    Curvature,
    /// A parcellation.
    Labels,
    /// Another map over the vertices.
    Map,
}

/// Whether the name is that of a GIFTI file.
pub(super) fn is_gifti(path: &Path) -> bool {
    let name = file_name(path).to_lowercase();
    name.ends_with(".gii") || name.ends_with(".gii.gz")
}

/// The hemisphere that a name states.
pub(super) fn hemisphere_of(path: &Path) -> Option<Hemisphere> {
    let words = words_of(path);
    let has = |names: [&str; 3]| words.iter().any(|word| names.contains(&word.as_str()));
    match (has(["l", "lh", "left"]), has(["r", "rh", "right"])) {
        (true, false) => Some(Hemisphere::Left),
        (false, true) => Some(Hemisphere::Right),
        _ => None,
    }
}

/// The part that a name states.
pub(super) fn part_of(path: &Path) -> Option<SheetPart> {
    let words = words_of(path);
    let has = |name: &str| words.iter().any(|word| word == name);
    if has("label") || has("annot") || has("aparc") || has("dseg") {
        return Some(SheetPart::Labels);
    }
    if has("sulc") {
        return Some(SheetPart::SulcalDepth);
    }
    if has("curv") {
        return Some(SheetPart::Curvature);
    }
    // A registration sphere is for mapping, not for looking at; `func` is a series.
    if has("reg") || has("func") {
        return None;
    }
    if [
        "thick",
        "thickness",
        "area",
        "volume",
        "myelinmap",
        "stat",
        "statmap",
    ]
    .into_iter()
    .any(has)
    {
        return Some(SheetPart::Map);
    }
    let shapes: [(Shape, &[&str]); 6] = [
        (Shape::Midthickness, &["midthickness", "graymid", "central"]),
        (Shape::White, &["white", "smoothwm"]),
        (Shape::Pial, &["pial"]),
        (Shape::Inflated, &["inflated", "infl", "veryinflated"]),
        (Shape::Sphere, &["sphere"]),
        (Shape::Flat, &["flat", "flatmap"]),
    ];
    let named = |names: &[&str]| names.iter().any(|name| has(name));
    shapes
        .iter()
        .find(|(_, names)| named(names))
        .map(|(shape, _)| SheetPart::Shape(*shape))
}

/// Puts sheets together from files whose hemisphere and part are known: the first file of its
/// kind wins, sulcal depth wins over curvature, and a hemisphere without any shape is left out.
pub(super) fn assemble(parts: &[(PathBuf, Hemisphere, SheetPart)]) -> Vec<CorticalSurface> {
    let mut sheets = Vec::new();
    for hemisphere in [Hemisphere::Left, Hemisphere::Right] {
        let here = || parts.iter().filter(|(_, side, _)| *side == hemisphere);
        let file = |wanted: SheetPart| {
            here()
                .find(|(_, _, part)| *part == wanted)
                .map(|(path, _, _)| path.clone())
        };
        let mut shapes: Vec<(Shape, PathBuf)> = Vec::new();
        for (path, _, part) in here() {
            if let SheetPart::Shape(shape) = part
                && !shapes.iter().any(|(known, _)| known == shape)
            {
                shapes.push((*shape, path.clone()));
            }
        }
        if shapes.is_empty() {
            continue;
        }
        shapes.sort_by_key(|(shape, _)| *shape);
        let sulcal = file(SheetPart::SulcalDepth).or_else(|| file(SheetPart::Curvature));
        sheets.push(CorticalSurface {
            hemisphere,
            shapes: shapes
                .into_iter()
                .map(|(shape, path)| (shape, Source::File(path)))
                .collect(),
            sulcal: sulcal.map(Source::File),
            labels: file(SheetPart::Labels).map(Source::File),
            maps: here()
                .filter(|(_, _, part)| *part == SheetPart::Map)
                .map(|(path, _, _)| Named {
                    name: map_name(path),
                    entities: Entities::new(),
                    source: Source::File(path.clone()),
                })
                .collect(),
        });
    }
    sheets
}

/// The sheets of a folder of GIFTI or FreeSurfer files; of FreeSurfer's `surf` with the
/// parcellations in `label` beside it.
///
/// # Errors
/// When a folder cannot be listed.
pub(super) fn of_folder(folder: &Path) -> Result<Vec<CorticalSurface>> {
    let mut files = list_folder(folder)?;
    let labels = folder.with_file_name("label");
    if file_name(folder) == "surf" && labels.is_dir() {
        files.extend(list_folder(&labels)?);
    }
    let part = |path: PathBuf| {
        let (side, part) = (hemisphere_of(&path)?, part_of(&path)?);
        (is_gifti(&path) || is_freesurfer(&path, part)).then_some((path, side, part))
    };
    Ok(assemble(
        &files.into_iter().filter_map(part).collect::<Vec<_>>(),
    ))
}

/// Whether a file named like FreeSurfer's (`lh.pial`) holds the part that its name states.
pub(super) fn is_freesurfer(path: &Path, part: SheetPart) -> bool {
    let name = file_name(path).to_lowercase();
    if !(name.starts_with("lh.") || name.starts_with("rh.")) || !path.is_file() {
        return false;
    }
    match detect::kind(path) {
        Ok(Kind::FreesurferSurface) => matches!(part, SheetPart::Shape(_)),
        Ok(Kind::FreesurferAnnot) => part == SheetPart::Labels,
        Ok(Kind::FreesurferMap) => {
            matches!(
                part,
                SheetPart::SulcalDepth | SheetPart::Curvature | SheetPart::Map
            )
        }
        _ => false,
    }
}

/// `thickness` of `lh.thickness`: the name without its side.
fn map_name(path: &Path) -> String {
    let stem = file_stem(path);
    let without = ["lh.", "rh."]
        .into_iter()
        .find_map(|side| stem.strip_prefix(side));
    without.unwrap_or(&stem).to_owned()
}

/// The lower-case words of a file name.
pub(super) fn words_of(path: &Path) -> Vec<String> {
    let name = file_name(path).to_lowercase();
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
