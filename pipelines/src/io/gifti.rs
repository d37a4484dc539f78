//! GIFTI: surfaces, maps over their vertices, and labels of their vertices.
//!
//! Standard: <https://www.nitrc.org/projects/gifti>. Beyond it, as found in the wild: names of the
//! older library (`GIFTI_ENCODING_B64GZ`), `Index` for `Key`, streams that are gzip where the
//! standard has zlib, and whole files that are gzip.

mod array;
mod write;

use std::path::Path;

use glam::{Affine3A, Mat3, Vec3};
use roxmltree::{Document, Node, ParsingOptions};

use crate::io::atlas::colour_of_key;
use crate::io::bytes::Bytes;
use crate::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use crate::volume::Region;
use crate::{Error, Result};

use array::Array;
pub use write::{write_labels, write_map, write_surface};

/// Reads a surface: the first point set and the first triangles of the file.
///
/// FreeSurfer's surfaces are in its own space, whose place in the scanner's the meta data
/// `VolGeom…` give; they are brought into scanner space unless they say that they are there.
///
/// # Errors
/// When the file is no GIFTI, has no points or triangles, or a triangle names an absent vertex.
pub fn read_surface(path: &Path) -> Result<Surface> {
    let text = Bytes::open(path)?.text()?;
    let document = parse(path, &text)?;
    let arrays = array::all(path, &document)?;
    let find = |intent: &str, what: &str| {
        arrays
            .iter()
            .find(|a| a.intent == intent)
            .ok_or_else(|| wrong_kind(path, what, &arrays))
    };
    let points = find("POINTSET", "surface")?;
    let corners = find("TRIANGLE", "surface")?;

    let mut assumptions = Vec::new();
    let scanner_from_points = scanner_from_points(&document, points, &mut assumptions);
    let vertices: Vec<Vec3> = points
        .triples(path, |v| v as f32)?
        .into_iter()
        .map(|p| scanner_from_points.transform_point3(Vec3::from_array(p)))
        .collect();
    if let Some(v) = vertices.iter().position(|p| !p.is_finite()) {
        return Err(Error::file(
            path,
            format!("vertex {v} has no finite place: write the surface again"),
        ));
    }
    let n = vertices.len();
    let corners = corners.triples(path, |v| v)?;
    if let Some(t) = corners
        .iter()
        .position(|c| c.iter().any(|&v| !(v >= 0.0 && v < n as f64)))
    {
        return Err(Error::file(
            path,
            format!(
                "triangle {t} names the vertices {:?} of {n}: write the surface again",
                corners[t]
            ),
        ));
    }
    Ok(Surface {
        triangles: corners.into_iter().map(|c| c.map(|v| v as u32)).collect(),
        vertices: vertices.into(),
        hemisphere: hemisphere(path, &document, &mut assumptions),
        assumptions,
    })
}

/// Reads all maps of a shape or functional file, in order: one for each array of one dimension and
/// for each column of an array of two.
///
/// # Errors
/// When the file is no GIFTI or has no maps.
pub fn read_map(path: &Path) -> Result<Vec<VertexMap>> {
    let text = Bytes::open(path)?.text()?;
    let document = parse(path, &text)?;
    let arrays = array::all(path, &document)?;
    let no_map = [
        "POINTSET",
        "TRIANGLE",
        "LABEL",
        "RGB_VECTOR",
        "RGBA_VECTOR",
        "NODE_INDEX",
    ];
    let mut maps = Vec::new();
    for array in arrays
        .iter()
        .filter(|a| !no_map.contains(&a.intent.as_str()))
    {
        let (n_vertices, n_columns) = array.rows_and_columns();
        let values = array.values(path, |v| v as f32)?;
        for column in 0..n_columns {
            let name = array.name.clone().unwrap_or_else(|| stem(path));
            maps.push(VertexMap {
                name: if n_columns > 1 {
                    format!("{name} {column}")
                } else {
                    name
                },
                values: (0..n_vertices)
                    .map(|v| values[v * n_columns + column])
                    .collect(),
            });
        }
    }
    if maps.is_empty() {
        Err(wrong_kind(path, "map", &arrays))
    } else {
        Ok(maps)
    }
}

/// What the arrays of a file are said to hold, in their order: `TTEST`, `SHAPE` and so on.
///
/// # Errors
/// When the file is no GIFTI.
pub fn read_intents(path: &Path) -> Result<Vec<String>> {
    let text = Bytes::open(path)?.text()?;
    let document = parse(path, &text)?;
    let arrays = array::all(path, &document)?;
    Ok(arrays.into_iter().map(|array| array.intent).collect())
}

/// Which half a file says that it is of, whatever its name.
///
/// # Errors
/// When the file is no GIFTI.
pub fn read_hemisphere(path: &Path) -> Result<Option<Hemisphere>> {
    let text = Bytes::open(path)?.text()?;
    Ok(said_hemisphere(&parse(path, &text)?))
}

/// Reads the first label array of a file and its table. Regions without a colour get one.
///
/// # Errors
/// When the file is no GIFTI, has no labels, or a label is no whole number.
pub fn read_labels(path: &Path) -> Result<VertexLabels> {
    let text = Bytes::open(path)?.text()?;
    let document = parse(path, &text)?;
    let arrays = array::all(path, &document)?;
    let array = arrays
        .iter()
        .find(|a| a.intent == "LABEL")
        .ok_or_else(|| wrong_kind(path, "label file", &arrays))?;
    let values = array.values(path, |v| v)?;
    if let Some(v) = values.iter().position(|&v| f64::from(v as i32) != v) {
        return Err(Error::file(
            path,
            format!(
                "vertex {v} has the label {}, which is no whole number: write the labels again",
                values[v]
            ),
        ));
    }
    let keys: Vec<i32> = values.into_iter().map(|v| v as i32).collect();
    let mut regions = Vec::<Region>::new();
    for label in document.descendants().filter(|n| n.has_tag_name("Label")) {
        let key = label.attribute("Key").or_else(|| label.attribute("Index"));
        let key = key.and_then(|k| k.trim().parse().ok()).ok_or_else(|| {
            Error::file(
                path,
                "has a label table with an entry that has no number: write it again",
            )
        })?;
        let part = |name: &str| {
            let part: f32 = label.attribute(name)?.trim().parse().ok()?;
            Some((part.clamp(0.0, 1.0) * 255.0).round() as u8)
        };
        let colour = match (part("Red"), part("Green"), part("Blue")) {
            (Some(r), Some(g), Some(b)) => [r, g, b],
            _ => colour_of_key(key),
        };
        if regions.iter().all(|r| r.key != key) {
            let name = label.text().unwrap_or_default().trim().to_owned();
            regions.push(Region { key, name, colour });
        }
    }
    let named: std::collections::BTreeSet<i32> = regions.iter().map(|r| r.key).collect();
    let met: std::collections::BTreeSet<i32> = keys.iter().copied().collect();
    regions.extend(met.difference(&named).map(|&key| Region {
        key,
        name: format!("region {key}"),
        colour: colour_of_key(key),
    }));
    Ok(VertexLabels {
        keys: keys.into(),
        regions,
    })
}

fn parse<'a>(path: &Path, text: &'a str) -> Result<Document<'a>> {
    // GIFTI files name their DTD; none of them needs it.
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: 10_000_000,
        ..Default::default()
    };
    let not_gifti = |why: String| {
        Error::file(
            path,
            format!("is not a GIFTI file ({why}): give a .gii, or convert with mris_convert"),
        )
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse_with_options(text, options)
        .map_err(|e| not_gifti(format!("no well-formed XML: {e}")))?;
    if !document.root_element().has_tag_name("GIFTI") {
        return Err(not_gifti(format!(
            "its outermost element is {}",
            document.root_element().tag_name().name()
        )));
    }
    Ok(document)
}

/// The value of a name in the `MetaData` below `node`, if it is not empty.
fn meta<'a>(node: Node<'a, 'a>, name: &str) -> Option<&'a str> {
    let child = |n: Node<'a, 'a>, tag: &str| n.children().find(|c| c.has_tag_name(tag));
    child(node, "MetaData")?
        .children()
        .find(|md| child(*md, "Name").and_then(|n| n.text()).map(str::trim) == Some(name))
        .and_then(|md| child(md, "Value")?.text())
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// A name in the meta data of the file or of any of its arrays.
fn meta_anywhere<'a>(document: &'a Document<'a>, name: &str) -> Option<&'a str> {
    let root = document.root_element();
    std::iter::once(root)
        .chain(root.children().filter(|n| n.has_tag_name("DataArray")))
        .find_map(|node| meta(node, name))
}

/// From the space of the points to the scanner's. FreeSurfer's own space has the centre of the
/// volume for its origin (`VolGeomC`) and axes that belong to a volume whose voxels run to the
/// left, down and to the front; the true directions are in `VolGeomX`, `Y` and `Z`.
fn scanner_from_points(
    document: &Document<'_>,
    points: &Array<'_>,
    assumptions: &mut Vec<String>,
) -> Affine3A {
    let vector = |axis: &str| -> Option<Vec3> {
        let part = |way: &str| -> Option<f32> {
            meta_anywhere(document, &format!("VolGeom{axis}_{way}"))?
                .parse()
                .ok()
        };
        Some(Vec3::new(part("R")?, part("A")?, part("S")?)).filter(|v| v.is_finite())
    };
    let Some(centre) = vector("C") else {
        return Affine3A::IDENTITY;
    };
    if points.data_space == "NIFTI_XFORM_SCANNER_ANAT" {
        return Affine3A::IDENTITY;
    }
    let turn = match (vector("X"), vector("Y"), vector("Z")) {
        (Some(x), Some(y), Some(z)) => Mat3::from_cols(-x, z, -y),
        _ => Mat3::IDENTITY,
    };
    let is_rotation =
        turn.determinant() > 0.0 && (turn.transpose() * turn).abs_diff_eq(Mat3::IDENTITY, 1e-3);
    let turn = if is_rotation { turn } else { Mat3::IDENTITY };
    let turned = !turn.abs_diff_eq(Mat3::IDENTITY, 1e-3);
    if centre != Vec3::ZERO || turned {
        let how = if turned { "turned and moved" } else { "moved" };
        assumptions.push(format!(
            "the surface is in FreeSurfer's own space: {how} by ({:.1}, {:.1}, {:.1}) mm into scanner space",
            centre.x, centre.y, centre.z
        ));
    }
    Affine3A::from_mat3_translation(if turned { turn } else { Mat3::IDENTITY }, centre)
}

fn said_hemisphere(document: &Document<'_>) -> Option<Hemisphere> {
    match meta_anywhere(document, "AnatomicalStructurePrimary")? {
        "CortexLeft" => Some(Hemisphere::Left),
        "CortexRight" => Some(Hemisphere::Right),
        _ => None,
    }
}

/// Which half: what the file says, else what its name says.
fn hemisphere(
    path: &Path,
    document: &Document<'_>,
    assumptions: &mut Vec<String>,
) -> Option<Hemisphere> {
    if let Some(side) = said_hemisphere(document) {
        return Some(side);
    }
    let side = hemisphere_in_name(&path.file_name()?.to_string_lossy())?;
    let word = if side == Hemisphere::Left {
        "left"
    } else {
        "right"
    };
    assumptions.push(format!(
        "took it for the {word} hemisphere, by the file's name"
    ));
    Some(side)
}

/// The hemisphere that a file name tells of: `lh.pial`, `hemi-L`, `sub.L.midthickness`, `pial_left`.
pub fn hemisphere_in_name(name: &str) -> Option<Hemisphere> {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(['.', '_', '-', ' ']);
    words.find_map(|word| match word {
        "l" | "lh" | "left" => Some(Hemisphere::Left),
        "r" | "rh" | "right" => Some(Hemisphere::Right),
        _ => None,
    })
}

/// The file holds something else: says what.
fn wrong_kind(path: &Path, wanted: &str, arrays: &[Array<'_>]) -> Error {
    let mut kinds: Vec<&str> = arrays.iter().map(|a| a.intent.as_str()).collect();
    kinds.dedup();
    let held = if kinds.is_empty() {
        "nothing".to_owned()
    } else {
        kinds.join(", ")
    };
    Error::file(
        path,
        format!("is not a {wanted}, for it holds {held}: choose another file"),
    )
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".gii").unwrap_or(name).to_owned()
}
