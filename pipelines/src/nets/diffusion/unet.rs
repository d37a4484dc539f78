//! UNet2DConditionModel: what of a noisy latent is noise, given the time and a condition.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, Linear};
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor, TensorData};

use super::conditioned::{Conditioned, ConditionedConfig};
use super::resnet::{Down, Norms, Resnet, Up, conv3, group_norm};
use super::unet_config::UnetConfig;
use crate::nets::blocks::{convolve, linear, norm_silu};
use crate::{Error, Result};

/// What a UNet is told besides the noisy latent and the time.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Tokens to attend to: `[batch, tokens, cross_attention_dim]`.
    pub tokens: Tensor<3>,
    /// A vector added to the time, `[batch, width]`: the noised image embedding and its noise level (unCLIP), or the
    /// pooled text or image embedding (SDXL).
    pub vector: Option<Tensor<2>>,
    /// Numbers added to the time as frequencies, `[batch, n]`: sizes and crops (SDXL).
    pub sizes: Option<Tensor<2>>,
}

impl Condition {
    /// Tokens alone, as Stable Diffusion 1 and image variations take them.
    pub fn tokens(tokens: Tensor<3>) -> Self {
        Self {
            tokens,
            vector: None,
            sizes: None,
        }
    }
}

/// Downwards, through the middle, and upwards with what was seen on the way down.
#[derive(Module, Debug)]
pub struct Unet {
    conv_in: Conv2d,
    time_embedding: TimeEmbedding,
    class_embedding: Option<TimeEmbedding>,
    add_embedding: Option<TimeEmbedding>,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
    #[module(skip)]
    frequencies: Frequencies,
    n_size_frequencies: usize,
}

impl Unet {
    /// A fresh one. An error where the configuration is of another family.
    pub fn new(config: &UnetConfig, device: &Device) -> Result<Self> {
        config.check()?;
        let channels = &config.block_out_channels;
        let n = config.n_levels();
        let (first, last, d_time) = (channels[0], channels[n - 1], config.d_time());
        let added = config.projection_class_embeddings_input_dim.unwrap_or(0);
        let time_like = |n_in| TimeEmbedding::new(n_in, d_time, device);
        let mut n_in = first;
        let down_blocks = (0..n)
            .map(|level| {
                let before = std::mem::replace(&mut n_in, channels[level]);
                DownBlock::new(config, level, before, device)
            })
            .collect();
        let mut n_in = last;
        let up_blocks = (0..n)
            .map(|step| {
                let before = std::mem::replace(&mut n_in, channels[n - 1 - step]);
                UpBlock::new(config, step, before, device)
            })
            .collect();
        Ok(Self {
            conv_in: conv3(config.in_channels, first, device),
            time_embedding: time_like(first),
            class_embedding: config.class_embed_type.is_some().then(|| time_like(added)),
            add_embedding: config
                .addition_embed_type
                .is_some()
                .then(|| time_like(added)),
            down_blocks,
            mid_block: MidBlock::new(config, device),
            up_blocks,
            conv_norm_out: group_norm(config.norm_num_groups, first, config.norm_eps, device),
            conv_out: conv3(first, config.out_channels, device),
            frequencies: Frequencies {
                n: first,
                cos_first: config.flip_sin_to_cos,
                shift: config.freq_shift,
            },
            n_size_frequencies: config.addition_time_embed_dim.unwrap_or(0),
        })
    }

    /// The prediction for noisy latents `[batch, channels, height, width]` at the time step `time` (the same for the
    /// whole batch). An error where the network needs a vector or sizes and `condition` has none.
    pub fn forward(
        &self,
        latents: Tensor<4>,
        time: f64,
        condition: &Condition,
    ) -> Result<Tensor<4>> {
        let time = self.time(&latents, time, condition)?;
        let mut x = convolve(&self.conv_in, latents);
        let mut seen = vec![x.clone()];
        for block in &self.down_blocks {
            x = block.forward(x, &time, condition, &mut seen);
        }
        x = self.mid_block.forward(x, &time, condition);
        for block in &self.up_blocks {
            x = block.forward(x, &time, condition, &mut seen);
        }
        Ok(convolve(&self.conv_out, norm_silu(&self.conv_norm_out, x)))
    }

    /// The activated embedding of the time and of what is added to it: `[batch, d_time]`.
    fn time(&self, latents: &Tensor<4>, time: f64, condition: &Condition) -> Result<Tensor<2>> {
        let [batch, ..] = latents.dims();
        let device = latents.device();
        let waves = self
            .frequencies
            .of(&vec![time; batch], &device)
            .cast(latents.dtype());
        let mut sum = self.time_embedding.forward(waves);
        let absent =
            |what: &str| Error::data(format!("this UNet is conditioned on {what} too: give it"));
        if let Some(layer) = &self.class_embedding {
            let vector = condition.vector.clone().ok_or_else(|| absent("a vector"))?;
            sum = sum + layer.forward(vector);
        }
        if let Some(layer) = &self.add_embedding {
            let vector = condition.vector.clone().ok_or_else(|| absent("a vector"))?;
            let sizes = condition.sizes.clone().ok_or_else(|| absent("sizes"))?;
            let [_, n_sizes] = sizes.dims();
            let frequencies = Frequencies {
                n: self.n_size_frequencies,
                ..self.frequencies
            };
            let flat: Vec<f64> = sizes.into_data().iter::<f64>().collect();
            let waves = frequencies
                .of(&flat, &device)
                .reshape([batch, n_sizes * self.n_size_frequencies])
                .cast(vector.dtype());
            sum = sum + layer.forward(Tensor::cat(vec![vector, waves], 1));
        }
        Ok(silu(sum))
    }
}

/// Sines and cosines of a number at `n / 2` frequencies from 1 to 1/10 000.
#[derive(Clone, Copy, Debug)]
struct Frequencies {
    n: usize,
    cos_first: bool,
    shift: f64,
}

impl Frequencies {
    fn of(self, numbers: &[f64], device: &Device) -> Tensor<2> {
        let half = self.n / 2;
        let step = -(10_000f64.ln()) / (half as f64 - self.shift);
        let mut waves = Vec::with_capacity(numbers.len() * 2 * half);
        for &number in numbers {
            // The originals compute these in single precision.
            let angles: Vec<f32> = (0..half)
                .map(|at| number as f32 * ((step * at as f64) as f32).exp())
                .collect();
            let (sin, cos) = (
                angles.iter().map(|a| a.sin()),
                angles.iter().map(|a| a.cos()),
            );
            if self.cos_first {
                waves.extend(cos.chain(sin));
            } else {
                waves.extend(sin.chain(cos));
            }
        }
        Tensor::from_data(TensorData::new(waves, [numbers.len(), 2 * half]), device)
    }
}

#[derive(Module, Debug)]
struct TimeEmbedding {
    linear_1: Linear,
    linear_2: Linear,
}

impl TimeEmbedding {
    fn new(n_in: usize, n_out: usize, device: &Device) -> Self {
        Self {
            linear_1: linear(n_in, n_out, true, device),
            linear_2: linear(n_out, n_out, true, device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear_2.forward(silu(self.linear_1.forward(x)))
    }
}

fn norms(config: &UnetConfig) -> Norms {
    Norms {
        n_groups: config.norm_num_groups,
        epsilon: config.norm_eps,
    }
}

fn conditioned(config: &UnetConfig, level: usize, device: &Device) -> Conditioned {
    let config = ConditionedConfig {
        width: config.block_out_channels[level],
        n_heads: config.n_heads(level),
        n_layers: config.transformer_layers_per_block.at(level),
        d_condition: config.cross_attention_dim.at(level),
        n_groups: config.norm_num_groups,
        chunk: config.attention_chunk,
    };
    Conditioned::new(config, device)
}

/// Resnet blocks with a transformer after each, where the level has them, then a halving.
#[derive(Module, Debug)]
struct DownBlock {
    resnets: Vec<Resnet>,
    attentions: Vec<Conditioned>,
    downsamplers: Vec<Down>,
}

impl DownBlock {
    fn new(config: &UnetConfig, level: usize, n_in: usize, device: &Device) -> Self {
        let n_out = config.block_out_channels[level];
        let n_layers = config.layers_per_block.at(level);
        let listens = config.down_block_types[level].starts_with("CrossAttn");
        let from = |at| if at == 0 { n_in } else { n_out };
        Self {
            resnets: (0..n_layers)
                .map(|at| {
                    Resnet::new(
                        from(at),
                        n_out,
                        Some(config.d_time()),
                        norms(config),
                        device,
                    )
                })
                .collect(),
            attentions: (0..if listens { n_layers } else { 0 })
                .map(|_| conditioned(config, level, device))
                .collect(),
            downsamplers: (level + 1 < config.n_levels())
                .then(|| Down::new(n_out, true, device))
                .into_iter()
                .collect(),
        }
    }

    fn forward(
        &self,
        mut x: Tensor<4>,
        time: &Tensor<2>,
        condition: &Condition,
        seen: &mut Vec<Tensor<4>>,
    ) -> Tensor<4> {
        for (at, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(x, Some(time));
            if let Some(attention) = self.attentions.get(at) {
                x = attention.forward(x, &condition.tokens);
            }
            seen.push(x.clone());
        }
        for down in &self.downsamplers {
            x = down.forward(x);
            seen.push(x.clone());
        }
        x
    }
}

/// A resnet block, a transformer and another resnet block at the smallest size.
#[derive(Module, Debug)]
struct MidBlock {
    resnets: Vec<Resnet>,
    attentions: Vec<Conditioned>,
}

impl MidBlock {
    fn new(config: &UnetConfig, device: &Device) -> Self {
        let level = config.n_levels() - 1;
        let n = config.block_out_channels[level];
        let listens = config.mid_block_type.as_deref() == Some("UNetMidBlock2DCrossAttn");
        Self {
            resnets: (0..2)
                .map(|_| Resnet::new(n, n, Some(config.d_time()), norms(config), device))
                .collect(),
            attentions: listens
                .then(|| conditioned(config, level, device))
                .into_iter()
                .collect(),
        }
    }

    fn forward(&self, x: Tensor<4>, time: &Tensor<2>, condition: &Condition) -> Tensor<4> {
        let mut resnets = self.resnets.iter();
        let x = resnets
            .next()
            .map_or(x.clone(), |r| r.forward(x, Some(time)));
        let x = self
            .attentions
            .iter()
            .fold(x, |x, a| a.forward(x, &condition.tokens));
        resnets.fold(x, |x, r| r.forward(x, Some(time)))
    }
}

/// As [`DownBlock`], but each resnet block also gets what was seen at its size on the way down.
#[derive(Module, Debug)]
struct UpBlock {
    resnets: Vec<Resnet>,
    attentions: Vec<Conditioned>,
    upsamplers: Vec<Up>,
}

impl UpBlock {
    /// Step 0 is the smallest size; `n_in` the channels that come from below.
    fn new(config: &UnetConfig, step: usize, n_in: usize, device: &Device) -> Self {
        let n = config.n_levels();
        let level = n - 1 - step;
        let n_out = config.block_out_channels[level];
        let n_layers = config.layers_per_block.at(level) + 1;
        let listens = config.up_block_types[step].starts_with("CrossAttn");
        // The last block of a level meets what came into the level on the way down.
        let entered = config.block_out_channels[level.saturating_sub(1)];
        let from = |at: usize| {
            let below = if at == 0 { n_in } else { n_out };
            below + if at + 1 == n_layers { entered } else { n_out }
        };
        Self {
            resnets: (0..n_layers)
                .map(|at| {
                    Resnet::new(
                        from(at),
                        n_out,
                        Some(config.d_time()),
                        norms(config),
                        device,
                    )
                })
                .collect(),
            attentions: (0..if listens { n_layers } else { 0 })
                .map(|_| conditioned(config, level, device))
                .collect(),
            upsamplers: (level > 0)
                .then(|| Up::new(n_out, device))
                .into_iter()
                .collect(),
        }
    }

    fn forward(
        &self,
        mut x: Tensor<4>,
        time: &Tensor<2>,
        condition: &Condition,
        seen: &mut Vec<Tensor<4>>,
    ) -> Tensor<4> {
        for (at, resnet) in self.resnets.iter().enumerate() {
            if let Some(before) = seen.pop() {
                x = Tensor::cat(vec![x, before], 1);
            }
            x = resnet.forward(x, Some(time));
            if let Some(attention) = self.attentions.get(at) {
                x = attention.forward(x, &condition.tokens);
            }
        }
        for up in &self.upsamplers {
            let to = seen.last().map(|t| {
                let [_, _, height, width] = t.dims();
                [height, width]
            });
            x = up.forward(x, to);
        }
        x
    }
}
