//! FreeSurfer labels: a list of vertices in text.

use std::fmt::Write as _;
use std::path::Path;

use glam::Vec3;

use super::{MOST_VERTICES, whole};
use crate::io::write::write_text;
use crate::{Error, Result};

/// Some vertices of a surface, each with a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// The vertices, in the order of the file.
    pub vertices: Vec<u32>,
    /// The value of each (a probability or a statistic; 0 where none was meant).
    pub values: Vec<f32>,
}

impl Label {
    /// True at the label's vertices, on a surface of `n_vertices`.
    ///
    /// # Errors
    /// When a vertex is not on such a surface.
    pub fn to_mask(&self, n_vertices: usize) -> Result<Vec<bool>> {
        let mut mask = vec![false; n_vertices];
        for &vertex in &self.vertices {
            *mask.get_mut(vertex as usize).ok_or_else(|| {
                Error::data(format!(
                    "the label names the vertex {vertex} and the surface has {n_vertices}: take the surface it was drawn on"
                ))
            })? = true;
        }
        Ok(mask)
    }
}

/// Reads a label. Points that were not assigned to a vertex (number −1) are left out.
///
/// # Errors
/// When the file is no label or has fewer points than it says.
pub fn read_label(path: &Path) -> Result<Label> {
    parse(path, &whole(path)?)
}

/// Writes a label, with the value 0 at every vertex. `places_mm` are the places of all vertices of the surface, in
/// scanner space (world mm); without them, zeros stand there, which FreeSurfer fills in from the surface.
///
/// # Errors
/// When the file cannot be written.
pub fn write_label(path: &Path, vertices: &[u32], places_mm: Option<&[Vec3]>) -> Result<()> {
    let mut text = format!(
        "#!ascii label  , from subject  vox2ras=scanner\n{}\n",
        vertices.len()
    );
    for &vertex in vertices {
        let place = places_mm.and_then(|places| places.get(vertex as usize));
        let Vec3 { x, y, z } = place.copied().unwrap_or_default();
        let _ = writeln!(text, "{vertex}  {x:.3}  {y:.3}  {z:.3} 0.0000000000");
    }
    write_text(path, &text)
}

pub(in crate::io) fn parse(path: &Path, bytes: &[u8]) -> Result<Label> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    // A comment, then how many.
    let n_points = lines.nth(1).and_then(|l| l.trim().parse::<usize>().ok());
    let n_points = n_points.ok_or_else(|| {
        Error::file(
            path,
            "is not a FreeSurfer label, whose second line is a count: give a .label file",
        )
    })?;
    let mut label = Label::default();
    let mut n_read = 0;
    for line in lines.filter(|l| !l.trim().is_empty()).take(n_points) {
        n_read += 1;
        let damaged = || {
            Error::file(
                path,
                format!(
                    "has the line “{line}” where vertex, x, y, z and value should be: write the label again"
                ),
            )
        };
        let mut words = line.split_ascii_whitespace();
        let vertex = words.next().and_then(|w| w.parse::<i64>().ok());
        let value = words.nth(3).map_or(Some(0.0), |w| w.parse().ok());
        match (vertex, value) {
            (Some(-1), _) => {}
            (Some(vertex), Some(value)) if (0..MOST_VERTICES as i64).contains(&vertex) => {
                label.vertices.push(vertex as u32);
                label.values.push(value);
            }
            _ => return Err(damaged()),
        }
    }
    if n_read < n_points {
        return Err(Error::file(
            path,
            format!("says it has {n_points} points and has {n_read}: copy or download it again"),
        ));
    }
    Ok(label)
}
