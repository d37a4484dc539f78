//! Where the names of regions go on slices and surfaces: at their middles, none over another.

pub mod room;

use fusiform_pipelines::roi::listing::Listed;
use fusiform_pipelines::roi::seen::Seen;
use fusiform_pipelines::surface::Hemisphere;
use fusiform_render::scene::{SliceView, SurfaceView, VolumeData};
use glam::{Vec2, Vec3};

use crate::layout::Regions;
use crate::session::Session;

/// Pixels between two looks at a slice.
const STEP: usize = 5;
/// Regions of fewer looks have no room for a name.
const LEAST: usize = 3;

/// A name and where its middle is, pixels from the left and the top.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The words.
    pub text: String,
    /// Where.
    pub at: Vec2,
    /// How large the region is there: large ones go first.
    pub size: usize,
}

/// The names of the regions that a slice of `size` pixels cuts, each in the middle of its largest piece; the user's own
/// first, then large ones.
pub fn on_slice(
    session: &Session,
    regions: &Regions,
    slice: &SliceView,
    size: [u32; 2],
) -> Vec<Name> {
    let columns = size[0] as usize / STEP;
    let rows = size[1] as usize / STEP;
    let mut names: Vec<(bool, Name)> = Vec::new();
    let layers = session.region_volumes(regions);
    let n_atlas = usize::from(session.subject.atlas.is_some());
    for (number, (layer, table)) in layers.iter().enumerate() {
        let keys = looks(&layer.labels, slice, size, [columns, rows]);
        for piece in largest_pieces(&keys, columns) {
            let shown = layer.colours.iter().any(|(key, _)| *key == piece.key);
            if let (Some(text), true) = (table.name(piece.key), shown && piece.size >= LEAST) {
                let cell = Vec2::new((piece.cell % columns) as f32, (piece.cell / columns) as f32);
                names.push((
                    number < n_atlas,
                    Name {
                        text: text.to_owned(),
                        at: (cell + 0.5) * STEP as f32,
                        size: piece.size,
                    },
                ));
            }
        }
    }
    names.sort_by_key(|(of_atlas, name)| (*of_atlas, std::cmp::Reverse(name.size)));
    names.into_iter().map(|(_, name)| name).collect()
}

/// The key under the middle of every cell, row after row.
fn looks(
    labels: &VolumeData,
    slice: &SliceView,
    size: [u32; 2],
    [columns, rows]: [usize; 2],
) -> Vec<i32> {
    let voxel_from_world = labels.world_from_voxel.inverse();
    let step = STEP as f32;
    let at = |column: usize, row: usize| {
        let pixel = [(column as f32 + 0.5) * step, (row as f32 + 0.5) * step];
        voxel_from_world.transform_point3(slice.world_at(pixel, size))
    };
    let start = at(0, 0);
    let (right, down) = (at(1, 0) - start, at(0, 1) - start);
    let [ni, nj, nk] = labels.shape;
    let key = |v: Vec3| {
        let nearest = (v + 0.5).floor();
        let end = Vec3::new(ni as f32, nj as f32, nk as f32);
        if !(nearest.cmpge(Vec3::ZERO).all() && nearest.cmplt(end).all()) {
            return 0;
        }
        let [i, j, k] = nearest.to_array().map(|x| x as usize);
        labels
            .data
            .get(i + ni * (j + nj * k))
            .map_or(0, |&key| key as i32)
    };
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    cells
        .map(|(column, row)| key(start + right * column as f32 + down * row as f32))
        .collect()
}

/// A part of a region that hangs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    key: i32,
    /// Cells.
    size: usize,
    /// The cell nearest to its middle, a part of it.
    cell: usize,
}

/// The largest piece of every key but 0.
fn largest_pieces(keys: &[i32], columns: usize) -> Vec<Piece> {
    let mut seen = vec![false; keys.len()];
    let mut pieces: Vec<Piece> = Vec::new();
    for start in 0..keys.len() {
        let key = keys[start];
        if key == 0 || seen[start] {
            continue;
        }
        seen[start] = true;
        let mut cells = vec![start];
        let mut next = 0;
        while let Some(&cell) = cells.get(next) {
            next += 1;
            let column = cell % columns;
            let left = (column > 0).then(|| cell - 1);
            let right = (column + 1 < columns).then_some(cell + 1);
            for near in [left, right, cell.checked_sub(columns), Some(cell + columns)] {
                let Some(near) = near.filter(|&n| keys.get(n) == Some(&key) && !seen[n]) else {
                    continue;
                };
                seen[near] = true;
                cells.push(near);
            }
        }
        let place = |cell: usize| Vec2::new((cell % columns) as f32, (cell / columns) as f32);
        let middle = cells.iter().map(|&c| place(c)).sum::<Vec2>() / cells.len() as f32;
        let far = |cell: &usize| place(*cell).distance_squared(middle);
        let heart = cells
            .iter()
            .copied()
            .min_by(|a, b| far(a).total_cmp(&far(b)));
        let piece = Piece {
            key,
            size: cells.len(),
            cell: heart.unwrap_or(start),
        };
        match pieces.iter_mut().find(|p| p.key == key) {
            Some(other) if other.size >= piece.size => {}
            Some(other) => *other = piece,
            None => pieces.push(piece),
        }
    }
    pieces
}

/// The meshes of a view as they lie on a picture of `size`, and where each begins among the vertices.
pub fn seen(view: &SurfaceView, size: Vec2) -> (Seen, Vec<usize>) {
    let clip_from_world = view.camera.clip_from_world(size.x / size.y.max(1.0));
    let (mut points, mut triangles, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for layer in &view.meshes {
        let first = points.len();
        starts.push(first);
        let n = layer.mesh.vertices.len();
        points.extend((0..n).map(|v| {
            let at = layer.vertex_mm(v).unwrap_or(Vec3::NAN) + layer.offset_mm;
            let clip = clip_from_world.project_point3(at);
            let pixel = (Vec2::new(clip.x, -clip.y) + 1.0) / 2.0 * size;
            pixel.extend(clip.z)
        }));
        let all = layer.mesh.triangles.iter();
        triangles.extend(all.map(|t| t.map(|v| v.saturating_add(first as u32))));
    }
    (Seen::new(points, triangles, size.to_array()), starts)
}

/// The names of the regions whose middle vertex is seen, as [`on_slice`]. `hemispheres`: which of the subject's each
/// mesh is.
pub fn on_surface(
    session: &Session,
    regions: &Regions,
    seen: (&Seen, &[usize]),
    hemispheres: &[usize],
) -> Vec<Name> {
    let sides = hemispheres.iter().filter_map(|&h| {
        let hemisphere = session.subject.cortex.get(h)?;
        Some(hemisphere.hemisphere)
    });
    let shown = session.listed_regions().filter(|r| regions.shows(&r.name));
    let is_own = |name: &str| regions.own(name).is_some();
    at_hearts(shown, is_own, seen, &sides.collect::<Vec<_>>())
}

/// The same for any regions, those of which `first` is true before others. `sides`: which hemisphere each mesh is.
pub fn at_hearts<'a>(
    regions: impl IntoIterator<Item = &'a Listed>,
    first: impl Fn(&str) -> bool,
    (seen, starts): (&Seen, &[usize]),
    sides: &[Hemisphere],
) -> Vec<Name> {
    let mut names: Vec<(bool, Name)> = Vec::new();
    for region in regions.into_iter().filter(|r| says_something(&r.name)) {
        for (side, vertex) in &region.heart_vertices {
            let start = sides.iter().position(|s| s == side);
            let Some(start) = start.and_then(|mesh| starts.get(mesh)) else {
                continue;
            };
            let vertex = start + *vertex as usize;
            if let (true, Some(at)) = (seen.sees(vertex), seen.point(vertex)) {
                let name = Name {
                    text: region.name.clone(),
                    at: at.truncate(),
                    size: region.n_vertices,
                };
                names.push((!first(&region.name), name));
            }
        }
    }
    names.sort_by_key(|(later, name)| (*later, std::cmp::Reverse(name.size)));
    names.into_iter().map(|(_, name)| name).collect()
}

/// Whether a name is of a region: parcellations call what is left over by a few others.
fn says_something(name: &str) -> bool {
    let name = name.to_lowercase().replace([' ', '_', '-'], "");
    !["unknown", "???", "medialwall", "background"].contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_to_the_largest_piece() {
        let keys = [
            [1, 1, 0, 2, 0, 3],
            [1, 1, 0, 2, 0, 0],
            [0, 0, 0, 2, 0, 3],
            [1, 0, 0, 2, 3, 3],
        ]
        .concat();
        let mut pieces = largest_pieces(&keys, 6);
        pieces.sort_by_key(|p| p.key);
        let sizes: Vec<(i32, usize)> = pieces.iter().map(|p| (p.key, p.size)).collect();
        assert_eq!(sizes, [(1, 4), (2, 4), (3, 3)]);
        for piece in pieces {
            assert_eq!(keys[piece.cell], piece.key, "the middle is a part of it");
        }
    }
}
