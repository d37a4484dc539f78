//! The Stable Diffusion family: an autoencoder that makes pictures of latents, and a UNet that takes noise out of them.
//!
//! Rombach et al. 2022. Names and configurations are those of diffusers.

mod autoencoder;
mod conditioned;
mod names;
mod resnet;
mod unet;
mod unet_config;

pub use autoencoder::{Autoencoder, AutoencoderConfig, Moments};
pub use unet::{Condition, Unet};
pub use unet_config::{PerLevel, UnetConfig};

use std::path::Path;

use burn::tensor::{DType, Device};

use super::weights::{Checkpoint, config};
use crate::Result;

/// The autoencoder in a folder (`vae` of a published pipeline).
pub fn load_autoencoder(folder: &Path, dtype: DType, device: &Device) -> Result<Autoencoder> {
    let config: AutoencoderConfig = config(folder, "config.json")?;
    let network = Autoencoder::new(&config, device)?;
    names::autoencoder(Checkpoint::open(folder)?).fill(network, dtype)
}

/// The UNet in a folder (`unet` of a published pipeline).
pub fn load_unet(folder: &Path, dtype: DType, device: &Device) -> Result<Unet> {
    let config: UnetConfig = config(folder, "config.json")?;
    let network = Unet::new(&config, device)?;
    names::unet(Checkpoint::open(folder)?).fill(network, dtype)
}
