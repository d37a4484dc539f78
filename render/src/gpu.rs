//! The wgpu renderer. (contract)

use crate::scene::{Pick, Picture, Scene};

/// What can go wrong while drawing.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// No adapter or device.
    #[error("no graphics driver: {0}")]
    NoDevice(String),
    /// The scene does not fit the device.
    #[error("{0}")]
    Scene(String),
}

/// A device and its queue.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// wgpu handles are cheap to clone.
    pub device: wgpu::Device,
    /// The queue.
    pub queue: wgpu::Queue,
    /// The adapter's name, for the user.
    pub adapter_name: String,
    /// Whether it is a software driver.
    pub is_software: bool,
}

impl Gpu {
    /// A device with no window. Errors where there is no driver.
    pub fn headless() -> Result<Self, RenderError> {
        Err(RenderError::NoDevice("not written yet".into()))
    }
}

/// Pipelines and caches of one device.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
}

impl Renderer {
    /// Builds the pipelines.
    pub fn new(gpu: Gpu) -> Self {
        Self { gpu }
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Draws into a texture (Rgba8Unorm holding sRGB bytes, TEXTURE_BINDING | COPY_SRC) of `size` pixels and
    /// returns its view. The same `slot` reuses its texture when the size is unchanged.
    pub fn draw(&mut self, slot: u64, scene: &Scene, size: [u32; 2]) -> Result<wgpu::TextureView, RenderError> {
        let _ = (slot, scene, size);
        Err(RenderError::Scene("not written yet".into()))
    }

    /// Draws and reads back.
    pub fn picture(&mut self, scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
        let _ = (scene, size);
        Err(RenderError::Scene("not written yet".into()))
    }

    /// What is under a pixel of a surface view, by an id buffer.
    pub fn pick(&mut self, scene: &Scene, size: [u32; 2], pixel: [u32; 2]) -> Result<Option<Pick>, RenderError> {
        let _ = (scene, size, pixel);
        Ok(None)
    }
}
