//! How transformers and open_clip name what the towers hold.

use crate::nets::weights::Checkpoint;

/// The image tower's tensors under the names of [`super::ImageTower`].
pub(super) fn image(checkpoint: Checkpoint) -> Checkpoint {
    if checkpoint.has_below("visual.") {
        return open_clip(checkpoint.within("visual."), |name| match name {
            "conv1.weight" => Some("patch_embedding.weight".into()),
            "proj" => Some("projection.weight".into()),
            "positional_embedding" => Some("position_embedding".into()),
            "class_embedding" => Some(name.into()),
            _ => block(name)
                .or_else(|| renamed(name, "ln_pre.", "pre_norm."))
                .or_else(|| renamed(name, "ln_post.", "post_norm."))
                .or_else(|| Some(name.into())),
        });
    }
    checkpoint.renamed(|name| {
        if name == "visual_projection.weight" {
            return Some("projection.weight".into());
        }
        // One tower saved alone by early releases has no prefix.
        let name = name.strip_prefix("vision_model.").unwrap_or(name);
        match name {
            "embeddings.class_embedding" => Some("class_embedding".into()),
            "embeddings.patch_embedding.weight" => Some("patch_embedding.weight".into()),
            "embeddings.position_embedding.weight" => Some("position_embedding".into()),
            "embeddings.position_ids" | "logit_scale" => None,
            _ if name.starts_with("text_") => None,
            _ => transformers_block(name)
                .or_else(|| renamed(name, "pre_layrnorm.", "pre_norm."))
                .or_else(|| renamed(name, "post_layernorm.", "post_norm."))
                .or_else(|| Some(name.into())),
        }
    })
}

/// The text tower's tensors under the names of [`super::TextTower`].
pub(super) fn text(checkpoint: Checkpoint) -> Checkpoint {
    if checkpoint.has_below("visual.") {
        return open_clip(checkpoint, |name| match name {
            "positional_embedding" => Some("position_embedding".into()),
            "text_projection" => Some("projection.weight".into()),
            "token_embedding.weight" => Some(name.into()),
            "logit_scale" | "logit_bias" | "attn_mask" => None,
            _ if name.starts_with("visual.") => None,
            _ => block(name)
                .or_else(|| renamed(name, "ln_final.", "final_norm."))
                .or_else(|| Some(name.into())),
        });
    }
    checkpoint.renamed(|name| {
        if name == "text_projection.weight" {
            return Some("projection.weight".into());
        }
        let name = name.strip_prefix("text_model.").unwrap_or(name);
        match name {
            "embeddings.token_embedding.weight" => Some("token_embedding.weight".into()),
            "embeddings.position_embedding.weight" => Some("position_embedding".into()),
            "embeddings.position_ids" | "logit_scale" => None,
            _ if name.starts_with("vision_") || name.starts_with("visual_") => None,
            _ => transformers_block(name)
                .or_else(|| renamed(name, "final_layer_norm.", "final_norm."))
                .or_else(|| Some(name.into())),
        }
    })
}

fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    name.strip_prefix(from).map(|rest| format!("{to}{rest}"))
}

fn transformers_block(name: &str) -> Option<String> {
    let name = renamed(name, "encoder.layers.", "layers.")?;
    Some(
        name.replace(".self_attn.q_proj.", ".attn.q.")
            .replace(".self_attn.k_proj.", ".attn.k.")
            .replace(".self_attn.v_proj.", ".attn.v.")
            .replace(".self_attn.out_proj.", ".attn.out.")
            .replace(".layer_norm1.", ".norm1.")
            .replace(".layer_norm2.", ".norm2."),
    )
}

fn block(name: &str) -> Option<String> {
    let name = renamed(name, "transformer.resblocks.", "layers.")?;
    Some(
        name.replace(".attn.in_proj_", ".attn.fused.")
            .replace(".attn.out_proj.", ".attn.out.")
            .replace(".ln_1.", ".norm1.")
            .replace(".ln_2.", ".norm2.")
            .replace(".mlp.c_fc.", ".mlp.fc1.")
            .replace(".mlp.c_proj.", ".mlp.fc2."),
    )
}

/// open_clip keeps queries, keys and values in one tensor and multiplies by its projections from the other side.
fn open_clip(checkpoint: Checkpoint, name: impl Fn(&str) -> Option<String>) -> Checkpoint {
    checkpoint
        .renamed(name)
        .split_rows(".fused.", &[".q.", ".k.", ".v."])
        .transposed(|name| name == "projection.weight")
}
