//! CLIPCap (Mokady et al. 2021): a picture's embedding becomes a few tokens before a text, and GPT-2 goes on.

use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear};
use burn::tensor::activation::tanh;
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::generate::{Text, beam};
use super::gpt2::{self, Gpt2, Gpt2Config, Past};
use crate::nets::blocks::{Activation, Block, BlockConfig, linear};
use crate::nets::weights::{Checkpoint, config};
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// How an embedding becomes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapperConfig {
    /// Two layers around tanh, half as wide as the prefix.
    Perceptron,
    /// A transformer over `n_source` tokens made of the embedding and as many learned ones as the prefix has.
    Transformer {
        /// Tokens made of the embedding.
        n_source: usize,
        /// Transformer blocks.
        n_layers: usize,
        /// Heads of the attention.
        n_heads: usize,
    },
}

/// The geometry of a captioner: our own `config.json`; for published files it is read off the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaptionerConfig {
    /// Width of the picture's embedding.
    pub d_image: usize,
    /// Tokens made of it.
    pub n_prefix: usize,
    /// How.
    pub mapper: MapperConfig,
    /// The language model.
    pub gpt2: Gpt2Config,
}

/// A mapper and a language model.
#[derive(Module, Debug)]
pub struct Captioner {
    perceptron: Option<Perceptron>,
    transformer: Option<Mapper>,
    gpt: Gpt2,
    n_prefix: usize,
    d_image: usize,
}

#[derive(Module, Debug)]
struct Perceptron {
    fc1: Linear,
    fc2: Linear,
}

#[derive(Module, Debug)]
struct Mapper {
    linear: Linear,
    prefix_const: Param<Tensor<2>>,
    layers: Vec<Block>,
    n_source: usize,
}

impl Captioner {
    /// A fresh one. An error where the geometry can't be built.
    pub fn new(config: &CaptionerConfig, device: &Device) -> Result<Self> {
        let gpt = Gpt2::new(&config.gpt2, device)?;
        let (width, n) = (config.gpt2.n_embd, config.n_prefix);
        let (mut perceptron, mut transformer) = (None, None);
        match config.mapper {
            MapperConfig::Perceptron => {
                let middle = width * n / 2;
                perceptron = Some(Perceptron {
                    fc1: linear(config.d_image, middle, true, device),
                    fc2: linear(middle, width * n, true, device),
                });
            }
            MapperConfig::Transformer {
                n_source,
                n_layers,
                n_heads,
            } => {
                if n_heads == 0 || !width.is_multiple_of(n_heads) {
                    return Err(Error::data(format!(
                        "a mapper of width {width} can't have {n_heads} heads"
                    )));
                }
                let block = BlockConfig {
                    width,
                    n_heads,
                    hidden: 2 * width,
                    activation: Activation::Relu,
                    epsilon: 1e-5,
                    bias: false,
                    norm_first: true,
                    layer_scale: false,
                    chunk: None,
                };
                transformer = Some(Mapper {
                    linear: linear(config.d_image, n_source * width, true, device),
                    prefix_const: Initializer::Normal {
                        mean: 0.0,
                        std: 1.0,
                    }
                    .init([n, width], device),
                    layers: (0..n_layers).map(|_| block.init(device)).collect(),
                    n_source,
                });
            }
        }
        Ok(Self {
            perceptron,
            transformer,
            gpt,
            n_prefix: n,
            d_image: config.d_image,
        })
    }

    /// The prefix of pictures `[batch, d_image]`: `[batch, n_prefix, width]`. An error for embeddings of another
    /// width.
    pub fn prefix(&self, images: Tensor<2>) -> Result<Tensor<3>> {
        let [batch, d_image] = images.dims();
        if d_image != self.d_image {
            return Err(Error::data(format!(
                "this captioner reads embeddings of width {}, not {d_image}: use the image model it was trained with",
                self.d_image
            )));
        }
        if let Some(mapper) = &self.transformer {
            return Ok(mapper.forward(images));
        }
        let Some(Perceptron { fc1, fc2 }) = &self.perceptron else {
            return Err(Error::data("a captioner without a mapper"));
        };
        let flat = fc2.forward(tanh(fc1.forward(images)));
        let [_, width] = flat.dims();
        Ok(flat.reshape([batch, self.n_prefix, width / self.n_prefix.max(1)]))
    }

    /// The scores of what follows each of a text's tokens behind the prefix: `[batch, n_prefix + tokens, vocabulary]`.
    pub fn forward(&self, images: Tensor<2>, texts: &[Vec<u32>]) -> Result<Tensor<3>> {
        let text = self.gpt.embed(texts)?;
        let all = Tensor::cat(vec![self.prefix(images)?, text], 1);
        self.gpt.forward(all, &mut Past::default())
    }

    /// The `width` likeliest captions of one picture (`[1, d_image]`), of at most `n_max` tokens, ending at any of
    /// `stops` (the full stop in the published models).
    pub fn captions(
        &self,
        image: Tensor<2>,
        width: usize,
        n_max: usize,
        stops: &[u32],
        run: &Run<'_>,
    ) -> Result<Vec<Text>, Stop> {
        let mut past = Past::default();
        let first = self.gpt.last(self.prefix(image)?, &mut past)?;
        let first = first.into_iter().next().unwrap_or_default();
        beam(&first, width, n_max, stops, run, |parents, newest| {
            past = past.select(parents);
            let rows: Vec<Vec<u32>> = newest.iter().map(|&id| vec![id]).collect();
            Ok(self.gpt.last(self.gpt.embed(&rows)?, &mut past)?)
        })
    }
}

impl Mapper {
    fn forward(&self, images: Tensor<2>) -> Tensor<3> {
        let [batch, _] = images.dims();
        let [n_prefix, width] = self.prefix_const.dims();
        let source = self
            .linear
            .forward(images)
            .reshape([batch, self.n_source, width]);
        let learned = self
            .prefix_const
            .val()
            .unsqueeze::<3>()
            .expand([batch, n_prefix, width]);
        let x = Tensor::cat(vec![source, learned], 1);
        let x = self
            .layers
            .iter()
            .fold(x, |x, block| block.forward(x, false));
        x.narrow(1, self.n_source, n_prefix)
    }
}

/// A captioner: a folder of ours with its configuration, or a file of weights as published.
pub fn load_captioner(path: &Path, dtype: DType, device: &Device) -> Result<Captioner> {
    let checkpoint = names(&Checkpoint::open(path)?);
    let config = if path.join("config.json").exists() {
        config(path, "config.json")?
    } else {
        geometry(&checkpoint)?
    };
    checkpoint.fill(Captioner::new(&config, device)?, dtype)
}

/// Heads of the published mappers.
const MAPPER_HEADS: usize = 8;
/// Width of a head of GPT-2.
const HEAD_WIDTH: usize = 64;

/// The geometry that shapes and names tell.
fn geometry(checkpoint: &Checkpoint) -> Result<CaptionerConfig> {
    let shape = |name: &str| checkpoint.shape(name);
    let layers = |prefix: &str| {
        (0..)
            .take_while(|at| checkpoint.has_below(&format!("{prefix}{at}.")))
            .count()
    };
    let read = || {
        let [n_ids, width] = *shape("gpt.token_embedding.weight")?.as_slice() else {
            return None;
        };
        let [n_positions, _] = *shape("gpt.position_embedding")?.as_slice() else {
            return None;
        };
        let (d_image, n_prefix, mapper) = if let Some(first) = shape("perceptron.fc1.weight") {
            let all = *shape("perceptron.fc2.weight")?.first()?;
            (*first.get(1)?, all / width.max(1), MapperConfig::Perceptron)
        } else {
            let first = shape("transformer.linear.weight")?;
            let mapper = MapperConfig::Transformer {
                n_source: first.first()? / width.max(1),
                n_layers: layers("transformer.layers."),
                n_heads: MAPPER_HEADS,
            };
            (
                *first.get(1)?,
                *shape("transformer.prefix_const")?.first()?,
                mapper,
            )
        };
        Some(CaptionerConfig {
            d_image,
            n_prefix,
            mapper,
            gpt2: Gpt2Config {
                vocab_size: n_ids,
                n_positions,
                n_embd: width,
                n_layer: layers("gpt.layers."),
                n_head: (width / HEAD_WIDTH).max(1),
                ..Gpt2Config::default()
            },
        })
    };
    read().ok_or_else(|| {
        Error::file(
            checkpoint.path(),
            "these aren't the weights of a CLIPCap captioner: they should hold gpt.* and clip_project.*",
        )
    })
}

/// Names of the original, `gpt.` and `clip_project.`; ours stay as they are.
fn names(checkpoint: &Checkpoint) -> Checkpoint {
    let gpt = gpt2::names(checkpoint.within("gpt.")).renamed(|name| Some(format!("gpt.{name}")));
    let mapper = checkpoint
        .clone()
        .renamed(|name| {
            if name.starts_with("gpt.") {
                return None;
            }
            let Some(name) = name.strip_prefix("clip_project.") else {
                return Some(name.to_owned());
            };
            if let Some(rest) = name.strip_prefix("model.0.") {
                return Some(format!("perceptron.fc1.{rest}"));
            }
            if let Some(rest) = name.strip_prefix("model.2.") {
                return Some(format!("perceptron.fc2.{rest}"));
            }
            let name = name.strip_prefix("transformer.").unwrap_or(name);
            Some(format!(
                "transformer.{}",
                name.replace(".attn.to_queries.", ".attn.q.")
                    .replace(".attn.to_keys_values.", ".attn.kv.")
                    .replace(".attn.project.", ".attn.out.")
            ))
        })
        .split_rows(".kv.", &[".k.", ".v."]);
    gpt.joined(mapper)
}
