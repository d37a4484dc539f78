//! The demo study: one bit pattern a seed, a sound cortex, and a truth that can be found again.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::study::demo::{
    Demo, DemoPlan, explainable, generate, generate_with, study, write_bids,
};
use fusiform_pipelines::study::{Load, Source, Study, Subject};
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface};
use glam::Vec3;

mod flat;
mod truth;

static DEMO: LazyLock<Demo> =
    LazyLock::new(|| quietly(|run| generate(&DemoPlan::default(), run)).unwrap());

fn value<T: Load>(source: &Source<T>) -> Arc<T> {
    quietly(|run| source.load(run)).unwrap()
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
fn digest(study: &Study) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |word: u64| hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
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
    for subject in &study.subjects {
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
        keys.keys.iter().for_each(|&k| floats(&[k as f32]));
    }
    hash
}

#[test]
fn one_seed_gives_one_study_however_many_threads() {
    let with = |n_threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        let plan = DemoPlan {
            seed,
            ..DemoPlan::small()
        };
        pool.install(|| digest(&study(&plan)))
    };
    let one = with(1, 1);
    assert_eq!(one, with(3, 1));
    assert_ne!(one, with(3, 2));
}

#[test]
fn subjects_are_as_different_as_people() {
    let study = study(&DemoPlan::small());
    let [one, other] = study.subjects.as_slice() else {
        panic!("two subjects")
    };
    let areas = |subject: &Subject| {
        let atlas = value(&subject.atlases[0].source);
        let mut counts = BTreeMap::new();
        atlas
            .keys
            .iter()
            .for_each(|&k| *counts.entry(k).or_insert(0) += 1);
        counts
    };
    assert_ne!(areas(one), areas(other), "each has areas of its own sizes");
    let folds = |subject: &Subject| value(subject.surfaces[0].sulcal.as_ref().unwrap());
    let (a, b) = (folds(one), folds(other));
    let opposite = a
        .values
        .iter()
        .zip(b.values.iter())
        .filter(|(a, b)| *a * *b < 0.0);
    // Primary sulci are common, all others are not.
    let part = opposite.count() as f64 / a.values.len() as f64;
    assert!((0.05..0.6).contains(&part), "{part} of the folds differ");
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
fn shared_pictures_are_shown_thrice_in_one_run_and_all_others_once() {
    let mut seen_by: BTreeMap<String, usize> = BTreeMap::new();
    for subject in &DEMO.study.subjects {
        let mut owner: BTreeMap<String, String> = BTreeMap::new();
        for run in &subject.runs {
            let events = value(run.events.as_ref().unwrap());
            let mut shown: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for pair in events.rows.windows(2) {
                assert!(pair[1].onset_secs >= pair[0].onset_secs + pair[0].duration_secs);
            }
            for (trial, row) in events.rows.iter().enumerate() {
                let id = row.stim_file.as_deref().unwrap();
                assert_eq!(
                    DEMO.study.stimulus(id).unwrap().category.as_deref(),
                    Some(&*row.trial_type)
                );
                shown.entry(id).or_default().push(trial);
                let run_of = owner
                    .entry(id.to_owned())
                    .or_insert_with(|| run.label.clone());
                assert_eq!(run_of, &run.label, "{id} is shown in two runs");
            }
            let thrice: Vec<&Vec<usize>> = shown.values().filter(|t| t.len() == 3).collect();
            assert_eq!((thrice.len(), shown.len()), (8, 57));
            assert!(thrice.iter().all(|t| t[1] >= t[0] + 5 && t[2] >= t[1] + 5));
        }
        owner
            .into_keys()
            .for_each(|id| *seen_by.entry(id).or_default() += 1);
    }
    assert_eq!(seen_by.len(), DEMO.study.stimuli.len());
    let n = |n: usize| seen_by.values().filter(|&&by| by == n).count();
    assert_eq!((n(4), n(1)), (80, 1960), "shared, and one subject's own");
}

#[test]
fn pictures_are_many_and_their_captions_tell_them_apart() {
    let stimuli = &DEMO.study.stimuli;
    assert!(stimuli.len() >= 2000);
    let categories: BTreeSet<_> = stimuli.iter().map(|s| s.category.clone()).collect();
    assert_eq!(categories.len(), 8);
    let captions: BTreeSet<_> = stimuli.iter().map(|s| s.caption.clone()).collect();
    assert!(captions.len() > 1500, "{} captions", captions.len());
    let pictures: BTreeSet<Vec<u8>> = stimuli[..64]
        .iter()
        .map(|s| {
            let image = value(s.image.as_ref().unwrap());
            assert_eq!(image.dimensions(), (96, 96));
            // A picture of one colour shows nothing.
            let colours: BTreeSet<_> = image.pixels().map(|p| p.0).collect();
            assert!(colours.len() > 20, "{}", s.id);
            image.as_raw().clone()
        })
        .collect();
    assert_eq!(pictures.len(), 64);
}

#[test]
fn the_brain_is_published_before_the_runs() {
    let cancel = CancelToken::default();
    let published: Mutex<Vec<Study>> = Mutex::new(Vec::new());
    let run = Run::new(&|_| {}, &cancel);
    let plan = DemoPlan::small();
    let stopped = generate_with(&plan, &run, &|study| {
        published.lock().unwrap().push(study);
        cancel.cancel();
    });
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    let published = published.into_inner().unwrap();
    assert_eq!(published.len(), 1);
    let early = &published[0].subjects[0];
    assert!(early.runs.is_empty() && early.anatomy.is_some() && early.surfaces.len() == 2);
    assert_eq!(published[0].stimuli.len(), study(&plan).stimuli.len());
}

#[test]
fn single_trials_explain_as_much_in_each_area_as_they_do_in_people() {
    let atlas = value(&subject().atlases[0].source);
    let truth = &DEMO.truth_snr.data;
    for region in &atlas.regions {
        let mut explained: Vec<f32> = (0..truth.len())
            .filter(|&v| atlas.keys[v] == region.key)
            .map(|v| explainable(truth[v]))
            .collect();
        explained.sort_by(f32::total_cmp);
        let (low, high) = match region.name.as_str() {
            "V1" | "V2" | "V3" => (0.2, 0.4),
            "V4" | "LO" => (0.15, 0.3),
            _ => (0.1, 0.3),
        };
        let median = explained[explained.len() / 2];
        assert!((low..high).contains(&median), "{}: {median}", region.name);
        let within = explained
            .iter()
            .filter(|e| (0.05..0.43).contains(*e))
            .count();
        assert!(within * 10 >= explained.len() * 8, "{}", region.name);
    }
    let outside = (0..truth.len()).filter(|&v| atlas.keys[v] == 0);
    assert!(outside.map(|v| truth[v]).all(|snr| snr == 0.0));
}

#[test]
fn the_written_study_is_the_study() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo");
    let made = study(&DemoPlan::small());
    quietly(|run| write_bids(&made, &path, run)).unwrap();
    let read = quietly(|run| Study::open(&path, run)).unwrap();
    assert_eq!(read.name, made.name);
    assert_eq!(read.assumptions, Vec::<String>::new());
    let ids = |study: &Study| {
        study
            .subjects
            .iter()
            .map(|s| s.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&read), ids(&made));
    assert_eq!(read.stimuli.len(), made.stimuli.len());
    for (a, b) in read.stimuli.iter().zip(&made.stimuli) {
        assert_eq!(
            (&a.id, &a.caption, &a.category),
            (&b.id, &b.caption, &b.category)
        );
        let [a, b] = [a, b].map(|s| value(s.image.as_ref().unwrap()));
        assert_eq!(a, b);
    }
    for (a, b) in read.subjects.iter().zip(&made.subjects) {
        let [t1, other] = [a, b].map(|s| value(s.anatomy.as_ref().unwrap()));
        assert!(t1.grid.same_as(&other.grid) && t1.data == other.data);
        assert_eq!(a.runs.len(), b.runs.len());
        for (a, b) in a.runs.iter().zip(&b.runs) {
            assert_eq!(
                (&a.label, &a.entities, a.tr_secs),
                (&b.label, &b.entities, b.tr_secs)
            );
            let [events, other] = [a, b].map(|r| value(r.events.as_ref().unwrap()));
            assert_eq!(events, other);
            let (series, other) = (value(&a.bold), value(&b.bold));
            assert!(series.grid.same_as(&other.grid) && series.n_times == other.n_times);
            let off = series
                .data
                .iter()
                .zip(other.data.iter())
                .map(|(a, b)| (a - b).abs());
            // Half of the step in which intensities are written.
            assert!(off.fold(0.0, f32::max) <= 0.1251);
        }
        let names = |s: &Subject| {
            s.masks
                .iter()
                .map(|m| m.name.clone())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(names(a), names(b));
        for mask in &a.masks {
            let twin = b.masks.iter().find(|m| m.name == mask.name).unwrap();
            assert_eq!(mask.entities, twin.entities);
            assert_eq!(value(&mask.source).data, value(&twin.source).data);
        }
        let [atlas, other] = [a, b].map(|s| value(&s.atlases[0].source));
        assert_eq!((&atlas.keys, &atlas.regions), (&other.keys, &other.regions));
        assert_eq!(a.surfaces.len(), 2);
        for (a, b) in a.surfaces.iter().zip(&b.surfaces) {
            assert_eq!(
                (a.hemisphere, a.shapes.len()),
                (b.hemisphere, b.shapes.len())
            );
            for ((shape, sheet), (other_shape, other)) in a.shapes.iter().zip(&b.shapes) {
                let (sheet, other) = (value(sheet), value(other));
                assert_eq!(shape, other_shape);
                assert_eq!(
                    (&sheet.vertices, &sheet.triangles),
                    (&other.vertices, &other.triangles)
                );
            }
            let [sulcal, other] = [a, b].map(|s| value(s.sulcal.as_ref().unwrap()));
            assert_eq!(sulcal.values, other.values);
            let [labels, other] = [a, b].map(|s| value(s.labels.as_ref().unwrap()));
            assert_eq!(labels.keys, other.keys);
        }
    }
}

#[test]
fn writing_overwrites_nothing_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let made = study(&DemoPlan::small());
    std::fs::write(folder.path().join("mine"), "mine").unwrap();
    let refused = quietly(|run| write_bids(&made, folder.path(), run));
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("not an empty folder"), "{text}");
    let cancel = CancelToken::default();
    cancel.cancel();
    let path = folder.path().join("new");
    let stopped = write_bids(&made, &path, &Run::new(&|_| {}, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only what was there before");
}
