//! Steps that the CPU backend does on one core or in several passes, done on all cores in one. Only for inference: where
//! gradients are wanted, or on a GPU, the backend's own steps are taken.
//!
//! Burn's Flex lays the weights of a convolution out anew at every call, turns pictures to channels-last on one core and
//! gives small pictures to one core alone; norms over groups take seven passes, activations run on one core.

use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, PaddingConfig2d};
use burn::tensor::activation::silu;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

/// Numbers of a stretch that one thread takes at once.
const STRETCH: usize = 1 << 14;
/// Numbers of a picture's patches laid out at once, 16 MB: what stays near the processor.
const LAID_OUT: usize = 1 << 22;
/// But as many pixels at least, so that the weights are worth their way there.
const PIXELS: usize = 1024;

/// Whether a tensor lies in this machine's memory and asks for no gradient.
fn is_here<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && !x.is_autodiff() && x.device() == Device::flex()
}

/// The numbers of a tensor that is here, changed; in place where nobody else holds them.
fn changed<const D: usize>(x: Tensor<D>, change: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let device = x.device();
    let mut data = x.into_data();
    if let Ok(values) = data.as_mut_slice::<f32>() {
        change(values);
    }
    Tensor::from_data(data, &device)
}

/// `f` of every number, on all cores; `otherwise` where the numbers lie elsewhere.
pub(super) fn map<const D: usize>(
    x: Tensor<D>,
    f: impl Fn(f32) -> f32 + Sync,
    otherwise: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    if !is_here(&x) {
        return otherwise(x);
    }
    changed(x, |values| {
        values
            .par_chunks_mut(STRETCH)
            .for_each(|part| part.iter_mut().for_each(|v| *v = f(*v)));
    })
}

/// `exp(x)` to about 2e-7 of itself, without branches, so that it runs on vectors. Beyond ±87 it stays where it is.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let n = x * std::f32::consts::LOG2_E + ROUND - ROUND;
    // ln 2 in two parts, the first exact in f32.
    let r = x - n * (355.0 / 512.0) + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    p * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

/// `x · sigmoid(k x)`.
#[inline]
pub(super) fn swish(x: f32, k: f32) -> f32 {
    x / (1.0 + exp(-k * x))
}

/// The error function to about 2e-7: a rational function within ±4, where it is one to f32.
#[inline]
pub(super) fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let p = -2.726_142_4e-10f32;
    let p = p * s + 2.770_681_4e-8;
    let p = p * s - 2.101_024e-6;
    let p = p * s - 5.692_506_4e-5;
    let p = p * s - 7.349_906_3e-4;
    let p = p * s - 2.954_6e-3;
    let p = p * s - 1.609_603_3e-2;
    let q = -1.456_607_2e-5f32;
    let q = q * s - 2.133_740_5e-4;
    let q = q * s - 1.682_827e-3;
    let q = q * s - 7.373_329e-3;
    let q = q * s - 1.426_473_9e-2;
    x * p / q
}

/// The exact Gaussian error linear unit. Below −6 it is nothing to f32, and the rounding of `erf` is not made larger.
#[inline]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x.max(-6.0) * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Its approximation with tanh, written with a logistic function.
#[inline]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    x / (1.0 + exp(-1.595_769 * (x + 0.044_715 * x * x * x)))
}

/// A norm over groups of channels followed by `x · sigmoid(x)`.
pub fn norm_silu(norm: &GroupNorm, x: Tensor<4>) -> Tensor<4> {
    group_norm(norm, x, true)
}

/// A norm over groups of channels.
pub fn norm(norm: &GroupNorm, x: Tensor<4>) -> Tensor<4> {
    group_norm(norm, x, false)
}

fn group_norm(norm: &GroupNorm, x: Tensor<4>, then_silu: bool) -> Tensor<4> {
    let [_, channels, height, width] = x.dims();
    let (plane, groups) = (height * width, norm.num_groups);
    let affine = norm.gamma.as_ref().zip(norm.beta.as_ref());
    let (Some((gamma, beta)), true) = (affine, is_here(&x) && plane > 0) else {
        let y = norm.forward(x);
        return if then_silu { silu(y) } else { y };
    };
    let gamma: Vec<f32> = gamma.val().into_data().iter::<f32>().collect();
    let beta: Vec<f32> = beta.val().into_data().iter::<f32>().collect();
    let per_group = channels / groups;
    changed(x, |values| {
        values
            .par_chunks_mut(per_group * plane)
            .enumerate()
            .for_each(|(at, group)| {
                let first = at % groups * per_group;
                let (mean, deviation) = moments(group, norm.epsilon);
                for (c, plane) in group.chunks_mut(plane).enumerate() {
                    let scale = gamma[first + c] / deviation;
                    let shift = beta[first + c] - mean * scale;
                    if then_silu {
                        plane
                            .iter_mut()
                            .for_each(|v| *v = swish(*v * scale + shift, 1.0));
                    } else {
                        plane.iter_mut().for_each(|v| *v = *v * scale + shift);
                    }
                }
            });
    })
}

/// Mean and deviation, in two passes; sums are of short stretches, so that f32 is enough within each.
fn moments(values: &[f32], epsilon: f64) -> (f32, f32) {
    let sum = |f: &dyn Fn(&[f32]) -> f32| values.chunks(256).map(|c| f64::from(f(c))).sum::<f64>();
    let n = values.len() as f64;
    let mean = (sum(&|c| lanes(c, |v| v)) / n) as f32;
    let variance = sum(&|c| lanes(c, |v| (v - mean) * (v - mean))) / n;
    (mean, (variance + epsilon).sqrt() as f32)
}

/// A sum in eight lanes.
fn lanes(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; 8];
    let parts = values.chunks_exact(8);
    let rest: f32 = parts.remainder().iter().map(|&v| f(v)).sum();
    for part in parts {
        for (sum, &v) in sums.iter_mut().zip(part) {
            *sum += f(v);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// A convolution. On the CPU its patches are laid out on all cores and multiplied by the weights as they are.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let PaddingConfig2d::Explicit(top, left, bottom, right) = conv.padding else {
        let padding = matches!(conv.padding, PaddingConfig2d::Valid);
        return if padding && conv.kernel_size == [1, 1] {
            laid_out(conv, x, [0; 4])
        } else {
            conv.forward(x)
        };
    };
    laid_out(conv, x, [top, left, bottom, right])
}

fn laid_out(conv: &Conv2d, x: Tensor<4>, [top, left, bottom, right]: [usize; 4]) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let [n_out, _, ky, kx] = conv.weight.dims();
    let padded = [height + top + bottom, width + left + right];
    let plain = conv.groups == 1 && conv.dilation == [1, 1] && is_here(&x);
    if !plain
        || x.shape().num_elements() == 0
        || padded[0] < ky
        || padded[1] < kx
        || channels * ky * kx < 64
    {
        return conv.forward(x);
    }
    let [down, across] = conv.stride;
    let rows = (padded[0] - ky) / down + 1;
    let cols = (padded[1] - kx) / across + 1;
    let depth = channels * ky * kx;
    let device = x.device();
    let weight = conv.weight.val().reshape([1, n_out, depth]);
    let bias = conv.bias.as_ref().map(|b| b.val().reshape([1, n_out, 1]));
    let times = |patches: Tensor<3>| {
        let y = weight.clone().matmul(patches);
        match &bias {
            Some(bias) => y + bias.clone(),
            None => y,
        }
    };
    if [ky, kx, down, across] == [1; 4] && padded == [height, width] {
        let y = times(x.reshape([batch, channels, height * width]));
        return y.reshape([batch, n_out, rows, cols]);
    }
    let data = x.into_data();
    let values = data.as_slice::<f32>().unwrap_or_default();
    let at_once = (LAID_OUT / (depth * cols))
        .max(PIXELS.div_ceil(cols))
        .min(rows);
    let mut patches: Vec<f32> = Vec::new();
    let pictures: Vec<Tensor<3>> = values
        .chunks(channels * height * width)
        .map(|picture| {
            let parts = (0..rows)
                .step_by(at_once)
                .map(|first| {
                    let here = at_once.min(rows - first);
                    patches.resize(depth * here * cols, 0.0);
                    patches
                        .par_chunks_mut(here * cols)
                        .enumerate()
                        .for_each(|(at, line)| {
                            let (c, dy, dx) = (at / (ky * kx), at / kx % ky, at % kx);
                            let plane = &picture[c * height * width..(c + 1) * height * width];
                            line.fill(0.0);
                            for (row, out) in line.chunks_mut(cols).enumerate() {
                                let Some(y) = ((first + row) * down + dy).checked_sub(top) else {
                                    continue;
                                };
                                if y < height {
                                    let source = &plane[y * width..(y + 1) * width];
                                    taken(out, source, dx, left, across);
                                }
                            }
                        });
                    let shape = [1, depth, here * cols];
                    let laid = TensorData::new(std::mem::take(&mut patches), shape);
                    let laid: Tensor<3> = Tensor::from_data(laid, &device);
                    let y = times(laid.clone());
                    // The memory serves the next stretch.
                    patches = laid.into_data().into_vec::<f32>().unwrap_or_default();
                    y
                })
                .collect::<Vec<_>>();
            joined(parts, 2)
        })
        .collect();
    joined(pictures, 0).reshape([batch, n_out, rows, cols])
}

/// Every `across`-th number of a line that begins `left` zeros before `source`, from the `dx`-th on.
fn taken(out: &mut [f32], source: &[f32], dx: usize, left: usize, across: usize) {
    let skipped = left.saturating_sub(dx).div_ceil(across).min(out.len());
    let first = skipped * across + dx - left.min(skipped * across + dx);
    let out = &mut out[skipped..];
    if across == 1 {
        let n = out.len().min(source.len().saturating_sub(first));
        if n > 0 {
            out[..n].copy_from_slice(&source[first..first + n]);
        }
    } else {
        for (value, from) in out
            .iter_mut()
            .zip(source.iter().skip(first).step_by(across))
        {
            *value = *from;
        }
    }
}

fn joined(mut parts: Vec<Tensor<3>>, dim: usize) -> Tensor<3> {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        Tensor::cat(parts, dim)
    }
}
