//! The runs: events, the haemodynamic response, drifts and noise.

use glam::Vec3;

use super::anatomy::Lattice;
use super::hull;
use super::person::Person;
use super::response::Tuning;
use super::stream::{Stream, bell, exp, sin_cos};
use crate::run::{Run, Stop};
use crate::study::events::{EventRow, Events};
use crate::volume::Series;

/// Seconds from one volume to the next.
pub(super) const TR_SECS: f64 = 2.0;
/// How long a picture is shown.
const SHOWN_SECS: f64 = 2.0;
/// A picture of the shared set comes back after this many trials at the soonest.
const APART: usize = 5;
/// How strongly every picture drives a voxel, in SDs of its responses.
const COMMON_RESPONSE: f32 = 1.5;
/// The part of the noise that carries over from one volume to the next.
const AUTOREGRESSION: f32 = 0.45;
/// The part of the body's noise that is the same everywhere.
const GLOBAL_NOISE: f32 = 0.1;

/// The canonical response to a short event (two gamma densities, peaks near 5 s and 15 s; Friston
/// et al. 1998), `secs` after it.
fn canonical(secs: f64) -> f64 {
    if secs <= 0.0 {
        return 0.0;
    }
    // t^5 e^−t / 5! − t^15 e^−t / (6 · 15!), the powers built up factor by factor.
    let mut rise = f64::from(exp(-secs as f32));
    for n in 1..=5 {
        rise *= secs / f64::from(n);
    }
    let mut under = rise;
    for n in 6..=15 {
        under *= secs / f64::from(n);
    }
    rise - under / 6.0
}

/// The response to one picture at each tenth of a second from its onset, with a peak of 1.
pub(super) fn picture_response() -> Vec<f32> {
    let shown = (SHOWN_SECS * 10.0) as usize;
    let response: Vec<f32> = (0..320)
        .map(|i| {
            (0..shown.min(i + 1))
                .map(|j| canonical((i - j) as f64 / 10.0))
                .sum::<f64>() as f32
        })
        .collect();
    let peak = response.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    response.iter().map(|r| r / peak).collect()
}

/// What was shown in a run: (onset in seconds, number of the picture), in order, and the volumes it
/// takes. Every picture of the shared set is shown once in each third of the run, the subject's own
/// once in all.
pub(super) fn schedule(person: &Person, run: usize) -> (Vec<(f64, usize)>, usize) {
    let mut stream = Stream::new(person.own_seed, &[6, run as u64]);
    let (shared, own) = person.layout.run(person.index, run);
    let mut own: Vec<usize> = own.collect();
    stream.shuffle(&mut own);
    let mut thirds: [Vec<usize>; 3] = std::array::from_fn(|_| shared.clone().collect());
    for (i, picture) in own.into_iter().enumerate() {
        thirds[i % 3].push(picture);
    }
    let shown = loop {
        for third in &mut thirds {
            stream.shuffle(third);
        }
        let shown = thirds.concat();
        let soon = |(i, picture): (usize, &usize)| {
            shown[i + 1..].iter().take(APART - 1).any(|p| p == picture)
        };
        if !shown.iter().enumerate().any(soon) {
            break shown;
        }
    };
    let mut onset = 8.0;
    let trials = shown
        .into_iter()
        .map(|picture| {
            let trial = (onset, picture);
            onset += stream.pick([4.0, 4.0, 6.0, 6.0]);
            trial
        })
        .collect();
    (trials, ((onset + 12.0) / TR_SECS) as usize)
}

/// The events table of a schedule.
pub(super) fn events(
    trials: &[(f64, usize)],
    id_and_category: impl Fn(usize) -> (String, String),
) -> Events {
    let row = |&(onset_secs, picture): &(f64, usize)| {
        let (id, trial_type) = id_and_category(picture);
        EventRow {
            onset_secs,
            duration_secs: SHOWN_SECS,
            trial_type,
            stim_file: Some(id),
            modulation: 1.0,
        }
    };
    Events {
        rows: trials.iter().map(row).collect(),
    }
}

/// What the scanner sees of each voxel when nothing happens, and how noisy it is.
#[derive(Debug)]
pub(super) struct Scene {
    /// The mean intensity.
    pub(super) mean: Vec<f32>,
    /// SD of the noise over time.
    pub(super) noise: Vec<f32>,
    /// Whether the voxel is mostly brain.
    pub(super) brain: Vec<bool>,
}

/// The echo-planar look of the head: fluid brightest, grey over white, signal lost above the sinuses.
pub(super) fn scene(seed: u64, lattice: &Lattice, pial: &[f32], white: &[f32]) -> Scene {
    let mut stream = Stream::new(seed, &[7]);
    let mut scene = Scene {
        mean: Vec::new(),
        noise: Vec::new(),
        brain: Vec::new(),
    };
    for voxel in 0..lattice.n_voxels() {
        let p = lattice.centre(voxel);
        let lateral = Vec3::new(p.x.abs(), p.y, p.z);
        let part = |distance: f32| (0.5 - distance / lattice.step).clamp(0.0, 1.0);
        let hindbrain = part(hull::cerebellum(lateral).min(hull::brainstem(lateral)));
        let brain = pial[voxel].max(hindbrain);
        let fluid = part(hull::brain(lateral) - 2.0);
        let head = part(hull::head(lateral));
        let mut mean = 14.0 + 130.0 * head * (1.0 - fluid);
        mean += fluid * (820.0 - mean);
        mean += brain * (740.0 - 110.0 * white[voxel] - mean);
        let sinus = bell(p.distance(Vec3::new(0.0, 38.0, -28.0)) / 15.0);
        let ear = bell(lateral.distance(Vec3::new(52.0, -22.0, -36.0)) / 12.0);
        mean *= (1.0 - 0.75 * sinus) * (1.0 - 0.5 * ear) * (1.0 + 0.0015 * p.z - 0.001 * p.y);
        scene.mean.push(mean);
        scene
            .noise
            .push(mean * 0.014 * stream.between(0.8, 1.25) + 1.0);
        scene.brain.push(brain > 0.5);
    }
    scene
}

/// Weighs each voxel with its neighbours along every axis, 1 : 2 : 1 (2 voxels wide at half height), and keeps the
/// variance of white noise.
fn smooth(field: &mut [f32], [ni, nj, nk]: [usize; 3]) {
    // The weights' squares sum to 6/16; beyond the edge the outermost voxel is met again.
    let scale = (8.0f32 / 3.0).sqrt() / 4.0;
    let mut line = Vec::new();
    for (n, stride) in [(ni, 1), (nj, ni), (nk, ni * nj)] {
        for start in 0..field.len() {
            if start / stride % n != 0 {
                continue;
            }
            line.clear();
            line.extend((0..n).map(|i| field[start + i * stride]));
            for i in 0..n {
                let (before, after) = (line[i.max(1) - 1], line[(i + 1).min(n - 1)]);
                field[start + i * stride] = scale * (before + 2.0 * line[i] + after);
            }
        }
    }
}

/// Scans a run.
pub(super) fn scan(
    person: &Person,
    run_number: usize,
    lattice: &Lattice,
    scene: &Scene,
    tuning: &Tuning,
    run: &Run<'_>,
) -> Result<Series, Stop> {
    let (trials, n_times) = schedule(person, run_number);
    let response = picture_response();
    let n_voxels = lattice.n_voxels();
    let mut stream = Stream::new(person.own_seed, &[8, run_number as u64]);
    // Slow drifts: two shapes in time, each with its own tilt over the head.
    let tilts: [Vec3; 2] =
        std::array::from_fn(|_| Vec3::new(stream.normal(), stream.normal(), stream.normal()));
    let tilted: [Vec<f32>; 2] = tilts.map(|tilt| {
        (0..n_voxels)
            .map(|v| 0.006 * (0.4 + tilt.dot(lattice.centre(v)) / 90.0))
            .collect()
    });
    // Half of the variance is the body's: it carries over in time (AR(1)) and is smooth in space, a part of it the
    // same everywhere. The other half is the scanner's: white in both.
    let half = 0.5f32.sqrt();
    let innovation = half * (1.0 - AUTOREGRESSION * AUTOREGRESSION).sqrt();
    let bodily = |stream: &mut Stream| -> Vec<f32> {
        let everywhere = GLOBAL_NOISE.sqrt() * stream.normal();
        let mut field: Vec<f32> = (0..n_voxels).map(|_| stream.normal()).collect();
        smooth(&mut field, lattice.shape);
        field
            .iter()
            .map(|x| everywhere + (1.0 - GLOBAL_NOISE).sqrt() * x)
            .collect()
    };
    let mut carried: Vec<f32> = bodily(&mut stream).iter().map(|x| half * x).collect();
    let mut data = vec![0.0f32; n_voxels * n_times];
    let gains: Vec<f32> = tuning
        .voxels
        .iter()
        .zip(&tuning.snr)
        .map(|(&v, snr)| scene.noise[v] * snr)
        .collect();
    for (time, volume) in data.chunks_mut(n_voxels).enumerate() {
        run.check()?;
        let phase = std::f32::consts::PI * time as f32 / n_times as f32;
        let slow = [sin_cos(phase).1, 0.6 * sin_cos(2.0 * phase).1];
        let fresh = bodily(&mut stream);
        for (voxel, value) in volume.iter_mut().enumerate() {
            let mean = scene.mean[voxel];
            if mean < 60.0 {
                // Air: half-rectified noise, one draw is enough.
                *value = mean * (0.6 + 0.8 * stream.uniform());
                continue;
            }
            carried[voxel] = AUTOREGRESSION * carried[voxel] + innovation * fresh[voxel];
            let noise = carried[voxel] + half * stream.normal();
            let drift = slow[0] * tilted[0][voxel] + slow[1] * tilted[1][voxel];
            *value = mean * (1.0 + drift) + scene.noise[voxel] * noise;
        }
        let now = time as f64 * TR_SECS;
        for &(onset, picture) in &trials {
            let tenths = ((now - onset) * 10.0).round();
            let Some(&level) = (tenths >= 0.0)
                .then(|| response.get(tenths as usize))
                .flatten()
            else {
                continue;
            };
            let row = &tuning.responses[person.layout.row(person.index, picture)];
            for ((&voxel, gain), z) in tuning.voxels.iter().zip(&gains).zip(row) {
                volume[voxel] += gain * level * (COMMON_RESPONSE + z);
            }
        }
    }
    Ok(Series {
        grid: lattice.grid(),
        n_times,
        tr_secs: Some(TR_SECS),
        data: data.into(),
        assumptions: Vec::new(),
    })
}
