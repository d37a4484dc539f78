//! EfficientNet-B1 (Tan and Le 2019) as torchvision builds it.

use std::path::Path;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::{DType, Device, Tensor};

use super::layers::{ConvNorm, Shape, counted, mean_of_channels};
use crate::Result;
use crate::nets::weights::Checkpoint;

const EPSILON: f64 = 1e-5;
/// Widening, kernel, stride, channels and blocks of each stage of B1.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 2),
    (6, 3, 2, 24, 3),
    (6, 5, 2, 40, 3),
    (6, 3, 2, 80, 4),
    (6, 5, 1, 112, 4),
    (6, 5, 2, 192, 5),
    (6, 3, 1, 320, 2),
];

/// Inverted bottlenecks whose channels weigh themselves.
#[derive(Module, Debug)]
pub struct EfficientNet {
    first: ConvNorm,
    blocks: Vec<Inverted>,
    last: ConvNorm,
}

#[derive(Module, Debug)]
struct Inverted {
    widen: Option<ConvNorm>,
    depthwise: ConvNorm,
    fc1: Conv2d,
    fc2: Conv2d,
    narrow: ConvNorm,
    around: bool,
}

impl EfficientNet {
    /// A fresh B1.
    pub fn b1(device: &Device) -> Self {
        let conv = |shape| ConvNorm::new(shape, EPSILON, device);
        let mut n_in = 32;
        let mut blocks = Vec::new();
        for (widening, kernel, stride, n_out, n_blocks) in STAGES {
            for block in 0..n_blocks {
                let stride = if block == 0 { stride } else { 1 };
                let wide = n_in * widening;
                let squeezed = (n_in / 4).max(1);
                let depthwise = Shape {
                    groups: wide,
                    ..Shape::square(wide, wide, kernel, stride)
                };
                blocks.push(Inverted {
                    widen: (widening > 1).then(|| conv(Shape::square(n_in, wide, 1, 1))),
                    depthwise: conv(depthwise),
                    fc1: Shape::square(wide, squeezed, 1, 1).conv(true, device),
                    fc2: Shape::square(squeezed, wide, 1, 1).conv(true, device),
                    narrow: conv(Shape::square(wide, n_out, 1, 1)),
                    around: stride == 1 && n_in == n_out,
                });
                n_in = n_out;
            }
        }
        Self {
            first: conv(Shape::square(3, 32, 3, 2)),
            blocks,
            last: conv(Shape::square(n_in, 4 * n_in, 1, 1)),
        }
    }

    /// The mean of the last layer's channels, `[batch, 1280]`.
    pub fn forward(&self, pixels: Tensor<4>) -> Tensor<2> {
        let x = silu(self.first.forward(pixels));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        mean_of_channels(silu(self.last.forward(x)))
    }
}

impl Inverted {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let wide = match &self.widen {
            Some(conv) => silu(conv.forward(x.clone())),
            None => x.clone(),
        };
        let y = silu(self.depthwise.forward(wide));
        let mean = y.clone().mean_dim(3).mean_dim(2);
        let weights = sigmoid(self.fc2.forward(silu(self.fc1.forward(mean))));
        let y = self.narrow.forward(y * weights);
        if self.around { x + y } else { y }
    }
}

/// Torchvision's weights of B1.
pub fn load_efficientnet_b1(path: &Path, device: &Device) -> Result<EfficientNet> {
    let checkpoint = Checkpoint::open(path)?.renamed(|name| {
        if counted(name) || name.starts_with("classifier.") {
            return None;
        }
        Some(renamed(name).unwrap_or_else(|| name.to_owned()))
    });
    checkpoint.fill(EfficientNet::b1(device), DType::F32)
}

fn renamed(name: &str) -> Option<String> {
    let pair = |part: &str| part.replacen("0.", "conv.", 1);
    let conv_norm = |part: &str| match part.strip_prefix("1.") {
        Some(rest) => format!("bn.{rest}"),
        None => pair(part),
    };
    let rest = name.strip_prefix("features.")?;
    let (stage, rest) = rest.split_once('.')?;
    let stage: usize = stage.parse().ok()?;
    if stage == 0 {
        return Some(format!("first.{}", conv_norm(rest)));
    }
    if stage == STAGES.len() + 1 {
        return Some(format!("last.{}", conv_norm(rest)));
    }
    let (block, rest) = rest.split_once('.')?;
    let before: usize = STAGES.iter().take(stage - 1).map(|s| s.4).sum();
    let at = before + block.parse::<usize>().ok()?;
    let (part, rest) = rest.strip_prefix("block.")?.split_once('.')?;
    // Without widening the parts are counted from one less.
    let part = part.parse::<usize>().ok()? + usize::from(STAGES[stage - 1].0 == 1);
    Some(match part {
        0 => format!("blocks.{at}.widen.{}", conv_norm(rest)),
        1 => format!("blocks.{at}.depthwise.{}", conv_norm(rest)),
        2 => format!("blocks.{at}.{rest}"),
        _ => format!("blocks.{at}.narrow.{}", conv_norm(rest)),
    })
}
