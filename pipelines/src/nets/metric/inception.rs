//! Inception v3 (Szegedy et al. 2016) as torchvision builds it.

use std::path::Path;

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor};

use super::layers::{ConvNorm, Shape, counted, max_pool, mean_of_channels, smooth};
use crate::Result;
use crate::nets::weights::Checkpoint;

const EPSILON: f64 = 1e-3;

/// What a mixed block does with its pooled input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pool {
    /// Smooths and convolves it.
    Smooth,
    /// Halves it.
    Halve,
}

/// Branches side by side. Each is a chain of convolutions; `forks` end a branch in two.
#[derive(Module, Debug)]
struct Mixed {
    branches: Vec<Branch>,
    pooled: Option<ConvNorm>,
    #[module(skip)]
    pool: Pool,
}

#[derive(Module, Debug)]
struct Branch {
    chain: Vec<ConvNorm>,
    forks: Vec<ConvNorm>,
}

/// The network without its classifiers.
#[derive(Module, Debug)]
pub struct Inception {
    stem: Vec<ConvNorm>,
    mixed: Vec<Mixed>,
}

/// A convolution: channels out, kernel down and across, stride; kernels keep the size where the stride is one.
type Step = (usize, usize, usize, usize);

fn conv(n_in: usize, (n_out, down, across, stride): Step, device: &Device) -> ConvNorm {
    let kept = stride == 1;
    let shape = Shape {
        n_in,
        n_out,
        kernel: [down, across],
        stride,
        padding: if kept { [down / 2, across / 2] } else { [0; 2] },
        groups: 1,
    };
    ConvNorm::new(shape, EPSILON, device)
}

impl Branch {
    fn new(n_in: usize, chain: &[Step], forks: &[Step], device: &Device) -> Self {
        let mut n = n_in;
        let chain = chain
            .iter()
            .map(|&step| conv(std::mem::replace(&mut n, step.0), step, device))
            .collect();
        let forks = forks.iter().map(|&step| conv(n, step, device)).collect();
        Self { chain, forks }
    }

    fn forward(&self, x: Tensor<4>) -> Vec<Tensor<4>> {
        let x = self.chain.iter().fold(x, |x, c| relu(c.forward(x)));
        if self.forks.is_empty() {
            return vec![x];
        }
        self.forks
            .iter()
            .map(|c| relu(c.forward(x.clone())))
            .collect()
    }
}

impl Mixed {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut parts: Vec<Tensor<4>> = self
            .branches
            .iter()
            .flat_map(|branch| branch.forward(x.clone()))
            .collect();
        let pooled = match self.pool {
            Pool::Smooth => smooth(x),
            Pool::Halve => max_pool(x, 3, 2, 0),
        };
        parts.push(match &self.pooled {
            Some(conv) => relu(conv.forward(pooled)),
            None => pooled,
        });
        Tensor::cat(parts, 1)
    }
}

impl Inception {
    /// A fresh one.
    pub fn new(device: &Device) -> Self {
        let stem = [
            (3, (32, 3, 3, 2), 0),
            (32, (32, 3, 3, 1), 0),
            (32, (64, 3, 3, 1), 1),
            (64, (80, 1, 1, 1), 0),
            (80, (192, 3, 3, 1), 0),
        ]
        .map(|(n_in, (n_out, down, across, stride), padding)| {
            let shape = Shape {
                n_in,
                n_out,
                kernel: [down, across],
                stride,
                padding: [padding; 2],
                groups: 1,
            };
            ConvNorm::new(shape, EPSILON, device)
        })
        .into();
        let branch = |n, chain: &[Step], forks: &[Step]| Branch::new(n, chain, forks, device);
        let smooth = |n, n_pool, branches| Mixed {
            branches,
            pooled: Some(conv(n, (n_pool, 1, 1, 1), device)),
            pool: Pool::Smooth,
        };
        let halve = |branches| Mixed {
            branches,
            pooled: None,
            pool: Pool::Halve,
        };
        let a = |n, n_pool| {
            let branches = vec![
                branch(n, &[(64, 1, 1, 1)], &[]),
                branch(n, &[(48, 1, 1, 1), (64, 5, 5, 1)], &[]),
                branch(n, &[(64, 1, 1, 1), (96, 3, 3, 1), (96, 3, 3, 1)], &[]),
            ];
            smooth(n, n_pool, branches)
        };
        let c = |m| {
            let branches = vec![
                branch(768, &[(192, 1, 1, 1)], &[]),
                branch(768, &[(m, 1, 1, 1), (m, 1, 7, 1), (192, 7, 1, 1)], &[]),
                branch(
                    768,
                    &[
                        (m, 1, 1, 1),
                        (m, 7, 1, 1),
                        (m, 1, 7, 1),
                        (m, 7, 1, 1),
                        (192, 1, 7, 1),
                    ],
                    &[],
                ),
            ];
            smooth(768, 192, branches)
        };
        let e = |n| {
            let forks: &[Step] = &[(384, 1, 3, 1), (384, 3, 1, 1)];
            let branches = vec![
                branch(n, &[(320, 1, 1, 1)], &[]),
                branch(n, &[(384, 1, 1, 1)], forks),
                branch(n, &[(448, 1, 1, 1), (384, 3, 3, 1)], forks),
            ];
            smooth(n, 192, branches)
        };
        let mixed = vec![
            a(192, 32),
            a(256, 64),
            a(288, 64),
            halve(vec![
                branch(288, &[(384, 3, 3, 2)], &[]),
                branch(288, &[(64, 1, 1, 1), (96, 3, 3, 1), (96, 3, 3, 2)], &[]),
            ]),
            c(128),
            c(160),
            c(160),
            c(192),
            halve(vec![
                branch(768, &[(192, 1, 1, 1), (320, 3, 3, 2)], &[]),
                branch(
                    768,
                    &[
                        (192, 1, 1, 1),
                        (192, 1, 7, 1),
                        (192, 7, 1, 1),
                        (192, 3, 3, 2),
                    ],
                    &[],
                ),
            ]),
            e(1280),
            e(2048),
        ];
        Self { stem, mixed }
    }

    /// The mean of the last block's channels, `[batch, 2048]`. `pixels` are normalised by ImageNet's means and
    /// deviations, as for the other networks; the step to this network's own range is part of it.
    pub fn forward(&self, pixels: &Tensor<4>) -> Tensor<2> {
        let channel = |at: usize, mean: f64, std: f64| {
            pixels
                .clone()
                .narrow(1, at, 1)
                .mul_scalar(std / 0.5)
                .add_scalar((mean - 0.5) / 0.5)
        };
        let mut x = Tensor::cat(
            vec![
                channel(0, 0.485, 0.229),
                channel(1, 0.456, 0.224),
                channel(2, 0.406, 0.225),
            ],
            1,
        );
        for (at, conv) in self.stem.iter().enumerate() {
            if at == 3 {
                x = max_pool(x, 3, 2, 0);
            }
            x = relu(conv.forward(x));
        }
        x = max_pool(x, 3, 2, 0);
        mean_of_channels(self.mixed.iter().fold(x, |x, mixed| mixed.forward(x)))
    }
}

/// Torchvision's weights.
pub fn load_inception(path: &Path, device: &Device) -> Result<Inception> {
    let checkpoint = Checkpoint::open(path)?.renamed(|name| {
        if counted(name) || name.starts_with("fc.") || name.starts_with("AuxLogits.") {
            return None;
        }
        Some(renamed(name).unwrap_or_else(|| name.to_owned()))
    });
    checkpoint.fill(Inception::new(device), DType::F32)
}

const STEM: [&str; 5] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
];
const MIXED: [&str; 11] = [
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e",
    "Mixed_7a", "Mixed_7b", "Mixed_7c",
];
/// Torchvision's names of the convolutions in a block, and where ours lie. What a name means depends on the block.
const BRANCHES: [(&str, &[&str], &str); 26] = [
    ("branch1x1", &[], "branches.0.chain.0"),
    ("branch5x5_1", &[], "branches.1.chain.0"),
    ("branch5x5_2", &[], "branches.1.chain.1"),
    ("branch3x3dbl_1", &["Mixed_6a"], "branches.1.chain.0"),
    ("branch3x3dbl_2", &["Mixed_6a"], "branches.1.chain.1"),
    ("branch3x3dbl_3", &["Mixed_6a"], "branches.1.chain.2"),
    ("branch3x3dbl_1", &[], "branches.2.chain.0"),
    ("branch3x3dbl_2", &[], "branches.2.chain.1"),
    ("branch3x3dbl_3", &[], "branches.2.chain.2"),
    ("branch3x3dbl_3a", &[], "branches.2.forks.0"),
    ("branch3x3dbl_3b", &[], "branches.2.forks.1"),
    ("branch3x3", &[], "branches.0.chain.0"),
    ("branch3x3_1", &["Mixed_7a"], "branches.0.chain.0"),
    ("branch3x3_2", &["Mixed_7a"], "branches.0.chain.1"),
    ("branch3x3_1", &[], "branches.1.chain.0"),
    ("branch3x3_2a", &[], "branches.1.forks.0"),
    ("branch3x3_2b", &[], "branches.1.forks.1"),
    ("branch7x7_1", &[], "branches.1.chain.0"),
    ("branch7x7_2", &[], "branches.1.chain.1"),
    ("branch7x7_3", &[], "branches.1.chain.2"),
    ("branch7x7dbl_1", &[], "branches.2.chain.0"),
    ("branch7x7dbl_2", &[], "branches.2.chain.1"),
    ("branch7x7dbl_3", &[], "branches.2.chain.2"),
    ("branch7x7dbl_4", &[], "branches.2.chain.3"),
    ("branch7x7dbl_5", &[], "branches.2.chain.4"),
    ("branch_pool", &[], "pooled"),
];

fn renamed(name: &str) -> Option<String> {
    let (block, rest) = name.split_once('.')?;
    if let Some(at) = STEM.iter().position(|stem| *stem == block) {
        return Some(format!("stem.{at}.{rest}"));
    }
    let at = MIXED.iter().position(|mixed| *mixed == block)?;
    let (part, rest) = rest.split_once('.')?;
    if let Some(step) = part.strip_prefix("branch7x7x3_") {
        let step: usize = step.parse().ok()?;
        return Some(format!(
            "mixed.{at}.branches.1.chain.{}.{rest}",
            step.checked_sub(1)?
        ));
    }
    let (_, _, ours) = BRANCHES
        .iter()
        .find(|(theirs, only, _)| *theirs == part && (only.is_empty() || only.contains(&block)))?;
    Some(format!("mixed.{at}.{ours}.{rest}"))
}
