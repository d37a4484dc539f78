//! Convolutions with a way around them, and the halving and doubling of pictures between.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use crate::nets::blocks::{convolve, linear, norm_silu};

/// A 3×3 convolution that keeps the size.
pub(super) fn conv3(n_in: usize, n_out: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([n_in, n_out], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(device)
}

/// A 1×1 convolution.
pub(super) fn conv1(n_in: usize, n_out: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([n_in, n_out], [1, 1]).init(device)
}

/// Normalises groups of channels.
pub(super) fn group_norm(
    n_groups: usize,
    n_channels: usize,
    epsilon: f64,
    device: &Device,
) -> GroupNorm {
    GroupNormConfig::new(n_groups, n_channels)
        .with_epsilon(epsilon)
        .init(device)
}

/// What all blocks of one network share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norms {
    pub(super) n_groups: usize,
    pub(super) epsilon: f64,
}

/// Two convolutions around which the input goes, with the time added between them.
#[derive(Module, Debug)]
pub(super) struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl Resnet {
    pub(super) fn new(
        n_in: usize,
        n_out: usize,
        d_time: Option<usize>,
        norms: Norms,
        device: &Device,
    ) -> Self {
        Self {
            norm1: group_norm(norms.n_groups, n_in, norms.epsilon, device),
            conv1: conv3(n_in, n_out, device),
            time_emb_proj: d_time.map(|d| linear(d, n_out, true, device)),
            norm2: group_norm(norms.n_groups, n_out, norms.epsilon, device),
            conv2: conv3(n_out, n_out, device),
            conv_shortcut: (n_in != n_out).then(|| conv1(n_in, n_out, device)),
        }
    }

    /// `x` is `[batch, channels, height, width]`, `time` the activated embedding `[batch, d_time]`.
    pub(super) fn forward(&self, x: Tensor<4>, time: Option<&Tensor<2>>) -> Tensor<4> {
        let mut y = convolve(&self.conv1, norm_silu(&self.norm1, x.clone()));
        if let (Some(layer), Some(time)) = (&self.time_emb_proj, time) {
            y = y + layer.forward(time.clone()).unsqueeze_dims(&[2, 3]);
        }
        let y = convolve(&self.conv2, norm_silu(&self.norm2, y));
        let x = match &self.conv_shortcut {
            Some(conv) => convolve(conv, x),
            None => x,
        };
        x + y
    }
}

/// Halves height and width.
#[derive(Module, Debug)]
pub(super) struct Down {
    conv: Conv2d,
}

impl Down {
    /// The autoencoder pads below and right only, the UNet on all sides.
    pub(super) fn new(n_channels: usize, all_sides: bool, device: &Device) -> Self {
        let before = usize::from(all_sides);
        let conv = Conv2dConfig::new([n_channels, n_channels], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(before, before, 1, 1))
            .init(device);
        Self { conv }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        convolve(&self.conv, x)
    }
}

/// Doubles height and width by repeating pixels, then smooths.
#[derive(Module, Debug)]
pub(super) struct Up {
    conv: Conv2d,
}

impl Up {
    pub(super) fn new(n_channels: usize, device: &Device) -> Self {
        Self {
            conv: conv3(n_channels, n_channels, device),
        }
    }

    /// `to` is a size at most the double, where the way down had an odd one.
    pub(super) fn forward(&self, x: Tensor<4>, to: Option<[usize; 2]>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let doubled: Tensor<4> = x
            .reshape([batch, channels, height, 1, width, 1])
            .expand([batch, channels, height, 2, width, 2])
            .reshape([batch, channels, 2 * height, 2 * width]);
        let [to_height, to_width] = to.unwrap_or([2 * height, 2 * width]);
        let cut = if [to_height, to_width] == [2 * height, 2 * width] {
            doubled
        } else {
            doubled
                .narrow(2, 0, to_height.min(2 * height))
                .narrow(3, 0, to_width.min(2 * width))
        };
        convolve(&self.conv, cut)
    }
}
