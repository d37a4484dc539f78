//! FreeSurfer surfaces: triangles, and the older quadrangles in both their forms.

use std::path::Path;

use glam::{Mat3, Vec3};

use super::{Rest, curv, point, u24, whole};
use crate::io::gifti::hemisphere_in_name;
use crate::surface::{Hemisphere, Surface};
use crate::{Error, Result};

const TRIANGLES: usize = 0xff_ff_fe;
const QUADRANGLES: usize = 0xff_ff_ff;
const FLOAT_QUADRANGLES: usize = 0xff_ff_fd;

/// Reads a surface (`lh.white`, `lh.pial`, `lh.inflated`, …) of any of the three kinds.
///
/// Its points are in FreeSurfer's own space (tkRAS). When the file says how the volume it was made
/// from lies in the scanner, they are taken to scanner RAS with it; else they are left as they are.
/// An assumption says which.
///
/// # Errors
/// When the file is no such surface, is cut short, a vertex has no finite place, or a face names an
/// absent vertex.
pub fn read_surface(path: &Path) -> Result<Surface> {
    let bytes = whole(path)?;
    let mut rest = Rest::new(path, &bytes);
    let not_surface = |held: &str| {
        Error::file(
            path,
            format!(
                "is not a FreeSurfer surface{held}: give one such as lh.pial or lh.white, or a GIFTI surface"
            ),
        )
    };
    let magic = rest.u24().map_err(|_short| not_surface(""))?;
    let (mut vertices, triangles) = match magic {
        TRIANGLES => read_triangles(&mut rest)?,
        QUADRANGLES if curv::is_new(&bytes) => {
            return Err(not_surface(" but a map over its vertices"));
        }
        QUADRANGLES | FLOAT_QUADRANGLES => read_quadrangles(&mut rest, magic == FLOAT_QUADRANGLES)?,
        _ => return Err(not_surface("")),
    };
    if let Some(v) = vertices.iter().position(|p| !p.is_finite()) {
        return Err(Error::file(
            path,
            format!("vertex {v} has no finite place: write the surface again"),
        ));
    }
    let n = vertices.len();
    let absent = |t: &[u32; 3]| t.iter().any(|&v| v as usize >= n);
    if let Some(t) = triangles.iter().find(|t| absent(t)) {
        return Err(Error::file(
            path,
            format!("a triangle names the vertices {t:?} of {n}: write the surface again"),
        ));
    }

    let mut assumptions = Vec::new();
    if let Some((turn, centre)) = scanner_from_tkras(rest.bytes) {
        for vertex in &mut vertices {
            *vertex = turn * *vertex + centre;
        }
        let turned = if turn.abs_diff_eq(Mat3::IDENTITY, 1e-6) {
            ""
        } else {
            " and turned as its volume is"
        };
        assumptions.push(format!(
            "the surface is in FreeSurfer's own space: moved by ({:.1}, {:.1}, {:.1}) mm{turned} into scanner space",
            centre.x, centre.y, centre.z
        ));
    } else {
        assumptions.push(
            "the file does not say where its volume is (tkRAS, no c_ras): left its points as they are"
                .into(),
        );
    }
    let hemisphere = hemisphere_in_name(&path.file_name().unwrap_or_default().to_string_lossy());
    if let Some(side) = hemisphere {
        let word = match side {
            Hemisphere::Left => "left",
            Hemisphere::Right => "right",
        };
        assumptions.push(format!(
            "took it for the {word} hemisphere, by the file's name"
        ));
    }
    Ok(Surface {
        vertices: vertices.into(),
        triangles: triangles.into(),
        hemisphere,
        assumptions,
    })
}

fn read_triangles(rest: &mut Rest<'_>) -> Result<(Vec<Vec3>, Vec<[u32; 3]>)> {
    // Who made it, and an empty line.
    rest.skip_line()?;
    rest.skip_line()?;
    let n_vertices = rest.count("vertices")?;
    let n_triangles = rest.count("triangles")?;
    let vertices = rest.items(n_vertices)?.iter().map(point).collect();
    let corner = |c: &[u8; 4]| u32::from_be_bytes(*c);
    let triangles = rest
        .items::<12>(n_triangles)?
        .iter()
        .map(|t| {
            let corners = t.as_chunks().0;
            std::array::from_fn(|i| corner(&corners[i]))
        })
        .collect();
    Ok((vertices, triangles))
}

fn read_quadrangles(rest: &mut Rest<'_>, floats: bool) -> Result<(Vec<Vec3>, Vec<[u32; 3]>)> {
    let n_vertices = rest.u24()?;
    let n_faces = rest.u24()?;
    let vertices = if floats {
        rest.items(n_vertices)?.iter().map(point).collect()
    } else {
        // Hundredths of a millimetre.
        let part = |a, b| f32::from(i16::from_be_bytes([a, b])) / 100.0;
        rest.items(n_vertices)?
            .iter()
            .map(|&[a, b, c, d, e, f]| Vec3::new(part(a, b), part(c, d), part(e, f)))
            .collect()
    };
    let mut triangles = Vec::new();
    for face in rest.items::<12>(n_faces)? {
        let corners = face.as_chunks().0;
        let [a, b, c, d]: [u32; 4] = std::array::from_fn(|i| u24(corners[i]) as u32);
        // FreeSurfer turns the diagonal by the parity of the first corner.
        triangles.extend(if a % 2 == 0 {
            [[a, b, d], [c, d, b]]
        } else {
            [[a, b, c], [a, c, d]]
        });
    }
    Ok((vertices, triangles))
}

/// Turn and shift from tkRAS to scanner RAS by the text behind the triangles; `None` when it does
/// not say, or says that it is not to be trusted.
///
/// tkRAS is vox2ras_tkr · vox2ras⁻¹ away from the scanner. Both have the same voxel sizes and the
/// same voxel at their centre, so of the two only the axes and c_ras are left: x goes along −x_ras,
/// y along z_ras, z along −y_ras. For the usual coronal volume that is no turn at all.
fn scanner_from_tkras(trailer: &[u8]) -> Option<(Mat3, Vec3)> {
    let text = String::from_utf8_lossy(trailer);
    // Binary tags come before.
    let text = &text[text.find("valid")?..];
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once('='));
        fields.find(|(key, _)| key.trim() == name).map(|(_, v)| v)
    };
    let vector = |name: &str| {
        let mut words = field(name)?.split_ascii_whitespace();
        let mut part = || words.next()?.parse::<f32>().ok().filter(|p| p.is_finite());
        Some(Vec3::new(part()?, part()?, part()?))
    };
    if field("valid")?.split_ascii_whitespace().next() != Some("1") {
        return None;
    }
    let centre = vector("cras")?;
    let turn = match (vector("xras"), vector("yras"), vector("zras")) {
        (Some(x), Some(y), Some(z)) => Some(Mat3::from_cols(-x, z, -y)),
        _ => None,
    };
    let turn = turn.filter(|turn| turn.determinant().abs() > 1e-3);
    Some((turn.unwrap_or(Mat3::IDENTITY), centre))
}
