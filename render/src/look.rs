//! From number to colour: the one definition, and its form as a uniform.

use bytemuck::{Pod, Zeroable};

use crate::colormap::byte;
use crate::scene::Look;

/// A [`Look`] as the shaders read it (`look.wgsl`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct LookUniform {
    low: f32,
    /// 1 / (high − low).
    scale: f32,
    threshold: f32,
    opacity: f32,
    two_sided: u32,
    colormap_row: u32,
    padding: [u32; 2],
}

impl Look {
    /// Where a number falls on the colour map, 0 to 1; nothing where it is transparent (NaN or below the threshold).
    pub fn position(&self, value: f32) -> Option<f32> {
        if value.is_nan() || value.abs() < self.threshold {
            return None;
        }
        Some(self.position_unthresholded(value))
    }

    /// The straight sRGB colour of a number; nothing where it is transparent (NaN or below the threshold).
    pub fn colour(&self, value: f32) -> Option<[u8; 4]> {
        let [r, g, b] = self.colormap.colour_at(self.position(value)?);
        Some([byte(r), byte(g), byte(b), byte(self.alpha())])
    }

    /// Opacity within 0 to 1.
    pub(crate) fn alpha(&self) -> f32 {
        if self.opacity.is_nan() {
            0.0
        } else {
            self.opacity.clamp(0.0, 1.0)
        }
    }

    pub(crate) fn position_unthresholded(&self, value: f32) -> f32 {
        let along = |x: f32| ((x - self.range.0) * self.scale()).clamp(0.0, 1.0);
        if self.two_sided {
            let side = if value > 0.0 {
                1.0
            } else if value < 0.0 {
                -1.0
            } else {
                0.0
            };
            0.5 + 0.5 * side * along(value.abs())
        } else {
            along(value)
        }
    }

    /// 1 / (high − low); an empty range becomes a step.
    fn scale(&self) -> f32 {
        let width = self.range.1 - self.range.0;
        if width.is_finite() && width.abs() > 1e-30 {
            1.0 / width
        } else {
            1e30
        }
    }

    pub(crate) fn uniform(&self) -> LookUniform {
        LookUniform {
            low: self.range.0,
            scale: self.scale(),
            threshold: self.threshold,
            opacity: self.alpha(),
            two_sided: u32::from(self.two_sided),
            colormap_row: self.colormap.row() as u32,
            padding: [0; 2],
        }
    }
}
