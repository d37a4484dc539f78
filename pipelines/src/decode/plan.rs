//! How a decode is done.

/// What an image is turned into before the brain is asked for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    /// Downsampled pixels, `side × side`, grey or RGB as the stimuli are.
    Pixels {
        /// Pixels a side.
        side: usize,
    },
    /// Principal components of the training images' pixels.
    Components {
        /// At most so many; fewer when the training images are fewer.
        n: usize,
        /// Pixels a side of the image they are taken from and drawn at.
        side: usize,
    },
}

/// How a decode is done. A run is repeatable from it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodePlan {
    /// The image code.
    pub code: Code,
    /// Ridge penalties to choose from, as multiples of the mean kernel diagonal; ascending.
    pub alphas: Vec<f64>,
    /// For the shuffles and for ties.
    pub seed: u64,
    /// How many times the brain is shuffled against the images for the control.
    pub n_shuffles: usize,
}

impl Default for DecodePlan {
    fn default() -> Self {
        Self {
            code: Code::Components { n: 64, side: 32 },
            alphas: (-3..=5).map(|e| 10f64.powi(e)).collect(),
            seed: 1,
            n_shuffles: 20,
        }
    }
}
