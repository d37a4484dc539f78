//! How diffusers names what our blocks hold.

use crate::nets::weights::Checkpoint;

/// The autoencoder's tensors. Files of 2022 call the parts of an attention otherwise.
pub(super) fn autoencoder(checkpoint: Checkpoint) -> Checkpoint {
    let checkpoint = checkpoint.renamed(|name| {
        let name = name
            .replace(".query.", ".to_q.")
            .replace(".key.", ".to_k.")
            .replace(".value.", ".to_v.")
            .replace(".proj_attn.", ".to_out.0.");
        Some(attention(&name))
    });
    // Those files keep the attention's layers as 1×1 convolutions at times.
    checkpoint.reshaped(|name| name.contains(".attn."), without_ones)
}

/// The UNet's tensors.
pub(super) fn unet(checkpoint: Checkpoint) -> Checkpoint {
    checkpoint
        .renamed(|name| {
            Some(
                attention(name)
                    .replace(".ff.net.0.proj.", ".ff.up.")
                    .replace(".ff.net.2.", ".ff.down."),
            )
        })
        .reshaped(
            |name| name.contains(".proj_in.") || name.contains(".proj_out."),
            without_ones,
        )
}

fn attention(name: &str) -> String {
    let name = name
        .replace(".to_q.", ".q.")
        .replace(".to_k.", ".k.")
        .replace(".to_v.", ".v.")
        .replace(".to_out.0.", ".out.");
    if name.contains("mid_block.attentions.0.") {
        // In the autoencoder the attention lies beside its norm; in ours below it.
        for part in ["q", "k", "v", "out"] {
            let from = format!("attentions.0.{part}.");
            if name.contains(&from) {
                return name.replace(&from, &format!("attentions.0.attn.{part}."));
            }
        }
    }
    name
}

/// A 1×1 convolution is a linear layer.
fn without_ones(shape: &[usize]) -> Vec<usize> {
    match shape {
        &[n_out, n_in, 1, 1] => vec![n_out, n_in],
        other => other.to_vec(),
    }
}
