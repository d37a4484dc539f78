//! Published weights: which there are, where they lie on this machine, how they get here, and whether
//! a file is what it claims to be.
//!
//! Nothing here knows a network or loads a tensor. Files are kept in the cache that Python's tools use,
//! so that what one of them fetched the other finds.

pub mod cache;
pub mod check;
pub mod digest;
mod fetch;
mod http;
pub mod hub;
pub mod pull;
pub mod pytorch;
pub mod registry;
pub mod safetensors;

pub use check::check;
pub use hub::Hub;
pub use pull::pull;
pub use registry::{Model, find, registry};

/// Bytes for people, in powers of ten.
pub fn human(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= 1e9 => format!("{:.2} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.1} kB", b / 1e3),
        b => format!("{b} bytes"),
    }
}
