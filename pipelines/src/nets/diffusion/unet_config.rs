//! The geometry of a UNet, from `config.json` of diffusers.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One value for all levels, or one a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerLevel {
    /// The same at every level.
    All(usize),
    /// From the largest size to the smallest.
    Each(Vec<usize>),
}

impl PerLevel {
    /// The value of a level.
    pub fn at(&self, level: usize) -> usize {
        match self {
            Self::All(value) => *value,
            Self::Each(values) => values.get(level).or(values.last()).copied().unwrap_or(0),
        }
    }
}

/// `config.json` of a UNet2DConditionModel. What a file leaves out is as in diffusers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnetConfig {
    /// Channels of a latent.
    pub in_channels: usize,
    /// Channels of the prediction.
    pub out_channels: usize,
    /// Whether the time's cosines come before its sines.
    pub flip_sin_to_cos: bool,
    /// Taken from the number of frequencies.
    pub freq_shift: f64,
    /// Kinds of the levels downwards; those with `CrossAttn` have transformers.
    pub down_block_types: Vec<String>,
    /// Kind of the middle.
    pub mid_block_type: Option<String>,
    /// Kinds of the levels upwards.
    pub up_block_types: Vec<String>,
    /// Channels at each level.
    pub block_out_channels: Vec<usize>,
    /// Resnet blocks a level downwards; one more upwards.
    pub layers_per_block: PerLevel,
    /// Groups of the norms.
    pub norm_num_groups: usize,
    /// Added to variances.
    pub norm_eps: f64,
    /// Width of a token of the condition.
    pub cross_attention_dim: PerLevel,
    /// Transformer blocks in each transformer.
    pub transformer_layers_per_block: PerLevel,
    /// Heads of the attentions at each level (so, in spite of its name, in all published files).
    pub attention_head_dim: PerLevel,
    /// The same under its right name, where a file has it.
    pub num_attention_heads: Option<PerLevel>,
    /// Whether transformers begin and end with linear layers, not 1×1 convolutions.
    pub use_linear_projection: bool,
    /// `projection` where a vector is added to the time (unCLIP).
    pub class_embed_type: Option<String>,
    /// `text_time` where a vector and sizes are added to the time (SDXL).
    pub addition_embed_type: Option<String>,
    /// Frequencies a size is told in, twice.
    pub addition_time_embed_dim: Option<usize>,
    /// Width of what is added to the time.
    pub projection_class_embeddings_input_dim: Option<usize>,
    /// Switches of other families.
    pub only_cross_attention: serde_json::Value,
    /// Two attentions to the condition in turn (Versatile Diffusion's joint network).
    pub dual_cross_attention: bool,
    /// A layer before the condition (Kandinsky and others).
    pub encoder_hid_dim_type: Option<String>,
    /// How the time reaches resnet blocks.
    pub resnet_time_scale_shift: String,
    /// Queries of the attentions computed at once; not in published files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_chunk: Option<usize>,
}

impl Default for UnetConfig {
    fn default() -> Self {
        let names = |names: [&str; 4]| names.map(str::to_owned).to_vec();
        Self {
            in_channels: 4,
            out_channels: 4,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            down_block_types: names([
                "CrossAttnDownBlock2D",
                "CrossAttnDownBlock2D",
                "CrossAttnDownBlock2D",
                "DownBlock2D",
            ]),
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            up_block_types: names([
                "UpBlock2D",
                "CrossAttnUpBlock2D",
                "CrossAttnUpBlock2D",
                "CrossAttnUpBlock2D",
            ]),
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: PerLevel::All(2),
            norm_num_groups: 32,
            norm_eps: 1e-5,
            cross_attention_dim: PerLevel::All(1280),
            transformer_layers_per_block: PerLevel::All(1),
            attention_head_dim: PerLevel::All(8),
            num_attention_heads: None,
            use_linear_projection: false,
            class_embed_type: None,
            addition_embed_type: None,
            addition_time_embed_dim: None,
            projection_class_embeddings_input_dim: None,
            only_cross_attention: serde_json::Value::Bool(false),
            dual_cross_attention: false,
            encoder_hid_dim_type: None,
            resnet_time_scale_shift: "default".into(),
            attention_chunk: None,
        }
    }
}

impl UnetConfig {
    /// Levels of size.
    pub(super) fn n_levels(&self) -> usize {
        self.block_out_channels.len()
    }

    pub(super) fn n_heads(&self, level: usize) -> usize {
        self.num_attention_heads
            .as_ref()
            .unwrap_or(&self.attention_head_dim)
            .at(level)
    }

    /// Width of the time's embedding.
    pub(super) fn d_time(&self) -> usize {
        4 * self.block_out_channels[0]
    }

    /// Refuses what this network can't be.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: String| {
            Err(Error::data(format!(
                "this UNet can't be built ({what}): take one of the Stable Diffusion family with its own config.json"
            )))
        };
        let n = self.n_levels();
        if n == 0 || self.down_block_types.len() != n || self.up_block_types.len() != n {
            return refuse(format!(
                "{n} levels of channels but {} kinds downwards and {} upwards",
                self.down_block_types.len(),
                self.up_block_types.len()
            ));
        }
        for kind in self.down_block_types.iter().chain(&self.up_block_types) {
            if !matches!(
                kind.as_str(),
                "DownBlock2D" | "CrossAttnDownBlock2D" | "UpBlock2D" | "CrossAttnUpBlock2D"
            ) {
                return refuse(format!("a level of kind {kind}"));
            }
        }
        if !matches!(
            self.mid_block_type.as_deref(),
            Some("UNetMidBlock2DCrossAttn" | "UNetMidBlock2D")
        ) {
            return refuse(format!("a middle of kind {:?}", self.mid_block_type));
        }
        let other = self.dual_cross_attention
            || self.encoder_hid_dim_type.is_some()
            || self.resnet_time_scale_shift != "default"
            || !matches!(self.only_cross_attention, serde_json::Value::Bool(false))
            || !matches!(self.class_embed_type.as_deref(), None | Some("projection"))
            || !matches!(
                self.addition_embed_type.as_deref(),
                None | Some("text_time")
            );
        if other {
            return refuse("switches of another family are on".into());
        }
        let added = self.class_embed_type.is_some() || self.addition_embed_type.is_some();
        if added && self.projection_class_embeddings_input_dim.is_none() {
            return refuse("the width of what is added to the time is missing".into());
        }
        for (level, &channels) in self.block_out_channels.iter().enumerate() {
            let (groups, heads) = (self.norm_num_groups, self.n_heads(level));
            if channels == 0
                || groups == 0
                || heads == 0
                || channels % groups + channels % heads > 0
            {
                return refuse(format!(
                    "{channels} channels in {groups} groups and {heads} heads"
                ));
            }
        }
        Ok(())
    }
}
