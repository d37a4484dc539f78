//! Permutation tests: exact where all labellings can be counted, at their level on noise, and true to their blocks.

use super::*;

fn tested(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    exchange: &Exchange,
    plan: &Plan<'_>,
) -> Permuted {
    quietly(|run| permute::two_sample(values, a, b, exchange, plan, run)).unwrap()
}

fn plan(n_permutations: usize, tail: Tail) -> Plan<'static> {
    Plan {
        n_permutations,
        seed: 5,
        tail,
        patches: None,
    }
}

/// Two runs of `n` trials each.
fn two_runs(n: usize) -> Exchange {
    Exchange {
        block: (0..2 * n).map(|row| row / n).collect(),
        unit: (0..2 * n).collect(),
    }
}

#[test]
fn p_is_that_of_all_labellings_within_runs() {
    let values = made(12, 5, 17.0).into_iter().enumerate();
    let shifted = |row: usize| matches!(row, 0..=2 | 6..=8);
    let values = matrix(
        5,
        values.map(|(i, v)| {
            if i % 5 == 1 && shifted(i / 5) {
                v + 1.0
            } else {
                v
            }
        }),
    );
    let (a, b): (Vec<usize>, Vec<usize>) = (0..12).partition(|&row| shifted(row));
    let n = 20_000;
    let found = tested(&values, &a, &b, &two_runs(6), &plan(n, Tail::Both));
    for (name, p) in [
        ("exact_anywhere", &found.p_anywhere),
        ("exact_alone", &found.p_alone),
    ] {
        for (got, want) in p.iter().zip(fixture(name)) {
            // Four standard errors of a count of 20 000.
            let error = 4.0 * (want * (1.0 - want) / n as f64).sqrt() + 1.0 / n as f64;
            assert!((got - want).abs() <= error, "{name}: {got}, exactly {want}");
        }
    }
    let t = map(&values, &a, &b, Measure::T(Variance::Pooled));
    assert_close(&wide(&found.t), &wide(&t.values), 1e-4);
    assert_eq!(found.largest.len(), n);
}

#[test]
fn the_same_seed_gives_the_same_result_however_many_threads() {
    let values = noise(40, 1300, 3);
    let (a, b): (Vec<usize>, Vec<usize>) = (0..40).partition(|row| row % 2 == 0);
    let with = |n_threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        let plan = Plan {
            seed,
            ..plan(100, Tail::Both)
        };
        pool.install(|| tested(&values, &a, &b, &two_runs(20), &plan))
    };
    let one = with(1, 5);
    assert_eq!(one, with(3, 5));
    assert_ne!(one.largest, with(3, 6).largest);
}

#[test]
fn noise_passes_as_often_as_was_asked_for() {
    let grid = Grid {
        shape: [8, 8, 4],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let neighbours = Neighbours::of_voxels(&Mask::new(grid, |_| true), Contact::Faces);
    let (a, b): (Vec<usize>, Vec<usize>) = (0..24).partition(|row| row % 2 == 0);
    let n = 200;
    let (mut n_voxel, mut n_patch) = (0, 0);
    for seed in 0..n {
        let values = noise(24, 256, 100 + seed);
        let plan = Plan {
            patches: Some((2.0, &neighbours)),
            seed,
            ..plan(99, Tail::Both)
        };
        let found = tested(&values, &a, &b, &two_runs(12), &plan);
        n_voxel += usize::from(found.p_anywhere.iter().any(|p| *p <= 0.1));
        n_patch += usize::from(found.patches.iter().any(|patch| patch.p <= 0.1));
    }
    // One in ten, with four standard errors of 200 tries; sizes of patches are whole numbers, so that ties make the
    // test of patches a stricter one.
    let share = |count: usize| count as f64 / n as f64;
    assert!((share(n_voxel) - 0.1).abs() < 0.085, "{}", share(n_voxel));
    assert!(share(n_patch) < 0.185 && n_patch > 0, "{}", share(n_patch));
}

#[test]
fn a_planted_patch_is_found_with_its_sign() {
    let grid = Grid {
        shape: [10, 10, 1],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let neighbours = Neighbours::of_voxels(&Mask::new(grid, |_| true), Contact::Faces);
    let mut values = noise(60, 100, 9);
    let in_patch = |v: usize| (2..6).contains(&(v % 10)) && (3..6).contains(&(v / 10));
    let beside = |v: usize| (6..9).contains(&(v % 10)) && (3..6).contains(&(v / 10));
    for row in (0..60).step_by(2) {
        for (v, value) in values.row_mut(row).iter_mut().enumerate() {
            if in_patch(v) {
                *value += 2.0;
            } else if beside(v) {
                *value -= 2.0;
            }
        }
    }
    let (a, b): (Vec<usize>, Vec<usize>) = (0..60).partition(|row| row % 2 == 0);
    let found = |tail| {
        let plan = Plan {
            patches: Some((3.0, &neighbours)),
            ..plan(199, tail)
        };
        tested(&values, &a, &b, &two_runs(30), &plan)
    };
    let both = found(Tail::Both);
    let (positive, negative) = (&both.patches[0], &both.patches[1]);
    assert_eq!(
        positive.columns,
        (0..100).filter(|&v| in_patch(v)).collect::<Vec<_>>()
    );
    assert_eq!(
        negative.columns,
        (0..100).filter(|&v| beside(v)).collect::<Vec<_>>()
    );
    assert_eq!((positive.extent, negative.extent), (12.0, 9.0));
    assert_eq!((positive.p, negative.p), (0.005, 0.005));
    assert!(in_patch(positive.peak) && both.t[positive.peak] > 3.0);
    assert_eq!(both.largest_patches.len(), 199);
    let greater = found(Tail::Greater);
    assert!(greater.patches.iter().all(|patch| both.t[patch.peak] > 0.0));
    assert!(
        (0..100)
            .filter(|&v| beside(v))
            .all(|v| greater.p_alone[v] > 0.5)
    );
}

#[test]
fn what_differs_between_runs_alone_is_no_difference() {
    // Most of the first run is of one condition, and its values are far higher.
    let mut values = noise(40, 30, 11);
    for row in 0..20 {
        values.row_mut(row).iter_mut().for_each(|v| *v += 5.0);
    }
    let (a, b): (Vec<usize>, Vec<usize>) = (0..40).partition(|&row| !(16..36).contains(&row));
    let within = tested(&values, &a, &b, &two_runs(20), &plan(199, Tail::Both));
    let free = tested(&values, &a, &b, &Exchange::free(40), &plan(199, Tail::Both));
    assert!(free.p_alone.iter().all(|p| *p < 0.02));
    assert!(within.p_anywhere.iter().all(|p| *p > 0.05));
}

#[test]
fn repeats_of_a_stimulus_keep_one_label() {
    // 8 stimuli of 10 repeats in one run: each has a response of its own, and the conditions nothing in common.
    let (of_stimuli, mut values) = (noise(8, 20, 21), noise(80, 20, 22));
    let mut trials = Vec::new();
    for row in 0..80 {
        let own = of_stimuli.row(row % 8).iter();
        let row_values = values.row_mut(row).iter_mut().zip(own);
        row_values.for_each(|(value, own)| *value = 0.3 * *value + own);
        trials.push(trial("1", Some(&format!("{}.png", row % 8))));
    }
    let (a, b): (Vec<usize>, Vec<usize>) = (0..80).partition(|row| row % 8 < 4);
    let events = Mutex::new(Vec::new());
    let emit = |event| events.lock().unwrap().push(event);
    let cancel = CancelToken::default();
    let run = Run::new(&emit, &cancel);
    let whole = Exchange::of_trials(&trials);
    let plan = plan(199, Tail::Both);
    let together = permute::two_sample(&values, &a, &b, &whole, &plan, &run).unwrap();
    // 70 ways to choose 4 of 8, of which half mirror the other half: no voxel can be rarer than 2 in 70.
    assert!(together.p_alone.iter().all(|p| *p > 0.01));
    let warned = |event: &Event| matches!(event, Event::Warning(text) if text.contains("70 ways"));
    assert!(events.lock().unwrap().iter().any(warned));
    let apart = tested(&values, &a, &b, &Exchange::free(80), &plan);
    let n_found = |found: &Permuted| found.p_anywhere.iter().filter(|p| **p < 0.05).count();
    assert!(n_found(&apart) >= 5, "{}", n_found(&apart));
    assert_eq!(n_found(&together), 0);
}

#[test]
fn labels_that_cannot_be_exchanged_are_refused() {
    let values = noise(12, 4, 1);
    let (a, b): (Vec<usize>, Vec<usize>) = (0..12).partition(|&row| row < 6);
    let refused = |exchange: &Exchange, plan: &Plan<'_>| {
        quietly(|run| permute::two_sample(&values, &a, &b, exchange, plan, run))
            .unwrap_err()
            .to_string()
    };
    let plan = plan(9, Tail::Both);
    assert!(refused(&two_runs(6), &plan).contains("occur in the same run"));
    let shared = Exchange {
        block: vec![0; 12],
        unit: (0..12).map(|row| row % 6).collect(),
    };
    assert!(refused(&shared, &plan).contains("share no stimulus"));
    assert!(refused(&Exchange::free(11), &plan).contains("there are 12"));
    let grid = Grid {
        shape: [4, 1, 1],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let neighbours = Neighbours::of_voxels(&Mask::new(grid, |_| true), Contact::Faces);
    let plan = Plan {
        patches: Some((0.0, &neighbours)),
        ..plan
    };
    assert!(refused(&Exchange::free(12), &plan).contains("threshold above 0"));
}

#[test]
fn a_voxel_without_a_statistic_takes_no_part() {
    let mut values = noise(12, 3, 1);
    values.values[1] = f32::NAN;
    for row in 0..12 {
        values.row_mut(row)[2] = 1.0;
    }
    let (a, b): (Vec<usize>, Vec<usize>) = (0..12).partition(|row| row % 2 == 0);
    let found = tested(&values, &a, &b, &Exchange::free(12), &plan(50, Tail::Both));
    for map in [&found.p_alone, &found.p_anywhere] {
        assert!(!map[0].is_nan() && map[1].is_nan() && map[2].is_nan());
    }
    assert!(found.largest.iter().all(|t| t.is_finite()));
}
