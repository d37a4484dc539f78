//! Surfaces: triangles into a depth buffer, then a colour for each sample.

use std::borrow::Cow;

use glam::{Vec2, Vec3, Vec4};
use rayon::prelude::*;

use super::{over, premultiplied, straight};
use crate::check;
use crate::field::Kept;
use crate::gpu::RenderError;
use crate::mesh::{BorderTriangle, border_triangles, normals, unit_sphere};
use crate::scene::{Look, MeshLayer, Sampled, SurfaceView};
use crate::solid::Caster;
use crate::surface::{
    Fragment, SurfaceUniform, Through, draw_order, overlay_values, sulcal_values,
};

/// Pixel rows that one thread draws at a time.
const BAND_ROWS: usize = 16;
/// No triangle.
const NOTHING: u32 = u32::MAX;

/// A vertex on the screen.
#[derive(Clone, Copy, Debug)]
struct Projected {
    /// Samples from the top left.
    screen: Vec2,
    /// 0 near to 1 far.
    depth: f32,
    /// 1 / w of clip space; zero or less behind the viewer.
    inverse_w: f32,
    /// Camera space.
    normal: Vec3,
    position: Vec3,
}

/// A mesh ready to be drawn.
struct Item<'a> {
    uniform: SurfaceUniform,
    triangles: Cow<'a, [[u32; 3]]>,
    vertices: Vec<Projected>,
    sulcal: Option<Vec<f32>>,
    map: Option<(Vec<[f32; 2]>, &'a Look)>,
    /// What is sampled between two places of each vertex.
    sampled: Option<(Through<'a>, &'a Sampled)>,
    /// Ordered by triangle.
    borders: Vec<BorderTriangle>,
    /// The triangles that touch each band.
    bands: Vec<Vec<u32>>,
}

/// Straight RGBA of all pixels, `side`² samples each.
pub(super) fn pixels(
    view: &SurfaceView,
    background: [u8; 4],
    size: [u32; 2],
    side: u32,
) -> Result<Vec<u8>, RenderError> {
    let samples = size.map(|n| n * side);
    let band = BAND_ROWS * side as usize;
    let sphere = unit_sphere();
    let mut items = Vec::new();
    if let Some(marker) = view.marker {
        let uniform = SurfaceUniform::marker(&view.camera, samples, marker);
        let vertices: Vec<(Vec3, Vec3)> = sphere.0.iter().map(|&v| (v, v)).collect();
        let triangles = Cow::Borrowed(&sphere.1[..]);
        items.push(Item::new(uniform, &vertices, triangles, samples, band));
    }
    for i in draw_order(view) {
        let layer = &view.meshes[i];
        check::triangles(layer)?;
        let uniform = SurfaceUniform::layer(&view.camera, samples, side, layer, [Kept::WHOLE; 2]);
        let triangles = layer.drawn_triangles();
        let mut item = Item::new(uniform, &drawn(layer), triangles, samples, band);
        item.sampled = layer.sampled.as_ref().map(|s| (Through::new(s), s));
        item.sulcal = layer
            .sulcal
            .as_ref()
            .map(|data| sulcal_values(&data.values));
        item.map = layer
            .overlay
            .as_ref()
            .map(|(data, look)| (overlay_values(&data.values), look));
        let borders = layer
            .outlines
            .iter()
            .flat_map(|(labels, colours)| {
                border_triangles(&item.triangles, &labels.values, colours)
            })
            .collect();
        item.borders = borders;
        items.push(item);
    }
    let casters: Vec<Caster<'_>> = view
        .solids
        .iter()
        .map(|solid| Caster::new(view, solid, samples))
        .collect();
    let mut rgba = vec![0; size[0] as usize * size[1] as usize * 4];
    rgba.par_chunks_mut(size[0] as usize * 4 * BAND_ROWS)
        .enumerate()
        .for_each(|(index, rows)| {
            draw_band(
                (&items, &casters),
                background,
                (samples, side as usize),
                index,
                rows,
            );
        });
    Ok(rgba)
}

/// Draws the pixel rows of a band: opaque meshes, then volumes over them, then see-through meshes.
fn draw_band(
    (items, casters): (&[Item<'_>], &[Caster<'_>]),
    background: [u8; 4],
    (samples, side): ([u32; 2], usize),
    index: usize,
    rows: &mut [u8],
) {
    let width = samples[0] as usize;
    let height = rows.len() / 4 * side * side / width;
    let top = index * BAND_ROWS * side;
    let mut colours = vec![premultiplied(background); width * height];
    let mut depths = vec![1.0_f32; width * height];
    let mut front = Front {
        depth: Vec::new(),
        triangle: Vec::new(),
    };
    let n_opaque = items
        .iter()
        .take_while(|item| item.uniform.opacity() >= 1.0 || item.uniform.place.w != 1.0)
        .count();
    let look_in = |colours: &mut [[f32; 4]], depths: &[f32]| {
        let size = Vec2::new(samples[0] as f32, samples[1] as f32);
        for caster in casters {
            for (i, colour) in colours.iter_mut().enumerate() {
                let at = Vec2::new((i % width) as f32 + 0.5, (i / width + top) as f32 + 0.5);
                let ndc = Vec2::new(at.x / size.x * 2.0 - 1.0, 1.0 - at.y / size.y * 2.0);
                *colour = over(caster.colour(ndc, depths[i]), *colour);
            }
        }
    };
    for (n, item) in items.iter().enumerate() {
        if n == n_opaque {
            look_in(&mut colours, &depths);
        }
        item.rasterise(&mut front, width, height, top, index);
        for (i, &triangle) in front.triangle.iter().enumerate() {
            if triangle != NOTHING && front.depth[i] <= depths[i] {
                depths[i] = front.depth[i];
                let at = Vec2::new((i % width) as f32 + 0.5, (i / width + top) as f32 + 0.5);
                colours[i] = item.colour(triangle, at, colours[i]);
            }
        }
    }
    if items.len() == n_opaque {
        look_in(&mut colours, &depths);
    }
    let n = (side * side) as f32;
    let columns = width / side;
    for (i, pixel) in rows.chunks_exact_mut(4).enumerate() {
        let (x, y) = (i % columns * side, i / columns * side);
        let mut sum = [0.0; 4];
        for sample in 0..side * side {
            let colour = colours[(y + sample / side) * width + x + sample % side];
            sum = std::array::from_fn(|c| sum[c] + colour[c] / n);
        }
        pixel.copy_from_slice(&straight(sum));
    }
}

/// The nearest triangle of one mesh at each sample of a band.
struct Front {
    depth: Vec<f32>,
    triangle: Vec<u32>,
}

impl<'a> Item<'a> {
    fn new(
        uniform: SurfaceUniform,
        vertices: &[(Vec3, Vec3)],
        triangles: Cow<'a, [[u32; 3]]>,
        samples: [u32; 2],
        band: usize,
    ) -> Self {
        let size = Vec2::new(samples[0] as f32, samples[1] as f32);
        let vertices: Vec<Projected> = vertices
            .par_iter()
            .map(|&(vertex, normal)| {
                let world = (vertex * uniform.place.w + uniform.place.truncate()).extend(1.0);
                let clip: Vec4 = uniform.clip_from_world * world;
                let inverse_w = 1.0 / clip.w;
                let ndc = clip.truncate() * inverse_w;
                Projected {
                    screen: Vec2::new(ndc.x * 0.5 + 0.5, 0.5 - ndc.y * 0.5) * size,
                    depth: ndc.z,
                    inverse_w,
                    normal: uniform.camera_from_world.transform_vector3(normal),
                    position: (uniform.camera_from_world * world).truncate(),
                }
            })
            .collect();
        let n_bands = (samples[1] as usize).div_ceil(band);
        let mut bands = vec![Vec::new(); n_bands];
        for (triangle, index) in triangles.iter().zip(0..) {
            let corners = triangle.map(|v| vertices[v as usize]);
            // What reaches behind the viewer is left out: the camera keeps its distance.
            if corners
                .iter()
                .any(|c| !(c.inverse_w > 0.0 && c.screen.is_finite()))
            {
                continue;
            }
            let low = corners.iter().fold(f32::MAX, |y, c| y.min(c.screen.y));
            let high = corners.iter().fold(f32::MIN, |y, c| y.max(c.screen.y));
            if high < 0.0 || low >= size.y {
                continue;
            }
            let first = (low.max(0.0) as usize) / band;
            let last = (high.min(size.y - 1.0) as usize) / band;
            for rows in &mut bands[first..=last] {
                rows.push(index);
            }
        }
        Self {
            uniform,
            triangles,
            vertices,
            sulcal: None,
            map: None,
            sampled: None,
            borders: Vec::new(),
            bands,
        }
    }

    fn corners(&self, triangle: u32) -> [Projected; 3] {
        self.triangles[triangle as usize].map(|v| self.vertices[v as usize])
    }

    fn rasterise(&self, front: &mut Front, width: usize, height: usize, top: usize, band: usize) {
        front.depth.clear();
        front.depth.resize(width * height, f32::MAX);
        front.triangle.clear();
        front.triangle.resize(width * height, NOTHING);
        let Some(triangles) = self.bands.get(band) else {
            return;
        };
        for &triangle in triangles {
            let corners = self.corners(triangle);
            let [a, b, c] = corners.map(|corner| corner.screen);
            let area = (b - a).perp_dot(c - a);
            if area == 0.0 {
                continue;
            }
            let low = a.min(b).min(c);
            let high = a.max(b).max(c);
            let columns = span(low.x, high.x, 0, width);
            for y in span(low.y, high.y, top, height) {
                for x in columns.clone() {
                    let at = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                    let weights = on_screen([a, b, c], area, at);
                    if weights.min_element() < 0.0 {
                        continue;
                    }
                    let depth = weights.dot(Vec3::from_array(corners.map(|corner| corner.depth)));
                    let i = (y - top) * width + x;
                    if (0.0..=1.0).contains(&depth) && depth < front.depth[i] {
                        front.depth[i] = depth;
                        front.triangle[i] = triangle;
                    }
                }
            }
        }
    }

    /// The mesh's premultiplied colour at a sample, over what is below.
    fn colour(&self, triangle: u32, at: Vec2, below: [f32; 4]) -> [f32; 4] {
        let corners = self.corners(triangle);
        let [a, b, c] = corners.map(|corner| corner.screen);
        let area = (b - a).perp_dot(c - a);
        let inverse_w = Vec3::from_array(corners.map(|corner| corner.inverse_w));
        let weights = |at: Vec2| {
            let w = on_screen([a, b, c], area, at) * inverse_w;
            w / (w.x + w.y + w.z)
        };
        let here = weights(at);
        let beside = [weights(at + Vec2::X), weights(at + Vec2::Y)];
        let ids = self.triangles[triangle as usize];
        let mix3 = |f: &dyn Fn(usize) -> Vec3, w: Vec3| f(0) * w.x + f(1) * w.y + f(2) * w.z;
        let map_at = |w: Vec3| {
            self.map.as_ref().map_or(Vec2::ZERO, |(values, _)| {
                let corner = |k: usize| Vec2::from_array(values[ids[k] as usize]);
                corner(0) * w.x + corner(1) * w.y + corner(2) * w.z
            })
        };
        // Clockwise on a screen whose y runs down is counter-clockwise seen from the front.
        let facing = if area < 0.0 { 1.0 } else { -1.0 };
        let fragment = Fragment {
            normal: mix3(&|k| corners[k].normal, here) * facing,
            position: mix3(&|k| corners[k].position, here),
            sulcal: self.sulcal.as_ref().map_or(0.0, |values| {
                Vec3::from_array(ids.map(|v| values[v as usize])).dot(here)
            }),
            map: map_at(here),
            map_beside: beside.map(map_at),
            ends: self.sampled.as_ref().map_or([Vec3::ZERO; 2], |(_, s)| {
                [&s.inner, &s.outer].map(|places| mix3(&|k| places.vertices[ids[k] as usize], here))
            }),
        };
        let shaded = self.uniform.shade(
            self.map.as_ref().map(|(_, look)| *look),
            self.sampled.as_ref().map(|(through, _)| through),
            &fragment,
        );
        let colour = over(shaded, below);
        match self
            .borders
            .binary_search_by_key(&triangle, |border| border.index)
        {
            Ok(found) => over(self.line(&self.borders[found], here, beside), colour),
            Err(_) => colour,
        }
    }

    /// The region line at a sample: the twin of `fs_border`.
    fn line(&self, border: &BorderTriangle, here: Vec3, beside: [Vec3; 2]) -> [f32; 4] {
        let labels = border.labels;
        let by_region = |w: Vec3| {
            let w = w.to_array();
            labels.map(|key| {
                (0..3)
                    .filter(|&k| labels[k] == key)
                    .map(|k| w[k])
                    .sum::<f32>()
            })
        };
        let weights = by_region(here);
        let steps = beside.map(|w| by_region(w - here));
        let heaviest = |among: &dyn Fn(usize) -> bool| {
            (0..3)
                .filter(|&k| among(k))
                .max_by(|&i, &j| weights[i].total_cmp(&weights[j]).then(j.cmp(&i)))
        };
        let Some(first) = heaviest(&|_| true) else {
            return [0.0; 4];
        };
        let Some(second) = heaviest(&|k| labels[k] != labels[first]) else {
            return [0.0; 4];
        };
        let slope = Vec2::from_array(steps.map(|step| step[first] - step[second])).length();
        let distance = (weights[first] - weights[second]) / slope.max(1e-12);
        let colour = if border.colours[first][3] > 0 {
            border.colours[first]
        } else {
            border.colours[second]
        };
        let coverage =
            (self.uniform.half_line_px() + 0.5 - distance).clamp(0.0, 1.0) * self.uniform.opacity();
        premultiplied(colour).map(|c| c * coverage)
    }
}

/// Places and normals of the shape that is drawn.
fn drawn(layer: &MeshLayer) -> Vec<(Vec3, Vec3)> {
    let own = normals(&layer.mesh.vertices, &layer.mesh.triangles);
    let normals = match &layer.toward {
        Some((places, share)) => {
            let share = share.clamp(0.0, 1.0);
            own.iter()
                .zip(normals(&places.vertices, &layer.mesh.triangles))
                .map(|(&a, b)| (a + (b - a) * share).normalize_or_zero())
                .collect()
        }
        None => own,
    };
    layer.drawn_mm().into_iter().zip(normals).collect()
}

/// Barycentric weights of a point of the screen.
fn on_screen([a, b, c]: [Vec2; 3], area: f32, at: Vec2) -> Vec3 {
    Vec3::new(
        (b - at).perp_dot(c - at),
        (c - at).perp_dot(a - at),
        (a - at).perp_dot(b - at),
    ) / area
}

/// The samples whose centres may lie between two positions, within `n` samples from `start`.
fn span(low: f32, high: f32, start: usize, n: usize) -> std::ops::Range<usize> {
    let end = start + n;
    let first = ((low - 0.5).ceil().max(0.0) as usize).clamp(start, end);
    let last = ((high + 0.5).floor().max(0.0) as usize).clamp(first, end);
    first..last
}
