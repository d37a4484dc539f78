//! A volume asked at voxel coordinates: the one meaning of “nearest” and “linear”, and the twin of `field.wgsl`.

use bytemuck::{Pod, Zeroable};
use glam::{IVec3, Mat4, Vec3};

use crate::look::LookUniform;
use crate::scene::{Modulation, VolumeData, VolumeLayer};

/// Added before rounding to a voxel: a position that falls on the border of two voxels goes the same way whatever the
/// rounding of the device.
pub(crate) const TIE: f32 = 1e-4;

/// Numbers on a grid, voxel centres at whole coordinates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    volume: &'a VolumeData,
}

impl<'a> Field<'a> {
    pub(crate) fn new(volume: &'a VolumeData) -> Self {
        Self { volume }
    }

    /// The voxel that holds a position; nothing outside the grid.
    pub(crate) fn nearest(&self, v: Vec3) -> Option<IVec3> {
        let i = (v + Vec3::splat(0.5 + TIE)).floor().as_ivec3();
        let inside = |i: i32, n: usize| i >= 0 && (i as usize) < n;
        let [ni, nj, nk] = self.volume.shape;
        (inside(i.x, ni) && inside(i.y, nj) && inside(i.z, nk)).then_some(i)
    }

    /// The number of a voxel; the outermost voxels are continued.
    pub(crate) fn at(&self, i: IVec3) -> f32 {
        let [ni, nj, nk] = self.volume.shape;
        let within = |i: i32, n: usize| (i.max(0) as usize).min(n - 1);
        self.volume.data[within(i.x, ni) + ni * (within(i.y, nj) + nj * within(i.z, nk))]
    }

    /// Between the eight voxel centres around; see `trilinear` in `field.wgsl`.
    pub(crate) fn trilinear(&self, v: Vec3) -> f32 {
        let base = v.floor();
        let f = v - base;
        let (mut sum, mut weight) = (0.0, 0.0);
        for corner in 0..8 {
            let o = IVec3::new(corner & 1, (corner >> 1) & 1, (corner >> 2) & 1);
            let x = self.at(base.as_ivec3() + o);
            let along = |f: f32, o: i32| if o == 1 { f } else { 1.0 - f };
            let w = along(f.x, o.x) * along(f.y, o.y) * along(f.z, o.z);
            if !x.is_nan() {
                sum += w * x;
                weight += w;
            }
        }
        if weight >= 0.5 {
            sum / weight
        } else {
            f32::NAN
        }
    }

    /// The number at a position, NaN outside the grid.
    pub(crate) fn sample(&self, v: Vec3, linear: bool) -> f32 {
        match self.nearest(v) {
            None => f32::NAN,
            Some(_) if linear => self.trilinear(v),
            Some(i) => self.at(i),
        }
    }
}

/// What of a volume is on the device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Of how many voxels one was kept, along each axis.
    pub(crate) stride: [u32; 3],
    /// Whether the device may interpolate: it can, and no voxel is NaN.
    pub(crate) smooth: bool,
}

impl Kept {
    /// All of it, interpolated by the shader.
    pub(crate) const WHOLE: Self = Self {
        stride: [1; 3],
        smooth: false,
    };

    /// How the shader samples: 0 the nearest voxel, 1 trilinear, 2 trilinear by the device.
    fn sampling(self, linear: bool) -> u32 {
        match (linear, self.smooth) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }
}

/// What is fixed when a shader is compiled, so that nothing is computed and thrown away: software drivers run both sides
/// of every branch. The constants of `field.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Variant {
    /// As [`Kept::sampling`].
    sampling: u32,
    /// 0 without a modulating volume, else one more than its sampling.
    modulated: u32,
}

impl Variant {
    /// Of a shader that samples no volume.
    pub(crate) const NONE: Self = Self {
        sampling: 0,
        modulated: 0,
    };

    pub(crate) fn of(layer: &VolumeLayer, kept: [Kept; 2]) -> Self {
        Self {
            sampling: kept[0].sampling(layer.linear),
            modulated: match &layer.modulation {
                Some(_) => 1 + kept[1].sampling(layer.linear),
                None => 0,
            },
        }
    }

    pub(crate) fn constants(self) -> [(&'static str, f64); 2] {
        [
            ("sampling", f64::from(self.sampling)),
            ("modulated", f64::from(self.modulated)),
        ]
    }
}

/// A layer in the world, as `Field` in `field.wgsl` reads it: where its numbers are, and how they look.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct FieldUniform {
    pub(crate) voxel_from_world: Mat4,
    modulation_from_world: Mat4,
    /// Voxels along i, j, k.
    pub(crate) shape: [u32; 4],
    /// The same of the modulating volume.
    modulation_shape: [u32; 4],
    /// The magnitude of opacity 0, and 1 / (that of opacity 1 − that of opacity 0).
    modulation_range: [f32; 4],
    look: LookUniform,
}

impl FieldUniform {
    /// `kept`: what is on the device of the volume and of the modulating one.
    pub(crate) fn new(layer: &VolumeLayer, kept: [Kept; 2]) -> Self {
        let mut uniform = Self::zeroed();
        (uniform.voxel_from_world, uniform.shape) = placed(&layer.volume, kept[0].stride);
        uniform.look = layer.look.uniform();
        if let Some(modulation) = &layer.modulation {
            (uniform.modulation_from_world, uniform.modulation_shape) =
                placed(&modulation.volume, kept[1].stride);
            let (low, scale) = modulation.ramp();
            uniform.modulation_range = [low, scale, 0.0, 0.0];
        }
        uniform
    }
}

impl Modulation {
    /// The magnitude of opacity 0, and 1 / (that of opacity 1 − that of opacity 0).
    pub(crate) fn ramp(&self) -> (f32, f32) {
        let width = self.range.1 - self.range.0;
        (
            self.range.0,
            if width.abs() > 1e-30 {
                1.0 / width
            } else {
                1e30
            },
        )
    }

    /// The opacity of a number; 0 where it is NaN.
    pub(crate) fn opacity(&self, value: f32) -> f32 {
        let (low, scale) = self.ramp();
        if value.is_nan() {
            0.0
        } else {
            ((value.abs() - low) * scale).clamp(0.0, 1.0)
        }
    }
}

fn placed(volume: &VolumeData, stride: [u32; 3]) -> (Mat4, [u32; 4]) {
    let [i, j, k] = [0, 1, 2].map(|a| (volume.shape[a] as u32).div_ceil(stride[a]));
    (thinned(stride) * voxel_from_world(volume), [i, j, k, 0])
}

/// To the voxel coordinates of a volume of which every `stride`-th voxel was kept.
pub(crate) fn thinned(stride: [u32; 3]) -> Mat4 {
    Mat4::from_scale(Vec3::from_array(stride.map(|s| 1.0 / s as f32)))
}

/// Inverted in f64: world coordinates are large beside a voxel's rounding.
pub(crate) fn voxel_from_world(volume: &VolumeData) -> Mat4 {
    glam::DMat4::from(volume.world_from_voxel.as_daffine3().inverse()).as_mat4()
}

/// A layer on the host: the twin of a [`FieldUniform`] with its textures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) layer: &'a VolumeLayer,
    pub(crate) field: Field<'a>,
    pub(crate) voxel_from_world: Mat4,
    modulation: Option<(&'a Modulation, Field<'a>, Mat4)>,
}

impl<'a> Placed<'a> {
    pub(crate) fn new(layer: &'a VolumeLayer) -> Self {
        Self {
            layer,
            field: Field::new(&layer.volume),
            voxel_from_world: voxel_from_world(&layer.volume),
            modulation: layer
                .modulation
                .as_ref()
                .map(|m| (m, Field::new(&m.volume), voxel_from_world(&m.volume))),
        }
    }

    /// The layer's number at a world point, NaN where there is none.
    pub(crate) fn value(&self, world_mm: Vec3) -> f32 {
        let v = self.voxel_from_world.transform_point3(world_mm);
        self.field.sample(v, self.layer.linear)
    }

    /// The opacity that the modulating volume gives a world point; 1 without one.
    pub(crate) fn modulation(&self, world_mm: Vec3) -> f32 {
        self.modulation.map_or(1.0, |(modulation, field, placed)| {
            let v = placed.transform_point3(world_mm);
            modulation.opacity(field.sample(v, self.layer.linear))
        })
    }
}
