//! ResNet-50 (He et al. 2016) as torchvision builds it, with the weights of SwAV (Caron et al. 2020) or any other.

use std::path::Path;

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor};

use super::layers::{ConvNorm, Shape, counted, max_pool, mean_of_channels};
use crate::Result;
use crate::nets::weights::Checkpoint;

const EPSILON: f64 = 1e-5;

/// Four stages of bottlenecks.
#[derive(Module, Debug)]
pub struct ResNet50 {
    first: ConvNorm,
    blocks: Vec<Bottleneck>,
}

#[derive(Module, Debug)]
struct Bottleneck {
    convs: Vec<ConvNorm>,
    around: Option<ConvNorm>,
}

/// Blocks of each stage.
const STAGES: [usize; 4] = [3, 4, 6, 3];

impl ResNet50 {
    /// A fresh one.
    pub fn new(device: &Device) -> Self {
        let conv = |shape| ConvNorm::new(shape, EPSILON, device);
        let mut blocks = Vec::new();
        let mut n_in = 64;
        for (stage, n_blocks) in STAGES.into_iter().enumerate() {
            let width = 64 << stage;
            for block in 0..n_blocks {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let n_out = 4 * width;
                blocks.push(Bottleneck {
                    convs: vec![
                        conv(Shape::square(n_in, width, 1, 1)),
                        conv(Shape::square(width, width, 3, stride)),
                        conv(Shape::square(width, n_out, 1, 1)),
                    ],
                    around: (block == 0).then(|| conv(Shape::square(n_in, n_out, 1, stride))),
                });
                n_in = n_out;
            }
        }
        Self {
            first: conv(Shape::square(3, 64, 7, 2)),
            blocks,
        }
    }

    /// The mean of the last stage's channels, `[batch, 2048]`.
    pub fn forward(&self, pixels: Tensor<4>) -> Tensor<2> {
        let x = max_pool(relu(self.first.forward(pixels)), 3, 2, 1);
        mean_of_channels(self.blocks.iter().fold(x, |x, block| block.forward(x)))
    }
}

impl Bottleneck {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let last = self.convs.len() - 1;
        let y = self
            .convs
            .iter()
            .enumerate()
            .fold(x.clone(), |y, (at, conv)| {
                let y = conv.forward(y);
                if at < last { relu(y) } else { y }
            });
        let x = match &self.around {
            Some(conv) => conv.forward(x),
            None => x,
        };
        relu(x + y)
    }
}

/// Weights under torchvision's names, `module.` before them or not; heads are left out.
pub fn load_resnet50(path: &Path, device: &Device) -> Result<ResNet50> {
    let checkpoint = Checkpoint::open(path)?.renamed(|name| {
        let name = name.strip_prefix("module.").unwrap_or(name);
        let head = ["fc.", "projection_head.", "prototypes."];
        if counted(name) || head.iter().any(|h| name.starts_with(h)) {
            return None;
        }
        let plain = || {
            name.replace("conv1.", "first.conv.")
                .replace("bn1.", "first.bn.")
        };
        let Some(rest) = name.strip_prefix("layer") else {
            return Some(plain());
        };
        let mut parts = rest.splitn(3, '.');
        let stage: usize = parts.next()?.parse().ok()?;
        let block: usize = parts.next()?.parse().ok()?;
        let before: usize = STAGES.iter().take(stage.checked_sub(1)?).sum();
        let part = parts
            .next()?
            .replace("downsample.0.", "around.conv.")
            .replace("downsample.1.", "around.bn.")
            .replace("conv1.", "convs.0.conv.")
            .replace("conv2.", "convs.1.conv.")
            .replace("conv3.", "convs.2.conv.")
            .replace("bn1.", "convs.0.bn.")
            .replace("bn2.", "convs.1.bn.")
            .replace("bn3.", "convs.2.bn.");
        Some(format!("blocks.{}.{part}", before + block))
    });
    checkpoint.fill(ResNet50::new(device), DType::F32)
}
