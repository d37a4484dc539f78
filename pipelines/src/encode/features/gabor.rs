//! Contrast energy: how much contrast a picture has, at several scales and orientations, in every cell of a grid.
//!
//! Quadrature pairs of Gabor filters (Adelson & Bergen 1985, *J. Opt. Soc. Am. A* 2, 284–299), as in models of early
//! visual areas (Kay et al. 2008, *Nature* 452, 352–355).

use std::f32::consts::PI;
use std::ops::Range;
use std::sync::LazyLock;

use image::RgbImage;

use super::{Shown, Space};
use crate::run::{Run, Stop};

/// Pixels a side that pictures are looked at with.
const SIDE: usize = 64;
/// Wavelength in pixels, and cells a side of its grid.
const SCALES: [(usize, usize); 4] = [(4, 12), (8, 8), (16, 4), (32, 2)];
/// Orientations, evenly over half a turn.
const ORIENTATIONS: usize = 4;
/// SD of the envelope in wavelengths: a bandwidth of about one octave.
const ENVELOPE: f32 = 0.56;

/// Columns of each scale.
fn levels() -> Vec<Range<usize>> {
    let mut start = 0;
    let level = |&(_, cells): &(usize, usize)| {
        let level = start..start + cells * cells * ORIENTATIONS;
        start = level.end;
        level
    };
    SCALES.iter().map(level).collect()
}

/// The space of the pictures shown.
pub(super) fn space(shown: &Shown<'_>, run: &Run<'_>) -> Result<Space, Stop> {
    shown.pictures("gabor", SIDE as u32, levels(), run, energy)
}

/// A pair of filters in quadrature.
struct Pair {
    reach: isize,
    even: Vec<f32>,
    odd: Vec<f32>,
}

static PAIRS: LazyLock<Vec<Vec<Pair>>> = LazyLock::new(|| {
    let of_scale = |&(wavelength, _): &(usize, usize)| {
        let of_orientation =
            |o: usize| pair(wavelength as f32, PI * o as f32 / ORIENTATIONS as f32);
        (0..ORIENTATIONS).map(of_orientation).collect()
    };
    SCALES.iter().map(of_scale).collect()
});

fn pair(wavelength: f32, angle: f32) -> Pair {
    let sd = ENVELOPE * wavelength;
    let reach = (2.0 * sd).ceil() as isize;
    let (mut even, mut odd, mut envelope) = (Vec::new(), Vec::new(), Vec::new());
    for y in -reach..=reach {
        for x in -reach..=reach {
            let (x, y) = (x as f32, y as f32);
            let weight = (-(x * x + y * y) / (2.0 * sd * sd)).exp();
            let phase = 2.0 * PI * (x * angle.cos() + y * angle.sin()) / wavelength;
            envelope.push(weight);
            even.push(weight * phase.cos());
            odd.push(weight * phase.sin());
        }
    }
    // An even field gives nothing: luminance is not contrast.
    let offset = even.iter().sum::<f32>() / envelope.iter().sum::<f32>();
    even.iter_mut()
        .zip(&envelope)
        .for_each(|(e, w)| *e -= offset * w);
    let norm = even.iter().map(|v| v * v).sum::<f32>().sqrt();
    even.iter_mut().chain(&mut odd).for_each(|v| *v /= norm);
    Pair { reach, even, odd }
}

/// Mean contrast energy (its root) in every cell, scale after scale, cell after cell, orientation after orientation.
pub fn energy(picture: &RgbImage) -> Vec<f32> {
    let side = picture.width().min(picture.height()) as usize;
    let grey: Vec<f32> = picture
        .pixels()
        .map(|p| {
            (0.2125 * f32::from(p[0]) + 0.7154 * f32::from(p[1]) + 0.0721 * f32::from(p[2])) / 255.0
        })
        .collect();
    let at = |x: isize, y: isize| {
        // Beyond the edge the outermost pixel goes on: no contrast is made there.
        let clamp = |v: isize| v.clamp(0, side as isize - 1) as usize;
        grey[clamp(y) * picture.width() as usize + clamp(x)]
    };
    let mut out = Vec::new();
    for (pairs, &(wavelength, cells)) in PAIRS.iter().zip(&SCALES) {
        let first = out.len();
        out.resize(first + cells * cells * ORIENTATIONS, 0.0);
        let mut counts = vec![0.0f32; cells * cells];
        // Energy changes over half a wavelength at the fastest.
        let step = (wavelength / 2).max(1);
        for y in (step / 2..side).step_by(step) {
            for x in (step / 2..side).step_by(step) {
                let cell = (y * cells / side) * cells + x * cells / side;
                counts[cell] += 1.0;
                for (o, pair) in pairs.iter().enumerate() {
                    let (mut even, mut odd) = (0.0, 0.0);
                    let mut weights = pair.even.iter().zip(&pair.odd);
                    for dy in -pair.reach..=pair.reach {
                        for dx in -pair.reach..=pair.reach {
                            let Some((e, q)) = weights.next() else { break };
                            let value = at(x as isize + dx, y as isize + dy);
                            even += e * value;
                            odd += q * value;
                        }
                    }
                    out[first + cell * ORIENTATIONS + o] += (even * even + odd * odd).sqrt();
                }
            }
        }
        for (cell, n) in counts.iter().enumerate() {
            let energies = &mut out[first + cell * ORIENTATIONS..][..ORIENTATIONS];
            energies.iter_mut().for_each(|e| *e /= n.max(1.0));
        }
    }
    out
}
