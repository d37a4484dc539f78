//! The geometry of a CLIP model, from `config.json` of transformers or `open_clip_config.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::nets::blocks::{Activation, BlockConfig};
use crate::nets::weights;
use crate::{Error, Result};

/// The image tower. What a file leaves out is that of ViT-B/32, as in transformers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// Width of a token.
    pub hidden_size: usize,
    /// Width inside the perceptrons.
    pub intermediate_size: usize,
    /// Transformer blocks.
    pub num_hidden_layers: usize,
    /// Heads of the attention.
    pub num_attention_heads: usize,
    /// Channels of a picture.
    pub num_channels: usize,
    /// Side of a picture in pixels.
    pub image_size: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Activation inside the perceptrons.
    pub hidden_act: Activation,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// Width of the embedding.
    pub projection_dim: usize,
    /// Queries of the attention computed at once; not in published files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_chunk: Option<usize>,
}

impl Default for ImageConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            projection_dim: 512,
            attention_chunk: None,
        }
    }
}

impl ImageConfig {
    /// Tokens of a picture: its patches and the class token before them.
    pub fn n_tokens(&self) -> usize {
        let side = self.image_size / self.patch_size.max(1);
        side * side + 1
    }

    pub(super) fn block(&self) -> BlockConfig {
        BlockConfig {
            width: self.hidden_size,
            n_heads: self.num_attention_heads,
            hidden: self.intermediate_size,
            activation: self.hidden_act,
            epsilon: self.layer_norm_eps,
            bias: true,
            norm_first: true,
            layer_scale: false,
            chunk: self.attention_chunk,
        }
    }

    fn check(&self) -> Result<()> {
        let whole = self.patch_size > 0
            && self.image_size >= self.patch_size
            && self.num_attention_heads > 0
            && self.hidden_size.is_multiple_of(self.num_attention_heads);
        if whole {
            return Ok(());
        }
        Err(Error::data(format!(
            "a CLIP image tower of width {} with {} heads on {} px in patches of {} px can't be built: check its config.json",
            self.hidden_size, self.num_attention_heads, self.image_size, self.patch_size
        )))
    }
}

/// The text tower. What a file leaves out is that of ViT-B/32, as in transformers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextConfig {
    /// Ids of the tokenizer.
    pub vocab_size: usize,
    /// Width of a token.
    pub hidden_size: usize,
    /// Width inside the perceptrons.
    pub intermediate_size: usize,
    /// Transformer blocks.
    pub num_hidden_layers: usize,
    /// Heads of the attention.
    pub num_attention_heads: usize,
    /// Tokens of a text, padding included.
    pub max_position_embeddings: usize,
    /// Activation inside the perceptrons.
    pub hidden_act: Activation,
    /// Added to variances.
    pub layer_norm_eps: f64,
    /// Width of the embedding.
    pub projection_dim: usize,
    /// Id of the end of the text, whose token is the pooled one. In early files 2, which stands for the greatest id.
    pub eos_token_id: Option<u32>,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            projection_dim: 512,
            eos_token_id: Some(49407),
        }
    }
}

impl TextConfig {
    pub(super) fn block(&self) -> BlockConfig {
        BlockConfig {
            width: self.hidden_size,
            n_heads: self.num_attention_heads,
            hidden: self.intermediate_size,
            activation: self.hidden_act,
            epsilon: self.layer_norm_eps,
            bias: true,
            norm_first: true,
            layer_scale: false,
            chunk: None,
        }
    }

    fn check(&self) -> Result<()> {
        if self.num_attention_heads > 0 && self.hidden_size.is_multiple_of(self.num_attention_heads)
        {
            return Ok(());
        }
        Err(Error::data(format!(
            "a CLIP text tower of width {} can't have {} heads: check its config.json",
            self.hidden_size, self.num_attention_heads
        )))
    }
}

/// Both towers, as far as the files have them.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipConfig {
    /// The image tower.
    pub image: Option<ImageConfig>,
    /// The text tower.
    pub text: Option<TextConfig>,
}

/// `config.json` of transformers, of a whole model or of one tower.
#[derive(Deserialize)]
struct Transformers {
    model_type: Option<String>,
    projection_dim: Option<usize>,
    vision_config: Option<serde_json::Value>,
    text_config: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct OpenClip {
    model_cfg: OpenClipModel,
}

#[derive(Deserialize)]
struct OpenClipModel {
    embed_dim: usize,
    #[serde(default)]
    quick_gelu: bool,
    vision_cfg: OpenClipVision,
    text_cfg: OpenClipText,
}

#[derive(Deserialize)]
struct OpenClipVision {
    image_size: usize,
    layers: usize,
    width: usize,
    patch_size: usize,
    #[serde(default = "head_width")]
    head_width: usize,
    #[serde(default = "mlp_ratio")]
    mlp_ratio: f64,
}

#[derive(Deserialize)]
struct OpenClipText {
    context_length: usize,
    vocab_size: usize,
    width: usize,
    heads: usize,
    layers: usize,
}

fn head_width() -> usize {
    64
}

fn mlp_ratio() -> f64 {
    4.0
}

impl ClipConfig {
    /// Reads the configuration beside the weights.
    pub fn read(folder: &Path) -> Result<Self> {
        let config = if folder.join("open_clip_config.json").exists() {
            Self::from_open_clip(&weights::config(folder, "open_clip_config.json")?)
        } else {
            Self::from_transformers(folder, &weights::config(folder, "config.json")?)?
        };
        config.check()?;
        Ok(config)
    }

    /// Refuses a geometry that can't be built.
    pub fn check(&self) -> Result<()> {
        self.image.as_ref().map_or(Ok(()), ImageConfig::check)?;
        self.text.as_ref().map_or(Ok(()), TextConfig::check)
    }

    fn from_open_clip(file: &OpenClip) -> Self {
        let OpenClipModel {
            embed_dim,
            quick_gelu,
            vision_cfg: vision,
            text_cfg: text,
        } = &file.model_cfg;
        let act = if *quick_gelu {
            Activation::QuickGelu
        } else {
            Activation::Gelu
        };
        Self {
            image: Some(ImageConfig {
                hidden_size: vision.width,
                intermediate_size: (vision.width as f64 * vision.mlp_ratio) as usize,
                num_hidden_layers: vision.layers,
                num_attention_heads: vision.width / vision.head_width.max(1),
                num_channels: 3,
                image_size: vision.image_size,
                patch_size: vision.patch_size,
                hidden_act: act,
                layer_norm_eps: 1e-5,
                projection_dim: *embed_dim,
                attention_chunk: None,
            }),
            text: Some(TextConfig {
                vocab_size: text.vocab_size,
                hidden_size: text.width,
                intermediate_size: text.width * 4,
                num_hidden_layers: text.layers,
                num_attention_heads: text.heads,
                max_position_embeddings: text.context_length,
                hidden_act: act,
                layer_norm_eps: 1e-5,
                projection_dim: *embed_dim,
                eos_token_id: None,
            }),
        }
    }

    fn from_transformers(folder: &Path, whole: &serde_json::Value) -> Result<Self> {
        let wrong = |e: serde_json::Error| {
            Error::file(
                folder.join("config.json"),
                format!(
                    "not the configuration of a CLIP model ({e}): take the file published with the weights"
                ),
            )
        };
        let file: Transformers = serde_json::from_value(whole.clone()).map_err(wrong)?;
        let kind = file.model_type.as_deref().unwrap_or("clip");
        let (vision, text) = match kind {
            "clip" => (
                Some(file.vision_config.unwrap_or(serde_json::json!({}))),
                Some(file.text_config.unwrap_or(serde_json::json!({}))),
            ),
            "clip_vision_model" => (Some(whole.clone()), None),
            "clip_text_model" => (None, Some(whole.clone())),
            other => {
                return Err(Error::file(
                    folder,
                    format!(
                        "this is a model of type “{other}”, not CLIP: give the folder of a CLIP model"
                    ),
                ));
            }
        };
        let mut image: Option<ImageConfig> = vision
            .map(serde_json::from_value)
            .transpose()
            .map_err(wrong)?;
        let mut text: Option<TextConfig> = text
            .map(serde_json::from_value)
            .transpose()
            .map_err(wrong)?;
        if let (Some(width), "clip") = (file.projection_dim, kind) {
            if let Some(image) = &mut image {
                image.projection_dim = width;
            }
            if let Some(text) = &mut text {
                text.projection_dim = width;
            }
        }
        Ok(Self { image, text })
    }
}
