//! Everything Fusiform computes, with no window and no GPU of its own.
//!
//! The road of the data, one module a stretch:
//!
//! | from → to | where |
//! |---|---|
//! | folder → [`study::Study`] (an index; nothing loaded) | [`study`] |
//! | file → [`volume::Volume`], [`volume::Series`], [`surface::Surface`] | [`io`] |
//! | volumes ↔ matrices | [`mask::Mask`], the one bridge |
//! | series + events → [`betas::Betas`] (trials × voxels) | [`glm`] |
//! | matrices → weights and predictions | [`linear`] |
//! | trials × voxels → maps, p values, ceilings | [`stats`] |
//! | betas + stimuli → reconstructions, categories, scores | [`decode`], [`metrics`] |
//! | trials → features that tell conditions apart, scored honestly | [`select`] |
//! | voxels, vertices and hand-drawn lines → regions | [`roi`] |
//! | published weights → files on this machine | [`models`] |
//! | results → sheet, tables, report | [`report`] |
//! | published weights → networks in burn | [`nets`] |
//!
//! A pipeline is a function `(data, plan, device, run) -> Result<T, Stop>`:
//! what it may say and must hear is in [`run`].

pub mod betas;
pub mod clusters;
pub mod decode;
pub mod device;
pub mod encode;
pub mod error;
pub mod glm;
pub mod io;
pub mod limits;
pub mod linear;
pub mod mask;
pub mod matrix;
pub mod metrics;
pub mod models;
pub mod nets;
pub mod parcels;
pub mod placement;
pub mod project;
pub mod report;
pub mod roi;
pub mod run;
pub mod select;
pub mod selectivity;
pub mod space;
pub mod stats;
pub mod study;
pub mod surface;
pub mod volume;
mod wide;

pub use error::{Error, Result};
pub use run::{Run, Stop};
