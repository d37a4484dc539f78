//! Region borders and silhouettes of surfaces as lines: projected as the picture is, and only where they are seen.

use std::collections::BTreeMap;

use fusiform_render::camera::Camera;
use fusiform_render::scene::{MeshLayer, SurfaceView};
use glam::Vec3;

use super::contour::{Piece, joined, march, runs, simplified, smoothed};

/// Runs of straight lines.
type Lines = Vec<Vec<[f32; 2]>>;

/// Lines of one colour, in pixels of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Their colour.
    pub colour: [u8; 3],
    /// Each a run of straight lines.
    pub lines: Vec<Vec<[f32; 2]>>,
}

/// How far behind what is seen a border may lie, mm: it runs on the faceted sheet itself.
const BEHIND_MM: f32 = 1.0;

/// The borders of the regions of every mesh in an orthographic view, in pixels of a `size` picture, each `inset_px`
/// within its region; hidden parts are left out.
pub fn mesh_outlines(view: &SurfaceView, size: [u32; 2], inset_px: f32) -> Vec<Drawn> {
    if view.meshes.iter().all(|mesh| mesh.outlines.is_empty()) {
        return Vec::new();
    }
    let projected: Vec<Vec<Vec3>> = view
        .meshes
        .iter()
        .map(|mesh| projected(mesh, &view.camera, size))
        .collect();
    let front = Front::of(&view.meshes, &projected, size);
    let mut drawn: BTreeMap<(i32, [u8; 3]), Lines> = BTreeMap::new();
    let layers = view.meshes.iter().zip(&projected);
    let layers = layers.flat_map(|(mesh, points)| {
        let outlines = mesh.outlines.iter();
        outlines.map(move |outline| (mesh, points, outline))
    });
    for (mesh, points, (labels, colours)) in layers {
        let colours: BTreeMap<i32, [u8; 4]> = colours.iter().copied().collect();
        let mut pieces: BTreeMap<i32, (Vec<Piece>, BTreeMap<u64, f32>)> = BTreeMap::new();
        for triangle in mesh.mesh.triangles.iter() {
            let corners = triangle.map(|v| v as usize);
            let Some(keys) = all(corners.map(|v| labels.values.get(v).map(|k| *k as i32))) else {
                continue;
            };
            if keys[0] == keys[1] && keys[1] == keys[2] {
                continue;
            }
            let Some(places) = all(corners.map(|v| points.get(v).copied())) else {
                continue;
            };
            for (i, &key) in keys.iter().enumerate() {
                let shown = colours.get(&key).is_some_and(|colour| colour[3] > 0);
                if key == 0 || !shown || keys[..i].contains(&key) {
                    continue;
                }
                let (region, depths) = pieces.entry(key).or_default();
                let mut ends = Vec::new();
                for (a, b) in [(0, 1), (1, 2), (2, 0)] {
                    let (inner, outer) = match (keys[a] == key, keys[b] == key) {
                        (true, false) => (a, b),
                        (false, true) => (b, a),
                        _ => continue,
                    };
                    let between = places[outer] - places[inner];
                    let length = between.truncate().length().max(1e-3);
                    let part = 0.5 - (inset_px / length).min(0.4);
                    let point = places[inner] + between * part;
                    let (low, high) = (
                        triangle[inner].min(triangle[outer]),
                        triangle[inner].max(triangle[outer]),
                    );
                    let edge = u64::from(low) << 32 | u64::from(high);
                    depths.insert(edge, point.z);
                    ends.push((edge, [point.x, point.y]));
                }
                if let [a, b] = ends.as_slice() {
                    region.push(Piece {
                        edges: [a.0, b.0],
                        points: [a.1, b.1],
                    });
                }
            }
        }
        for (key, (region, depths)) in pieces {
            let [r, g, b, _] = colours[&key];
            let lines = drawn.entry((key, [r, g, b])).or_default();
            for run in runs(&region) {
                let seen: Vec<bool> = run
                    .iter()
                    .map(|(edge, [x, y])| front.shows(*x, *y, depths[edge]))
                    .collect();
                let line = smoothed(run.into_iter().map(|(_, point)| point).collect(), 2);
                lines.extend(
                    visible(&line, &seen)
                        .iter()
                        .map(|line| simplified(line, 0.2)),
                );
            }
        }
    }
    drawn
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|((_, colour), lines)| Drawn { colour, lines })
        .collect()
}

/// The outline of meshes as an orthographic camera sees them, in pixels of a `size` picture.
pub fn silhouette(meshes: &[MeshLayer], camera: &Camera, size: [u32; 2]) -> Vec<Vec<[f32; 2]>> {
    let projected: Vec<Vec<Vec3>> = meshes.iter().map(|m| projected(m, camera, size)).collect();
    let front = Front::of(meshes, &projected, size);
    let [width, height] = size.map(|n| n as usize);
    let inside = |x: usize, y: usize| {
        x < width && y < height && front.depth[y * width + x] > f32::NEG_INFINITY
    };
    joined(&march([width, height], 0.0, &inside))
        .into_iter()
        .filter(|line| line.len() > 12)
        .map(|line| {
            let line = smoothed(line, 6);
            let centred: Vec<[f32; 2]> = line.iter().map(|p| p.map(|v| v + 0.5)).collect();
            simplified(&centred, 0.2)
        })
        .collect()
}

/// Pixel position and nearness (mm towards the viewer) of every vertex.
fn projected(mesh: &MeshLayer, camera: &Camera, size: [u32; 2]) -> Vec<Vec3> {
    let [width, height] = size.map(|n| n as f32);
    let scale = height / 2.0 / camera.half_height_mm.max(1e-3);
    (0..mesh.mesh.vertices.len())
        .map(|v| {
            let world = mesh.vertex_mm(v).unwrap_or(Vec3::NAN) + mesh.offset_mm;
            let seen = camera.rotation * (world - camera.target_mm);
            Vec3::new(
                width / 2.0 + seen.x * scale,
                height / 2.0 - seen.y * scale,
                seen.z,
            )
        })
        .collect()
}

/// What is nearest to the viewer in every pixel, mm.
struct Front {
    size: [usize; 2],
    depth: Vec<f32>,
}

impl Front {
    fn of(meshes: &[MeshLayer], projected: &[Vec<Vec3>], size: [u32; 2]) -> Self {
        let size = size.map(|n| n as usize);
        let mut front = Self {
            size,
            depth: vec![f32::NEG_INFINITY; size[0] * size[1]],
        };
        for (mesh, points) in meshes.iter().zip(projected) {
            for triangle in mesh.mesh.triangles.iter() {
                if let Some(corners) = all(triangle.map(|v| points.get(v as usize).copied())) {
                    front.add(corners);
                }
            }
        }
        front
    }

    fn add(&mut self, [a, b, c]: [Vec3; 3]) {
        let area = (b - a).truncate().perp_dot((c - a).truncate());
        if !area.is_finite() || area.abs() < 1e-9 {
            return;
        }
        let (low, high) = (a.min(b).min(c), a.max(b).max(c));
        let range = |low: f32, high: f32, n: usize| {
            let from = (low - 0.5).ceil().max(0.0) as usize;
            from..((high + 0.5).floor().max(0.0) as usize).min(n)
        };
        for y in range(low.y, high.y, self.size[1]) {
            for x in range(low.x, high.x, self.size[0]) {
                let p = glam::Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                let u = (b.truncate() - p).perp_dot(c.truncate() - p) / area;
                let v = (c.truncate() - p).perp_dot(a.truncate() - p) / area;
                let w = 1.0 - u - v;
                if u < 0.0 || v < 0.0 || w < 0.0 {
                    continue;
                }
                let at = y * self.size[0] + x;
                self.depth[at] = self.depth[at].max(u * a.z + v * b.z + w * c.z);
            }
        }
    }

    /// Whether a point is not behind what is seen around it.
    fn shows(&self, x: f32, y: f32, z: f32) -> bool {
        let (x, y) = (x.floor() as i64, y.floor() as i64);
        let mut nearest = f32::INFINITY;
        for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))) {
            let (px, py) = (x + dx, y + dy);
            let inside =
                px >= 0 && py >= 0 && (px as usize) < self.size[0] && (py as usize) < self.size[1];
            if inside {
                let depth = self.depth[py as usize * self.size[0] + px as usize];
                if depth > f32::NEG_INFINITY {
                    nearest = nearest.min(depth);
                }
            }
        }
        z >= nearest - BEHIND_MM
    }
}

/// The parts of a run whose points are seen.
fn visible(line: &[[f32; 2]], seen: &[bool]) -> Vec<Vec<[f32; 2]>> {
    let mut parts = vec![Vec::new()];
    for (point, seen) in line.iter().zip(seen) {
        if *seen {
            if let Some(part) = parts.last_mut() {
                part.push(*point);
            }
        } else {
            parts.push(Vec::new());
        }
    }
    parts.retain(|part| part.len() > 1);
    parts
}

fn all<T: Copy>(three: [Option<T>; 3]) -> Option<[T; 3]> {
    Some([three[0]?, three[1]?, three[2]?])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fusiform_render::scene::{Key, MeshData, VertexData};
    use glam::Quat;

    use super::*;

    /// Two sheets of 20 × 20 squares, 10 mm apart, seen from above; the left halves are region 1.
    fn sheets() -> SurfaceView {
        let key = |id| Key { id, revision: 0 };
        let sheet = |z: f32, id: u64| {
            let n = 21u32;
            let at = |x: u32, y: u32| y * n + x;
            let corners = (0..n * n).map(|i| Vec3::new((i % n) as f32, (i / n) as f32, z));
            let squares = (0..n - 1).flat_map(|y| (0..n - 1).map(move |x| (x, y)));
            let triangles: Vec<[u32; 3]> = squares
                .flat_map(|(x, y)| {
                    let [a, b, c, d] = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
                    [[a, b, c], [a, c, d]]
                })
                .collect();
            let keys: Vec<f32> = (0..n * n)
                .map(|i| f32::from(u8::from(i % n < 10)))
                .collect();
            MeshLayer {
                mesh: MeshData {
                    key: key(id),
                    vertices: corners.collect(),
                    triangles: triangles.into(),
                },
                toward: None,
                offset_mm: Vec3::ZERO,
                sulcal: None,
                overlay: None,
                sampled: None,
                outlines: vec![(
                    VertexData {
                        key: key(id + 1),
                        values: keys.into(),
                    },
                    Arc::from([(1, [200, 0, 0, 255])]),
                )],
                opacity: 1.0,
                relief: 1.0,
                coarse: false,
            }
        };
        SurfaceView {
            camera: Camera {
                target_mm: Vec3::new(10.0, 10.0, 0.0),
                rotation: Quat::IDENTITY,
                half_height_mm: 12.0,
                fov_degrees: 0.0,
            },
            meshes: vec![sheet(0.0, 1), sheet(10.0, 3)],
            solids: Vec::new(),
            clips: Vec::new(),
            marker: None,
        }
    }

    #[test]
    fn only_the_front_border_is_drawn() {
        let view = sheets();
        let drawn = mesh_outlines(&view, [240, 240], 0.0);
        assert_eq!(drawn.len(), 1);
        assert_eq!(drawn[0].colour, [200, 0, 0]);
        assert_eq!(drawn[0].lines.len(), 1, "the sheet behind shows none");
        // The border is at x = 9.5 mm: 10 pixels a mm, the target in the middle.
        let line = &drawn[0].lines[0];
        assert!(line.iter().all(|p| (p[0] - 115.0).abs() < 0.5), "{line:?}");
        let mut alone = view.clone();
        alone.meshes[1].outlines.clear();
        assert!(mesh_outlines(&alone, [240, 240], 0.0).is_empty());
    }

    #[test]
    fn a_silhouette_goes_round() {
        let view = sheets();
        let lines = silhouette(&view.meshes, &view.camera, [240, 240]);
        assert_eq!(lines.len(), 1);
        let low = lines[0].iter().fold(f32::INFINITY, |l, p| l.min(p[0]));
        let high = lines[0].iter().fold(0.0f32, |h, p| h.max(p[0]));
        assert!(
            (low - 20.0).abs() < 1.5 && (high - 220.0).abs() < 1.5,
            "{low} {high}"
        );
    }
}
