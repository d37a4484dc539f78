//! The reference renderer. (contract)

use crate::gpu::RenderError;
use crate::scene::{Picture, Scene};

/// Draws a scene without a GPU.
pub fn picture(scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
    let _ = (scene, size);
    Err(RenderError::Scene("not written yet".into()))
}
