//! GIT (Wang et al. 2022): a text decoder that reads a picture's tokens before the text.

use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, Linear};
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use super::generate::{Text, beam};
use super::gpt2::{Past, rows};
use crate::nets::blocks::{Activation, Block, BlockConfig, ids, layer_norm, linear};
use crate::nets::clip::{ImageConfig, ImageTower, load_image_tower_of};
use crate::nets::weights::{Checkpoint, config};
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// `config.json` of GIT. What a file leaves out is that of the base model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitConfig {
    /// The picture's tower.
    pub vision_config: ImageConfig,
    /// Ids of the tokenizer.
    pub vocab_size: usize,
    /// Width of a token.
    pub hidden_size: usize,
    /// Transformer blocks.
    pub num_hidden_layers: usize,
    /// Heads of the attention.
    pub num_attention_heads: usize,
    /// Width inside the perceptrons.
    pub intermediate_size: usize,
    /// Activation inside the perceptrons.
    pub hidden_act: Activation,
    /// Most tokens of a text.
    pub max_position_embeddings: usize,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// The token before a text.
    pub bos_token_id: u32,
    /// The token after a text.
    pub eos_token_id: u32,
}

impl Default for GitConfig {
    fn default() -> Self {
        Self {
            vision_config: ImageConfig {
                patch_size: 16,
                ..ImageConfig::default()
            },
            vocab_size: 30522,
            hidden_size: 768,
            num_hidden_layers: 6,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: Activation::Gelu,
            max_position_embeddings: 1024,
            layer_norm_eps: 1e-12,
            bos_token_id: 101,
            eos_token_id: 102,
        }
    }
}

/// The text decoder. Pictures come as tokens of an image tower, which may be decoded ones.
#[derive(Module, Debug)]
pub struct Git {
    image_projection: Linear,
    image_norm: LayerNorm,
    token_embedding: Embedding,
    position_embedding: Param<Tensor<2>>,
    embedding_norm: LayerNorm,
    layers: Vec<Block>,
    output: Linear,
    #[module(skip)]
    begin: u32,
    #[module(skip)]
    end: u32,
    n_ids: usize,
    n_positions: usize,
}

impl Git {
    /// A fresh one. An error where the geometry can't be built.
    pub fn new(config: &GitConfig, device: &Device) -> Result<Self> {
        let width = config.hidden_size;
        let heads = config.num_attention_heads;
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(Error::data(format!(
                "a GIT of width {width} can't have {heads} heads: check its config.json"
            )));
        }
        let block = BlockConfig {
            width,
            n_heads: heads,
            hidden: config.intermediate_size,
            activation: config.hidden_act,
            epsilon: config.layer_norm_eps,
            bias: true,
            norm_first: false,
            layer_scale: false,
            chunk: None,
        };
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        Ok(Self {
            image_projection: linear(config.vision_config.hidden_size, width, true, device),
            image_norm: layer_norm(width, config.vision_config.layer_norm_eps, device),
            token_embedding: EmbeddingConfig::new(config.vocab_size, width)
                .with_initializer(small.clone())
                .init(device),
            position_embedding: small.init([config.max_position_embeddings, width], device),
            embedding_norm: layer_norm(width, config.layer_norm_eps, device),
            layers: (0..config.num_hidden_layers)
                .map(|_| block.init(device))
                .collect(),
            output: linear(width, config.vocab_size, true, device),
            begin: config.bos_token_id,
            end: config.eos_token_id,
            n_ids: config.vocab_size,
            n_positions: config.max_position_embeddings,
        })
    }

    /// Reads pictures, `[batch, tokens, width of the tower]` after its last norm: what texts then look back on.
    pub fn read(&self, pictures: Tensor<3>) -> Result<Past> {
        let [_, _, width] = pictures.dims();
        let [wanted, _] = self.image_projection.weight.dims();
        if width != wanted {
            return Err(Error::data(format!(
                "this GIT reads picture tokens of width {wanted}, not {width}: use its own image tower"
            )));
        }
        let mut past = Past::default();
        let x = self
            .image_norm
            .forward(self.image_projection.forward(pictures));
        self.run(x, &mut past, false);
        // Positions are counted from the text's beginning.
        past.n_tokens = 0;
        Ok(past)
    }

    /// The scores of what follows every token, `[texts, tokens, vocabulary]`, of texts after a picture and the tokens
    /// in `past`.
    pub fn forward(&self, texts: &[Vec<u32>], past: &mut Past) -> Result<Tensor<3>> {
        let n = texts.first().map_or(0, Vec::len);
        let end = past.n_tokens + n;
        let known = texts.iter().flatten().all(|&id| (id as usize) < self.n_ids);
        if n == 0 || end > self.n_positions || texts.iter().any(|t| t.len() != n) || !known {
            return Err(Error::data(format!(
                "texts must have as many tokens each, of ids below {}, at most {} in all",
                self.n_ids, self.n_positions
            )));
        }
        let device = self.position_embedding.device();
        let positions = self.position_embedding.val().narrow(0, past.n_tokens, n);
        let x = self.token_embedding.forward(ids(texts, &device)) + positions.unsqueeze::<3>();
        past.n_tokens = end;
        let x = self.run(self.embedding_norm.forward(x), past, true);
        Ok(self.output.forward(x))
    }

    fn run(&self, mut x: Tensor<3>, past: &mut Past, causal: bool) -> Tensor<3> {
        past.layers.resize(self.layers.len(), None);
        for (block, cache) in self.layers.iter().zip(&mut past.layers) {
            x = block.forward_cached(x, cache, causal);
        }
        x
    }

    /// The `width` likeliest captions of one picture (`[1, tokens, width]`), of at most `n_max` tokens.
    pub fn captions(
        &self,
        picture: Tensor<3>,
        width: usize,
        n_max: usize,
        run: &Run<'_>,
    ) -> Result<Vec<Text>, Stop> {
        let mut past = self.read(picture)?;
        let first = rows(self.forward(&[vec![self.begin]], &mut past)?);
        let first = first.into_iter().next().unwrap_or_default();
        beam(&first, width, n_max, &[self.end], run, |parents, newest| {
            past = past.select(parents);
            let texts: Vec<Vec<u32>> = newest.iter().map(|&id| vec![id]).collect();
            Ok(rows(self.forward(&texts, &mut past)?))
        })
    }
}

/// GIT as published by transformers: its image tower and its text decoder.
pub fn load_git(folder: &Path, dtype: DType, device: &Device) -> Result<(ImageTower, Git)> {
    let config: GitConfig = config(folder, "config.json")?;
    let checkpoint = Checkpoint::open(folder)?;
    let tower = load_image_tower_of(
        &config.vision_config,
        checkpoint.within("git.image_encoder."),
        dtype,
        device,
    )?;
    let decoder = names(checkpoint).fill(Git::new(&config, device)?, dtype)?;
    Ok((tower, decoder))
}

fn names(checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.renamed(|name| {
        let Some(inner) = name.strip_prefix("git.") else {
            return Some(name.to_owned());
        };
        match inner {
            "embeddings.word_embeddings.weight" => Some("token_embedding.weight".into()),
            "embeddings.position_embeddings.weight" => Some("position_embedding".into()),
            "embeddings.position_ids" => None,
            _ if inner.starts_with("image_encoder.") => None,
            _ => Some(
                inner
                    .replace("embeddings.LayerNorm.", "embedding_norm.")
                    .replace(
                        "visual_projection.visual_projection.0.",
                        "image_projection.",
                    )
                    .replace("visual_projection.visual_projection.1.", "image_norm.")
                    .replace("encoder.layer.", "layers.")
                    .replace(".attention.self.query.", ".attn.q.")
                    .replace(".attention.self.key.", ".attn.k.")
                    .replace(".attention.self.value.", ".attn.v.")
                    .replace(".attention.output.dense.", ".attn.out.")
                    .replace(".attention.output.LayerNorm.", ".norm1.")
                    .replace(".intermediate.dense.", ".mlp.fc1.")
                    .replace(".output.dense.", ".mlp.fc2.")
                    .replace(".output.LayerNorm.", ".norm2."),
            ),
        }
    })
}
