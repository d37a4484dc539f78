//! CLIP: an image tower and a text tower that embed pictures and captions in one space.
//!
//! Radford et al. 2021; OpenCLIP (Cherti et al. 2023). Weights in the naming of transformers or of open_clip.

mod config;
mod image_tower;
mod names;
mod text_tower;

use std::path::Path;

use burn::tensor::{DType, Device};

use super::weights::Checkpoint;
use crate::{Error, Result};

pub use config::{ClipConfig, ImageConfig, TextConfig};
pub use image_tower::{ImageSpace, ImageTower, ImageViews};
pub use text_tower::{TextSpace, TextTower, TextViews};

/// The image tower of the model in `folder`.
pub fn load_image_tower(folder: &Path, dtype: DType, device: &Device) -> Result<ImageTower> {
    let config = ClipConfig::read(folder)?;
    let config = config.image.ok_or_else(|| {
        Error::file(
            folder,
            "this model has no image tower: give one with a vision_config",
        )
    })?;
    load_image_tower_of(&config, Checkpoint::open(folder)?, dtype, device)
}

/// An image tower of a known geometry, that of a larger model included.
pub fn load_image_tower_of(
    config: &ImageConfig,
    checkpoint: Checkpoint,
    dtype: DType,
    device: &Device,
) -> Result<ImageTower> {
    let checkpoint = names::image(checkpoint);
    let projected = checkpoint.has("projection.weight");
    checkpoint.fill(ImageTower::new(config, projected, device), dtype)
}

/// The text tower of the model in `folder`.
pub fn load_text_tower(folder: &Path, dtype: DType, device: &Device) -> Result<TextTower> {
    let config = ClipConfig::read(folder)?;
    let config = config.text.ok_or_else(|| {
        Error::file(
            folder,
            "this model has no text tower: give one with a text_config",
        )
    })?;
    let checkpoint = names::text(Checkpoint::open(folder)?);
    let projected = checkpoint.has("projection.weight");
    checkpoint.fill(TextTower::new(&config, projected, device), dtype)
}
