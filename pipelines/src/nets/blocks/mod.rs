//! The building blocks all networks share: attention, multi-layer perceptron, transformer block, activations.

mod activation;
mod attention;
mod host;
mod transformer;

pub use activation::Activation;
pub use attention::{Attention, AttentionConfig, attend};
pub use host::{convolve, norm, norm_silu};
pub use transformer::{Block, BlockConfig, Mlp};

use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A linear layer, with or without bias.
pub fn linear(n_in: usize, n_out: usize, bias: bool, device: &Device) -> Linear {
    LinearConfig::new(n_in, n_out).with_bias(bias).init(device)
}

/// A layer norm over the last axis.
pub fn layer_norm(width: usize, epsilon: f64, device: &Device) -> LayerNorm {
    LayerNormConfig::new(width)
        .with_epsilon(epsilon)
        .init(device)
}

/// A matrix of ids, one row a text, as a tensor `[texts, positions]`. All rows must have the length of the first.
pub fn ids(rows: &[Vec<u32>], device: &Device) -> Tensor<2, Int> {
    let width = rows.first().map_or(0, Vec::len);
    let flat: Vec<i32> = rows
        .iter()
        .flat_map(|row| row.iter().map(|&id| id as i32))
        .collect();
    Tensor::from_data(TensorData::new(flat, [rows.len(), width]), device)
}
