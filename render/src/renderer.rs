//! One door to both renderers: the GPU's, and the reference one where there is no driver.

use crate::cpu;
use crate::gpu::{Gpu, RenderError, Renderer};
use crate::scene::{Pick, Picture, Scene};

/// Who draws.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a program holds one or two of them"
)]
pub enum Backend {
    /// A device, real or a software driver.
    Gpu(Renderer),
    /// The reference renderer.
    Cpu,
}

impl Backend {
    /// A device if there is one; else the reference renderer and the reason.
    pub fn best() -> (Self, Option<String>) {
        match Gpu::headless() {
            Ok(gpu) => (Self::Gpu(Renderer::new(gpu)), None),
            Err(error) => (Self::Cpu, Some(error.to_string())),
        }
    }

    /// Who draws, for the user.
    pub fn name(&self) -> &str {
        match self {
            Self::Gpu(renderer) => &renderer.gpu().adapter_name,
            Self::Cpu => "reference renderer (no graphics driver)",
        }
    }

    /// Draws a scene at the best quality.
    pub fn picture(&mut self, scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
        match self {
            Self::Gpu(renderer) => renderer.picture(scene, size),
            Self::Cpu => cpu::picture(scene, size),
        }
    }

    /// What is under a pixel of a surface view.
    pub fn pick(
        &mut self,
        scene: &Scene,
        size: [u32; 2],
        pixel: [u32; 2],
    ) -> Result<Option<Pick>, RenderError> {
        match self {
            Self::Gpu(renderer) => renderer.pick(scene, size, pixel),
            Self::Cpu => cpu::pick(scene, size, pixel),
        }
    }
}
