//! What every voxel makes of every picture: receptive fields in early areas, meaning in late ones.

use glam::Vec2;
use image::RgbImage;
use rayon::prelude::*;

use super::atlas::{Holding, RINGS};
use super::pictures::{CATEGORIES, N_TRAITS, Picture};
use super::stream::{Stream, exp, sin_cos};
use super::sulci;

/// The voxels that respond, and how.
#[derive(Debug)]
pub(super) struct Tuning {
    /// Flat indices on the BOLD grid, ascending.
    pub(super) voxels: Vec<usize>,
    /// The planted signal-to-noise of each.
    pub(super) snr: Vec<f32>,
    /// A row a picture, a column a voxel; every column has mean 0 and variance 1.
    pub(super) responses: Vec<Vec<f32>>,
}

/// Cells along an edge of the maps that receptive fields look at.
const CELLS: usize = 16;
/// Luminance, red against green, blue against yellow, contrast.
const N_CHANNELS: usize = 4;
/// Signal-to-noise of the best voxels of each area, in the order of [`super::atlas::AREAS`].
const BEST_SNR: [f32; 13] = [
    0.72, 0.66, 0.6, 0.55, 0.5, 0.5, 0.55, 0.5, 0.55, 0.48, 0.45, 0.5, 0.48,
];

/// Tunes every voxel with a named area to the pictures.
pub(super) fn tune(seed: u64, holdings: &[Holding], pictures: &[Picture]) -> Tuning {
    let maps: Vec<Vec<f32>> = pictures.par_iter().map(|p| channels(&p.image)).collect();
    let maps = standardised(&maps);
    let calcarine = sulci::calcarine();
    let voxels: Vec<usize> = (0..holdings.len())
        .filter(|&v| holdings[v].key > 0)
        .collect();
    let columns: Vec<(f32, Vec<f32>)> = voxels
        .par_iter()
        .map(|&voxel| {
            let holding = &holdings[voxel];
            let mut stream = Stream::new(seed, &[4, voxel as u64]);
            let area = holding.key as usize - 1;
            let snr = BEST_SNR[area] * stream.between(0.35, 1.0) * holding.part.sqrt();
            let mut column = if area < 4 {
                let field = Field::of(
                    holding,
                    sulci::distance(holding.hull, &calcarine),
                    &mut stream,
                );
                retinotopic(&field, &maps, &mut stream)
            } else {
                semantic(seed, area, pictures, &mut stream)
            };
            standardise(&mut column);
            (snr, column)
        })
        .collect();
    let responses = (0..pictures.len())
        .map(|picture| columns.iter().map(|(_, column)| column[picture]).collect())
        .collect();
    Tuning {
        voxels,
        snr: columns.into_iter().map(|(snr, _)| snr).collect(),
        responses,
    }
}

/// The channels of a picture, cell after cell, [`N_CHANNELS`] a cell.
fn channels(image: &RgbImage) -> Vec<f32> {
    let edge = image.width().min(image.height()) as usize;
    let luminance = |x: usize, y: usize| {
        let [r, g, b] = image.get_pixel(x as u32, y as u32).0.map(f32::from);
        0.3 * r + 0.59 * g + 0.11 * b
    };
    let mut maps = vec![0.0; CELLS * CELLS * N_CHANNELS];
    for y in 0..edge {
        for x in 0..edge {
            let [r, g, b] = image.get_pixel(x as u32, y as u32).0.map(f32::from);
            let here = luminance(x, y);
            let across = luminance((x + 1).min(edge - 1), y) - here;
            let down = luminance(x, (y + 1).min(edge - 1)) - here;
            let cell = (y * CELLS / edge * CELLS + x * CELLS / edge) * N_CHANNELS;
            let energy = (across * across + down * down).sqrt();
            for (sum, value) in
                maps[cell..]
                    .iter_mut()
                    .zip([here, r - g, b - 0.5 * (r + g), energy])
            {
                *sum += value;
            }
        }
    }
    maps
}

/// The maps with every cell's mean over pictures removed and every channel brought to one scale.
fn standardised(maps: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let n = maps.len().max(1) as f32;
    let width = CELLS * CELLS * N_CHANNELS;
    let mut means = vec![0.0f32; width];
    for map in maps {
        means
            .iter_mut()
            .zip(map)
            .for_each(|(mean, value)| *mean += value / n);
    }
    let mut spread = [1e-9f32; N_CHANNELS];
    for map in maps {
        for (i, (value, mean)) in map.iter().zip(&means).enumerate() {
            spread[i % N_CHANNELS] += (value - mean) * (value - mean);
        }
    }
    let spread = spread.map(|s| (s / (n * (CELLS * CELLS) as f32)).sqrt());
    maps.iter()
        .map(|map| {
            let scaled = map.iter().zip(&means).enumerate();
            scaled
                .map(|(i, (value, mean))| (value - mean) / spread[i % N_CHANNELS])
                .collect()
        })
        .collect()
}

/// A receptive field in picture coordinates (−1..1, y up).
#[derive(Debug)]
struct Field {
    centre: Vec2,
    width: f32,
}

impl Field {
    /// From the place on the cortex: eccentricity grows from the occipital pole forwards, the
    /// polar angle turns with the distance from the calcarine sulcus and reverses at the borders
    /// of V1, V2 and V3; the upper bank sees the lower field, the right half sees the left.
    fn of(holding: &Holding, from_calcarine: f32, stream: &mut Stream) -> Self {
        let forward = ((holding.hull.y + 101.0) / 43.0).clamp(0.0, 1.0);
        let outward = match holding.key {
            1 => from_calcarine / RINGS[0],
            2 => 1.0 - (from_calcarine - RINGS[0]) / (RINGS[1] - RINGS[0]),
            3 => (from_calcarine - RINGS[1]) / (RINGS[2] - RINGS[1]),
            _ => stream.uniform(),
        };
        // 0 on the horizontal, a quarter turn on the vertical meridian.
        let angle = outward.clamp(0.0, 1.0) * std::f32::consts::FRAC_PI_2 + 0.15 * stream.normal();
        let eccentricity =
            (0.06 + 1.15 * forward * (0.6 + 0.4 * forward)) * stream.between(0.85, 1.15);
        let upper = match holding.key {
            4 => stream.uniform() < 0.6,
            _ => holding.hull.z < 4.0,
        };
        let (sine, cosine) = sin_cos(angle);
        let centre = Vec2::new(
            eccentricity * cosine * if holding.right { -1.0 } else { 1.0 },
            eccentricity * sine * if upper { 1.0 } else { -1.0 },
        );
        let growth = [1.0, 1.3, 1.6, 2.4][(holding.key as usize - 1).min(3)];
        Self {
            centre,
            width: growth * (0.09 + 0.14 * eccentricity),
        }
    }

    /// Its weight on every cell; they sum to one.
    fn weights(&self) -> Vec<f32> {
        let step = 2.0 / CELLS as f32;
        let mut weights: Vec<f32> = (0..CELLS * CELLS)
            .map(|cell| {
                let at = Vec2::new(
                    (cell % CELLS) as f32 * step + 0.5 * step - 1.0,
                    1.0 - 0.5 * step - (cell / CELLS) as f32 * step,
                );
                exp(-at.distance_squared(self.centre) / (2.0 * self.width * self.width))
            })
            .collect();
        let sum = weights.iter().sum::<f32>().max(1e-9);
        weights.iter_mut().for_each(|w| *w /= sum);
        weights
    }
}

/// The energy of the picture under a receptive field, in the voxel's own mix of channels.
fn retinotopic(field: &Field, maps: &[Vec<f32>], stream: &mut Stream) -> Vec<f32> {
    let mix: [f32; N_CHANNELS] = [
        1.0 * stream.normal(),
        0.7 * stream.normal(),
        0.7 * stream.normal(),
        0.35 + 0.5 * stream.normal(),
    ];
    let weights = field.weights();
    maps.iter()
        .map(|map| {
            let cells = map.chunks(N_CHANNELS).zip(&weights);
            cells
                .map(|(cell, w)| w * cell.iter().zip(&mix).map(|(c, m)| c * m).sum::<f32>())
                .sum()
        })
        .collect()
}

/// What each late area (LO onwards) makes of each category, in the order of
/// [`CATEGORIES`]: face, body, place, word, food, tool, animal, vehicle.
const TASTES: [[f32; 8]; 9] = [
    [0.3, 0.5, -0.6, 0.0, 0.6, 1.0, 0.7, 0.8],
    [1.6, 0.3, -0.5, 0.0, -0.2, -0.4, 0.7, -0.5],
    [2.0, 0.4, -0.6, 0.2, -0.3, -0.5, 0.9, -0.4],
    [0.3, 2.0, -0.5, -0.5, -0.4, 0.3, 1.0, -0.4],
    [-0.5, -0.4, 2.0, -0.2, -0.2, 0.1, -0.5, 0.8],
    [-0.5, -0.3, 1.6, -0.1, -0.2, 0.2, -0.4, 0.9],
    [-0.2, -0.1, 1.5, -0.2, 0.0, -0.2, -0.3, 0.7],
    [0.1, -0.3, -0.1, 2.0, -0.1, 0.3, -0.3, -0.1],
    [-0.2, -0.3, -0.3, -0.2, 2.0, 0.2, 0.1, -0.4],
];

/// The area's taste, more or less marked from picture to picture, and the voxel's own liking for
/// the picture's traits and for single categories.
fn semantic(seed: u64, area: usize, pictures: &[Picture], stream: &mut Stream) -> Vec<f32> {
    let taste = TASTES[(area - 4).min(TASTES.len() - 1)];
    let own: [f32; CATEGORIES.len()] = std::array::from_fn(|_| 0.45 * stream.normal());
    let liking: [f32; N_TRAITS] = std::array::from_fn(|_| 0.42 * stream.normal());
    pictures
        .iter()
        .enumerate()
        .map(|(number, picture)| {
            // How typical the picture is of its category: the same for the whole area.
            let marked = 1.0 + 0.4 * Stream::new(seed, &[5, area as u64, number as u64]).normal();
            let traits: f32 = picture.traits.iter().zip(&liking).map(|(t, l)| t * l).sum();
            (taste[picture.category] + own[picture.category]) * marked + traits
        })
        .collect()
}

fn standardise(values: &mut [f32]) {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    let scale = 1.0 / variance.sqrt().max(1e-9);
    values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
}
