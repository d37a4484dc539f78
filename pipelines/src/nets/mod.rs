//! Networks of the literature in burn: published checkpoints and small ones of our own run by the same code.
//!
//! One configuration an architecture, read from the checkpoint's own files; one set of [`blocks`] for all. The
//! library that published a network is the witness of ours: the tests compare outputs on random weights.

pub mod blocks;
pub mod clip;
pub mod diffusion;
pub mod dino;
pub mod language;
pub mod metric;
pub mod pixels;
pub mod schedule;
pub mod tokens;
pub mod weights;
pub mod witness;
