//! Where the pixels of a slice fall in a volume: computed once in f64, used by the shader and its twin.

use glam::{DVec3, Vec3};

use crate::scene::{SliceView, VolumeData};

/// Half the crosshair's width and half of the gap in its middle, pixels.
pub(crate) const CROSS_HALF_WIDTH_PX: f32 = 0.6;
pub(crate) const CROSS_HALF_GAP_PX: f32 = 5.0;

/// Steps through a slab beyond which nobody waits for the picture.
const MOST_STEPS: f64 = 4096.0;

/// Steps along the view through a slab, mm before (negative) and behind the plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    first_mm: f64,
    step_mm: f64,
    pub(crate) n: u32,
}

impl Steps {
    /// Of at most a voxel's shortest edge, as far as the volume reaches; one step in the plane where there is no slab.
    pub(crate) fn new(view: &SliceView, volume: &VolumeData) -> Self {
        let Some(half_mm) = view.slab_mm.map(f64::from) else {
            return Self {
                first_mm: 0.0,
                step_mm: 0.0,
                n: 1,
            };
        };
        let (right, down) = view.axes();
        let normal = right.cross(down);
        let (low, high) = volume.bounds_mm();
        let ends = [low, high].map(|corner| f64::from((corner - view.centre_mm).dot(normal)));
        let first_mm = ends[0].min(ends[1]).max(-half_mm.abs());
        let last_mm = ends[0].max(ends[1]).min(half_mm.abs());
        let matrix = volume.world_from_voxel.matrix3;
        let edge_mm = [matrix.x_axis, matrix.y_axis, matrix.z_axis]
            .map(|axis| f64::from(axis.length()))
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        let thickness = last_mm - first_mm;
        if thickness.is_nan() || thickness < 0.0 {
            return Self {
                first_mm: 0.0,
                step_mm: 0.0,
                n: 0,
            };
        }
        let n_steps = (thickness / edge_mm).ceil().clamp(1.0, MOST_STEPS);
        Self {
            first_mm,
            step_mm: thickness / n_steps,
            n: n_steps as u32 + 1,
        }
    }
}

/// Pixels to voxel coordinates (voxel centres at whole numbers).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    /// At the middle of the picture, at the first step.
    pub(crate) centre: Vec3,
    /// A pixel to the right.
    pub(crate) right: Vec3,
    /// A pixel down.
    pub(crate) down: Vec3,
    /// A step through the slab.
    pub(crate) through: Vec3,
}

impl Sampling {
    pub(crate) fn new(view: &SliceView, volume: &VolumeData, steps: Steps) -> Self {
        let voxel_from_world = volume.world_from_voxel.as_daffine3().inverse();
        let (right, down) = view.axes();
        let normal = right.cross(down).as_dvec3();
        let vector = |mm: DVec3| voxel_from_world.transform_vector3(mm).as_vec3();
        let pixel = |axis: Vec3| vector(axis.as_dvec3() * f64::from(view.mm_per_pixel));
        Self {
            centre: voxel_from_world
                .transform_point3(view.centre_mm.as_dvec3() + normal * steps.first_mm)
                .as_vec3(),
            right: pixel(right),
            down: pixel(down),
            through: vector(normal * steps.step_mm),
        }
    }

    /// The voxel coordinates `x`, `y` pixels right of and below the middle, at a step.
    pub(crate) fn voxel(&self, x: f32, y: f32, step: u32) -> Vec3 {
        self.centre + self.right * x + self.down * y + self.through * step as f32
    }

    /// The same for a volume of which every `stride`-th voxel was kept.
    pub(crate) fn thinned(self, stride: [u32; 3]) -> Self {
        let s = Vec3::from_array(stride.map(|s| s as f32));
        Self {
            centre: self.centre / s,
            right: self.right / s,
            down: self.down / s,
            through: self.through / s,
        }
    }
}
