//! DINOv2 (Oquab et al. 2024): a vision transformer trained without words, with or without registers.

use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, LayerNorm};
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::blocks::{Activation, Block, BlockConfig, layer_norm};
use super::pixels::{self, Filter};
use super::weights::{Checkpoint, config};
use crate::{Error, Result};

/// `config.json` of DINOv2. What a file leaves out is that of the base model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DinoConfig {
    /// Width of a token.
    pub hidden_size: usize,
    /// Transformer blocks.
    pub num_hidden_layers: usize,
    /// Heads of the attention.
    pub num_attention_heads: usize,
    /// Width inside the perceptrons, in widths of a token.
    pub mlp_ratio: f64,
    /// Activation inside the perceptrons.
    pub hidden_act: Activation,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// Side of the pictures of training; others have their positions interpolated.
    pub image_size: usize,
    /// Side of a patch.
    pub patch_size: usize,
    /// Channels of a picture.
    pub num_channels: usize,
    /// Tokens beside the class token that stand for no patch.
    pub num_register_tokens: usize,
    /// The gated perceptron of the giant model, which is not there.
    pub use_swiglu_ffn: bool,
    /// Queries of the attention computed at once; not in published files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_chunk: Option<usize>,
}

impl Default for DinoConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            mlp_ratio: 4.0,
            hidden_act: Activation::Gelu,
            layer_norm_eps: 1e-6,
            image_size: 518,
            patch_size: 14,
            num_channels: 3,
            num_register_tokens: 0,
            use_swiglu_ffn: false,
            attention_chunk: None,
        }
    }
}

/// The network.
#[derive(Module, Debug)]
pub struct Dino {
    class_token: Param<Tensor<3>>,
    register_tokens: Option<Param<Tensor<3>>>,
    position_embeddings: Param<Tensor<3>>,
    patch_embedding: Conv2d,
    layers: Vec<Block>,
    norm: LayerNorm,
    patch_size: usize,
}

impl Dino {
    /// A fresh one. An error where the geometry can't be built.
    pub fn new(config: &DinoConfig, device: &Device) -> Result<Self> {
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        if heads == 0
            || !width.is_multiple_of(heads)
            || config.patch_size == 0
            || config.use_swiglu_ffn
        {
            return Err(Error::data(format!(
                "a DINOv2 of width {width} with {heads} heads can't be built: take the small, base or large one with its own config.json"
            )));
        }
        let block = BlockConfig {
            width,
            n_heads: heads,
            hidden: (width as f64 * config.mlp_ratio) as usize,
            activation: config.hidden_act,
            epsilon: config.layer_norm_eps,
            bias: true,
            norm_first: true,
            layer_scale: true,
            chunk: config.attention_chunk,
        };
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        let side = config.image_size / config.patch_size;
        let registers = config.num_register_tokens;
        Ok(Self {
            class_token: small.init([1, 1, width], device),
            register_tokens: (registers > 0).then(|| small.init([1, registers, width], device)),
            position_embeddings: small.init([1, side * side + 1, width], device),
            patch_embedding: Conv2dConfig::new(
                [config.num_channels, width],
                [config.patch_size; 2],
            )
            .with_stride([config.patch_size; 2])
            .init(device),
            layers: (0..config.num_hidden_layers)
                .map(|_| block.init(device))
                .collect(),
            norm: layer_norm(width, config.layer_norm_eps, device),
            patch_size: config.patch_size,
        })
    }

    /// All tokens after each of the blocks named in `taps` (counted from 1), as they are; and those of the last after
    /// the last norm. Order: class, registers, patches. `pixels` are `[batch, channels, height, width]`.
    pub fn forward(
        &self,
        pixels: Tensor<4>,
        taps: &[usize],
    ) -> Result<(Vec<Tensor<3>>, Tensor<3>)> {
        let [batch, _, height, width] = pixels.dims();
        let (rows, cols) = (height / self.patch_size, width / self.patch_size);
        if rows == 0 || cols == 0 {
            return Err(Error::data(format!(
                "a picture of {width} × {height} px is smaller than one patch of {} px",
                self.patch_size
            )));
        }
        let patches: Tensor<3> = self.patch_embedding.forward(pixels).flatten(2, 3);
        let patches = patches.swap_dims(1, 2);
        let [_, _, d] = patches.dims();
        let class = self.class_token.val().expand([batch, 1, d]);
        let mut x = Tensor::cat(vec![class, patches], 1) + self.positions(rows, cols);
        if let Some(registers) = &self.register_tokens {
            let [_, n, _] = registers.dims();
            let [_, n_tokens, _] = x.dims();
            let registers = registers.val().expand([batch, n, d]);
            let (class, patches) = (x.clone().narrow(1, 0, 1), x.narrow(1, 1, n_tokens - 1));
            x = Tensor::cat(vec![class, registers, patches], 1);
        }
        let mut tapped = Vec::new();
        for (at, block) in self.layers.iter().enumerate() {
            x = block.forward(x, false);
            if taps.contains(&(at + 1)) {
                tapped.push(x.clone());
            }
        }
        Ok((tapped, self.norm.forward(x)))
    }

    /// Positions of a grid of patches, class first; interpolated where the grid is not that of training.
    fn positions(&self, rows: usize, cols: usize) -> Tensor<3> {
        let all = self.position_embeddings.val();
        let [_, n, d] = all.dims();
        let side = (n - 1).isqrt();
        if (rows, cols) == (side, side) {
            return all;
        }
        let class = all.clone().narrow(1, 0, 1);
        let device = all.device();
        let grid = all.narrow(1, 1, n - 1);
        // Down first: [rows, side] · [side, side · d]; then across, as a batch over rows.
        // Networks with registers were published with the wider filter.
        let cubic = if self.register_tokens.is_some() {
            wide_cubic
        } else {
            cubic
        };
        let down = cubic(side, rows, &device).matmul(grid.reshape([side, side * d]));
        let across = cubic(side, cols, &device)
            .unsqueeze::<3>()
            .expand([rows, cols, side])
            .matmul(down.reshape([rows, side, d]));
        Tensor::cat(vec![class, across.reshape([1, rows * cols, d])], 1)
    }
}

/// Weights of a cubic interpolation (a = −0.75, edges repeated) as PyTorch's, `[n_out, n_in]`.
fn cubic(n_in: usize, n_out: usize, device: &Device) -> Tensor<2> {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let mut weights = vec![0f32; n_in * n_out];
    for out in 0..n_out {
        let at = (out as f64 + 0.5) * n_in as f64 / n_out as f64 - 0.5;
        let t = at - at.floor();
        let taps = [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)];
        for (k, weight) in taps.into_iter().enumerate() {
            let from = (at.floor() as i64 + k as i64 - 1).clamp(0, n_in as i64 - 1) as usize;
            weights[out * n_in + from] += weight as f32;
        }
    }
    Tensor::from_data(TensorData::new(weights, [n_out, n_in]), device)
}

/// The same (a = −0.5) with a filter as wide as the grid shrinks.
fn wide_cubic(n_in: usize, n_out: usize, device: &Device) -> Tensor<2> {
    let mut all = vec![0f32; n_in * n_out];
    for (row, (first, weights)) in
        all.chunks_mut(n_in.max(1))
            .zip(pixels::weights(n_in, n_out, Filter::Bicubic))
    {
        for (value, weight) in row[first..].iter_mut().zip(weights) {
            *value = weight as f32;
        }
    }
    Tensor::from_data(TensorData::new(all, [n_out, n_in]), device)
}

/// DINOv2 as published by transformers.
pub fn load_dino(folder: &Path, dtype: DType, device: &Device) -> Result<Dino> {
    let config: DinoConfig = config(folder, "config.json")?;
    let network = Dino::new(&config, device)?;
    let checkpoint = Checkpoint::open(folder)?.renamed(|name| match name {
        "embeddings.cls_token" => Some("class_token".into()),
        "embeddings.mask_token" => None,
        "embeddings.position_embeddings" => Some("position_embeddings".into()),
        "embeddings.register_tokens" => Some("register_tokens".into()),
        _ => Some(
            name.replace(
                "embeddings.patch_embeddings.projection.",
                "patch_embedding.",
            )
            .replace("encoder.layer.", "layers.")
            .replace(".attention.attention.query.", ".attn.q.")
            .replace(".attention.attention.key.", ".attn.k.")
            .replace(".attention.attention.value.", ".attn.v.")
            .replace(".attention.output.dense.", ".attn.out.")
            .replace(".layer_scale1.lambda1", ".scale1")
            .replace(".layer_scale2.lambda1", ".scale2")
            .replace("layernorm.", "norm."),
        ),
    });
    checkpoint.fill(network, dtype)
}
