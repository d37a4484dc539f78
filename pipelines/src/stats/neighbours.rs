//! Which voxels or vertices touch, and the connected patches of a map.

use crate::mask::Mask;
use crate::surface::Surface;
use crate::{Error, Result};

/// When two voxels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// They share a face: 6 neighbours, as in nilearn.
    Faces,
    /// They share an edge or more: 18 neighbours, as in SPM.
    Edges,
    /// They share a corner or more: 26 neighbours, as in FSL.
    Corners,
}

/// The neighbours and the size of every column of a map.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// Where each column's neighbours begin in `of`, and where the last one's end.
    starts: Vec<usize>,
    of: Vec<u32>,
    sizes: Vec<f32>,
}

impl Neighbours {
    /// Of the voxels of a mask, in the order of its columns; each has a size of 1.
    pub fn of_voxels(mask: &Mask, contact: Contact) -> Self {
        let most_steps = match contact {
            Contact::Faces => 1,
            Contact::Edges => 2,
            Contact::Corners => 3,
        };
        let grid = mask.grid();
        let step = |at: usize, by: i32, n: usize| {
            at.checked_add_signed(by as isize)
                .filter(|moved| *moved < n)
        };
        let (mut starts, mut of) = (vec![0], Vec::new());
        for &voxel in mask.voxels() {
            let [i, j, k] = grid.ijk(voxel as usize);
            for (dk, dj, di) in around() {
                if !(1..=most_steps).contains(&(di.abs() + dj.abs() + dk.abs())) {
                    continue;
                }
                let [ni, nj, nk] = grid.shape;
                let moved = (step(i, di, ni), step(j, dj, nj), step(k, dk, nk));
                if let (Some(i), Some(j), Some(k)) = moved {
                    of.extend(mask.column_of([i, j, k]).map(|column| column as u32));
                }
            }
            starts.push(of.len());
        }
        Self {
            starts,
            of,
            sizes: vec![1.0; mask.len()],
        }
    }

    /// Of the vertices of a surface, by the edges of its triangles; a vertex has a third of the area of the triangles
    /// around it, mm².
    pub fn of_vertices(surface: &Surface) -> Result<Self> {
        let n = surface.vertices.len();
        let mut pairs = Vec::with_capacity(6 * surface.triangles.len());
        let mut sizes = vec![0.0; n];
        for &triangle in surface.triangles.iter() {
            if triangle.iter().any(|&v| v as usize >= n) {
                return Err(Error::data(format!(
                    "a triangle names a vertex beyond the {n} of its surface: read the surface again"
                )));
            }
            let [a, b, c] = triangle.map(|v| surface.vertices[v as usize]);
            let area = 0.5 * (b - a).cross(c - a).length();
            for (from, to) in [(0, 1), (1, 2), (2, 0)] {
                sizes[triangle[from] as usize] += area / 3.0;
                pairs.push((triangle[from], triangle[to]));
                pairs.push((triangle[to], triangle[from]));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; n + 1];
        for (from, _) in &pairs {
            starts[*from as usize + 1] += 1;
        }
        for v in 0..n {
            starts[v + 1] += starts[v];
        }
        Ok(Self {
            starts,
            of: pairs.into_iter().map(|(_, to)| to).collect(),
            sizes,
        })
    }

    /// Columns.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The columns that touch a column.
    pub fn around(&self, column: usize) -> &[u32] {
        &self.of[self.starts[column]..self.starts[column + 1]]
    }

    /// The size of a patch: voxels, or mm².
    pub fn extent(&self, columns: &[usize]) -> f64 {
        columns.iter().map(|&c| f64::from(self.sizes[c])).sum()
    }

    /// The connected patches of the columns for which `is_in` holds, each ascending, in the order of their first column.
    pub fn patches(&self, is_in: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
        let mut open: Vec<bool> = (0..self.len()).map(is_in).collect();
        let mut patches = Vec::new();
        for first in 0..self.len() {
            if !open[first] {
                continue;
            }
            open[first] = false;
            let mut patch = vec![first];
            let mut next = 0;
            while let Some(&column) = patch.get(next) {
                for &near in self.around(column) {
                    let near = near as usize;
                    if open[near] {
                        open[near] = false;
                        patch.push(near);
                    }
                }
                next += 1;
            }
            patch.sort_unstable();
            patches.push(patch);
        }
        patches
    }
}

/// Steps to the 26 voxels around, and to the voxel itself.
fn around() -> impl Iterator<Item = (i32, i32, i32)> {
    (-1..=1).flat_map(|dk| (-1..=1).flat_map(move |dj| (-1..=1).map(move |di| (dk, dj, di))))
}
