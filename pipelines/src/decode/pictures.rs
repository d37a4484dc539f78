//! The stimuli of a study as pixels of one size.

use std::collections::HashMap;
use std::sync::Arc;

use image::imageops::FilterType;
use image::{Rgb, RgbImage};

use crate::betas::Betas;
use crate::decode::Code;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::Stimulus;
use crate::{Error, Result};

/// The distinct pictures that trials show, at the code's size.
pub(super) struct Pictures {
    /// For every trial the number of its picture.
    pub(super) of_trial: Vec<Option<usize>>,
    /// The pictures, `side × side`; other shapes are squeezed into the square.
    pub(super) images: Vec<Arc<RgbImage>>,
    /// Pictures × pixels in [0, 1]: one value a pixel when all pictures are grey, else R, G, B.
    pub(super) pixels: Matrix,
    /// Pixels a side.
    pub(super) side: usize,
    /// Values a pixel: 1 or 3.
    pub(super) n_channels: usize,
}

impl Pictures {
    /// A row of `pixels` as a picture.
    pub(super) fn image(&self, pixels: &[f32]) -> RgbImage {
        let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0).round() as u8;
        RgbImage::from_fn(self.side as u32, self.side as u32, |x, y| {
            let at = (y as usize * self.side + x as usize) * self.n_channels;
            let values = &pixels[at..at + self.n_channels];
            Rgb(std::array::from_fn(|c| {
                byte(values[c.min(self.n_channels - 1)])
            }))
        })
    }

    /// A row of `pixels` as luminance (the weights of scikit-image's `rgb2gray`).
    pub(super) fn grey(&self, pixels: &[f32]) -> Vec<f32> {
        if self.n_channels == 1 {
            return pixels.to_vec();
        }
        pixels
            .chunks_exact(3)
            .map(|p| 0.2125 * p[0] + 0.7154 * p[1] + 0.0721 * p[2])
            .collect()
    }
}

/// The pictures of the trials; `None` when fewer than two stimuli have one.
pub(super) fn gather(
    betas: &Betas,
    stimuli: &[Stimulus],
    code: Code,
    warnings: &mut Vec<String>,
    run: &Run<'_>,
) -> Result<Option<Pictures>, Stop> {
    let side = match code {
        Code::Pixels { side } | Code::Components { side, .. } => side,
    };
    if !(2..=512).contains(&side) {
        return Err(Error::data(format!(
            "pictures of {side} pixels a side cannot be decoded: use 2 to 512"
        ))
        .into());
    }
    let by_id: HashMap<&str, &Stimulus> = stimuli.iter().map(|s| (s.id.as_str(), s)).collect();
    let mut number: HashMap<&str, Option<usize>> = HashMap::new();
    let mut images: Vec<Arc<RgbImage>> = Vec::new();
    let mut of_trial = Vec::with_capacity(betas.n_trials());
    for trial in &betas.trials {
        let Some(id) = trial.stimulus.as_deref() else {
            of_trial.push(None);
            continue;
        };
        if let Some(known) = number.get(id) {
            of_trial.push(*known);
            continue;
        }
        run.check()?;
        let found = match by_id.get(id).and_then(|s| s.image.as_ref()) {
            Some(source) => {
                let image = source.load(run)?;
                let (side, filter) = (side as u32, FilterType::Triangle);
                images.push(Arc::new(image::imageops::resize(
                    image.as_ref(),
                    side,
                    side,
                    filter,
                )));
                Some(images.len() - 1)
            }
            None => None,
        };
        number.insert(id, found);
        of_trial.push(found);
    }
    if images.len() < 2 {
        return Ok(None);
    }
    let without = of_trial.iter().filter(|p| p.is_none()).count();
    if without > 0 {
        warnings.push(format!(
            "{without} of {} trials show no picture the study knows: they take part in naming conditions only.",
            of_trial.len()
        ));
    }
    let is_grey = images
        .iter()
        .all(|image| image.pixels().all(|p| p[0] == p[1] && p[1] == p[2]));
    let n_channels = if is_grey { 1 } else { 3 };
    let mut pixels = Matrix::zeros(images.len(), side * side * n_channels);
    for (i, image) in images.iter().enumerate() {
        let values = image
            .pixels()
            .flat_map(|p| p.0.into_iter().take(n_channels));
        for (out, value) in pixels.row_mut(i).iter_mut().zip(values) {
            *out = f32::from(value) / 255.0;
        }
    }
    Ok(Some(Pictures {
        of_trial,
        images,
        pixels,
        side,
        n_channels,
    }))
}
