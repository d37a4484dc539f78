//! The transformer block: attention and a perceptron, each added to what it read.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor};

use super::{Activation, Attention, AttentionConfig, layer_norm, linear};

/// Two linear layers around an activation.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    fc2: Linear,
    #[module(skip)]
    activation: Activation,
}

impl Mlp {
    /// From `width` up to `hidden` and back.
    pub fn new(width: usize, hidden: usize, activation: Activation, device: &Device) -> Self {
        Self::between(width, hidden, width, activation, device)
    }

    /// From one width through another to a third.
    pub fn between(
        n_in: usize,
        hidden: usize,
        n_out: usize,
        activation: Activation,
        device: &Device,
    ) -> Self {
        Self {
            fc1: linear(n_in, hidden, true, device),
            fc2: linear(hidden, n_out, true, device),
            activation,
        }
    }

    /// Applies it to the last axis.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.fc2.forward(self.activation.of(self.fc1.forward(x)))
    }
}

/// Widths and switches of a [`Block`].
#[derive(Clone, Copy, Debug)]
pub struct BlockConfig {
    /// Width of a token.
    pub width: usize,
    /// Heads of the attention.
    pub n_heads: usize,
    /// Width inside the perceptron.
    pub hidden: usize,
    /// Activation inside the perceptron.
    pub activation: Activation,
    /// Added to variances.
    pub epsilon: f64,
    /// Whether queries, keys and values have a bias.
    pub bias: bool,
    /// Norms before attention and perceptron (CLIP, GPT-2), or after the sums (BERT).
    pub norm_first: bool,
    /// Whether both branches are scaled by learned factors (DINOv2).
    pub layer_scale: bool,
    /// Queries of the attention computed at once.
    pub chunk: Option<usize>,
}

impl BlockConfig {
    /// A fresh one.
    pub fn init(&self, device: &Device) -> Block {
        let attention = AttentionConfig {
            bias: self.bias,
            chunk: self.chunk,
            ..AttentionConfig::of_self(self.width, self.n_heads)
        };
        let scale = || {
            self.layer_scale
                .then(|| burn::nn::Initializer::Ones.init([self.width], device))
        };
        Block {
            norm1: layer_norm(self.width, self.epsilon, device),
            attn: attention.init(device),
            norm2: layer_norm(self.width, self.epsilon, device),
            mlp: Mlp::new(self.width, self.hidden, self.activation, device),
            scale1: scale(),
            scale2: scale(),
            norm_first: self.norm_first,
        }
    }
}

/// Attention, then a perceptron, each added to its input.
#[derive(Module, Debug)]
pub struct Block {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    scale1: Option<Param<Tensor<1>>>,
    scale2: Option<Param<Tensor<1>>>,
    norm_first: bool,
}

impl Block {
    /// `x` is `[batch, tokens, width]`; with `causal` a token sees only those before it.
    pub fn forward(&self, x: Tensor<3>, causal: bool) -> Tensor<3> {
        self.around(x, |block, y| block.attn.forward(y, None, causal))
    }

    /// As [`Self::forward`], with the keys and values of the tokens before; those of `x` are added to them.
    pub fn forward_cached(
        &self,
        x: Tensor<3>,
        cache: &mut Option<(Tensor<4>, Tensor<4>)>,
        causal: bool,
    ) -> Tensor<3> {
        self.around(x, |block, y| {
            let (mut k, mut v) = block.attn.keys_values(y.clone());
            if let Some((k_before, v_before)) = cache.take() {
                k = Tensor::cat(vec![k_before, k], 2);
                v = Tensor::cat(vec![v_before, v], 2);
            }
            *cache = Some((k.clone(), v.clone()));
            block.attn.forward_with(y, k, v, causal)
        })
    }

    fn around(
        &self,
        x: Tensor<3>,
        attention: impl FnOnce(&Self, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        if self.norm_first {
            let y = attention(self, self.norm1.forward(x.clone()));
            let x = x + scaled(y, self.scale1.as_ref());
            let y = self.mlp.forward(self.norm2.forward(x.clone()));
            x + scaled(y, self.scale2.as_ref())
        } else {
            let y = attention(self, x.clone());
            let x = self.norm1.forward(x + scaled(y, self.scale1.as_ref()));
            let y = self.mlp.forward(x.clone());
            self.norm2.forward(x + scaled(y, self.scale2.as_ref()))
        }
    }
}

fn scaled(y: Tensor<3>, scale: Option<&Param<Tensor<1>>>) -> Tensor<3> {
    match scale {
        Some(scale) => y * scale.val().unsqueeze::<3>(),
        None => y,
    }
}
