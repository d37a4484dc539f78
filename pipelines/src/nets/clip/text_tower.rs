//! The text tower: ids of a caption in, an embedding and one token a position out.

use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Initializer, LayerNorm, Linear};
use burn::tensor::{Device, Int, Tensor};

use super::config::TextConfig;
use super::image_tower::unit;
use crate::nets::blocks::{Block, ids, layer_norm, linear};
use crate::{Error, Result};

/// What early configurations of transformers say where the end is the greatest id.
const GREATEST: u32 = 2;

/// Which view of a text a decoder or generator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextSpace {
    /// The token of the text's end, normed and projected: `[1, projection]`.
    Embedding,
    /// The same at length one.
    UnitEmbedding,
    /// All tokens after the last norm: `[positions, width]`. What Stable Diffusion 1 is conditioned on.
    NormedTokens,
    /// All tokens after the last block but one and the last norm: what Stable Diffusion 2 is conditioned on.
    PenultimateNormed,
    /// All tokens after the last block but one, as they are: what SDXL is conditioned on.
    Penultimate,
    /// All normed tokens through the projection, divided by the length of the embedding: Versatile Diffusion.
    VersatileDiffusion,
}

/// Everything a text tower says of a batch of texts.
#[derive(Clone, Debug)]
pub struct TextViews {
    /// Tokens before the last block, `[batch, positions, width]`.
    pub penultimate: Tensor<3>,
    /// Tokens of the last block after the last norm.
    pub normed: Tensor<3>,
    /// The token of the end through the projection (or without, where there is none): `[batch, projection]`.
    pub embedding: Tensor<2>,
}

/// A causal transformer over the ids of a text.
#[derive(Module, Debug)]
pub struct TextTower {
    token_embedding: Embedding,
    position_embedding: Param<Tensor<2>>,
    layers: Vec<Block>,
    final_norm: LayerNorm,
    projection: Option<Linear>,
    #[module(skip)]
    end: Option<u32>,
    n_ids: usize,
    n_positions: usize,
}

impl TextTower {
    /// A fresh one; `projected` says whether the embedding is projected.
    pub fn new(config: &TextConfig, projected: bool, device: &Device) -> Self {
        let width = config.hidden_size;
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        Self {
            token_embedding: EmbeddingConfig::new(config.vocab_size, width)
                .with_initializer(small.clone())
                .init(device),
            position_embedding: small.init([config.max_position_embeddings, width], device),
            layers: (0..config.num_hidden_layers)
                .map(|_| config.block().init(device))
                .collect(),
            final_norm: layer_norm(width, config.layer_norm_eps, device),
            projection: projected.then(|| linear(width, config.projection_dim, false, device)),
            end: config.eos_token_id.filter(|&id| id != GREATEST),
            n_ids: config.vocab_size,
            n_positions: config.max_position_embeddings,
        }
    }

    /// `texts` are ids, all rows of one length (padding included). An error where an id or the length is beyond
    /// what the tower knows, or rows differ in length.
    pub fn forward(&self, texts: &[Vec<u32>]) -> Result<TextViews> {
        let n = texts.first().map_or(0, Vec::len);
        if n == 0 || n > self.n_positions || texts.iter().any(|t| t.len() != n) {
            return Err(Error::data(format!(
                "texts must have one to {} tokens, all as many: pad or cut them with the model's tokenizer",
                self.n_positions
            )));
        }
        if let Some(id) = texts
            .iter()
            .flatten()
            .find(|&&id| id as usize >= self.n_ids)
        {
            return Err(Error::data(format!(
                "token {id} is beyond the {} this text tower knows: use the tokenizer published with it",
                self.n_ids
            )));
        }
        let device = self.position_embedding.device();
        let ends: Vec<u32> = texts.iter().map(|text| self.end_of(text)).collect();
        Ok(self.run(ids(texts, &device), &ends))
    }

    /// Where the text ends: at the first token of the end, else at the first of the greatest id.
    fn end_of(&self, text: &[u32]) -> u32 {
        let first = |wanted: u32| text.iter().position(|&id| id == wanted);
        let greatest = text.iter().copied().max().unwrap_or(0);
        self.end
            .map_or_else(|| first(greatest), |end| first(end).or(Some(0)))
            .unwrap_or(0) as u32
    }

    fn run(&self, texts: Tensor<2, Int>, ends: &[u32]) -> TextViews {
        let [batch, n] = texts.dims();
        let positions = self.position_embedding.val().narrow(0, 0, n);
        let mut x = self.token_embedding.forward(texts) + positions.unsqueeze::<3>();
        let mut penultimate = x.clone();
        for (at, block) in self.layers.iter().enumerate() {
            if at + 1 == self.layers.len() {
                penultimate = x.clone();
            }
            x = block.forward(x, true);
        }
        let normed = self.final_norm.forward(x);
        let [_, _, width] = normed.dims();
        let ended = ends
            .iter()
            .enumerate()
            .map(|(text, &end)| normed.clone().narrow(0, text, 1).narrow(1, end as usize, 1))
            .collect();
        let ended: Tensor<2> = Tensor::cat(ended, 0).reshape([batch, width]);
        TextViews {
            penultimate,
            embedding: self.project(ended),
            normed,
        }
    }

    /// One view of a batch: `[batch, positions or 1, width or projection]`.
    pub fn view(&self, views: &TextViews, space: TextSpace) -> Tensor<3> {
        match space {
            TextSpace::Embedding => views.embedding.clone().unsqueeze_dim(1),
            TextSpace::UnitEmbedding => unit(views.embedding.clone().unsqueeze_dim(1)),
            TextSpace::NormedTokens => views.normed.clone(),
            TextSpace::Penultimate => views.penultimate.clone(),
            TextSpace::PenultimateNormed => self.final_norm.forward(views.penultimate.clone()),
            TextSpace::VersatileDiffusion => {
                let length = views.embedding.clone().square().sum_dim(1).sqrt();
                self.project(views.normed.clone()) / length.unsqueeze_dim(2)
            }
        }
    }

    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.projection {
            Some(projection) => projection.forward(x),
            None => x,
        }
    }
}
