//! AutoencoderKL: pictures to latents an eighth as large, and back.

use burn::module::Module;
use burn::nn::GroupNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Distribution, Tensor};
use serde::{Deserialize, Serialize};

use super::resnet::{Down, Norms, Resnet, Up, conv1, conv3, group_norm};
use crate::nets::blocks::{Attention, AttentionConfig, convolve, norm, norm_silu};
use crate::{Error, Result};

/// What diffusers adds to variances here, whatever the file says.
const EPSILON: f64 = 1e-6;

/// `config.json` of an AutoencoderKL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoencoderConfig {
    /// Channels of a picture.
    pub in_channels: usize,
    /// Channels of a decoded picture.
    pub out_channels: usize,
    /// Channels at each level; every level but the last halves the size.
    pub block_out_channels: Vec<usize>,
    /// Resnet blocks a level.
    pub layers_per_block: usize,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Groups of the norms.
    pub norm_num_groups: usize,
    /// Latents are multiplied by this before a UNet sees them.
    pub scaling_factor: f64,
    /// Whether the middle has an attention.
    pub mid_block_add_attention: bool,
    /// Whether moments go through a last 1×1 convolution.
    pub use_quant_conv: bool,
    /// Whether latents go through a first 1×1 convolution.
    pub use_post_quant_conv: bool,
    /// Queries of the attention computed at once; not in published files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_chunk: Option<usize>,
}

impl Default for AutoencoderConfig {
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            block_out_channels: vec![64],
            layers_per_block: 1,
            latent_channels: 4,
            norm_num_groups: 32,
            scaling_factor: 0.18215,
            mid_block_add_attention: true,
            use_quant_conv: true,
            use_post_quant_conv: true,
            attention_chunk: None,
        }
    }
}

impl AutoencoderConfig {
    fn norms(&self) -> Norms {
        Norms {
            n_groups: self.norm_num_groups,
            epsilon: EPSILON,
        }
    }

    fn check(&self) -> Result<()> {
        let groups = self.norm_num_groups;
        let fits = groups > 0
            && !self.block_out_channels.is_empty()
            && self
                .block_out_channels
                .iter()
                .all(|c| *c > 0 && c % groups == 0);
        if fits {
            return Ok(());
        }
        Err(Error::data(format!(
            "an autoencoder with levels of {:?} channels in {groups} groups can't be built: check its config.json",
            self.block_out_channels
        )))
    }
}

/// A mean and a logarithm of the variance for every number of a latent: `[batch, channels, height, width]`.
#[derive(Clone, Debug)]
pub struct Moments {
    /// The most likely latent.
    pub mean: Tensor<4>,
    /// Within −30 to 20.
    pub log_variance: Tensor<4>,
}

impl Moments {
    /// A latent drawn at random by the device's generator.
    pub fn sample(&self) -> Tensor<4> {
        let noise = self.mean.random_like(Distribution::Normal(0.0, 1.0));
        self.mean.clone() + self.log_variance.clone().mul_scalar(0.5).exp() * noise
    }
}

/// The encoder and the decoder.
#[derive(Module, Debug)]
pub struct Autoencoder {
    encoder: Encoder,
    decoder: Decoder,
    quant_conv: Option<Conv2d>,
    post_quant_conv: Option<Conv2d>,
    scaling_factor: f64,
}

impl Autoencoder {
    /// A fresh one. An error where the geometry can't be built.
    pub fn new(config: &AutoencoderConfig, device: &Device) -> Result<Self> {
        config.check()?;
        let n = config.latent_channels;
        Ok(Self {
            encoder: Encoder::new(config, device),
            decoder: Decoder::new(config, device),
            quant_conv: config.use_quant_conv.then(|| conv1(2 * n, 2 * n, device)),
            post_quant_conv: config.use_post_quant_conv.then(|| conv1(n, n, device)),
            scaling_factor: config.scaling_factor,
        })
    }

    /// Latents are multiplied by this before a UNet sees them, and divided by it before decoding.
    pub fn scaling_factor(&self) -> f64 {
        self.scaling_factor
    }

    /// Pictures `[batch, channels, height, width]` in −1 to 1 to latents, unscaled. Height and width must be
    /// multiples of the reduction.
    pub fn encode(&self, pictures: Tensor<4>) -> Moments {
        let x = self.encoder.forward(pictures);
        let x = match &self.quant_conv {
            Some(conv) => convolve(conv, x),
            None => x,
        };
        let [_, channels, _, _] = x.dims();
        let half = channels / 2;
        Moments {
            mean: x.clone().narrow(1, 0, half),
            log_variance: x.narrow(1, half, half).clamp(-30.0, 20.0),
        }
    }

    /// Latents, unscaled, to pictures (about −1 to 1).
    pub fn decode(&self, latents: Tensor<4>) -> Tensor<4> {
        let x = match &self.post_quant_conv {
            Some(conv) => convolve(conv, latents),
            None => latents,
        };
        self.decoder.forward(x)
    }
}

#[derive(Module, Debug)]
struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<DownLevel>,
    mid_block: Middle,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

#[derive(Module, Debug)]
struct DownLevel {
    resnets: Vec<Resnet>,
    downsamplers: Vec<Down>,
}

impl Encoder {
    fn new(config: &AutoencoderConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let mut n_in = first;
        let down_blocks = channels
            .iter()
            .enumerate()
            .map(|(level, &n_out)| DownLevel {
                resnets: (0..config.layers_per_block)
                    .map(|_| {
                        let resnet = Resnet::new(n_in, n_out, None, config.norms(), device);
                        n_in = n_out;
                        resnet
                    })
                    .collect(),
                downsamplers: (level + 1 < channels.len())
                    .then(|| Down::new(n_out, false, device))
                    .into_iter()
                    .collect(),
            })
            .collect();
        Self {
            conv_in: conv3(config.in_channels, first, device),
            down_blocks,
            mid_block: Middle::new(last, config, device),
            conv_norm_out: group_norm(config.norm_num_groups, last, EPSILON, device),
            conv_out: conv3(last, 2 * config.latent_channels, device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = convolve(&self.conv_in, x);
        for level in &self.down_blocks {
            x = level.resnets.iter().fold(x, |x, r| r.forward(x, None));
            x = level.downsamplers.iter().fold(x, |x, d| d.forward(x));
        }
        let x = self.mid_block.forward(x);
        convolve(&self.conv_out, norm_silu(&self.conv_norm_out, x))
    }
}

#[derive(Module, Debug)]
struct Decoder {
    conv_in: Conv2d,
    mid_block: Middle,
    up_blocks: Vec<UpLevel>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

#[derive(Module, Debug)]
struct UpLevel {
    resnets: Vec<Resnet>,
    upsamplers: Vec<Up>,
}

impl Decoder {
    fn new(config: &AutoencoderConfig, device: &Device) -> Self {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let mut n_in = last;
        let up_blocks = channels
            .iter()
            .rev()
            .enumerate()
            .map(|(level, &n_out)| UpLevel {
                resnets: (0..=config.layers_per_block)
                    .map(|_| {
                        let resnet = Resnet::new(n_in, n_out, None, config.norms(), device);
                        n_in = n_out;
                        resnet
                    })
                    .collect(),
                upsamplers: (level + 1 < channels.len())
                    .then(|| Up::new(n_out, device))
                    .into_iter()
                    .collect(),
            })
            .collect();
        Self {
            conv_in: conv3(config.latent_channels, last, device),
            mid_block: Middle::new(last, config, device),
            up_blocks,
            conv_norm_out: group_norm(config.norm_num_groups, first, EPSILON, device),
            conv_out: conv3(first, config.out_channels, device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.mid_block.forward(convolve(&self.conv_in, x));
        for level in &self.up_blocks {
            x = level.resnets.iter().fold(x, |x, r| r.forward(x, None));
            x = level.upsamplers.iter().fold(x, |x, u| u.forward(x, None));
        }
        convolve(&self.conv_out, norm_silu(&self.conv_norm_out, x))
    }
}

/// Two resnet blocks at the smallest size, with an attention over all pixels between them.
#[derive(Module, Debug)]
struct Middle {
    resnets: Vec<Resnet>,
    attentions: Vec<PixelAttention>,
}

impl Middle {
    fn new(n: usize, config: &AutoencoderConfig, device: &Device) -> Self {
        let attention = || PixelAttention {
            group_norm: group_norm(config.norm_num_groups, n, EPSILON, device),
            attn: AttentionConfig {
                chunk: config.attention_chunk,
                ..AttentionConfig::of_self(n, 1)
            }
            .init(device),
        };
        Self {
            resnets: (0..2)
                .map(|_| Resnet::new(n, n, None, config.norms(), device))
                .collect(),
            attentions: config
                .mid_block_add_attention
                .then(attention)
                .into_iter()
                .collect(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut resnets = self.resnets.iter();
        let x = resnets.next().map_or(x.clone(), |r| r.forward(x, None));
        let x = self.attentions.iter().fold(x, |x, a| a.forward(x));
        resnets.fold(x, |x, r| r.forward(x, None))
    }
}

#[derive(Module, Debug)]
struct PixelAttention {
    group_norm: GroupNorm,
    attn: Attention,
}

impl PixelAttention {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let y: Tensor<3> = norm(&self.group_norm, x.clone()).flatten(2, 3);
        let y = self.attn.forward(y.swap_dims(1, 2), None, false);
        x + y.swap_dims(1, 2).reshape([batch, channels, height, width])
    }
}
