//! What the inspector shows of a voxel, against numbers worked out by hand and what was planted.

use fusiform_pipelines::betas::{Betas, Columns, Trial};
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::selectivity::{ProfilePlan, peri_event, prepare, profile};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::Stimulus;
use glam::{DAffine3, DVec3};

fn trial(run: &str, stimulus: &str, repeat: usize) -> Trial {
    Trial {
        subject: "01".into(),
        session: String::new(),
        run: run.into(),
        onset_secs: 0.0,
        duration_secs: 1.0,
        condition: "shown".into(),
        stimulus: Some(stimulus.into()),
        repeat,
    }
}

fn stimulus(id: &str, category: &str) -> Stimulus {
    Stimulus {
        id: id.into(),
        image: None,
        caption: None,
        category: Some(category.into()),
    }
}

/// Six trials of three stimuli (two faces and a house), four voxels in a row 12 mm apart.
fn made() -> (Betas, Vec<Stimulus>) {
    let grid = Grid {
        shape: [4, 1, 1],
        world_from_voxel: DAffine3::from_scale(DVec3::splat(12.0)),
    };
    #[rustfmt::skip]
    let values = vec![
        4.0, 1.0, 8.0, 5.0,
        2.0, 2.0, 4.0, 5.0,
        0.0, 6.0, 0.0, 5.0,
        5.0, 3.0, 10.0, 5.0,
        3.0, 1.0, 6.0, 5.0,
        -2.0, 4.0, -4.0, 5.0,
    ];
    let trials = ["1", "2"]
        .iter()
        .enumerate()
        .flat_map(|(n, run)| ["anna", "bert", "hut"].map(|id| trial(run, id, n)))
        .collect();
    let betas = Betas {
        values: Matrix::from_values(6, 4, values).expect("6 × 4"),
        trials,
        columns: Columns::Voxels(Mask::new(grid, |_| true)),
        method: "made by hand".into(),
    };
    let stimuli = vec![
        stimulus("anna", "face"),
        stimulus("bert", "face"),
        stimulus("hut", "house"),
    ];
    (betas, stimuli)
}

#[test]
fn a_profile_is_what_one_works_out_by_hand() {
    let (betas, stimuli) = made();
    let responses = quietly(|run| prepare(betas, &stimuli, run)).expect("prepared");
    assert_eq!(responses.categories, ["face", "house"]);
    assert_eq!(responses.column_at(DVec3::new(13.0, 0.0, 0.0)), Some(1));
    assert_eq!(responses.world_of(1), Some(DVec3::new(12.0, 0.0, 0.0)));

    let found = profile(&responses, 0, &ProfilePlan::default()).expect("a profile");
    let face = &found.tuning[0];
    // 4, 2, 5, 3: mean 3.5, SD √(5/3), over √4.
    assert_eq!((face.n_trials, face.mean), (4, 3.5));
    assert!((f64::from(face.sem) - (5.0f64 / 3.0).sqrt() / 2.0).abs() < 1e-6);
    // 0, −2: mean −1, SD √2, over √2.
    assert_eq!((found.tuning[1].mean, found.tuning[1].sem), (-1.0, 1.0));
    // Between: 4 · 1.5² + 2 · 3² = 27; within: 5 + 2.
    assert!((found.eta_squared - 27.0 / 34.0).abs() < 1e-6);
    // Three stimuli: one best, one worst, none both.
    assert_eq!(found.best.len(), 1);
    assert_eq!(
        (found.best[0].stimulus.as_str(), found.best[0].mean),
        ("anna", 4.5)
    );
    assert_eq!(found.worst[0].stimulus, "hut");
    // Two repeats at a ceiling of c are trusted by 2c / (1 + c); the mean of all is 2.
    let share = responses.ceiling.as_ref().expect("repeats")[0];
    let expected = 2.0 + 2.0 * share / (1.0 + share) * 2.5;
    assert!((found.best[0].expected - expected).abs() < 1e-5);
    // The third voxel is twice the first; the fourth never moves and is nobody's like.
    assert_eq!(found.alike[0].column, 2);
    assert!((found.alike[0].r - 1.0).abs() < 1e-5);
    assert_eq!(found.alike.len(), 2);
    // Pearson of the first two columns, from the definition.
    let (x, y) = (
        [4.0, 2.0, 0.0, 5.0, 3.0, -2.0],
        [1.0, 2.0, 6.0, 3.0, 1.0, 4.0],
    );
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        let (ma, mb) = (mean(a), mean(b));
        a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum()
    };
    let r = product(&x, &y) / (product(&x, &x) * product(&y, &y)).sqrt();
    assert!((f64::from(found.alike[1].r) - r).abs() < 1e-5);
    let halves = responses.split_half.as_ref().expect("repeats");
    assert!(halves[0] > 0.9, "two repeats agree: {}", halves[0]);

    let still = profile(&responses, 3, &ProfilePlan::default()).expect("a profile");
    assert!(still.eta_squared.is_nan() && still.alike.is_empty());
    assert_eq!(profile(&responses, 4, &ProfilePlan::default()), None);
}

#[test]
fn a_voxel_with_a_hole_has_no_profile() {
    let (mut betas, stimuli) = made();
    betas.values.values[1] = f32::NAN;
    let responses = quietly(|run| prepare(betas, &stimuli, run)).expect("prepared");
    assert_eq!(profile(&responses, 1, &ProfilePlan::default()), None);
    let other = profile(&responses, 0, &ProfilePlan::default()).expect("a profile");
    assert!(other.alike.iter().all(|voxel| voxel.column != 1));
}

#[test]
fn events_are_averaged_from_what_was_before_them() {
    // A run of mean 100: a step of + 10 for three volumes from the second after each onset, balanced by − 10 elsewhere.
    let mut course = vec![100.0f32; 40];
    for onset in [8usize, 22] {
        for t in 2..5 {
            course[onset + t] += 10.0;
            course[onset + t + 4] -= 10.0;
        }
    }
    let events = [(16.0, "a"), (44.0, "a"), (2.0, "b"), (76.0, "b")];
    let found = peri_event(&course, 2.0, &events, 4.0, 10.0);
    assert_eq!(
        found.times_secs,
        [-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    );
    // Both of b lie too near an end of the run.
    assert_eq!((found.courses.len(), found.n_left_out), (1, 2));
    assert_eq!(found.courses[0].n_events, 2);
    let expected = [0.0, 0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 0.0];
    for (value, expected) in found.courses[0].mean.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-4, "{value} is {expected}");
    }
    assert!(found.courses[0].sem.iter().all(|s| s.abs() < 1e-4));
    // Half a volume later every value is half way to the next.
    let found = peri_event(&course, 2.0, &[(17.0, "a")], 4.0, 10.0);
    assert!((found.courses[0].mean[3] - 5.0).abs() < 1e-4);
    assert!(
        peri_event(&[0.0; 40], 2.0, &events, 4.0, 10.0)
            .courses
            .is_empty()
    );
}
