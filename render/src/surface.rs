//! What both renderers do with a surface: the order of drawing, the uniform, and the colour of a fragment.

use bytemuck::{Pod, Zeroable};
use glam::{Mat4, Vec2, Vec3, Vec4};

use crate::camera::Camera;
use crate::colormap::{linear_from_srgb, srgb_from_linear};
use crate::field::{FieldUniform, Kept, Placed};
use crate::light::Light;
use crate::look::LookUniform;
use crate::mesh::sulcal_spread;
use crate::scene::{Look, MeshLayer, Sampled, SurfaceView};

/// sRGB greys of gyri, of sulci and of a mesh without a sulcal map, and half the width of the passage from gyrus to
/// sulcus in units of the sulcal map's spread.
const GREYS: Vec4 = Vec4::new(0.84, 0.60, 0.79, 0.35);

/// A mesh as `surface.wgsl` reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct SurfaceUniform {
    pub(crate) clip_from_world: Mat4,
    pub(crate) camera_from_world: Mat4,
    pub(crate) eye: Vec4,
    light: Light,
    /// world = vertex · w + xyz.
    pub(crate) place: Vec4,
    /// A plain straight sRGB colour for everything, where w is 1.
    tint: Vec4,
    greys: Vec4,
    /// Opacity, whether there is a sulcal map, whether there is an overlay, half the width of region lines in pixels.
    paint: Vec4,
    look: LookUniform,
    /// The share by which the mesh is drawn towards its other shape, and how much shading shows its form.
    shape: Vec4,
    /// The part of the way through the cortex that is sampled, and samples on it.
    depth: Vec4,
    /// What is sampled.
    field: FieldUniform,
}

/// What is interpolated over a triangle, at one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    /// Camera space, not yet of unit length, flipped towards the viewer on the back of a triangle.
    pub(crate) normal: Vec3,
    /// Camera space, mm.
    pub(crate) position: Vec3,
    /// In units of the map's spread.
    pub(crate) sulcal: f32,
    /// As [`overlay_values`].
    pub(crate) map: Vec2,
    /// `map` one pixel to the right and one pixel down.
    pub(crate) map_beside: [Vec2; 2],
    /// The ends of the way through the cortex, world mm.
    pub(crate) ends: [Vec3; 2],
}

impl SurfaceUniform {
    fn new(camera: &Camera, size: [u32; 2]) -> Self {
        let aspect = size[0] as f32 / size[1] as f32;
        Self {
            clip_from_world: camera.clip_from_world(aspect),
            camera_from_world: camera.camera_from_world(),
            eye: camera.eye(),
            light: Light::studio(),
            place: Vec4::W,
            tint: Vec4::ZERO,
            greys: GREYS,
            paint: Vec4::new(1.0, 0.0, 0.0, 0.0),
            look: LookUniform::zeroed(),
            shape: Vec4::new(0.0, 1.0, 0.0, 0.0),
            depth: Vec4::ZERO,
            field: FieldUniform::zeroed(),
        }
    }

    /// `kept`: what is on the device of the sampled volume and of that which modulates it; is samples a pixel side: line widths are given in pixels of the finished picture.
    pub(crate) fn layer(
        camera: &Camera,
        size: [u32; 2],
        scale: u32,
        layer: &MeshLayer,
        kept: [Kept; 2],
    ) -> Self {
        let share = layer
            .toward
            .as_ref()
            .map_or(0.0, |(_, share)| share.clamp(0.0, 1.0));
        let height = (size[1] / scale.max(1)) as f32;
        let half_line = 0.5 * scale as f32 * (height / 600.0).max(1.6);
        let flag = |on: bool| f32::from(u8::from(on));
        Self {
            place: layer.offset_mm.extend(1.0),
            paint: Vec4::new(
                opacity(layer),
                flag(layer.sulcal.is_some()),
                flag(layer.overlay.is_some()),
                half_line,
            ),
            look: layer
                .overlay
                .as_ref()
                .map_or_else(LookUniform::zeroed, |(_, look)| look.uniform()),
            shape: Vec4::new(share, layer.relief.clamp(0.0, 1.0), 0.0, 0.0),
            depth: layer.sampled.as_ref().map_or(Vec4::ZERO, |sampled| {
                let (from, to) = sampled.depth;
                Vec4::new(from, to, n_layers(sampled) as f32, 0.0)
            }),
            field: layer
                .sampled
                .as_ref()
                .map_or_else(FieldUniform::zeroed, |sampled| {
                    FieldUniform::new(&sampled.layer, kept)
                }),
            ..Self::new(camera, size)
        }
    }

    pub(crate) fn marker(camera: &Camera, size: [u32; 2], marker: (Vec3, f32, [u8; 4])) -> Self {
        let (at_mm, radius_mm, colour) = marker;
        let [r, g, b, a] = colour.map(|c| f32::from(c) / 255.0);
        Self {
            place: at_mm.extend(radius_mm),
            tint: Vec4::new(r, g, b, 1.0),
            paint: Vec4::new(a, 0.0, 0.0, 0.0),
            ..Self::new(camera, size)
        }
    }

    pub(crate) fn opacity(&self) -> f32 {
        self.paint.x
    }

    pub(crate) fn half_line_px(&self) -> f32 {
        self.paint.w
    }

    /// The premultiplied sRGB colour of a fragment: the twin of `fs_surface`.
    pub(crate) fn shade(
        &self,
        look: Option<&Look>,
        sampled: Option<&Through<'_>>,
        at: &Fragment,
    ) -> [f32; 4] {
        let mut base = if self.paint.y > 0.0 {
            Vec3::splat(lerp(
                self.greys.x,
                self.greys.y,
                smoothstep(-self.greys.w, self.greys.w, at.sulcal),
            ))
        } else {
            Vec3::splat(self.greys.z)
        };
        base = base.lerp(self.tint.truncate(), self.tint.w);
        let mut overlay = 0.0;
        if let Some(look) = look {
            overlay = look.alpha() * self.coverage(look, at);
            if overlay > 0.0 {
                let [r, g, b] = look
                    .colormap
                    .colour_at(look.position_unthresholded(value(at.map)));
                base = base.lerp(Vec3::new(r, g, b), overlay);
            }
        }
        if let Some((colour, alpha)) = sampled.and_then(|through| through.colour(at.ends)) {
            base = base.lerp(colour, alpha);
            overlay = 1.0 - (1.0 - overlay) * (1.0 - alpha);
        }
        let view = (self.eye.truncate() - at.position * self.eye.w).normalize_or_zero();
        let normal = at.normal.normalize_or_zero();
        let lit = self
            .light
            .lit(vec3_map(base, linear_from_srgb), overlay, normal, view);
        // A see-through mesh is glass: denser where it is seen edge-on, so that its shape shows.
        let opacity = self.paint.x;
        let edge = (1.0 - normal.dot(view).max(0.0)).powi(2);
        let alpha = opacity + opacity * (1.0 - opacity) * edge;
        let lit = vec3_map(lit, |x| srgb_from_linear(x.min(1.0)));
        (base.lerp(lit, self.shape.y) * alpha)
            .extend(alpha)
            .to_array()
    }

    /// How much of the pixel shows data: it ends where half the corners' weight is NaN and at the threshold, both
    /// softened over a pixel.
    fn coverage(&self, look: &Look, at: &Fragment) -> f32 {
        let edge = |distance: &dyn Fn(Vec2) -> f32| {
            let here = distance(at.map);
            let width = at
                .map_beside
                .iter()
                .map(|&m| (distance(m) - here).abs())
                .sum::<f32>();
            (here / width.max(1e-12) + 0.5).clamp(0.0, 1.0)
        };
        let valid = edge(&|map| map.y - 0.5);
        let strong = if look.soft {
            look.coverage(value(at.map))
        } else if look.threshold > 0.0 {
            edge(&|map| look.weight(value(map)) - look.threshold)
        } else {
            1.0
        };
        valid * strong
    }
}

/// Samples on the way through the cortex.
fn n_layers(sampled: &Sampled) -> u32 {
    sampled.n_layers.clamp(1, 32)
}

/// A volume sampled on the way through the cortex.
#[derive(Debug)]
pub(crate) struct Through<'a> {
    placed: Placed<'a>,
    depth: (f32, f32),
    n_layers: u32,
}

impl<'a> Through<'a> {
    pub(crate) fn new(sampled: &'a Sampled) -> Self {
        Self {
            placed: Placed::new(&sampled.layer),
            depth: sampled.depth,
            n_layers: n_layers(sampled),
        }
    }

    /// The colour and opacity between two ends (world mm); nothing where no sample is valid.
    fn colour(&self, [inner, outer]: [Vec3; 2]) -> Option<(Vec3, f32)> {
        let (mut sum, mut modulation, mut n) = (0.0, 0.0, 0.0);
        for i in 0..self.n_layers {
            let share = if self.n_layers == 1 {
                0.5
            } else {
                i as f32 / (self.n_layers - 1) as f32
            };
            let point = inner + (outer - inner) * lerp(self.depth.0, self.depth.1, share);
            let value = self.placed.value(point);
            if !value.is_nan() {
                sum += value;
                modulation += self.placed.modulation(point);
                n += 1.0;
            }
        }
        if n == 0.0 {
            return None;
        }
        let look = &self.placed.layer.look;
        let value = sum / n;
        let alpha = look.alpha() * look.coverage(value) * (modulation / n);
        let colour = look.colormap.colour_at(look.position_unthresholded(value));
        Some((Vec3::from_array(colour), alpha))
    }
}

/// The indices of the meshes to draw: solid ones in order, then see-through ones from far to near.
pub(crate) fn draw_order(view: &SurfaceView) -> Vec<usize> {
    let visible =
        |i: &usize| opacity(&view.meshes[*i]) > 0.0 && !view.meshes[*i].mesh.triangles.is_empty();
    let (mut order, mut clear): (Vec<usize>, Vec<usize>) = (0..view.meshes.len())
        .filter(visible)
        .partition(|&i| opacity(&view.meshes[i]) >= 1.0);
    if clear.len() > 1 {
        let camera_from_world = view.camera.camera_from_world();
        let nearness = |i: usize| {
            let layer = &view.meshes[i];
            let sum: Vec3 = layer.drawn_mm().into_iter().sum();
            camera_from_world
                .transform_point3(sum / layer.mesh.vertices.len().max(1) as f32 + layer.offset_mm)
                .z
        };
        let mut keyed: Vec<(f32, usize)> = clear.into_iter().map(|i| (nearness(i), i)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        clear = keyed.into_iter().map(|(_, i)| i).collect();
    }
    order.append(&mut clear);
    order
}

fn opacity(layer: &MeshLayer) -> f32 {
    if layer.opacity.is_nan() {
        0.0
    } else {
        layer.opacity.clamp(0.0, 1.0)
    }
}

/// A sulcal map in units of its spread; NaN becomes the passage between gyrus and sulcus.
pub(crate) fn sulcal_values(values: &[f32]) -> Vec<f32> {
    let spread = sulcal_spread(values);
    values
        .iter()
        .map(|&x| if x.is_finite() { x / spread } else { 0.0 })
        .collect()
}

/// An overlay as (value, 1), and (0, 0) where it is NaN. Interpolated, the second number says how much of the weight is
/// valid and the first divided by it is the value: no NaN reaches the shader and masked data keep their half triangles.
/// Infinities become huge numbers, between which one can interpolate.
pub(crate) fn overlay_values(values: &[f32]) -> Vec<[f32; 2]> {
    const HUGE: f32 = 1e30;
    values
        .iter()
        .map(|&x| {
            if x.is_nan() {
                [0.0, 0.0]
            } else {
                [x.clamp(-HUGE, HUGE), 1.0]
            }
        })
        .collect()
}

fn value(map: Vec2) -> f32 {
    map.x / map.y.max(0.25)
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn vec3_map(v: Vec3, f: impl Fn(f32) -> f32) -> Vec3 {
    Vec3::new(f(v.x), f(v.y), f(v.z))
}
