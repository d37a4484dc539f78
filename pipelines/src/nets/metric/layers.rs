//! What these networks share: a convolution with a norm whose statistics are fixed, and pooling.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use crate::nets::blocks::convolve;

/// Channels shifted and scaled by statistics of training.
#[derive(Module, Debug)]
pub(super) struct FixedNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    running_mean: Param<Tensor<1>>,
    running_var: Param<Tensor<1>>,
    epsilon: f64,
}

impl FixedNorm {
    pub(super) fn new(n: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([n], device),
            bias: Initializer::Zeros.init([n], device),
            running_mean: Initializer::Zeros.init([n], device),
            running_var: Initializer::Ones.init([n], device),
            epsilon,
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let scale = self.weight.val() / self.running_var.val().add_scalar(self.epsilon).sqrt();
        let shift = self.bias.val() - self.running_mean.val() * scale.clone();
        let [n] = scale.dims();
        x * scale.reshape([1, n, 1, 1]) + shift.reshape([1, n, 1, 1])
    }
}

/// The geometry of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    pub(super) kernel: [usize; 2],
    pub(super) stride: usize,
    pub(super) padding: [usize; 2],
    pub(super) groups: usize,
}

impl Shape {
    /// A square kernel with the padding that keeps the size at stride one.
    pub(super) fn square(n_in: usize, n_out: usize, kernel: usize, stride: usize) -> Self {
        Self {
            n_in,
            n_out,
            kernel: [kernel; 2],
            stride,
            padding: [kernel / 2; 2],
            groups: 1,
        }
    }

    pub(super) fn conv(self, bias: bool, device: &Device) -> Conv2d {
        let [down, across] = self.padding;
        Conv2dConfig::new([self.n_in, self.n_out], self.kernel)
            .with_stride([self.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(down, across, down, across))
            .with_groups(self.groups)
            .with_bias(bias)
            .init(device)
    }
}

/// A convolution and a norm.
#[derive(Module, Debug)]
pub(super) struct ConvNorm {
    conv: Conv2d,
    bn: FixedNorm,
}

impl ConvNorm {
    pub(super) fn new(shape: Shape, epsilon: f64, device: &Device) -> Self {
        Self {
            conv: shape.conv(false, device),
            bn: FixedNorm::new(shape.n_out, epsilon, device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.bn.forward(convolve(&self.conv, x))
    }
}

/// The greatest of each window.
pub(super) fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: usize) -> Tensor<4> {
    let mut options = MaxPoolOptions::new([kernel; 2]);
    options.stride = [stride; 2];
    options.padding = [(padding, padding); 2];
    max_pool2d(x, options)
}

/// The mean of each window of 3 × 3 around every pixel, zeros outside counted.
pub(super) fn smooth(x: Tensor<4>) -> Tensor<4> {
    let mut options = AvgPoolOptions::new([3; 2]);
    options.stride = [1; 2];
    options.padding = [(1, 1); 2];
    avg_pool2d(x, options)
}

/// The mean of every channel: `[batch, channels]`.
pub(super) fn mean_of_channels(x: Tensor<4>) -> Tensor<2> {
    let [batch, channels, ..] = x.dims();
    x.mean_dim(3).mean_dim(2).reshape([batch, channels])
}

/// Names without what trainers count.
pub(super) fn counted(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}
