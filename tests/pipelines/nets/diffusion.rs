//! The autoencoder and the UNet of the Stable Diffusion family against diffusers.

use burn::tensor::{DType, Device};
use fusiform_pipelines::nets::diffusion::{
    Autoencoder, AutoencoderConfig, Condition, PerLevel, Unet, UnetConfig, load_autoencoder,
    load_unet,
};
use fusiform_pipelines::nets::weights::{bytes, parameters};

use super::{Io, fixture};

const LIMIT: f64 = 1e-4;

#[test]
fn the_autoencoder_as_diffusers() {
    let device = Device::flex();
    let mut io = Io::open("autoencoder");
    let network = load_autoencoder(&fixture("autoencoder"), DType::F32, &device).unwrap();
    let moments = network.encode(io.tensor("pictures", &device));
    io.demand("mean", moments.mean, LIMIT);
    io.demand("log_variance", moments.log_variance, LIMIT);
    let decoded = network.decode(io.tensor("latents", &device));
    io.demand("decoded", decoded, LIMIT);
}

fn condition(io: &mut Io, device: &Device, vector: bool, sizes: bool) -> Condition {
    Condition {
        tokens: io.tensor("tokens", device),
        vector: vector.then(|| io.tensor("vector", device)),
        sizes: sizes.then(|| io.tensor("sizes", device)),
    }
}

#[test]
fn the_unet_as_diffusers() {
    let device = Device::flex();
    for (name, time, vector, sizes) in [
        ("unet_sd1", 481.0, false, false),
        ("unet_unclip", 3.0, true, false),
        ("unet_sdxl", 999.0, true, true),
    ] {
        let mut io = Io::open(name);
        let network = load_unet(&fixture(name), DType::F32, &device).unwrap();
        let condition = condition(&mut io, &device, vector, sizes);
        let latents = io.tensor("latents", &device);
        let out = network.forward(latents, time, &condition).unwrap();
        io.demand("out", out, LIMIT);
    }
}

#[test]
fn a_condition_that_is_missing() {
    let device = Device::flex();
    let mut io = Io::open("unet_sdxl");
    let network = load_unet(&fixture("unet_sdxl"), DType::F32, &device).unwrap();
    for (vector, sizes) in [(false, false), (true, false), (false, true)] {
        let condition = condition(&mut io, &device, vector, sizes);
        let latents = io.tensor("latents", &device);
        assert!(network.forward(latents, 1.0, &condition).is_err());
    }
}

#[test]
fn families_that_are_others() {
    let device = Device::flex();
    let refused = |change: fn(&mut UnetConfig)| {
        let mut config = UnetConfig::default();
        change(&mut config);
        let text = Unet::new(&config, &device).unwrap_err().to_string();
        assert!(text.contains("can't be built"), "{text}");
    };
    refused(|c| c.block_out_channels = vec![]);
    refused(|c| c.block_out_channels = vec![320, 640, 1280, 1281]);
    refused(|c| c.down_block_types[0] = "SimpleCrossAttnDownBlock2D".into());
    refused(|c| c.mid_block_type = None);
    refused(|c| c.dual_cross_attention = true);
    refused(|c| c.class_embed_type = Some("timestep".into()));
    refused(|c| c.class_embed_type = Some("projection".into()));
    refused(|c| c.attention_head_dim = PerLevel::All(0));
    let config = AutoencoderConfig {
        norm_num_groups: 7,
        ..AutoencoderConfig::default()
    };
    assert!(Autoencoder::new(&config, &device).is_err());
}

/// Stable Diffusion 1, 2.1 unCLIP and SDXL as published, counted by diffusers. Nothing is allocated here.
#[test]
fn sizes_are_those_of_the_published_models() {
    let device = Device::flex();
    let sd1 = UnetConfig {
        cross_attention_dim: PerLevel::All(768),
        ..UnetConfig::default()
    };
    let unclip = UnetConfig {
        cross_attention_dim: PerLevel::All(1024),
        attention_head_dim: PerLevel::Each(vec![5, 10, 20, 20]),
        use_linear_projection: true,
        class_embed_type: Some("projection".into()),
        projection_class_embeddings_input_dim: Some(2048),
        ..UnetConfig::default()
    };
    let kinds = |kinds: [&str; 3]| kinds.map(str::to_owned).to_vec();
    let sdxl = UnetConfig {
        cross_attention_dim: PerLevel::All(2048),
        attention_head_dim: PerLevel::Each(vec![5, 10, 20]),
        transformer_layers_per_block: PerLevel::Each(vec![1, 2, 10]),
        use_linear_projection: true,
        addition_embed_type: Some("text_time".into()),
        addition_time_embed_dim: Some(256),
        projection_class_embeddings_input_dim: Some(2816),
        block_out_channels: vec![320, 640, 1280],
        down_block_types: kinds([
            "DownBlock2D",
            "CrossAttnDownBlock2D",
            "CrossAttnDownBlock2D",
        ]),
        up_block_types: kinds(["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]),
        ..UnetConfig::default()
    };
    for (config, published) in [
        (sd1, 859_520_964_u64),
        (unclip, 870_173_124),
        (sdxl, 2_567_463_684),
    ] {
        let network = Unet::new(&config, &device).unwrap();
        assert_eq!(parameters(&network), published);
        assert_eq!(bytes(&network, DType::F16), 2 * published);
    }
    let config = AutoencoderConfig {
        block_out_channels: vec![128, 256, 512, 512],
        layers_per_block: 2,
        ..AutoencoderConfig::default()
    };
    assert_eq!(
        parameters(&Autoencoder::new(&config, &device).unwrap()),
        83_653_863
    );
}
