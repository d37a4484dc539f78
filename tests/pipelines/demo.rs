//! The demo study: one bit pattern a seed, a sound cortex, and a truth that can be found again.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::study::demo::{Demo, DemoPlan, generate, generate_with};
use fusiform_pipelines::study::{Source, Study, Subject};
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface};
use fusiform_pipelines::volume::Volume;
use glam::Vec3;

static DEMO: LazyLock<Demo> =
    LazyLock::new(|| quietly(|run| generate(&DemoPlan::default(), run)).unwrap());

fn value<T>(source: &Source<T>) -> Arc<T> {
    match source {
        Source::Memory(value) => Arc::clone(value),
        Source::File(path) | Source::Entry { path, .. } => panic!("the demo study reads no file, but names {}", path.display()),
    }
}

fn subject() -> &'static Subject {
    &DEMO.study.subjects[0]
}

fn shape(hemisphere: Hemisphere, shape: Shape) -> Arc<Surface> {
    let surfaces = subject()
        .surfaces
        .iter()
        .find(|s| s.hemisphere == hemisphere)
        .unwrap();
    value(&surfaces.shapes.iter().find(|s| s.0 == shape).unwrap().1)
}

const HALVES: [Hemisphere; 2] = [Hemisphere::Left, Hemisphere::Right];
const SHAPES: [Shape; 5] = [
    Shape::White,
    Shape::Midthickness,
    Shape::Pial,
    Shape::Inflated,
    Shape::Sphere,
];

/// FNV-1a over everything the study holds.
fn digest(demo: &Demo) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |word: u64| hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
    let study = &demo.study;
    for stimulus in &study.stimuli {
        let image = value(stimulus.image.as_ref().unwrap());
        image.as_raw().iter().for_each(|&b| eat(b.into()));
        let words = [
            &stimulus.id,
            stimulus.caption.as_ref().unwrap(),
            stimulus.category.as_ref().unwrap(),
        ];
        words
            .into_iter()
            .for_each(|w| w.bytes().for_each(|b| eat(b.into())));
    }
    let mut floats = |data: &[f32]| data.iter().for_each(|v| eat(v.to_bits().into()));
    floats(&demo.truth_snr.data);
    let subject = &study.subjects[0];
    floats(&value(subject.anatomy.as_ref().unwrap()).data);
    subject
        .masks
        .iter()
        .for_each(|m| floats(&value(&m.source).data));
    for surface in &subject.surfaces {
        for (_, sheet) in &surface.shapes {
            value(sheet)
                .vertices
                .iter()
                .for_each(|v| floats(&v.to_array()));
        }
        floats(&value(surface.sulcal.as_ref().unwrap()).values);
    }
    for run in &subject.runs {
        floats(&value(&run.bold).data);
        for row in &value(run.events.as_ref().unwrap()).rows {
            floats(&[row.onset_secs as f32, row.duration_secs as f32]);
        }
    }
    let keys = value(&subject.atlases[0].source);
    keys.keys.iter().for_each(|&k| eat(k as u64));
    hash
}

#[test]
fn one_seed_gives_one_study_however_many_threads() {
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let plan = DemoPlan::default();
    let one_thread = alone.install(|| quietly(|run| generate(&plan, run)).unwrap());
    assert_eq!(digest(&one_thread), digest(&DEMO));
    drop(one_thread);
    let other = quietly(|run| generate(&DemoPlan { seed: 2 }, run)).unwrap();
    assert_ne!(digest(&other), digest(&DEMO));
}

#[test]
fn every_hemisphere_is_a_closed_sphere_with_its_normals_outwards() {
    for hemisphere in HALVES {
        let pial = shape(hemisphere, Shape::Pial);
        let mut edges: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for &[a, b, c] in pial.triangles.iter() {
            for edge in [(a, b), (b, c), (c, a)] {
                *edges.entry(edge).or_default() += 1;
            }
        }
        // Closed and consistently wound: every directed edge once, and its reverse once.
        assert!(
            edges
                .iter()
                .all(|(&(a, b), &n)| n == 1 && edges.contains_key(&(b, a)))
        );
        let euler =
            pial.vertices.len() as i64 - (edges.len() / 2) as i64 + pial.triangles.len() as i64;
        assert_eq!(euler, 2);
        for name in SHAPES {
            let sheet = shape(hemisphere, name);
            assert_eq!(sheet.triangles, pial.triangles);
            let volume: f64 = sheet
                .triangles
                .iter()
                .map(|t| {
                    let [a, b, c] = t.map(|v| sheet.vertices[v as usize].as_dvec3());
                    a.dot(b.cross(c)) / 6.0
                })
                .sum();
            // The divergence theorem gives a positive volume only to outward normals.
            assert!(
                (150_000.0..4_300_000.0).contains(&volume),
                "{hemisphere:?} {name:?}: {volume} mm³"
            );
        }
        let sphere = shape(hemisphere, Shape::Sphere);
        assert!(
            sphere
                .vertices
                .iter()
                .all(|v| (v.length() - 100.0).abs() < 0.01)
        );
    }
}

#[test]
fn the_cortex_has_the_size_and_thickness_of_a_cortex() {
    for hemisphere in HALVES {
        let (pial, white) = (
            shape(hemisphere, Shape::Pial),
            shape(hemisphere, Shape::White),
        );
        let mut normals = vec![Vec3::ZERO; pial.vertices.len()];
        let mut area = 0.0;
        for t in pial.triangles.iter() {
            let [a, b, c] = t.map(|v| pial.vertices[v as usize]);
            let vector = (b - a).cross(c - a);
            area += 0.5 * f64::from(vector.length());
            t.iter().for_each(|&v| normals[v as usize] += vector);
        }
        assert!(
            (70_000.0..130_000.0).contains(&area),
            "{hemisphere:?}: {area} mm²"
        );
        let across: Vec<Vec3> = pial
            .vertices
            .iter()
            .zip(white.vertices.iter())
            .map(|(p, w)| *p - *w)
            .collect();
        let inside_out = across
            .iter()
            .zip(&normals)
            .filter(|(d, n)| d.dot(**n) <= 0.0)
            .count();
        // A vertex in a thousand may, where the walls of a tight fundus meet.
        assert!(
            inside_out < 23,
            "{hemisphere:?}: white lies outside pial at {inside_out} vertices"
        );
        let mean = across.iter().map(|d| d.length()).sum::<f32>() / across.len() as f32;
        assert!(
            (2.0..3.0).contains(&mean),
            "{hemisphere:?}: mean thickness {mean} mm"
        );
        let mut thickness: Vec<f32> = across.iter().map(|d| d.length()).collect();
        thickness.sort_by(f32::total_cmp);
        // Tight fundi and the tips of narrow gyri leave the common range.
        let [thin, thick] =
            [thickness.len() / 100, thickness.len() * 99 / 100].map(|i| thickness[i]);
        assert!(
            thin > 0.8 && thick < 4.6,
            "{hemisphere:?}: {thin} to {thick} mm"
        );
        let side = if hemisphere == Hemisphere::Left {
            -1.0
        } else {
            1.0
        };
        assert!(
            pial.vertices.iter().all(|p| p.x * side > -0.5),
            "each half keeps to its side"
        );
    }
}

#[test]
fn the_anatomy_is_bright_within_white_matter_and_dark_around_the_brain() {
    let t1 = value(subject().anatomy.as_ref().unwrap());
    for hemisphere in HALVES {
        let (pial, white) = (
            shape(hemisphere, Shape::Pial),
            shape(hemisphere, Shape::White),
        );
        let mean_at = |depth: f32| {
            let values: Vec<f64> = pial
                .vertices
                .iter()
                .zip(white.vertices.iter())
                .step_by(7)
                .filter_map(|(p, w)| t1.trilinear(p.lerp(*w, depth).as_dvec3()))
                .map(f64::from)
                .collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let [fluid, grey, core] = [-0.6, 0.5, 1.6].map(mean_at);
        assert!(
            fluid + 15.0 < grey && grey + 15.0 < core,
            "{fluid} {grey} {core}"
        );
    }
}

#[test]
fn surface_and_volume_agree_on_the_areas() {
    let atlas = value(&subject().atlases[0].source);
    let mut seen = BTreeSet::new();
    for hemisphere in HALVES {
        let surfaces = subject()
            .surfaces
            .iter()
            .find(|s| s.hemisphere == hemisphere)
            .unwrap();
        let labels = value(surfaces.labels.as_ref().unwrap());
        let middle = shape(hemisphere, Shape::Midthickness);
        assert_eq!(labels.regions, atlas.regions);
        let (mut same, mut all) = (0, 0);
        for (&key, point) in labels
            .keys
            .iter()
            .zip(middle.vertices.iter())
            .filter(|(k, _)| **k != 0)
        {
            all += 1;
            same += usize::from(
                atlas
                    .region_at_world(point.as_dvec3())
                    .is_some_and(|r| r.key == key),
            );
            seen.insert((hemisphere, key));
        }
        // A voxel of 4 mm that straddles a border can agree with one side only.
        assert!(same * 100 > all * 70, "{hemisphere:?}: {same} of {all}");
    }
    let key = |name: &str| atlas.regions.iter().find(|r| r.name == name).unwrap().key;
    for region in &atlas.regions {
        assert!(
            atlas.keys.contains(&region.key),
            "{} is in no voxel",
            region.name
        );
        assert!(
            seen.contains(&(Hemisphere::Left, region.key)),
            "{}",
            region.name
        );
        let right = seen.contains(&(Hemisphere::Right, region.key));
        assert_eq!(right, region.key != key("VWFA"), "{}", region.name);
    }
    let centre = |name: &str| {
        let voxels: Vec<_> = (0..atlas.keys.len())
            .filter(|&v| atlas.keys[v] == key(name))
            .map(|v| atlas.grid.world(atlas.grid.ijk(v)))
            .filter(|p| p.x > 0.0)
            .collect();
        voxels.iter().sum::<glam::DVec3>() / voxels.len() as f64
    };
    let (v1, ffa, ppa) = (centre("V1"), centre("FFA"), centre("PPA"));
    assert!(
        v1.y < -70.0 && v1.x < 20.0,
        "V1 lies at the medial occipital pole: {v1}"
    );
    assert!(
        ffa.x > ppa.x + 8.0 && ffa.z < 0.0 && ppa.z < 0.0,
        "FFA {ffa} lies lateral to PPA {ppa}"
    );
}

#[test]
fn every_picture_belongs_to_one_run_and_some_are_shown_twice() {
    let mut owner: BTreeMap<String, String> = BTreeMap::new();
    for run in &subject().runs {
        let events = value(run.events.as_ref().unwrap());
        let bold = value(&run.bold);
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        for pair in events.rows.windows(2) {
            assert!(pair[1].onset_secs >= pair[0].onset_secs + pair[0].duration_secs);
        }
        for row in &events.rows {
            let id = row.stim_file.as_deref().unwrap();
            assert_eq!(
                DEMO.study.stimulus(id).unwrap().category.as_deref(),
                Some(&*row.trial_type)
            );
            *shown.entry(id).or_default() += 1;
            let run_of = owner
                .entry(id.to_owned())
                .or_insert_with(|| run.label.clone());
            assert_eq!(run_of, &run.label, "{id} is shown in two runs");
        }
        assert!(shown.values().filter(|&&n| n == 2).count() >= 5);
        let last = events.rows.last().unwrap().onset_secs;
        assert!(last + 8.0 < bold.n_times as f64 * bold.tr_secs.unwrap());
    }
    assert_eq!(owner.len(), DEMO.study.stimuli.len());
    let captions: BTreeSet<_> = DEMO
        .study
        .stimuli
        .iter()
        .map(|s| s.caption.clone())
        .collect();
    assert!(
        captions.len() > 250,
        "captions tell pictures apart: {}",
        captions.len()
    );
}

#[test]
fn brain_and_pictures_are_published_before_the_runs() {
    let cancel = CancelToken::default();
    let published: Mutex<Vec<Study>> = Mutex::new(Vec::new());
    let run = Run::new(&|_| {}, &cancel);
    let stopped = generate_with(&DemoPlan::default(), &run, &|study| {
        published.lock().unwrap().push(study);
        cancel.cancel();
    });
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    let published = published.into_inner().unwrap();
    assert_eq!(published.len(), 1);
    let early = &published[0].subjects[0];
    assert!(early.runs.is_empty() && early.anatomy.is_some() && early.surfaces.len() == 2);
    assert_eq!(published[0].stimuli.len(), DEMO.study.stimuli.len());
}

/// The double-gamma response by its formula in logarithms: a twin of the one under test.
fn double_gamma(t: f64) -> f64 {
    let gamma = |shape: u32| {
        let log_factorial: f64 = (1..shape).map(|i| f64::from(i).ln()).sum();
        ((f64::from(shape) - 1.0) * t.ln() - t - log_factorial).exp()
    };
    if t > 0.0 {
        gamma(6) - gamma(16) / 6.0
    } else {
        0.0
    }
}

/// Inverse of a symmetric positive matrix (Gauss–Jordan).
fn inverse(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut b: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for pivot in 0..n {
        let scale = 1.0 / a[pivot][pivot];
        a[pivot]
            .iter_mut()
            .chain(&mut b[pivot])
            .for_each(|v| *v *= scale);
        let (row_a, row_b) = (a[pivot].clone(), b[pivot].clone());
        for i in (0..n).filter(|&i| i != pivot) {
            let f = a[i][pivot];
            a[i].iter_mut().zip(&row_a).for_each(|(v, r)| *v -= f * r);
            b[i].iter_mut().zip(&row_b).for_each(|(v, r)| *v -= f * r);
        }
    }
    b
}

/// Signal variance and noise variance of each voxel, by least squares with one regressor a
/// picture. The noise's autocorrelation is taken as known, so both are unbiased.
fn variances(voxels: &[usize]) -> Vec<(f64, f64)> {
    let boxcar = |t: f64| {
        (0..20)
            .map(|q| double_gamma(t - f64::from(q) * 0.1))
            .sum::<f64>()
    };
    let peak = (0..200)
        .map(|i| boxcar(f64::from(i) * 0.1))
        .fold(0.0, f64::max);
    let mut found = vec![(0.0, 0.0); voxels.len()];
    let mut means: Vec<Vec<f64>> = vec![Vec::new(); voxels.len()];
    let mut excess = 0.0;
    let n_runs = subject().runs.len() as f64;
    for run in &subject().runs {
        let (bold, events) = (value(&run.bold), value(run.events.as_ref().unwrap()));
        let ids: BTreeSet<_> = events
            .rows
            .iter()
            .filter_map(|r| r.stim_file.clone())
            .collect();
        let n = bold.n_times;
        let mut x: Vec<Vec<f64>> = ids
            .iter()
            .map(|id| {
                let shown: Vec<f64> = events
                    .rows
                    .iter()
                    .filter(|r| r.stim_file.as_ref() == Some(id))
                    .map(|r| r.onset_secs)
                    .collect();
                (0..n)
                    .map(|t| {
                        shown
                            .iter()
                            .map(|on| boxcar(t as f64 * 2.0 - on) / peak)
                            .sum()
                    })
                    .collect()
            })
            .collect();
        for k in 0..3 {
            x.push(
                (0..n)
                    .map(|t| (std::f64::consts::PI * f64::from(k) * t as f64 / n as f64).cos())
                    .collect(),
            );
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let gram = inverse(
            x.iter()
                .map(|a| x.iter().map(|b| dot(a, b)).collect())
                .collect(),
        );
        let solver: Vec<Vec<f64>> = gram
            .iter()
            .map(|row| {
                (0..n)
                    .map(|t| row.iter().zip(&x).map(|(g, x)| g * x[t]).sum())
                    .collect()
            })
            .collect();
        let autocovariance =
            |lag: usize| 0.5 * f64::from(u8::from(lag == 0)) + 0.5 * 0.45f64.powi(lag as i32);
        let coloured: Vec<Vec<f64>> = solver
            .iter()
            .map(|row| {
                (0..n)
                    .map(|t| (0..n).map(|s| row[s] * autocovariance(t.abs_diff(s))).sum())
                    .collect()
            })
            .collect();
        let spread = (0..ids.len())
            .map(|i| dot(&coloured[i], &solver[i]))
            .sum::<f64>()
            / ids.len() as f64;
        excess += spread / n_runs;
        let freedom = n as f64 - coloured.iter().zip(&x).map(|(c, x)| dot(c, x)).sum::<f64>();
        for ((voxel, found), means) in voxels.iter().zip(&mut found).zip(&mut means) {
            let y: Vec<f64> = (0..n)
                .map(|t| f64::from(bold.values_at(t)[*voxel]))
                .collect();
            let betas: Vec<f64> = solver.iter().map(|row| dot(row, &y)).collect();
            let rest: f64 = (0..n)
                .map(|t| (y[t] - betas.iter().zip(&x).map(|(b, x)| b * x[t]).sum::<f64>()).powi(2))
                .sum();
            found.1 += rest / freedom / n_runs;
            means.extend(&betas[..ids.len()]);
        }
    }
    for (found, betas) in found.iter_mut().zip(means) {
        let mean = betas.iter().sum::<f64>() / betas.len() as f64;
        let total = betas.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / betas.len() as f64;
        found.0 = total - excess * found.1;
    }
    found
}

#[test]
fn least_squares_finds_the_planted_signal_to_noise() {
    let truth = &DEMO.truth_snr.data;
    let brain: Arc<Volume> = value(
        &subject()
            .masks
            .iter()
            .find(|m| m.name == "brain")
            .unwrap()
            .source,
    );
    let mut best: Vec<usize> = (0..truth.len()).filter(|&v| truth[v] > 0.0).collect();
    best.sort_by(|&a, &b| truth[b].total_cmp(&truth[a]));
    // One voxel's estimate is rough (300 pictures seen once or twice), so a hundred are pooled.
    let pooled = |voxels: &[usize]| {
        let found = variances(voxels);
        let signal: f64 = found.iter().map(|(signal, noise)| signal / noise).sum();
        let planted: f64 = voxels.iter().map(|&v| f64::from(truth[v]).powi(2)).sum();
        (signal / voxels.len() as f64, planted / voxels.len() as f64)
    };
    let (found, planted) = pooled(&best[..100]);
    assert!(
        (found / planted - 1.0).abs() < 0.12,
        "best: found {found}, planted {planted}"
    );
    let middle = best.len() / 2;
    let (found, planted) = pooled(&best[middle - 50..middle + 50]);
    assert!(
        (found - planted).abs() < 0.03,
        "middling: found {found}, planted {planted}"
    );

    let silent: Vec<usize> = (0..truth.len())
        .filter(|&v| truth[v] == 0.0 && brain.data[v] > 0.5)
        .step_by(150)
        .collect();
    let (found, _) = pooled(&silent);
    assert!(found.abs() < 0.02, "signal where none was planted: {found}");
}
