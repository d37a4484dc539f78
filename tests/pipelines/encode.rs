//! Encoding models: himalaya's numbers, folds that keep repeats together, noise, bad data, and the demo's truth.
//!
//! `fixtures/encode.py` made the constants in `fixtures/encode.json`.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its scaffolding fails"
)]

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;

use fusiform_pipelines::betas::{Betas, Columns, Trial};
use fusiform_pipelines::device::Compute;
use fusiform_pipelines::encode::features::{self, Features, Shown, Space};
use fusiform_pipelines::encode::folds::{Together, parts};
use fusiform_pipelines::encode::{EncodePlan, Encoded, encode, mean_over, weights};
use fusiform_pipelines::linear::cholesky::Symmetric;
use fusiform_pipelines::linear::ridge::{Design, Factor};
use fusiform_pipelines::linear::search::{self, Asked, Chosen, Grid, Predicted, Problem};
use fusiform_pipelines::linear::{penalties, ridge, single};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::study::Stimulus;
use image::{Rgb, RgbImage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use crate::linear::{assert_close, made_at};

mod demo;
mod device;

fn fixture(name: &str, key: &str) -> Vec<f64> {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/encode.json")).unwrap();
    let value = &all[name][key];
    match value
        .as_array()
        .and_then(|a| a.first())
        .and_then(|a| a.as_array())
    {
        Some(_) => serde_json::from_value::<Vec<Vec<f64>>>(value.clone())
            .unwrap()
            .concat(),
        None => serde_json::from_value(value.clone()).unwrap(),
    }
}

fn made(n_rows: usize, n_cols: usize, seed: f64) -> Vec<f64> {
    (0..n_rows * n_cols).map(|i| made_at(i, seed)).collect()
}

/// The problem of `fixtures/encode.py`: train X and Y, test X and Y.
fn problem(n: usize, p: usize, t: usize, n_test: usize, seed: f64) -> [Matrix; 4] {
    let all = n + n_test;
    let (x, w, noise) = (
        made(all, p, seed),
        made(p, t, seed + 1.0),
        made(all, t, seed + 2.0),
    );
    let mut y = Vec::new();
    for r in 0..all {
        for j in 0..t {
            let size = 2f64.powf(-(j as f64) / 2.0) / (p as f64 / 3.0).sqrt();
            let signal: f64 = (0..p).map(|k| x[r * p + k] * w[k * t + j]).sum();
            y.push((signal * size + 0.5 * noise[r * t + j]) as f32);
        }
    }
    let x: Vec<f32> = x.iter().map(|v| *v as f32).collect();
    let cut = |values: &[f32], width: usize, rows: Range<usize>| {
        let values = values[rows.start * width..rows.end * width].to_vec();
        Matrix::from_values(rows.len(), width, values).unwrap()
    };
    [
        cut(&x, p, 0..n),
        cut(&y, t, 0..n),
        cut(&x, p, n..all),
        cut(&y, t, n..all),
    ]
}

fn contiguous(n: usize, k: usize) -> Vec<Vec<usize>> {
    (0..k)
        .map(|f| (f * n / k..(f + 1) * n / k).collect())
        .collect()
}

struct Found {
    chosen: Chosen,
    /// Predictions of each space, and in all, with the mean.
    by_space: Vec<Matrix>,
    said: Matrix,
    mean: Vec<f32>,
}

fn found(data: &[Matrix; 4], spaces: &[Range<usize>], k: usize, grid: &Grid) -> Found {
    let compute = Compute::cpu();
    let [x, y, x_test, _] = data;
    quietly(|run| {
        let parts = contiguous(x.n_rows, k);
        let problem = Problem::new((x, y), spaces, &parts, Some(x_test), &compute, run).unwrap();
        let (models, splits) = search::plain(k, Asked::Extra);
        let orders = [Vec::new()];
        let chosen = search::search(&problem, 1, &splits, grid, &orders, run).unwrap();
        let out = Mutex::new((
            vec![Matrix::zeros(x_test.n_rows, y.n_cols); spaces.len()],
            vec![0.0; y.n_cols],
        ));
        let consume = |told: &Predicted<'_>| {
            let (by_space, mean) = &mut *out.lock().unwrap();
            for (all, part) in by_space.iter_mut().zip(told.by_space) {
                for r in 0..part.n_rows {
                    for (i, &t) in told.targets.iter().enumerate() {
                        all.row_mut(r)[t] = part.row(r)[i];
                    }
                }
            }
            told.targets
                .iter()
                .zip(told.mean)
                .for_each(|(&t, m)| mean[t] = *m);
        };
        search::predict(
            &problem,
            &models,
            grid,
            (&orders, &chosen),
            &|_| true,
            run,
            &consume,
        )
        .unwrap();
        let (by_space, mean) = out.into_inner().unwrap();
        let mut said = Matrix::zeros(x_test.n_rows, y.n_cols);
        for r in 0..said.n_rows {
            for (t, said) in said.row_mut(r).iter_mut().enumerate() {
                *said = by_space.iter().map(|s| s.row(r)[t]).sum::<f32>() + mean[t];
            }
        }
        Found {
            chosen: chosen[0][0].clone(),
            by_space,
            said,
            mean,
        }
    })
}

fn grid(gammas: Vec<Vec<f64>>) -> Grid {
    Grid {
        alphas: (0..13)
            .map(|i| 10f64.powf(-2.0 + 0.5 * f64::from(i)))
            .collect(),
        gammas,
    }
}

fn as_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

#[test]
fn penalties_errors_and_predictions_are_himalayas() {
    for (name, n, p) in [("ridge_tall", 60, 9), ("ridge_wide", 40, 90)] {
        let data = problem(n, p, 7, 20, 3.0);
        let grid = grid(vec![vec![1.0]]);
        let spaces: Vec<Range<usize>> = std::iter::once(0..p).collect();
        let found = found(&data, &spaces, 5, &grid);
        let alphas: Vec<f64> = found
            .chosen
            .alpha
            .iter()
            .map(|&a| grid.alphas[usize::from(a)].log10())
            .collect();
        let wanted: Vec<f64> = fixture(name, "alphas").iter().map(|a| a.log10()).collect();
        assert_close(&alphas, &wanted, 1e-6);
        let errors: Vec<f64> = found.chosen.error.iter().map(|e| -f64::from(*e)).collect();
        assert_close(&errors, &fixture(name, "cv_scores"), 2e-6);
        assert_close(
            &as_f64(&found.said.values),
            &fixture(name, "predicted"),
            2e-5,
        );
    }
}

#[test]
fn weights_of_spaces_and_the_split_of_r2_are_himalayas() {
    let gammas: Vec<Vec<f64>> = vec![
        vec![1.0 / 3.0; 3],
        vec![0.9, 0.05, 0.05],
        vec![0.05, 0.9, 0.05],
        vec![0.05, 0.05, 0.9],
        vec![0.6, 0.3, 0.1],
    ];
    for (name, n, p) in [("banded_tall", 80, 24), ("banded_wide", 50, 90)] {
        let data = problem(n, p, 6, 20, 5.0);
        let grid = grid(gammas.clone());
        let spaces: Vec<Range<usize>> = (0..3).map(|s| s * p / 3..(s + 1) * p / 3).collect();
        let found = found(&data, &spaces, 5, &grid);
        let mut deltas = Vec::new();
        for (&g, &a) in found.chosen.gamma.iter().zip(&found.chosen.alpha) {
            let alpha = grid.alphas[usize::from(a)];
            deltas.extend(
                grid.gammas[usize::from(g)]
                    .iter()
                    .map(|gamma| (gamma / alpha).ln()),
            );
        }
        assert_close(&deltas, &fixture(name, "deltas"), 1e-6);
        let errors: Vec<f64> = found.chosen.error.iter().map(|e| -f64::from(*e)).collect();
        assert_close(&errors, &fixture(name, "cv_scores"), 2e-6);
        assert_close(
            &as_f64(&found.said.values),
            &fixture(name, "predicted"),
            2e-5,
        );
        let mut split = Vec::new();
        for t in 0..6 {
            let y: Vec<f64> = data[3]
                .rows()
                .map(|r| f64::from(r[t]) - f64::from(found.mean[t]))
                .collect();
            let total: f64 = y.iter().map(|v| v * v).sum();
            for space in &found.by_space {
                let part = y.iter().enumerate().map(|(r, y)| {
                    let own = f64::from(space.row(r)[t]);
                    let all = f64::from(found.said.row(r)[t]) - f64::from(found.mean[t]);
                    2.0 * y * own - own * all
                });
                split.push(part.sum::<f64>() / total);
            }
        }
        assert_close(&split, &fixture(name, "split_from_train_mean"), 5e-5);
    }
}

/// The sums over shrinkage curves give back every curve.
#[test]
fn a_few_curves_stand_for_many_penalties() {
    let eigenvalues: Vec<f64> = (0..200)
        .map(|i| 10f64.powf(f64::from(i) * 0.02 - 1.0))
        .collect();
    let alphas: Vec<f64> = (0..20)
        .map(|a| 10f64.powf(f64::from(a) * 0.5 - 2.0))
        .collect();
    let curves = penalties::curves(&eigenvalues, &alphas).unwrap();
    assert!(curves.factors.len() < 14, "{} curves", curves.factors.len());
    for (alpha, parts) in alphas.iter().zip(&curves.parts) {
        for (i, value) in eigenvalues.iter().enumerate() {
            let sum: f64 = parts
                .iter()
                .zip(&curves.factors)
                .map(|(p, f)| p * f[i])
                .sum();
            let want = value / (value + alpha);
            assert!(
                (sum * value - want).abs() < 2e-5,
                "{} is not {want}",
                sum * value
            );
        }
    }
}

#[test]
fn a_factor_in_blocks_solves_the_system() {
    let n = 1100;
    let x: Vec<f64> = (0..n).map(|i| made_at(i, 3.0)).collect();
    let at = |r: usize, c: usize| {
        if r == c {
            4.0
        } else {
            x[r] * x[c] / (1.0 + r.abs_diff(c) as f64)
        }
    };
    let system = Symmetric::from_fn(n, at);
    quietly(|run| {
        let factor = system.clone().factor(2.0, faer::Par::Seq, run).unwrap();
        let wanted = faer::Mat::from_fn(n, 3, |r, c| x[(r * 7 + c) % n]);
        let mut b = faer::Mat::from_fn(n, 3, |r, c| {
            let sum: f64 = (0..n).map(|k| system.at(r, k) * wanted[(k, c)]).sum();
            sum + 2.0 * wanted[(r, c)]
        });
        factor.solve(&mut b, faer::Par::Seq, run).unwrap();
        for c in 0..3 {
            for r in 0..n {
                assert!((b[(r, c)] - wanted[(r, c)]).abs() < 1e-9);
            }
        }
        let singular = Symmetric::from_fn(3, |_, _| 1.0).factor(-1e-9, faer::Par::Seq, run);
        assert!(
            singular
                .unwrap_err()
                .to_string()
                .contains("larger penalties")
        );
    });
}

/// Systems too large for eigenvectors side by side are factored a penalty at a time: the same numbers, and those of
/// the f64 ridge that decoding uses.
#[test]
fn large_systems_agree_with_the_ridge_of_decoding() {
    let (n, p, t) = (3200, 2300, 3);
    let mut random = StdRng::seed_from_u64(5);
    let mut draw = |n_rows: usize, n_cols: usize| Matrix {
        n_rows,
        n_cols,
        values: (0..n_rows * n_cols)
            .map(|_| random.sample::<f32, _>(StandardNormal))
            .collect(),
    };
    let (x, y, x_test) = (draw(n, p), draw(n, t), draw(5, p));
    let compute = Compute::cpu();
    let grid = Grid {
        alphas: vec![100.0, 1e4],
        gammas: vec![vec![1.0]],
    };
    let spaces: Vec<Range<usize>> = std::iter::once(0..p).collect();
    let data = [x, y, x_test, Matrix::zeros(5, t)];
    let by_factors = found(&data, &spaces, 3, &grid);
    assert!(
        by_factors.chosen.alpha.iter().all(|&a| a == 1),
        "noise wants the larger penalty"
    );
    quietly(|run| {
        let design = Design::new(&data[0], &compute, run).unwrap();
        let all: Vec<usize> = (0..n).collect();
        let factor = Factor::new(&design, &all, &compute, run).unwrap();
        let unit = quietly(|run| {
            let parts = contiguous(n, 3);
            Problem::new((&data[0], &data[1]), &spaces, &parts, None, &compute, run)
                .unwrap()
                .scale()
        });
        let targets = factor.targets(&ridge::wide(&data[1]));
        let model = factor.model(&design, &targets, |_| 1e4 / unit);
        let want = ridge::predict(&model, &data[2], &compute, run).unwrap();
        assert_close(
            &as_f64(&by_factors.said.values),
            &as_f64(&want.values),
            1e-4,
        );
        let one = single::fit(&data[0], &data[1], 1e4, &compute, run).unwrap();
        let one = ridge::predict(&one, &data[2], &compute, run).unwrap();
        assert_close(&as_f64(&one.values), &as_f64(&want.values), 1e-4);
    });
}

/// One penalty, on both sides, with columns that have means.
#[test]
fn one_penalty_agrees_on_both_sides() {
    let compute = Compute::cpu();
    for (n, p) in [(30, 9), (9, 30)] {
        let mut x = Matrix {
            n_rows: n,
            n_cols: p,
            values: made(n, p, 3.0).iter().map(|v| *v as f32 + 5.0).collect(),
        };
        x.row_mut(0)[0] += 1.0;
        let y = Matrix {
            n_rows: n,
            n_cols: 2,
            values: made(n, 2, 4.0).iter().map(|v| *v as f32 + 2.0).collect(),
        };
        quietly(|run| {
            let design = Design::new(&x, &compute, run).unwrap();
            let all: Vec<usize> = (0..n).collect();
            let factor = Factor::new(&design, &all, &compute, run).unwrap();
            let means: Vec<f64> = (0..p)
                .map(|c| x.rows().map(|r| f64::from(r[c])).sum::<f64>() / n as f64)
                .collect();
            let squares: f64 = x
                .rows()
                .map(|r| {
                    r.iter()
                        .zip(&means)
                        .map(|(v, m)| (f64::from(*v) - m).powi(2))
                        .sum::<f64>()
                })
                .sum();
            let model = factor.model(&design, &factor.targets(&ridge::wide(&y)), |_| {
                0.5 * n as f64 / squares
            });
            let want = ridge::predict(&model, &x, &compute, run).unwrap();
            let one = single::fit(&x, &y, 0.5, &compute, run).unwrap();
            let got = ridge::predict(&one, &x, &compute, run).unwrap();
            assert_close(&as_f64(&got.values), &as_f64(&want.values), 2e-5);
        });
    }
}

fn trial(run: &str, stimulus: Option<&str>) -> Trial {
    Trial {
        subject: "1".into(),
        session: String::new(),
        run: run.into(),
        onset_secs: 0.0,
        duration_secs: 1.0,
        condition: "a".into(),
        stimulus: stimulus.map(Into::into),
        repeat: 0,
    }
}

#[test]
fn repeats_of_a_picture_are_never_divided() {
    // Pictures come back within a run: runs are folds. They come back in other runs: pictures are.
    let within: Vec<Trial> = (0..24)
        .map(|i| {
            trial(
                &format!("{}", i / 4),
                Some(&format!("p{}-{}", i / 4, i % 2)),
            )
        })
        .collect();
    let across: Vec<Trial> = (0..24)
        .map(|i| trial(&format!("{}", i / 6), Some(&format!("p{}", i % 8))))
        .collect();
    for (trials, shared_runs) in [(&within, false), (&across, true)] {
        let parts = parts(trials, 3, Together::default(), 1).unwrap();
        assert_eq!(parts.rows.len(), 3);
        assert_eq!(
            (parts.pictures_shared, parts.runs_shared),
            (false, shared_runs)
        );
        let of = |rows: &[usize]| -> BTreeSet<&str> {
            rows.iter()
                .filter_map(|&r| trials[r].stimulus.as_deref())
                .collect()
        };
        for (i, one) in parts.rows.iter().enumerate() {
            for other in &parts.rows[..i] {
                assert!(of(one).is_disjoint(&of(other)));
            }
        }
        let mut all = parts.rows.concat();
        all.sort_unstable();
        assert_eq!(all, (0..24).collect::<Vec<_>>());
    }
    let forced = parts(&across, 3, Together::Runs, 1).unwrap();
    assert!(forced.pictures_shared && !forced.runs_shared);
    assert!(
        parts(&[trial("1", Some("p"))], 5, Together::default(), 1)
            .unwrap_err()
            .to_string()
            .contains("--runs")
    );
}

/// `n` pictures of one rectangle, in runs of `per_run`, each shown twice in its run; voxels that see a pixel.
fn planted(n_runs: usize, per_run: usize, signal: f32) -> (Betas, Vec<Stimulus>) {
    let mut random = StdRng::seed_from_u64(11);
    let (mut trials, mut stimuli, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let n_voxels = 60;
    for run in 0..n_runs {
        let mut pictures = Vec::new();
        for i in 0..per_run / 2 {
            let number = run * per_run / 2 + i;
            let (x0, y0) = (random.random_range(0..24u32), random.random_range(0..24u32));
            let shade = random.random_range(0..200u8);
            let picture = RgbImage::from_fn(32, 32, |x, y| {
                if (x0..x0 + 8).contains(&x) && (y0..y0 + 8).contains(&y) {
                    Rgb([255, shade, 40])
                } else {
                    Rgb([20, 30, shade])
                }
            });
            stimuli.push(Stimulus {
                id: format!("p{number}"),
                image: Some(fusiform_pipelines::study::Source::Memory(
                    std::sync::Arc::new(picture.clone()),
                )),
                caption: Some(format!(
                    "a square {}",
                    if number.is_multiple_of(2) {
                        "left"
                    } else {
                        "right"
                    }
                )),
                category: Some(
                    if number.is_multiple_of(2) {
                        "even"
                    } else {
                        "odd"
                    }
                    .into(),
                ),
            });
            pictures.push((number, picture));
        }
        for repeat in 0..2 {
            for (number, picture) in &pictures {
                let mut t = trial(&format!("{run}"), Some(&format!("p{number}")));
                t.repeat = repeat;
                trials.push(t);
                values.extend((0..n_voxels).map(|v| {
                    let pixel = picture.get_pixel((v * 13 % 32) as u32, (v * 5 % 32) as u32)[v % 3];
                    signal * f32::from(pixel) / 100.0 + random.sample::<f32, _>(StandardNormal)
                }));
            }
        }
    }
    let betas = Betas {
        values: Matrix::from_values(trials.len(), n_voxels, values).unwrap(),
        trials,
        columns: Columns::Points(Vec::new()),
        method: "made".into(),
    };
    (betas, stimuli)
}

fn encoded(
    betas: &Betas,
    stimuli: &[Stimulus],
    of: &[Features],
    plan: &EncodePlan,
) -> Result<Encoded, Stop> {
    let shown = Shown::new(betas, stimuli);
    quietly(|run| {
        let spaces: Vec<Space> = of
            .iter()
            .map(|f| features::space(f, &shown, stimuli, run))
            .collect::<Result<_, Stop>>()?;
        encode(
            betas,
            &features::design(&spaces)?,
            plan,
            &Compute::cpu(),
            run,
        )
    })
}

fn quick() -> EncodePlan {
    EncodePlan {
        n_shuffles: 8,
        n_weights: 6,
        ..EncodePlan::default()
    }
}

#[test]
fn what_was_planted_is_predicted_and_noise_is_not() {
    let everything: Vec<usize> = (0..60).collect();
    let (betas, stimuli) = planted(6, 60, 1.5);
    let both = [Features::Pixels, Features::Category];
    let found = encoded(&betas, &stimuli, &both, &quick()).unwrap();
    let r = found.r_over(&everything);
    assert!(r.value > 0.3 && r.p < 0.12, "{r:?}");
    assert!(r.shuffled.abs() < 0.06, "{r:?}");
    // The parts of the spaces sum to the whole, and it was the pixels.
    for v in 0..60 {
        let sum: f32 = found.by_space.iter().map(|s| s[v]).sum();
        assert!((sum - found.r2[v]).abs() < 1e-4, "{sum} {}", found.r2[v]);
    }
    assert!(
        mean_over(&found.by_space[0], &everything)
            > 10.0 * mean_over(&found.by_space[1], &everything).abs()
    );
    let ceiling = found.ceiling.as_ref().unwrap();
    let of_ceiling = found.normalised_over(&everything).unwrap();
    assert!(
        mean_over(ceiling, &everything) > 0.2 && (0.5..1.1).contains(&of_ceiling),
        "{of_ceiling}"
    );

    let (noise, stimuli) = planted(6, 60, 0.0);
    let found = encoded(&noise, &stimuli, &both, &quick()).unwrap();
    // r over folds is a little below 0 where there is nothing: the control has the same.
    let r = found.r_over(&everything);
    assert!((r.value - r.shuffled).abs() < 3.0 * r.shuffled_sd, "{r:?}");
    assert!(r.value.abs() < 0.08, "{r:?}");
    assert!(mean_over(&found.r2, &everything) < 0.002);
}

#[test]
fn the_same_plan_gives_the_same_numbers() {
    let (betas, stimuli) = planted(4, 20, 1.0);
    let of = [Features::Pixels, Features::Words, Features::Gabor];
    let one = encoded(&betas, &stimuli, &of, &quick()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let two = pool.install(|| encoded(&betas, &stimuli, &of, &quick()).unwrap());
    let bits = |map: &[f32]| map.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&one.r2), bits(&two.r2));
    assert_eq!(
        bits(&one.r_shuffled.concat()),
        bits(&two.r_shuffled.concat())
    );
    assert_ne!(weights(3, 5, 1), weights(3, 5, 2));
    assert!(
        weights(3, 5, 1)
            .iter()
            .all(|w| (w.iter().sum::<f64>() - 1.0).abs() < 1e-12)
    );
}

#[test]
fn bad_voxels_and_missing_features_are_named_and_the_rest_goes_on() {
    let (mut betas, mut stimuli) = planted(4, 20, 1.0);
    for r in 0..betas.n_trials() {
        betas.values.row_mut(r)[3] = 7.0;
    }
    betas.values.row_mut(5)[4] = f32::NAN;
    stimuli[2].image = None;
    let found = encoded(&betas, &stimuli, &[Features::Pixels], &quick()).unwrap();
    assert!(found.r2[3].is_nan() && found.r[4].is_nan() && found.r2[4].is_nan());
    assert!(found.r2[5].is_finite());
    assert_eq!(found.n_trials, betas.n_trials() - 2);
    let said = found.warnings.join("\n");
    for words in [
        "2 of 80 trials show what pixels has no (finite) features for",
        "1 of 60 voxels hold NaN",
        "1 of 60 voxels do not vary",
        "Only 4 groups of runs",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn too_few_runs_are_refused_or_said() {
    let (betas, stimuli) = planted(2, 20, 1.0);
    let found = encoded(&betas, &stimuli, &[Features::Category], &quick()).unwrap();
    assert!(
        found.warnings.iter().any(|w| w.contains("With two folds")),
        "{:?}",
        found.warnings
    );
    let (betas, stimuli) = planted(1, 20, 1.0);
    let found = encoded(&betas, &stimuli, &[Features::Pixels], &quick()).unwrap();
    assert!(
        found.split.contains("pictures") && found.runs_shared,
        "{}",
        found.split
    );
    let (betas, stimuli) = planted(1, 2, 1.0);
    let refused = encoded(&betas, &stimuli, &[Features::Pixels], &quick()).unwrap_err();
    assert!(refused.to_string().contains("do not vary"), "{refused}");
    let plan = EncodePlan {
        alphas: vec![0.0],
        ..quick()
    };
    let (betas, stimuli) = planted(4, 20, 1.0);
    let refused = encoded(&betas, &stimuli, &[Features::Pixels], &plan).unwrap_err();
    assert!(refused.to_string().contains("positive"), "{refused}");
}

#[test]
fn features_from_files_are_matched_by_name_or_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let (betas, stimuli) = planted(4, 20, 1.0);
    let at = |name: &str| folder.path().join(name);
    let mut text = "stimulus\ta\tb\n".to_owned();
    for (i, s) in stimuli.iter().enumerate().rev() {
        text += &format!("{}\t{}\t{}\n", s.id, i % 3, i * i % 7);
    }
    std::fs::write(at("named.tsv"), &text).unwrap();
    let named = encoded(
        &betas,
        &stimuli,
        &[Features::File(at("named.tsv"))],
        &quick(),
    )
    .unwrap();
    assert_eq!(named.spaces, [("named".to_owned(), 2)]);
    let rows: Vec<f32> = (0..stimuli.len())
        .flat_map(|i| [(i % 3) as f32, (i * i % 7) as f32])
        .collect();
    let table = Matrix::from_values(stimuli.len(), 2, rows).unwrap();
    fusiform_pipelines::io::npy::write(&at("rows.npy"), &table).unwrap();
    let by_row = encoded(
        &betas,
        &stimuli,
        &[Features::File(at("rows.npy"))],
        &quick(),
    )
    .unwrap();
    assert_eq!(named.r2, by_row.r2);
    let refused = |name: &str, text: &str, words: &str| {
        std::fs::write(at(name), text).unwrap();
        let error = encoded(&betas, &stimuli, &[Features::File(at(name))], &quick()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refused("unnamed.tsv", "a\tb\n1\t2\n", "call it stimulus");
    refused(
        "others.tsv",
        "stimulus\ta\nx\t2\ny\t3\n",
        "none of the stimuli",
    );
    refused("word.tsv", "stimulus\ta\np1\tred\n", "not a number");
    fusiform_pipelines::io::npy::write(&at("short.npy"), &Matrix::zeros(3, 2)).unwrap();
    let error = encoded(
        &betas,
        &stimuli,
        &[Features::File(at("short.npy"))],
        &quick(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("has 3 rows"), "{error}");
    assert!("nothing".parse::<Features>().unwrap_err().contains("gabor"));
}

#[test]
fn features_of_earlier_times_stand_beside_each_other() {
    let x = Matrix::from_values(5, 1, vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let delayed = features::delayed(&x, &[0..3, 3..5], &[0, 2]);
    assert_eq!(
        delayed.values,
        [1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 4.0, 0.0, 5.0, 0.0]
    );
}

#[test]
fn energy_tells_orientations_and_scales_apart() {
    let grating = |period: f32, upright: bool| {
        RgbImage::from_fn(64, 64, |x, y| {
            let phase = if upright { x } else { y } as f32 * std::f32::consts::TAU / period;
            Rgb([(127.0 + 100.0 * phase.sin()) as u8; 3])
        })
    };
    let energies = |picture: &RgbImage| {
        let all = features::gabor::energy(picture);
        let scales = [12usize, 8, 4, 2];
        let mut start = 0;
        scales.map(|cells| {
            let scale = &all[start..start + cells * cells * 4];
            start += cells * cells * 4;
            [0, 2].map(|o| scale.iter().skip(o).step_by(4).sum::<f32>() / (cells * cells) as f32)
        })
    };
    let upright = energies(&grating(8.0, true));
    let lying = energies(&grating(8.0, false));
    assert!(upright[1][0] > 5.0 * upright[1][1] && lying[1][1] > 5.0 * lying[1][0]);
    assert!(upright[1][0] > 1.5 * upright[3][0] && upright[1][0] > 1.5 * upright[0][0]);
    let even = energies(&RgbImage::from_pixel(64, 64, Rgb([200; 3])));
    assert!(even.iter().flatten().all(|e| *e < 1e-3), "{even:?}");
}

#[test]
fn an_encoding_model_is_cancelled_between_products() {
    let (betas, stimuli) = planted(4, 20, 1.0);
    let shown = Shown::new(&betas, &stimuli);
    let space = quietly(|run| features::space(&Features::Pixels, &shown, &stimuli, run)).unwrap();
    let design = features::design(&[space]).unwrap();
    let cancel = CancelToken::default();
    let stages = Mutex::new(0);
    let listen = |_| {
        let mut n = stages.lock().unwrap();
        *n += 1;
        if *n > 6 {
            cancel.cancel();
        }
    };
    let run = Run::new(&listen, &cancel);
    let stopped = encode(&betas, &design, &quick(), &Compute::cpu(), &run);
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}
