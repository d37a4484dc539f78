//! Looking into volumes: what both renderers do along a ray. The twin of `solid.wgsl`.

use bytemuck::{Pod, Zeroable};
use glam::{Mat3, Mat4, Vec2, Vec3, Vec4};

use crate::camera::Camera;
use crate::colormap::{linear_from_srgb, srgb_from_linear};
use crate::field::{FieldUniform, Kept, Placed};
use crate::light::Light;
use crate::scene::{Cast, ClipPlane, SolidLayer, SurfaceView};

/// Cuts at most.
pub(crate) const MOST_CLIPS: usize = 6;
/// Steps of a ray at most.
const MOST_STEPS: f32 = 8192.0;
/// A ray that is this opaque has arrived.
const OPAQUE: f32 = 0.98;
/// Less than this of a step's matter is not worth a gradient.
pub(crate) const FAINT: f32 = 1.0 / 512.0;
/// Times that the step into matter is halved.
const HALVINGS: u32 = 4;
/// Gradients are taken over this many voxels to either side.
const REACH: f32 = 1.0;

/// As `solid.wgsl` reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct SolidUniform {
    world_from_clip: Mat4,
    camera_from_world: Mat4,
    eye: Vec4,
    light: Light,
    /// Pixels across and down, mm a step, the number of cuts.
    picture: Vec4,
    clips: [Vec4; MOST_CLIPS],
    field: FieldUniform,
}

impl SolidUniform {
    pub(crate) fn new(
        view: &SurfaceView,
        solid: &SolidLayer,
        size: [u32; 2],
        kept: [Kept; 2],
    ) -> Self {
        let mut clips = [Vec4::ZERO; MOST_CLIPS];
        for (to, clip) in clips.iter_mut().zip(&view.clips) {
            *to = clip.normal.extend(clip.distance_mm);
        }
        let [width, height] = size.map(|n| n as f32);
        let n_clips = view.clips.len().min(MOST_CLIPS) as f32;
        Self {
            world_from_clip: world_from_clip(&view.camera, size),
            camera_from_world: view.camera.camera_from_world(),
            eye: view.camera.eye(),
            light: Light::studio(),
            picture: Vec4::new(width, height, step_mm(solid), n_clips),
            clips,
            field: FieldUniform::new(&solid.layer, kept),
        }
    }
}

fn world_from_clip(camera: &Camera, size: [u32; 2]) -> Mat4 {
    let aspect = size[0] as f32 / size[1] as f32;
    camera
        .clip_from_world(aspect)
        .as_dmat4()
        .inverse()
        .as_mat4()
}

/// A step of a ray.
pub(crate) fn step_mm(solid: &SolidLayer) -> f32 {
    let matrix = solid.layer.volume.world_from_voxel.matrix3;
    let edge_mm = [matrix.x_axis, matrix.y_axis, matrix.z_axis]
        .map(glam::Vec3A::length)
        .into_iter()
        .fold(f32::INFINITY, f32::min);
    solid.step_voxels.clamp(0.05, 16.0) * edge_mm
}

/// A volume with what its rays need.
#[derive(Debug)]
pub(crate) struct Caster<'a> {
    solid: &'a SolidLayer,
    placed: Placed<'a>,
    clips: &'a [ClipPlane],
    world_from_clip: Mat4,
    camera_from_world: Mat4,
    eye: Vec4,
    light: Light,
    step_mm: f32,
}

/// The part of a ray within the volume and the cuts, mm from its start.
struct Way {
    start: Vec3,
    along: Vec3,
    first: f32,
    last: f32,
    /// Perpendicular to what it enters by: a cut, a side of the volume, or the near plane.
    face: Vec3,
}

/// What a ray meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    /// mm from the near plane.
    pub(crate) distance_mm: f32,
    pub(crate) point_mm: Vec3,
    pub(crate) voxel: [usize; 3],
}

impl<'a> Caster<'a> {
    pub(crate) fn new(view: &'a SurfaceView, solid: &'a SolidLayer, size: [u32; 2]) -> Self {
        Self {
            solid,
            placed: Placed::new(&solid.layer),
            clips: &view.clips[..view.clips.len().min(MOST_CLIPS)],
            world_from_clip: world_from_clip(&view.camera, size),
            camera_from_world: view.camera.camera_from_world(),
            eye: view.camera.eye(),
            light: Light::studio(),
            step_mm: step_mm(solid),
        }
    }

    /// The way of a ray from a point of the picture (x right, y up, −1 to 1) as far as a depth (0 near to 1 far).
    fn way(&self, ndc: Vec2, depth: f32) -> Option<Way> {
        let at = |depth: f32| self.world_from_clip.project_point3(ndc.extend(depth));
        let (start, end) = (at(0.0), at(1.0));
        let along = (end - start).normalize_or_zero();
        let (mut first, mut last) = (0.0_f32, (end - start).length());
        let mut face = -along;
        if depth < 1.0 {
            last = (at(depth) - start).dot(along);
        }
        let from = self.placed.voxel_from_world.transform_point3(start);
        let step = self.placed.voxel_from_world.transform_vector3(along);
        let high = Vec3::from_array(self.solid.layer.volume.shape.map(|n| n as f32 - 0.5));
        for axis in 0..3 {
            if step[axis].abs() < 1e-12 {
                if from[axis] < -0.5 || from[axis] > high[axis] {
                    return None;
                }
                continue;
            }
            let a = (-0.5 - from[axis]) / step[axis];
            let b = (high[axis] - from[axis]) / step[axis];
            if a.min(b) > first {
                first = a.min(b);
                face = self.outward(Vec3::AXES[axis]);
            }
            last = last.min(a.max(b));
        }
        for clip in self.clips {
            let towards = clip.normal.dot(along);
            let room = clip.distance_mm - clip.normal.dot(start);
            if towards.abs() < 1e-9 {
                if room < 0.0 {
                    return None;
                }
            } else if towards > 0.0 {
                last = last.min(room / towards);
            } else if room / towards > first {
                first = room / towards;
                face = clip.normal;
            }
        }
        (first < last).then_some(Way {
            start,
            along,
            first,
            last,
            face,
        })
    }

    /// The middles of the steps of a way: mm from its start, and the world point.
    fn steps<'w>(&'w self, way: &'w Way) -> impl Iterator<Item = (f32, Vec3)> + 'w {
        let n = ((way.last - way.first) / self.step_mm)
            .ceil()
            .min(MOST_STEPS) as u32;
        (0..n).map(|i| {
            let t = way.first + (i as f32 + 0.5) * self.step_mm;
            (t, way.start + way.along * t)
        })
    }

    /// The premultiplied colour of a ray.
    pub(crate) fn colour(&self, ndc: Vec2, depth: f32) -> [f32; 4] {
        let look = &self.solid.layer.look;
        let Some(way) = self.way(ndc, depth) else {
            return [0.0; 4];
        };
        if self.solid.cast == Cast::Maximum {
            let Some((_, point, value)) = self.maximum(&way) else {
                return [0.0; 4];
            };
            let alpha = look.alpha() * look.coverage(value) * self.placed.modulation(point);
            return (self.plain(value) * alpha).extend(alpha).to_array();
        }
        let mut sum = Vec4::ZERO;
        let mut clear_until = Some(way.first);
        // Behind a cut face the gradient is noise.
        let mut face = Some(way.face);
        for (t, point) in self.steps(&way) {
            let Some(found) = self.matter(point) else {
                clear_until = Some(t);
                face = None;
                continue;
            };
            let (point, value, alpha) = match clear_until.take() {
                Some(before) => self.edge(&way, [before, t], found),
                None => (point, found.0, found.1),
            };
            let part = alpha * (1.0 - sum.w);
            let shaded = self.shaded(point, self.plain(value), face);
            sum += (shaded * part).extend(part);
            if sum.w > OPAQUE {
                break;
            }
        }
        sum.to_array()
    }

    /// Where matter begins between a clear and a found place (mm from the start of the way), by halving: else the steps
    /// would be seen as rings. The point, its number and its opacity.
    fn edge(
        &self,
        way: &Way,
        [mut clear, mut dense]: [f32; 2],
        found: (f32, f32),
    ) -> (Vec3, f32, f32) {
        let mut found = found;
        for _ in 0..HALVINGS {
            let middle = 0.5 * (clear + dense);
            match self.matter(way.start + way.along * middle) {
                Some(matter) => (dense, found) = (middle, matter),
                None => clear = middle,
            }
        }
        (way.start + way.along * dense, found.0, found.1)
    }

    /// The voxel a ray stops at: where half of its light is gone, or that of the maximum.
    pub(crate) fn met(&self, ndc: Vec2, depth: f32) -> Option<Met> {
        let way = self.way(ndc, depth)?;
        let (distance_mm, point_mm) = if self.solid.cast == Cast::Maximum {
            let look = &self.solid.layer.look;
            let (t, point, value) = self.maximum(&way)?;
            (look.coverage(value) * self.placed.modulation(point) > 0.0).then_some((t, point))?
        } else {
            let mut left = 1.0;
            self.steps(&way).find(|(_, point)| {
                left *= 1.0 - self.matter(*point).map_or(0.0, |(_, alpha)| alpha);
                left <= 0.5
            })?
        };
        let v = self.placed.voxel_from_world.transform_point3(point_mm);
        let voxel = self.placed.field.nearest(v)?;
        Some(Met {
            distance_mm,
            point_mm,
            voxel: voxel.to_array().map(|i| i as usize),
        })
    }

    /// Of the numbers on a way the weightiest.
    fn maximum(&self, way: &Way) -> Option<(f32, Vec3, f32)> {
        let weight = |value| self.solid.layer.look.weight(value);
        let mut best: Option<(f32, Vec3, f32)> = None;
        for (t, point) in self.steps(way) {
            let value = self.placed.value(point);
            if !value.is_nan() && best.is_none_or(|(.., most)| weight(value) > weight(most)) {
                best = Some((t, point, value));
            }
        }
        best
    }

    /// The number at a point and the opacity of a step there; nothing where it is as good as clear.
    fn matter(&self, point: Vec3) -> Option<(f32, f32)> {
        let look = &self.solid.layer.look;
        let value = self.placed.value(point);
        let cover = if value.is_nan() {
            0.0
        } else {
            look.alpha() * look.coverage(value)
        };
        if cover <= 0.0 {
            return None;
        }
        let a_mm = cover * self.placed.modulation(point);
        let alpha = 1.0 - (1.0 - a_mm).powf(self.step_mm);
        (alpha > FAINT).then_some((value, alpha))
    }

    fn plain(&self, value: f32) -> Vec3 {
        let look = &self.solid.layer.look;
        Vec3::from_array(look.colormap.colour_at(look.position_unthresholded(value)))
    }

    /// Lit as the gradient lies, or as a face does.
    fn shaded(&self, point: Vec3, colour: Vec3, face: Option<Vec3>) -> Vec3 {
        let out = face.unwrap_or_else(|| self.outward(self.gradient(point)));
        let camera = self.camera_from_world.transform_vector3(out);
        let position = self.camera_from_world.transform_point3(point);
        let view = (self.eye.truncate() - position * self.eye.w).normalize_or_zero();
        let length = camera.length();
        let normal = if length > 1e-12 {
            // Out of what is brighter; either way, towards the viewer.
            let normal = camera / length;
            if normal.dot(view) < 0.0 {
                -normal
            } else {
                normal
            }
        } else {
            view
        };
        let albedo = Vec3::from_array(colour.to_array().map(linear_from_srgb));
        let lit = self.light.lit(albedo, 0.0, normal, view);
        Vec3::from_array(lit.to_array().map(|x| srgb_from_linear(x.min(1.0))))
    }

    /// Differences of the number along the voxel axes.
    fn gradient(&self, point: Vec3) -> Vec3 {
        let v = self.placed.voxel_from_world.transform_point3(point);
        let at = |offset: Vec3| {
            let x = self.placed.field.trilinear(v + offset * REACH);
            if x.is_nan() { 0.0 } else { x }
        };
        Vec3::new(
            at(Vec3::X) - at(Vec3::NEG_X),
            at(Vec3::Y) - at(Vec3::NEG_Y),
            at(Vec3::Z) - at(Vec3::NEG_Z),
        )
    }

    /// In the world what is perpendicular to planes in voxels.
    fn outward(&self, v: Vec3) -> Vec3 {
        Mat3::from_mat4(self.placed.voxel_from_world).transpose() * v
    }
}
