//! The CPU's own steps against the backend's: activations, norms over groups, convolutions of every kind that is used.

use burn::nn::conv::Conv2dConfig;
use burn::nn::{GroupNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Distribution, Tensor, activation};
use fusiform_pipelines::nets::blocks::{Activation, convolve, norm, norm_silu};

fn demand<const D: usize>(what: &str, ours: Tensor<D>, theirs: Tensor<D>, limit: f32) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let error = (ours - theirs).abs().max().into_scalar::<f32>();
    println!("{what}: largest difference {error:.1e}");
    assert!(error <= limit, "{what}: {error}");
}

#[test]
fn activations_from_end_to_end() {
    let device = Device::flex();
    // 0.001 apart from −60 to 60, so that rounding to powers of two is met on both sides.
    let values: Vec<f32> = (-60_000..=60_000).map(|v| v as f32 / 1000.0).collect();
    let x = Tensor::<1>::from_floats(values.as_slice(), &device);
    let near = |what: &str, ours: Tensor<1>, theirs: Tensor<1>| {
        // Relative to numbers above one.
        let size = theirs.clone().abs().clamp_min(1.0);
        demand(what, ours / size.clone(), theirs / size, 1e-6);
    };
    near(
        "silu",
        Activation::Silu.of(x.clone()),
        activation::silu(x.clone()),
    );
    near(
        "gelu",
        Activation::Gelu.of(x.clone()),
        activation::gelu(x.clone()),
    );
    let tanh = activation::gelu_approximate(x.clone());
    near("gelu with tanh", Activation::GeluTanh.of(x.clone()), tanh);
    let quick = x.clone() * activation::sigmoid(x.clone().mul_scalar(1.702));
    near("quick gelu", Activation::QuickGelu.of(x), quick);
}

#[test]
fn norms_over_groups() {
    let device = Device::flex();
    device.seed(7);
    let layer = GroupNormConfig::new(4, 12).init(&device);
    let x = Tensor::<4>::random([3, 12, 9, 7], Distribution::Normal(5.0, 3.0), &device);
    let theirs = layer.forward(x.clone());
    demand("norm", norm(&layer, x.clone()), theirs.clone(), 2e-6);
    demand(
        "norm and silu",
        norm_silu(&layer, x),
        activation::silu(theirs),
        2e-6,
    );
}

#[test]
fn convolutions() {
    let device = Device::flex();
    device.seed(8);
    for (kernel, stride, [top, left, bottom, right], groups) in [
        ([3, 3], 1, [1, 1, 1, 1], 1),
        ([3, 3], 2, [1, 1, 1, 1], 1),
        ([3, 3], 2, [0, 0, 1, 1], 1),
        ([1, 1], 1, [0, 0, 0, 0], 1),
        ([1, 1], 2, [0, 0, 0, 0], 1),
        ([1, 7], 1, [0, 3, 0, 3], 1),
        ([7, 1], 1, [3, 0, 3, 0], 1),
        ([11, 11], 4, [2, 2, 2, 2], 1),
        ([5, 5], 3, [4, 4, 0, 2], 1),
        ([3, 3], 1, [1, 1, 1, 1], 12),
    ] {
        let layer = Conv2dConfig::new([12, 24], kernel)
            .with_stride([stride; 2])
            .with_groups(groups)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .init(&device);
        for (height, width) in [(13, 16), (11, 8)] {
            let x = Tensor::<4>::random([2, 12, height, width], Distribution::Default, &device);
            let what = format!("{kernel:?} by {stride} on {height} × {width}");
            demand(&what, convolve(&layer, x.clone()), layer.forward(x), 2e-6);
        }
    }
}
