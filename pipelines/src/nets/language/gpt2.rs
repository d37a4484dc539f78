//! GPT-2 (Radford et al. 2019), with a memory of the tokens before.

use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::nets::blocks::{Activation, Block, BlockConfig, ids, layer_norm};
use crate::nets::weights::{Checkpoint, config};
use crate::{Error, Result};

/// `config.json` of GPT-2. What a file leaves out is that of the smallest published one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gpt2Config {
    /// Ids of the tokenizer.
    pub vocab_size: usize,
    /// Most tokens of a text, the prefix included.
    pub n_positions: usize,
    /// Width of a token.
    pub n_embd: usize,
    /// Transformer blocks.
    pub n_layer: usize,
    /// Heads of the attention.
    pub n_head: usize,
    /// Width inside the perceptrons; four times the token's where there is none.
    pub n_inner: Option<usize>,
    /// Activation inside the perceptrons.
    pub activation_function: Activation,
    /// Added to variances.
    pub layer_norm_epsilon: f64,
}

impl Default for Gpt2Config {
    fn default() -> Self {
        Self {
            vocab_size: 50257,
            n_positions: 1024,
            n_embd: 768,
            n_layer: 12,
            n_head: 12,
            n_inner: None,
            activation_function: Activation::GeluTanh,
            layer_norm_epsilon: 1e-5,
        }
    }
}

impl Gpt2Config {
    pub(super) fn check(&self) -> Result<()> {
        if self.n_head > 0 && self.n_embd.is_multiple_of(self.n_head) && self.vocab_size > 0 {
            return Ok(());
        }
        Err(Error::data(format!(
            "a GPT-2 of width {} with {} heads can't be built: check its config.json",
            self.n_embd, self.n_head
        )))
    }
}

/// Keys and values of the tokens before, one pair a block.
#[derive(Clone, Debug, Default)]
pub struct Past {
    pub(super) layers: Vec<Option<(Tensor<4>, Tensor<4>)>>,
    pub(super) n_tokens: usize,
}

impl Past {
    /// The memories of texts that continue those at `parents`.
    pub fn select(&self, parents: &[usize]) -> Self {
        let layers = self
            .layers
            .iter()
            .map(|pair| {
                pair.as_ref().map(|(k, v)| {
                    let rows: Vec<i32> = parents.iter().map(|&p| p as i32).collect();
                    let rows: Tensor<1, Int> =
                        Tensor::from_data(TensorData::new(rows, [parents.len()]), &k.device());
                    (k.clone().select(0, rows.clone()), v.clone().select(0, rows))
                })
            })
            .collect();
        Self {
            layers,
            n_tokens: self.n_tokens,
        }
    }
}

/// A causal transformer whose last layer is its table of tokens.
#[derive(Module, Debug)]
pub struct Gpt2 {
    token_embedding: Embedding,
    position_embedding: Param<Tensor<2>>,
    layers: Vec<Block>,
    final_norm: LayerNorm,
    n_ids: usize,
    n_positions: usize,
}

impl Gpt2 {
    /// A fresh one. An error where the geometry can't be built.
    pub fn new(config: &Gpt2Config, device: &Device) -> Result<Self> {
        config.check()?;
        let width = config.n_embd;
        let block = BlockConfig {
            width,
            n_heads: config.n_head,
            hidden: config.n_inner.unwrap_or(4 * width),
            activation: config.activation_function,
            epsilon: config.layer_norm_epsilon,
            bias: true,
            norm_first: true,
            layer_scale: false,
            chunk: None,
        };
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        Ok(Self {
            token_embedding: EmbeddingConfig::new(config.vocab_size, width)
                .with_initializer(small.clone())
                .init(device),
            position_embedding: small.init([config.n_positions, width], device),
            layers: (0..config.n_layer).map(|_| block.init(device)).collect(),
            final_norm: layer_norm(width, config.layer_norm_epsilon, device),
            n_ids: config.vocab_size,
            n_positions: config.n_positions,
        })
    }

    /// The embeddings of texts, all rows of one length: `[texts, tokens, width]`. An error where an id is beyond the
    /// vocabulary.
    pub fn embed(&self, texts: &[Vec<u32>]) -> Result<Tensor<3>> {
        if let Some(id) = texts
            .iter()
            .flatten()
            .find(|&&id| id as usize >= self.n_ids)
        {
            return Err(Error::data(format!(
                "token {id} is beyond the {} this language model knows: use the tokenizer published with it",
                self.n_ids
            )));
        }
        let n = texts.first().map_or(0, Vec::len);
        if texts.iter().any(|text| text.len() != n) {
            return Err(Error::data("texts of one batch must have as many tokens"));
        }
        let device = self.position_embedding.device();
        Ok(self.token_embedding.forward(ids(texts, &device)))
    }

    /// The scores of what follows every token, `[texts, tokens, vocabulary]`, of a prefix or of embedded tokens that
    /// come after those in `past`. An error where the text becomes too long.
    pub fn forward(&self, embeddings: Tensor<3>, past: &mut Past) -> Result<Tensor<3>> {
        let hidden = self.hidden(embeddings, past)?;
        Ok(self.scores(hidden))
    }

    /// As [`Self::forward`], for the last token alone: one row a text.
    pub fn last(&self, embeddings: Tensor<3>, past: &mut Past) -> Result<Vec<Vec<f32>>> {
        let hidden = self.hidden(embeddings, past)?;
        let [_, n, _] = hidden.dims();
        let scores = self.scores(hidden.narrow(1, n - 1, 1));
        Ok(rows(scores))
    }

    fn hidden(&self, embeddings: Tensor<3>, past: &mut Past) -> Result<Tensor<3>> {
        let [_, n, width] = embeddings.dims();
        let [_, wanted] = self.position_embedding.dims();
        let end = past.n_tokens + n;
        if n == 0 || width != wanted || end > self.n_positions {
            return Err(Error::data(format!(
                "{end} tokens of width {width} don't fit a language model of {} of width {wanted}: shorten the text",
                self.n_positions
            )));
        }
        let positions = self.position_embedding.val().narrow(0, past.n_tokens, n);
        past.layers.resize(self.layers.len(), None);
        let mut x = embeddings + positions.unsqueeze::<3>();
        for (block, cache) in self.layers.iter().zip(&mut past.layers) {
            x = block.forward_cached(x, cache, true);
        }
        past.n_tokens = end;
        Ok(self.final_norm.forward(x))
    }

    fn scores(&self, hidden: Tensor<3>) -> Tensor<3> {
        let table = self.token_embedding.weight.val().transpose();
        hidden.matmul(table.unsqueeze::<3>())
    }
}

/// Scores `[texts, 1, vocabulary]` on the host.
pub(super) fn rows(scores: Tensor<3>) -> Vec<Vec<f32>> {
    let [n, _, n_ids] = scores.dims();
    let flat: Vec<f32> = scores.into_data().iter::<f32>().collect();
    flat.chunks(n_ids.max(1))
        .take(n)
        .map(<[f32]>::to_vec)
        .collect()
}

/// GPT-2 as published by transformers.
pub fn load_gpt2(folder: &Path, dtype: DType, device: &Device) -> Result<Gpt2> {
    let config: Gpt2Config = config(folder, "config.json")?;
    names(Checkpoint::open(folder)?).fill(Gpt2::new(&config, device)?, dtype)
}

/// Names of transformers, which keeps queries, keys and values in one tensor and its matrices the other way round.
/// What has other names is left as it is.
pub(super) fn names(checkpoint: Checkpoint) -> Checkpoint {
    if !checkpoint.has("wte.weight") && !checkpoint.has("transformer.wte.weight") {
        return checkpoint;
    }
    checkpoint
        .renamed(|name| {
            let name = name.strip_prefix("transformer.").unwrap_or(name);
            let name = match name.strip_prefix("h.") {
                Some(block) => format!("layers.{block}"),
                None => name.to_owned(),
            };
            match name.as_str() {
                "wte.weight" => Some("token_embedding.weight".into()),
                "wpe.weight" => Some("position_embedding".into()),
                "lm_head.weight" => None,
                _ if name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") => None,
                _ => Some(
                    name.replace("ln_f.", "final_norm.")
                        .replace(".ln_1.", ".norm1.")
                        .replace(".ln_2.", ".norm2.")
                        .replace(".attn.c_attn.", ".attn.fused.")
                        .replace(".attn.c_proj.", ".attn.out.")
                        .replace(".mlp.c_fc.", ".mlp.fc1.")
                        .replace(".mlp.c_proj.", ".mlp.fc2."),
                ),
            }
        })
        .transposed(|name| name.contains(".attn.") || name.contains(".mlp."))
        .split_rows(".fused.", &[".q.", ".k.", ".v."])
}
