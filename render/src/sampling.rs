//! Where the pixels of a slice fall in a volume: computed once in f64, used by the shader and its twin.

use glam::{DVec3, Vec3};

use crate::scene::{SliceView, VolumeData};

/// Added before rounding to a voxel: a pixel centre that falls on the border of two voxels goes the same way whatever
/// the rounding of the device.
pub(crate) const TIE: f32 = 1e-4;

/// Half the crosshair's width and half of the gap in its middle, pixels.
pub(crate) const CROSS_HALF_WIDTH_PX: f32 = 0.6;
pub(crate) const CROSS_HALF_GAP_PX: f32 = 5.0;

/// Pixels to voxel coordinates (voxel centres at whole numbers).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    /// At the middle of the picture.
    pub(crate) centre: Vec3,
    /// A pixel to the right.
    pub(crate) right: Vec3,
    /// A pixel down.
    pub(crate) down: Vec3,
    /// Voxels along i, j, k.
    pub(crate) shape: [usize; 3],
}

impl Sampling {
    pub(crate) fn new(view: &SliceView, volume: &VolumeData) -> Self {
        let voxel_from_world = volume.world_from_voxel.as_daffine3().inverse();
        let (right, down) = view.axes();
        let step = |axis: Vec3| {
            let mm: DVec3 = axis.as_dvec3() * f64::from(view.mm_per_pixel);
            voxel_from_world.transform_vector3(mm).as_vec3()
        };
        Self {
            centre: voxel_from_world
                .transform_point3(view.centre_mm.as_dvec3())
                .as_vec3(),
            right: step(right),
            down: step(down),
            shape: volume.shape,
        }
    }

    /// The voxel coordinates `x`, `y` pixels right of and below the middle.
    pub(crate) fn voxel(&self, x: f32, y: f32) -> Vec3 {
        self.centre + self.right * x + self.down * y
    }
}
