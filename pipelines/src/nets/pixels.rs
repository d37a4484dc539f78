//! Pictures made ready for a network: resized, cut in the middle and normalised as the originals do it.
//!
//! Resizing is that of Pillow to the bit (two passes in fixed point, a rounding to bytes after each), because the
//! published networks were trained and are scored behind it.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use rayon::prelude::*;
use serde::Deserialize;

use super::weights as files;
use crate::{Error, Result};

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A triangle over two pixels.
    Bilinear,
    /// A cubic over four pixels (a = −0.5).
    Bicubic,
}

impl Filter {
    fn reach(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
            Self::Bicubic => 0.0,
        }
    }
}

/// The steps before a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pixels {
    /// The shorter side after resizing.
    pub resize: u32,
    /// The side of the square cut out of the middle.
    pub crop: u32,
    /// How pixels are resized.
    pub filter: Filter,
    /// Subtracted from red, green and blue (0 to 1).
    pub mean: [f32; 3],
    /// Red, green and blue are divided by these.
    pub std: [f32; 3],
}

/// The means and deviations of CLIP's training pictures.
pub const CLIP_MEAN: [f32; 3] = [0.48145466, 0.4578275, 0.40821073];
/// See [`CLIP_MEAN`].
pub const CLIP_STD: [f32; 3] = [0.26862954, 0.261_302_6, 0.275_777_1];
/// The means of ImageNet.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// The deviations of ImageNet.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// `preprocessor_config.json`, where a size is a number or an object.
#[derive(Deserialize)]
struct File {
    size: Option<Size>,
    crop_size: Option<Size>,
    resample: Option<u8>,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Side(u32),
    Shortest { shortest_edge: u32 },
    Rectangle { height: u32 },
}

impl Size {
    fn side(&self) -> u32 {
        match *self {
            Self::Side(side)
            | Self::Shortest {
                shortest_edge: side,
            }
            | Self::Rectangle { height: side } => side,
        }
    }
}

impl Pixels {
    /// The steps before a CLIP image tower of this side.
    pub fn clip(side: u32) -> Self {
        Self {
            resize: side,
            crop: side,
            filter: Filter::Bicubic,
            mean: CLIP_MEAN,
            std: CLIP_STD,
        }
    }

    /// As `preprocessor_config.json` in a model's folder says, or `otherwise` where there is none.
    pub fn read(folder: &Path, otherwise: Self) -> Result<Self> {
        const NAME: &str = "preprocessor_config.json";
        if !folder.join(NAME).exists() {
            return Ok(otherwise);
        }
        let file: File = files::config(folder, NAME)?;
        let resize = file.size.map_or(otherwise.resize, |s| s.side());
        Ok(Self {
            resize,
            crop: file.crop_size.map_or(resize, |s| s.side()),
            filter: if file.resample == Some(2) {
                Filter::Bilinear
            } else {
                Filter::Bicubic
            },
            mean: file.image_mean.unwrap_or(otherwise.mean),
            std: file.image_std.unwrap_or(otherwise.std),
        })
    }

    /// One picture resized and cut, still bytes.
    pub fn square(&self, picture: &RgbImage) -> Result<RgbImage> {
        let (width, height) = picture.dimensions();
        if width == 0 || height == 0 || self.resize == 0 || self.crop == 0 {
            return Err(Error::data(
                "a picture without pixels can't be shown to a network",
            ));
        }
        let longer = |long: u32, short: u32| {
            (u64::from(self.resize) * u64::from(long) / u64::from(short)) as u32
        };
        let (to_width, to_height) = if width <= height {
            (self.resize, longer(height, width))
        } else {
            (longer(width, height), self.resize)
        };
        let resized = resize(picture, to_width, to_height, self.filter);
        Ok(centre(&resized, self.crop))
    }

    /// A batch of pictures as a network takes them: `[batch, 3, crop, crop]`.
    pub fn tensor(&self, pictures: &[RgbImage], device: &Device) -> Result<Tensor<4>> {
        let planes: Vec<Vec<f32>> = pictures
            .par_iter()
            .map(|picture| Ok(self.planes(&self.square(picture)?)))
            .collect::<Result<_>>()?;
        let side = self.crop as usize;
        let shape = [pictures.len(), 3, side, side];
        Ok(Tensor::from_data(
            TensorData::new(planes.concat(), shape),
            device,
        ))
    }

    fn planes(&self, picture: &RgbImage) -> Vec<f32> {
        (0..3)
            .flat_map(|c| {
                let (mean, std) = (self.mean[c], self.std[c]);
                picture
                    .pixels()
                    .map(move |p| (f32::from(p.0[c]) / 255.0 - mean) / std)
            })
            .collect()
    }
}

/// The middle square of `side`; what lies outside the picture is black. Halves round to even, as in torchvision.
fn centre(picture: &RgbImage, side: u32) -> RgbImage {
    let start = |n: u32| (f64::from(n as i32 - side as i32) / 2.0).round_ties_even() as i64;
    let (left, top) = (start(picture.width()), start(picture.height()));
    RgbImage::from_fn(side, side, |x, y| {
        let (x, y) = (i64::from(x) + left, i64::from(y) + top);
        u32::try_from(x)
            .ok()
            .zip(u32::try_from(y).ok())
            .and_then(|(x, y)| picture.get_pixel_checked(x, y).copied())
            .unwrap_or(image::Rgb([0; 3]))
    })
}

/// Bits behind the point of a weight: Pillow's, which leave room for the sum of a byte's worth of weights.
const BITS: u32 = 32 - 8 - 2;

/// The weights of one pixel of a resized line, from its first source pixel on.
struct Tap {
    first: usize,
    weights: Vec<i32>,
}

fn taps(n_in: usize, n_out: usize, filter: Filter) -> Vec<Tap> {
    let fixed = |w: f64| {
        let w = w * f64::from(1 << BITS);
        (w + 0.5f64.copysign(w)) as i32
    };
    weights(n_in, n_out, filter)
        .into_iter()
        .map(|(first, weights)| Tap {
            first,
            weights: weights.into_iter().map(fixed).collect(),
        })
        .collect()
}

/// The first source of each number of a resized line, and the weights from there on, of sum one. Where the line becomes
/// shorter the filter is as much wider.
pub(super) fn weights(n_in: usize, n_out: usize, filter: Filter) -> Vec<(usize, Vec<f64>)> {
    let scale = n_in as f64 / n_out as f64;
    let stretch = scale.max(1.0);
    let reach = filter.reach() * stretch;
    (0..n_out)
        .map(|out| {
            let centre = (out as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let last = ((centre + reach + 0.5) as usize).min(n_in);
            let weights: Vec<f64> = (first..last)
                .map(|x| filter.at((x as f64 - centre + 0.5) / stretch))
                .collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.into_iter().map(|w| w / sum).collect())
        })
        .collect()
}

fn weighted(tap: &Tap, value: impl Fn(usize) -> u8) -> u8 {
    let sum: i32 = tap
        .weights
        .iter()
        .enumerate()
        .map(|(at, w)| i32::from(value(tap.first + at)) * w)
        .sum();
    ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

/// A picture of another size, across first and then down, equal to Pillow's.
pub fn resize(picture: &RgbImage, to_width: u32, to_height: u32, filter: Filter) -> RgbImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (new_width, new_height) = (to_width as usize, to_height as usize);
    let mut values = picture.as_raw().clone();
    if new_width != width {
        let taps = taps(width, new_width, filter);
        values = values
            .par_chunks(3 * width)
            .flat_map_iter(|row| {
                taps.iter()
                    .flat_map(move |tap| (0..3).map(move |c| weighted(tap, |x| row[3 * x + c])))
            })
            .collect();
    }
    if new_height != height {
        let line = 3 * new_width;
        let before = &values;
        values = taps(height, new_height, filter)
            .par_iter()
            .flat_map_iter(|tap| (0..line).map(move |x| weighted(tap, |y| before[y * line + x])))
            .collect();
    }
    // The length is right by construction.
    RgbImage::from_raw(to_width, to_height, values).unwrap_or_default()
}
