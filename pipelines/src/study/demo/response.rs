//! What every voxel makes of every picture: receptive fields in early areas, meaning in late ones.

use glam::Vec2;
use image::RgbImage;
use rayon::prelude::*;

use super::atlas::{Holding, Topography};
use super::person::Person;
use super::pictures::{self, CATEGORIES, N_KINDS, N_TRAITS, Picture};
use super::stream::{Stream, exp, sin_cos};
use super::sulci;
use crate::run::{Run, Stop};

/// The voxels that respond, and how.
#[derive(Debug)]
pub(super) struct Tuning {
    /// Flat indices on the BOLD grid, ascending.
    pub(super) voxels: Vec<usize>,
    /// The planted signal-to-noise of each.
    pub(super) snr: Vec<f32>,
    /// A row a picture of the subject, a column a voxel; every column has mean 0 and variance 1.
    pub(super) responses: Vec<Vec<f32>>,
}

/// Cells along an edge of the maps that receptive fields look at.
const CELLS: usize = 16;
/// Pixels along an edge of the drawings that these maps are made from.
const LOOKED_AT: usize = 48;
/// Luminance, red against green, blue against yellow, contrast.
const N_CHANNELS: usize = 4;
/// The part of a single trial's variance that the picture explains, lowest and highest voxel of
/// each area, in the order of [`super::atlas::AREAS`]: about what is found at 7 T (Allen et al. 2022).
const EXPLAINABLE: [(f32, f32); 13] = [
    (0.20, 0.42),
    (0.19, 0.40),
    (0.18, 0.38),
    (0.14, 0.31),
    (0.14, 0.30),
    (0.10, 0.27),
    (0.11, 0.30),
    (0.11, 0.30),
    (0.11, 0.30),
    (0.10, 0.26),
    (0.09, 0.24),
    (0.10, 0.26),
    (0.10, 0.26),
];
/// How well each subject holds still, as a factor of what is explainable; more subjects start over.
const QUALITY: [f32; 4] = [1.0, 0.85, 1.1, 0.7];
/// The variance of the least-squares estimate of one trial's response, in units of the variance of
/// the noise over time: what the timing of the trials makes of it.
pub(super) const TRIAL_NOISE: f32 = 1.27;

/// Tunes every voxel with a named area to the subject's pictures.
pub(super) fn tune(
    person: &Person,
    topography: &Topography,
    holdings: &[Holding],
    run: &Run<'_>,
) -> Result<Tuning, Stop> {
    run.stage("showing the pictures to every voxel");
    let drawn: Vec<(Picture, Vec<f32>)> = person
        .layout
        .pictures_of(person.index)
        .into_par_iter()
        .map(|number| {
            run.check()?;
            let picture = pictures::picture(person.seed, number, LOOKED_AT);
            let maps = channels(&picture.image);
            Ok((picture, maps))
        })
        .collect::<Result<_, Stop>>()?;
    let (pictures, maps): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
    let maps = standardised(&maps);
    let calcarine = sulci::calcarine();
    let voxels: Vec<usize> = (0..holdings.len())
        .filter(|&v| holdings[v].key > 0)
        .collect();
    let quality = QUALITY[person.index % QUALITY.len()];
    let columns: Vec<(f32, Vec<f32>)> = voxels
        .par_iter()
        .map(|&voxel| {
            run.check()?;
            let holding = &holdings[voxel];
            let mut stream = Stream::new(person.own_seed, &[4, voxel as u64]);
            let area = holding.key as usize - 1;
            let (low, high) = EXPLAINABLE[area];
            // A voxel with little cortex has little to say.
            let filled = (2.0 * holding.part).min(1.0);
            let explained = stream.between(low, high) * quality * filled;
            let snr = (explained / (1.0 - explained) * TRIAL_NOISE).sqrt();
            let mut column = if area < 4 {
                let from_calcarine = sulci::distance(holding.hull, &calcarine);
                let field = Field::of(holding, from_calcarine, topography.rings, &mut stream);
                retinotopic(&field, &maps, &mut stream)
            } else {
                semantic(person.seed, area, &pictures, &mut stream)
            };
            standardise(&mut column);
            Ok((snr, column))
        })
        .collect::<Result<_, Stop>>()?;
    let responses = (0..pictures.len())
        .map(|picture| columns.iter().map(|(_, column)| column[picture]).collect())
        .collect();
    Ok(Tuning {
        voxels,
        snr: columns.iter().map(|(snr, _)| *snr).collect(),
        responses,
    })
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
    fn of(holding: &Holding, from_calcarine: f32, rings: [f32; 3], stream: &mut Stream) -> Self {
        let forward = ((holding.hull.y + 101.0) / 43.0).clamp(0.0, 1.0);
        let outward = match holding.key {
            1 => from_calcarine / rings[0],
            2 => 1.0 - (from_calcarine - rings[0]) / (rings[1] - rings[0]),
            3 => (from_calcarine - rings[1]) / (rings[2] - rings[1]),
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

/// SD over the kinds of a category of how much of an area's taste for it they get: a fish is less of an animal than a
/// cat. Their mean is 1, so that the category keeps its place.
const BY_KIND: f32 = 0.7;
/// SD over voxels of the liking for each of a picture's traits: late areas care little where a thing is.
const LIKING: [f32; N_TRAITS] = [0.25, 0.25, 0.25, 0.8, 0.8, 0.8, 0.8];

/// The area's taste for the category, more for some kinds than for others, and the voxel's own liking for single
/// categories and for the picture's traits. All of it can be read off the picture and its caption.
fn semantic(seed: u64, area: usize, pictures: &[Picture], stream: &mut Stream) -> Vec<f32> {
    let taste = TASTES[(area - 4).min(TASTES.len() - 1)];
    let own: [f32; CATEGORIES.len()] = std::array::from_fn(|_| 0.3 * stream.normal());
    let liking: [f32; N_TRAITS] = LIKING.map(|sd| sd * stream.normal());
    // The same for the whole area, and for every subject.
    let marked: [[f32; N_KINDS]; CATEGORIES.len()] = std::array::from_fn(|category| {
        let mut stream = Stream::new(seed, &[5, area as u64, category as u64]);
        let mut marks: [f32; N_KINDS] = std::array::from_fn(|_| stream.normal());
        standardise(&mut marks);
        marks.map(|mark| 1.0 + BY_KIND * mark)
    });
    let liked = |picture: &Picture| {
        let category = picture.category;
        let traits: f32 = picture.traits.iter().zip(&liking).map(|(t, l)| t * l).sum();
        (taste[category] + own[category]) * marked[category][picture.kind] + traits
    };
    pictures.iter().map(liked).collect()
}

fn standardise(values: &mut [f32]) {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
    let scale = 1.0 / variance.sqrt().max(1e-9);
    values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
}
