//! The image tower: a picture in, an embedding and one token a patch out.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, LayerNorm, Linear};
use burn::tensor::{Device, Tensor};

use super::config::ImageConfig;
use crate::nets::blocks::{Block, layer_norm, linear};

/// Which view of a picture a decoder means. The published decoders each use one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSpace {
    /// The class token, normed and projected: `[1, projection]`. What CLIP compares, before its length is taken out.
    Embedding,
    /// The same at length one.
    UnitEmbedding,
    /// All tokens as the last block leaves them: `[tokens, width]`.
    Tokens,
    /// All tokens after the last norm: `[tokens, width]`. Without the first of them, the tokens of OpenCLIP bigG that
    /// MindEye2 decodes.
    NormedTokens,
    /// Only the patches of those: `[tokens − 1, width]`.
    NormedPatches,
    /// All tokens after the last norm and the projection: `[tokens, projection]`.
    ProjectedTokens,
    /// Those divided by the length of the first: what Versatile Diffusion is conditioned on, and what Brain-Diffuser
    /// and MindEye decode (257 × 768 for ViT-L/14).
    VersatileDiffusion,
}

/// Everything an image tower says of a batch of pictures.
#[derive(Clone, Debug)]
pub struct ImageViews {
    /// Tokens of the last block, `[batch, tokens, width]`, class token first.
    pub tokens: Tensor<3>,
    /// The same after the last norm.
    pub normed: Tensor<3>,
    /// The normed class token through the projection (or without, where there is none): `[batch, projection]`.
    pub embedding: Tensor<2>,
}

/// A vision transformer with a class token.
#[derive(Module, Debug)]
pub struct ImageTower {
    class_embedding: Param<Tensor<1>>,
    patch_embedding: Conv2d,
    position_embedding: Param<Tensor<2>>,
    pre_norm: LayerNorm,
    layers: Vec<Block>,
    post_norm: LayerNorm,
    projection: Option<Linear>,
}

impl ImageTower {
    /// A fresh one; `projected` says whether the embedding is projected.
    pub fn new(config: &ImageConfig, projected: bool, device: &Device) -> Self {
        let width = config.hidden_size;
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.02,
        };
        Self {
            class_embedding: small.init([width], device),
            patch_embedding: Conv2dConfig::new(
                [config.num_channels, width],
                [config.patch_size; 2],
            )
            .with_stride([config.patch_size; 2])
            .with_bias(false)
            .init(device),
            position_embedding: small.init([config.n_tokens(), width], device),
            pre_norm: layer_norm(width, config.layer_norm_eps, device),
            layers: (0..config.num_hidden_layers)
                .map(|_| config.block().init(device))
                .collect(),
            post_norm: layer_norm(width, config.layer_norm_eps, device),
            projection: projected.then(|| linear(width, config.projection_dim, false, device)),
        }
    }

    /// `pixels` are normalised pictures `[batch, channels, side, side]`.
    pub fn forward(&self, pixels: Tensor<4>) -> ImageViews {
        let patches: Tensor<3> = self.patch_embedding.forward(pixels).flatten(2, 3);
        let patches = patches.swap_dims(1, 2);
        let [batch, _, width] = patches.dims();
        let class = self
            .class_embedding
            .val()
            .unsqueeze::<3>()
            .expand([batch, 1, width]);
        let x =
            Tensor::cat(vec![class, patches], 1) + self.position_embedding.val().unsqueeze::<3>();
        let tokens = self
            .layers
            .iter()
            .fold(self.pre_norm.forward(x), |x, block| block.forward(x, false));
        let normed = self.post_norm.forward(tokens.clone());
        let class = normed.clone().narrow(1, 0, 1).reshape([batch, width]);
        ImageViews {
            tokens,
            normed,
            embedding: self.project(class),
        }
    }

    /// One view of a batch: `[batch, tokens or 1, width or projection]`.
    pub fn view(&self, views: &ImageViews, space: ImageSpace) -> Tensor<3> {
        match space {
            ImageSpace::Embedding => views.embedding.clone().unsqueeze_dim(1),
            ImageSpace::UnitEmbedding => unit(views.embedding.clone().unsqueeze_dim(1)),
            ImageSpace::Tokens => views.tokens.clone(),
            ImageSpace::NormedTokens => views.normed.clone(),
            ImageSpace::NormedPatches => {
                let [_, n, _] = views.normed.dims();
                views.normed.clone().narrow(1, 1, n - 1)
            }
            ImageSpace::ProjectedTokens => self.project(views.normed.clone()),
            ImageSpace::VersatileDiffusion => {
                let all = self.project(views.normed.clone());
                let first = all.clone().narrow(1, 0, 1);
                all / first.square().sum_dim(2).sqrt()
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

/// Each row divided by its length.
pub(super) fn unit(x: Tensor<3>) -> Tensor<3> {
    let length = x.clone().square().sum_dim(2).sqrt().clamp_min(1e-12);
    x / length
}
