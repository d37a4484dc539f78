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
    soft: u32,
    padding: u32,
}

impl Look {
    /// Where a number falls on the colour map, 0 to 1; nothing where it is transparent (NaN or below a hard threshold).
    pub fn position(&self, value: f32) -> Option<f32> {
        (self.coverage(value) > 0.0).then(|| self.position_unthresholded(value))
    }

    /// How much of a number is let through by the threshold, 0 to 1; 0 for NaN.
    pub fn coverage(&self, value: f32) -> f32 {
        let size = self.weight(value);
        if size.is_nan() {
            0.0
        } else if self.threshold.is_nan() || self.threshold <= 0.0 || size >= self.threshold {
            1.0
        } else if self.soft {
            (size.max(0.0) / self.threshold).powi(2)
        } else {
            0.0
        }
    }

    /// The straight sRGB colour of a number; nothing where it is transparent (NaN or below the threshold).
    pub fn colour(&self, value: f32) -> Option<[u8; 4]> {
        let [r, g, b] = self.colormap.colour_at(self.position(value)?);
        let alpha = self.alpha() * self.coverage(value);
        Some([byte(r), byte(g), byte(b), byte(alpha)])
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

    /// What the threshold is held against, and what a look through several numbers shows the most of: the magnitude, or
    /// of a one-sided map the number itself.
    pub(crate) fn weight(&self, value: f32) -> f32 {
        if self.two_sided { value.abs() } else { value }
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
            soft: u32::from(self.soft),
            padding: 0,
        }
    }
}
