//! Pure noise must score at chance, and a score that owes itself to looking must say so.

use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::select::{
    Basket, Candidate, Evaluation, EvaluationPlan, Model, PickPlan, Search, Statistic, Table,
    evaluate,
};

use super::{balanced, noise, row, table_of};

fn scored(table: &Table, basket: Option<&Basket>, plan: &EvaluationPlan) -> Evaluation {
    let candidates = [Candidate {
        name: "voxels",
        table,
    }];
    quietly(|run| evaluate(&candidates, basket, plan, run)).unwrap()
}

/// The case of the notes: n = 60, 15 000 voxels, k = 20.
#[test]
fn pure_noise_scores_at_chance_and_the_fixed_basket_is_badged() {
    let standard_error = (0.25f64 / 60.0).sqrt();
    for seed in 1..=6 {
        let table = table_of(balanced(6, 5, 2), noise(60, 15_000, seed));
        let plan = EvaluationPlan {
            n_permutations: 40,
            ..EvaluationPlan::default()
        };
        let got = scored(&table, None, &plan);
        println!(
            "noise, seed {seed}: re-picked {:.3} (p {:.2}), fixed {:.3}",
            got.repicked.accuracy,
            got.repicked.p.unwrap(),
            got.fixed.accuracy
        );
        assert!((got.repicked.accuracy - 0.5).abs() < 3.0 * standard_error);
        assert!(got.fixed.accuracy > 0.8, "{}", got.fixed.accuracy);
        assert!(got.optimistic.as_ref().unwrap().contains("6 of the 6 runs"));
        assert!(got.fixed.p.is_none(), "an inflated score gets no p");
        assert!(got.repicked.p.unwrap() > 0.02);
        assert_eq!((got.n_rows, got.chance), (60, 0.5));
    }
}

/// Looking for the best combination is a second selection; nested, it stays at chance as well.
#[test]
fn searches_on_noise_score_at_chance() {
    let table = table_of(balanced(6, 5, 2), noise(60, 2_000, 8));
    for search in [Search::Prefixes, Search::Forward] {
        let plan = EvaluationPlan {
            pick: PickPlan {
                n: 8,
                ..PickPlan::default()
            },
            search,
            n_permutations: 0,
            ..EvaluationPlan::default()
        };
        let got = scored(&table, None, &plan);
        assert!((got.repicked.accuracy - 0.5).abs() < 0.2, "{search:?}");
        assert!(
            got.fixed.accuracy > 0.75,
            "{search:?} {}",
            got.fixed.accuracy
        );
        assert!(got.repicked.folds.iter().all(|f| f.choice.is_some()));
    }
}

/// A planted difference in ten voxels of 500.
fn planted(signal: f32) -> Table {
    let rows = balanced(6, 5, 2);
    let mut values = noise(60, 500, 3);
    for (r, row) in rows.iter().enumerate() {
        for f in 0..10 {
            values.row_mut(r)[50 * f] += signal * (0.5 - row.class as f32);
        }
    }
    table_of(rows, values)
}

#[test]
fn a_planted_difference_is_found_by_every_model() {
    let table = planted(1.6);
    for model in [
        Model::Lda,
        Model::Logistic { c: 1.0 },
        Model::Svm { c: 1.0 },
        Model::Centroid,
    ] {
        let plan = EvaluationPlan {
            model,
            n_permutations: 99,
            ..EvaluationPlan::default()
        };
        let got = scored(&table, None, &plan);
        let Evaluation { repicked, .. } = &got;
        assert!(repicked.accuracy > 0.85, "{model:?} {}", repicked.accuracy);
        assert_eq!(repicked.p, Some(0.01), "{model:?}");
        assert!(repicked.auc.unwrap() > 0.9, "{model:?}");
        assert_eq!(repicked.confusion.concat().iter().sum::<usize>(), 60);
        let mean = got.null.iter().sum::<f64>() / 99.0;
        assert!((mean - 0.5).abs() < 0.03, "{model:?} {mean}");
        // Planted voxels are those that all folds agree on.
        let often = got.frequency.iter().filter(|f| f.n_folds == 6);
        assert!(often.clone().count() >= 6);
        let right = often.filter(|f| f.column % 50 == 0).count();
        assert!(right >= 6, "{model:?}");
    }
}

#[test]
fn a_basket_from_elsewhere_is_no_optimist() {
    let table = planted(1.6);
    let columns: Vec<usize> = (0..10).map(|f| 50 * f).collect();
    let plan = EvaluationPlan {
        n_permutations: 99,
        ..EvaluationPlan::default()
    };
    let given = Basket::of(&table, &columns, &[]);
    let got = scored(&table, Some(&given), &plan);
    assert!(got.optimistic.is_none());
    assert_eq!(got.fixed.p, Some(0.01));
    let seen = Basket::of(&table, &columns, &["03".to_owned()]);
    let badged = scored(&table, Some(&seen), &plan);
    assert!(badged.optimistic.unwrap().contains("1 of the 6 runs"));
    assert_eq!(badged.fixed.p, None);
    assert_eq!(badged.fixed.accuracy, got.fixed.accuracy);
}

#[test]
fn the_same_plan_gives_the_same_scores_on_any_number_of_threads() {
    let table = planted(0.8);
    let plan = EvaluationPlan {
        n_permutations: 30,
        ..EvaluationPlan::default()
    };
    let pool = rayon_pool(1);
    let one = pool.install(|| scored(&table, None, &plan));
    assert_eq!(one, scored(&table, None, &plan));
}

fn rayon_pool(n: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build()
        .unwrap()
}

/// The permuted scores are those of running the whole way on shuffled labels: repeats keep one label, runs keep counts.
#[test]
fn repeats_are_permuted_together() {
    // Ten stimuli a run, each twice; the signal is a quirk of stimuli, not of classes.
    let mut rows = Vec::new();
    for run in 0..4 {
        for i in 0..20 {
            rows.push(row(usize::from(i % 10 >= 5), run, Some(10 * run + i % 10)));
        }
    }
    let mut values = noise(80, 100, 4);
    let quirks = noise(40, 100, 6);
    for r in 0..80 {
        let stimulus = 10 * (r / 20) + r % 10;
        for f in 0..100 {
            values.row_mut(r)[f] += 2.0 * quirks.row(stimulus)[f];
        }
    }
    let plan = EvaluationPlan {
        n_permutations: 60,
        ..EvaluationPlan::default()
    };
    let got = scored(&table_of(rows, values), None, &plan);
    assert!(got.repicked.p.unwrap() > 0.02, "{:?}", got.repicked.p);
    let ways = 252f64.powi(4);
    assert!((got.n_labellings / ways - 1.0).abs() < 1e-6);
}

#[test]
fn broken_features_are_said_and_never_picked() {
    let mut table = planted(1.6);
    let mut values = table.fitted(&[]).unwrap().into_owned();
    for r in 0..60 {
        values.row_mut(r)[0] = 1.0;
        values.row_mut(r)[50] = if r == 3 { f32::NAN } else { 0.5 };
    }
    table = table_of(table.rows.clone(), values);
    let plan = EvaluationPlan {
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    let got = scored(&table, None, &plan);
    assert!(
        got.frequency
            .iter()
            .all(|f| f.column != 0 && f.column != 50)
    );
    let said = got.notes.join(" ");
    assert!(
        said.contains("1 of 500 voxels hold a value that is not finite"),
        "{said}"
    );
    assert!(said.contains("1 of 500 voxels do not vary"), "{said}");

    let mut flat = noise(60, 5, 1);
    flat.values.fill(2.0);
    let flat = table_of(balanced(6, 5, 2), flat);
    let candidates = [Candidate {
        name: "voxels",
        table: &flat,
    }];
    let error = quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap_err();
    assert!(
        error.to_string().contains("no feature can be picked"),
        "{error}"
    );
}

#[test]
fn every_statistic_picks_and_many_classes_want_r2() {
    let table = planted(1.6);
    for statistic in [
        Statistic::R2,
        Statistic::SignedR2,
        Statistic::T,
        Statistic::DPrime,
        Statistic::Auc,
    ] {
        let plan = EvaluationPlan {
            pick: PickPlan {
                statistic,
                ..PickPlan::default()
            },
            n_permutations: 0,
            ..EvaluationPlan::default()
        };
        let got = scored(&table, None, &plan);
        assert!(got.repicked.accuracy > 0.85, "{statistic:?}");
        let many = table_of(balanced(4, 3, 3), noise(36, 10, 2));
        let candidates = [Candidate {
            name: "voxels",
            table: &many,
        }];
        let outcome = quietly(|run| evaluate(&candidates, None, &plan, run));
        assert_eq!(outcome.is_ok(), statistic == Statistic::R2);
    }
}

#[test]
fn an_evaluation_can_be_cancelled() {
    let table = planted(1.0);
    let candidates = [Candidate {
        name: "voxels",
        table: &table,
    }];
    let cancel = CancelToken::default();
    let listen = |event: fusiform_pipelines::run::Event| {
        if matches!(
            event,
            fusiform_pipelines::run::Event::Progress { done: 3, .. }
        ) {
            cancel.cancel();
        }
    };
    let run = Run::new(&listen, &cancel);
    let stopped = evaluate(&candidates, None, &EvaluationPlan::default(), &run);
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}
