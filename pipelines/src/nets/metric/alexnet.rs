//! AlexNet (Krizhevsky 2014), as far as its last convolution.

use std::path::Path;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor};

use super::layers::{Shape, max_pool};
use crate::Result;
use crate::nets::blocks::convolve;
use crate::nets::weights::Checkpoint;

/// The five convolutions.
#[derive(Module, Debug)]
pub struct AlexNet {
    layers: Vec<Conv2d>,
}

impl AlexNet {
    /// A fresh one.
    pub fn new(device: &Device) -> Self {
        let first = Shape {
            padding: [2; 2],
            ..Shape::square(3, 64, 11, 4)
        };
        let layers = [
            first,
            Shape::square(64, 192, 5, 1),
            Shape::square(192, 384, 3, 1),
            Shape::square(384, 256, 3, 1),
            Shape::square(256, 256, 3, 1),
        ]
        .map(|shape| shape.conv(true, device))
        .into();
        Self { layers }
    }

    /// The second and the fifth layer after their activations, `features.4` and `features.11` of torchvision, which
    /// the field calls AlexNet(2) and AlexNet(5). Pictures `[batch, 3, height, width]`, at least 63 px a side.
    pub fn forward(&self, pixels: Tensor<4>) -> [Tensor<4>; 2] {
        let mut x = pixels;
        let mut second = x.clone();
        for (at, conv) in self.layers.iter().enumerate() {
            if at == 1 || at == 2 {
                x = max_pool(x, 3, 2, 0);
            }
            x = relu(convolve(conv, x));
            if at == 1 {
                second = x.clone();
            }
        }
        [second, x]
    }
}

/// Torchvision's weights.
pub fn load_alexnet(path: &Path, device: &Device) -> Result<AlexNet> {
    let checkpoint = Checkpoint::open(path)?.renamed(|name| {
        if name.starts_with("classifier.") {
            return None;
        }
        let named = [0, 3, 6, 8, 10].iter().enumerate().find_map(|(at, n)| {
            let rest = name.strip_prefix(&format!("features.{n}."))?;
            Some(format!("layers.{at}.{rest}"))
        });
        Some(named.unwrap_or_else(|| name.to_owned()))
    });
    checkpoint.fill(AlexNet::new(device), DType::F32)
}
