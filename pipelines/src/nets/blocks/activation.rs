//! Activations under the names that published configurations use.

use super::host;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A function applied to every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// `x · sigmoid(1.702 x)`, as OpenAI's CLIP.
    #[serde(rename = "quick_gelu")]
    QuickGelu,
    /// The exact Gaussian error linear unit.
    #[serde(rename = "gelu")]
    Gelu,
    /// Its approximation with tanh, as GPT-2.
    #[serde(rename = "gelu_new", alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluTanh,
    /// `x · sigmoid(x)`.
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `max(x, 0)`.
    #[serde(rename = "relu")]
    Relu,
    /// The hyperbolic tangent.
    #[serde(rename = "tanh")]
    Tanh,
}

impl Activation {
    /// Applies it.
    pub fn of<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::QuickGelu => host::map(
                x,
                |v| host::swish(v, 1.702),
                |x| x.clone() * activation::sigmoid(x.mul_scalar(1.702)),
            ),
            Self::Gelu => host::map(x, host::gelu, activation::gelu),
            Self::GeluTanh => host::map(x, host::gelu_tanh, activation::gelu_approximate),
            Self::Silu => host::map(x, |v| host::swish(v, 1.0), activation::silu),
            Self::Relu => activation::relu(x),
            Self::Tanh => activation::tanh(x),
        }
    }
}
