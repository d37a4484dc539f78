//! The demo study: a subject made from a seed, with a known truth.

use std::sync::Arc;

use crate::run::{Run, Stop};
use crate::study::Study;
use crate::volume::Volume;

/// How large and how noisy the demo is.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// Everything follows from it.
    pub seed: u64,
}

impl Default for DemoPlan {
    fn default() -> Self {
        Self { seed: 1 }
    }
}

/// The study and what only its maker knows.
#[derive(Clone, Debug)]
pub struct Demo {
    /// As any other study.
    pub study: Study,
    /// The planted signal-to-noise of every voxel (SD of signal over SD of noise), on the BOLD grid; 0 where there is none.
    pub truth_snr: Arc<Volume>,
}

/// Makes the demo study in memory; the same seed gives the same study on every machine.
pub fn generate(plan: &DemoPlan, run: &Run<'_>) -> Result<Demo, Stop> {
    let _ = plan;
    run.check()?;
    Err(crate::Error::data("not written yet").into())
}
