//! One door to both renderers: the GPU's, and the reference one where there is no driver or where it is lost on the way.

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
    /// The reference renderer after devices were lost, and what the user should still hear of that.
    Bereft(Vec<String>),
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
            Self::Bereft(_) => "reference renderer (the graphics device was lost)",
        }
    }

    /// Whether a device draws.
    pub fn is_gpu(&self) -> bool {
        matches!(self, Self::Gpu(_))
    }

    /// What the user should know of what was drawn since the last call: volumes that were thinned to fit the device, and
    /// devices that were lost.
    pub fn take_notes(&mut self) -> Vec<String> {
        match self {
            Self::Gpu(renderer) => renderer.take_notes(),
            Self::Cpu => Vec::new(),
            Self::Bereft(notes) => std::mem::take(notes),
        }
    }

    /// Draws a scene at the best quality. A device that is lost meanwhile is replaced, once by another and then by the
    /// reference renderer: the picture comes all the same, and [`Self::take_notes`] tells.
    pub fn picture(&mut self, scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
        self.ask(
            |renderer| renderer.picture(scene, size),
            || cpu::picture(scene, size),
        )
    }

    /// What is under a pixel of a surface view.
    pub fn pick(
        &mut self,
        scene: &Scene,
        size: [u32; 2],
        pixel: [u32; 2],
    ) -> Result<Option<Pick>, RenderError> {
        self.ask(
            |renderer| renderer.pick(scene, size, pixel),
            || cpu::pick(scene, size, pixel),
        )
    }

    fn ask<T>(
        &mut self,
        device: impl Fn(&mut Renderer) -> Result<T, RenderError>,
        reference: impl Fn() -> Result<T, RenderError>,
    ) -> Result<T, RenderError> {
        loop {
            let Self::Gpu(renderer) = self else {
                return reference();
            };
            match device(renderer) {
                Err(RenderError::Lost(how)) => *self = successor(renderer, &how),
                asked => return asked,
            }
        }
    }
}

/// Who draws after a device was lost.
fn successor(lost: &mut Renderer, how: &str) -> Backend {
    let mut notes = lost.take_notes();
    let another = if lost.is_spare {
        None
    } else {
        Gpu::headless().ok()
    };
    match another {
        Some(gpu) => {
            notes.push(format!("{how}: drawing goes on with a new one"));
            Backend::Gpu(lost.successor(gpu, notes))
        }
        None => {
            notes.push(format!("{how}: drawing goes on without, on the CPU"));
            Backend::Bereft(notes)
        }
    }
}
