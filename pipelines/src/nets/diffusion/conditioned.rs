//! Transformers over the pixels of a level that listen to a condition.

use burn::module::Module;
use burn::nn::{GroupNorm, LayerNorm, Linear};
use burn::tensor::{Device, Tensor};

use super::resnet::group_norm;
use crate::nets::blocks::{Activation, Attention, AttentionConfig, layer_norm, linear, norm};

/// What diffusers adds to variances before a transformer.
const EPSILON: f64 = 1e-6;

/// Widths of a [`Conditioned`].
#[derive(Clone, Copy, Debug)]
pub(super) struct ConditionedConfig {
    pub(super) width: usize,
    pub(super) n_heads: usize,
    pub(super) n_layers: usize,
    pub(super) d_condition: usize,
    pub(super) n_groups: usize,
    pub(super) chunk: Option<usize>,
}

/// Transformer blocks over pixels, around which the input goes.
#[derive(Module, Debug)]
pub(super) struct Conditioned {
    norm: GroupNorm,
    proj_in: Linear,
    transformer_blocks: Vec<ConditionedBlock>,
    proj_out: Linear,
}

impl Conditioned {
    pub(super) fn new(config: ConditionedConfig, device: &Device) -> Self {
        let width = config.width;
        Self {
            norm: group_norm(config.n_groups, width, EPSILON, device),
            proj_in: linear(width, width, true, device),
            transformer_blocks: (0..config.n_layers)
                .map(|_| ConditionedBlock::new(config, device))
                .collect(),
            proj_out: linear(width, width, true, device),
        }
    }

    /// `x` is `[batch, width, height, width]`, `condition` `[batch, tokens, d_condition]`.
    pub(super) fn forward(&self, x: Tensor<4>, condition: &Tensor<3>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let pixels: Tensor<3> = norm(&self.norm, x.clone()).flatten(2, 3);
        let pixels = self.proj_in.forward(pixels.swap_dims(1, 2));
        let pixels = self
            .transformer_blocks
            .iter()
            .fold(pixels, |y, block| block.forward(y, condition));
        let y = self.proj_out.forward(pixels);
        x + y.swap_dims(1, 2).reshape([batch, channels, height, width])
    }
}

/// Attention among pixels, to the condition, and a gated perceptron.
#[derive(Module, Debug)]
struct ConditionedBlock {
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    ff: Gated,
}

impl ConditionedBlock {
    fn new(config: ConditionedConfig, device: &Device) -> Self {
        let width = config.width;
        let attention = |d_context| {
            AttentionConfig {
                d_context,
                bias: false,
                chunk: config.chunk,
                ..AttentionConfig::of_self(width, config.n_heads)
            }
            .init(device)
        };
        Self {
            norm1: layer_norm(width, 1e-5, device),
            attn1: attention(width),
            norm2: layer_norm(width, 1e-5, device),
            attn2: attention(config.d_condition),
            norm3: layer_norm(width, 1e-5, device),
            ff: Gated {
                up: linear(width, 8 * width, true, device),
                down: linear(4 * width, width, true, device),
            },
        }
    }

    fn forward(&self, x: Tensor<3>, condition: &Tensor<3>) -> Tensor<3> {
        let x = self
            .attn1
            .forward(self.norm1.forward(x.clone()), None, false)
            + x;
        let y = self.norm2.forward(x.clone());
        let x = self.attn2.forward(y, Some(condition.clone()), false) + x;
        self.ff.forward(self.norm3.forward(x.clone())) + x
    }
}

/// A perceptron in which one half opens the other (GEGLU).
#[derive(Module, Debug)]
struct Gated {
    up: Linear,
    down: Linear,
}

impl Gated {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let both = self.up.forward(x);
        let [_, _, width] = both.dims();
        let values = both.clone().narrow(2, 0, width / 2);
        let gate = both.narrow(2, width / 2, width / 2);
        self.down.forward(values * Activation::Gelu.of(gate))
    }
}
