//! Language models that say what a picture shows: GPT-2 behind a prefix (CLIPCap) and GIT.

mod clipcap;
mod generate;
mod git;
mod gpt2;

pub use clipcap::{Captioner, CaptionerConfig, MapperConfig, load_captioner};
pub use generate::{Text, beam};
pub use git::{Git, GitConfig, load_git};
pub use gpt2::{Gpt2, Gpt2Config, Past, load_gpt2};
