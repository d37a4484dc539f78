//! Designs, fits, contrasts and maps against nilearn, numpy and arithmetic of 60 digits (`fixtures/glm.py`).

use fusiform_pipelines::glm::contrast::{Question, effects, test};
use fusiform_pipelines::glm::design::{Design, DesignPlan, design};
use fusiform_pipelines::glm::drift::Drift;
use fusiform_pipelines::glm::first_level::{FirstLevel, FirstLevelPlan, Units, first_level};
use fusiform_pipelines::glm::fit::{Noise, fit};
use fusiform_pipelines::glm::response::{
    Canonical, Derivatives, LIBRARY_SIZE, Response, library_peak_secs,
};
use fusiform_pipelines::stats::tails;
use fusiform_pipelines::study::confounds::Confounds;

use super::*;

pub(super) fn json() -> serde_json::Value {
    serde_json::from_str(include_str!("../../fixtures/glm.json")).unwrap()
}

pub(super) fn found(path: &[&str]) -> Vec<f64> {
    let mut value = json();
    for key in path {
        value = value[*key].take();
    }
    serde_json::from_value(value).unwrap_or_else(|e| panic!("{path:?}: {e}"))
}

fn names(design: &Design) -> Vec<&str> {
    design.columns.iter().map(|c| c.name.as_str()).collect()
}

/// Relative to the larger of 1 and the wanted value.
pub(super) fn assert_near(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= tolerance * w.abs().max(1.0),
            "{what} {i}: {g} is not {w} within {tolerance}"
        );
    }
}

/// What a run says, besides its result.
fn heard<T>(work: impl FnOnce(&Run<'_>) -> T) -> (T, Vec<String>) {
    let warnings = std::sync::Mutex::new(Vec::new());
    let emit = |event: Event| {
        if let Event::Warning(text) = event {
            warnings.lock().unwrap().push(text);
        }
    };
    let value = work(&Run::new(&emit, &CancelToken::default()));
    (value, warnings.into_inner().unwrap())
}

fn fixture_events(modulated: bool) -> Vec<EventRow> {
    [
        (-10.0, 3.0, "a", 1.0),
        (2.0, 4.0, "b", 0.5),
        (9.3, 0.0, "a", 2.0),
        (11.0, 6.0, "c", 1.0),
        (12.4, 6.0, "b", 1.5),
        (14.0, 3.0, "b", -1.0),
        (30.0, 10.0, "a", 1.0),
        (30.0, 10.0, "a", 1.0),
        (41.7, 1.0, "c", 1.0),
        (55.0, 2.0, "b", 1.0),
        (66.6, 20.0, "c", 0.7),
    ]
    .map(|(onset, duration, name, modulation)| EventRow {
        modulation: if modulated { modulation } else { 1.0 },
        ..event(onset, duration, name)
    })
    .to_vec()
}

fn canonical(shape: Canonical, derivatives: Derivatives) -> Response {
    Response::Canonical { shape, derivatives }
}

#[test]
fn designs_equal_nilearns() {
    let fir = |delays: &[usize]| Response::Fir {
        delays: delays.to_vec(),
    };
    let cosine = |high_pass_hz| Drift::Cosine { high_pass_hz };
    let all = Derivatives::TimeAndDispersion;
    let cases = [
        (
            "glover",
            2.0,
            36,
            0.0,
            canonical(Canonical::Glover, Derivatives::None),
            cosine(0.02),
            0,
            false,
        ),
        (
            "spm_derivatives",
            1.5,
            48,
            0.5,
            canonical(Canonical::Spm, all),
            Drift::Polynomial { order: 3 },
            0,
            false,
        ),
        (
            "glover_derivatives",
            0.8,
            60,
            0.25,
            canonical(Canonical::Glover, all),
            cosine(0.05),
            2,
            false,
        ),
        (
            "spm_derivative",
            2.5,
            32,
            1.0,
            canonical(Canonical::Spm, Derivatives::Time),
            Drift::Constant,
            0,
            true,
        ),
        (
            "fir",
            2.0,
            36,
            0.0,
            fir(&[0, 1, 3]),
            Drift::Polynomial { order: 1 },
            0,
            true,
        ),
        (
            "fir_shifted",
            1.1,
            50,
            0.5,
            fir(&[0, 1, 2, 3]),
            Drift::Constant,
            0,
            false,
        ),
    ];
    for (name, tr_secs, n, slice_time_ref, response, drift, n_confounds, modulated) in cases {
        let mut values = Matrix::zeros(n, n_confounds);
        for t in 0..n {
            for k in 0..n_confounds {
                values.row_mut(t)[k] = made_at(t, 40.0 + k as f64) as f32;
            }
        }
        let confounds = Confounds {
            names: (0..n_confounds).map(|k| format!("c{k}")).collect(),
            values,
        };
        let plan = DesignPlan {
            response,
            drift,
            slice_time_ref,
            confounds: confounds.names.clone(),
            ..DesignPlan::default()
        };
        let events = fixture_events(modulated);
        let made = quietly(|run| {
            design(
                &events,
                Some(&confounds),
                &plan,
                (n, tr_secs),
                "run 01",
                run,
            )
        });
        let made = made.unwrap();
        let columns: Vec<String> =
            serde_json::from_value(json()["designs"][name]["columns"].take()).unwrap();
        assert_eq!(names(&made), columns, "{name}");
        let got: Vec<f64> = (0..n)
            .flat_map(|t| made.columns.iter().map(move |c| c.values[t]))
            .collect();
        assert_near(&got, &found(&["designs", name, "values"]), 1e-8, name);
    }
}

const N: usize = 90;
const V: usize = 14;
const TR: f64 = 2.0;

/// The run `k` of the fixture: its events, its design and its courses.
fn fixture_run(k: usize) -> (Vec<EventRow>, Design, Matrix) {
    let types = ["acbacbcabbac", "abccbabacbca"][k - 1];
    let events: Vec<EventRow> = types
        .chars()
        .enumerate()
        .map(|(i, c)| {
            event(
                6.0 + 13.0 * i as f64 + 2.0 * ((i * (3 + k)) % 4) as f64,
                4.0,
                &c.to_string(),
            )
        })
        .collect();
    let made =
        quietly(|run| design(&events, None, &DesignPlan::default(), (N, TR), "run", run)).unwrap();
    let column = |name: &str| &made.columns[made.column(name).unwrap()].values;
    let (a, b) = (column("a"), column("b"));
    let mut courses = Matrix::zeros(N, V);
    for v in 0..V {
        let (phi, mut e) = (-0.3 + 0.09 * v as f64, 0.0);
        for t in 0..N {
            e = phi * e + 3.0 * made_at(t * V + v, 10.0 + k as f64);
            let mut y = 100.0 + 40.0 * v as f64 + 0.05 * t as f64 * (v as f64 - 5.0) + e;
            y += (0.35 * v as f64 - 1.0) * 4.0 * (a[t] - 0.6 * b[t]);
            courses.row_mut(t)[v] = y as f32;
        }
    }
    (events, made, courses)
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

#[test]
fn fits_and_contrasts_equal_nilearns() {
    let t_question = Question::parse("a - b").unwrap();
    let f_question = Question::parse("a - b, a - c").unwrap();
    for (name, noise) in [("ols", Noise::Ols), ("ar1", Noise::Ar1)] {
        let want = |key: &str| found(&["fits", name, key]);
        let (_, design, courses) = fixture_run(1);
        let fitted = quietly(|run| fit(&courses, &design, noise, run)).unwrap();
        if noise == Noise::Ar1 {
            let phi: Vec<f64> = fitted
                .phi_hundredths
                .iter()
                .map(|p| f64::from(*p))
                .collect();
            assert_eq!(phi, want("phi"));
        }
        assert_eq!(fitted.df, json()["fits"][name]["df"].as_f64().unwrap());
        assert_near(&wide(&fitted.betas.values), &want("betas"), 5e-5, "betas");
        let t = test(&effects(&fitted, &t_question.weights(&design).unwrap()));
        assert_near(&wide(&t.effect), &want("effect"), 1e-5, "effect");
        assert_near(&wide(&t.variance), &want("variance"), 1e-5, "variance");
        assert_near(&wide(&t.statistic), &want("t"), 1e-5, "t");
        assert_near(&wide(&t.z), &want("z"), 1e-5, "z");
        assert_near(&t.p, &want("p"), 1e-5, "p");
        let f = test(&effects(&fitted, &f_question.weights(&design).unwrap()));
        assert_eq!(f.df, (2.0, fitted.df));
        assert_near(&wide(&f.statistic), &want("f"), 2e-5, "F");
        assert_near(&wide(&f.z), &want("f_z"), 2e-5, "z of F");
        assert_near(&f.p, &want("f_p"), 2e-5, "p of F");

        let (_, design2, courses2) = fixture_run(2);
        let fitted2 = quietly(|run| fit(&courses2, &design2, noise, run)).unwrap();
        let mut both = effects(&fitted, &t_question.weights(&design).unwrap());
        both.plus(&effects(&fitted2, &t_question.weights(&design2).unwrap()));
        let both = test(&both.mean());
        assert_near(
            &wide(&both.effect),
            &want("two_effect"),
            1e-5,
            "effect of two runs",
        );
        assert_near(
            &wide(&both.statistic),
            &want("two_t"),
            1e-5,
            "t of two runs",
        );
        assert_near(&wide(&both.z), &want("two_z"), 1e-5, "z of two runs");
    }
}

#[test]
fn an_f_of_two_runs_is_walds() {
    let question = Question::parse("a - b, a - c").unwrap();
    let of_run = |k: usize| {
        let (_, design, courses) = fixture_run(k);
        let fitted = quietly(|run| fit(&courses, &design, Noise::Ols, run)).unwrap();
        effects(&fitted, &question.weights(&design).unwrap())
    };
    let mut both = of_run(1);
    both.plus(&of_run(2));
    let tested = test(&both.mean());
    assert_near(&wide(&tested.statistic), &found(&["two_f"]), 2e-5, "F");
}

#[test]
fn tails_are_exact_where_probabilities_are_no_numbers_any_more() {
    let (ts, dfs) = (found(&["tails", "t"]), found(&["tails", "df"]));
    let table = |key: &str| -> Vec<Vec<f64>> {
        serde_json::from_value(json()["tails"][key].take()).unwrap()
    };
    for ((df, ln_p), z) in dfs.iter().zip(table("ln_p")).zip(table("z")) {
        for ((t, ln_p), z) in ts.iter().zip(ln_p).zip(z) {
            let got = (
                tails::ln_t_above(*t, *df),
                tails::z_of_t(*t, *df),
                tails::z_of_t(-t, *df),
            );
            assert_near(&[got.0], &[ln_p], 1e-10, "ln p");
            assert_near(&[got.1, -got.2], &[z, z], 1e-10, "z");
        }
        // The square of a t is an F of one sum.
        let f = tails::ln_f_above(49.0, 1.0, *df);
        assert_near(
            &[f],
            &[tails::ln_t_above(7.0, *df) + std::f64::consts::LN_2],
            1e-10,
            "F",
        );
    }
    assert_near(
        &[tails::z_of_ln_above(0.9f64.ln())],
        &[-1.2815515655446004],
        1e-9,
        "a negative z",
    );
    assert!(tails::z_of_ln_above(0.0).is_finite() && tails::z_of_t(f64::NAN, 3.0).is_nan());
}

#[test]
fn questions_are_read_as_sums() {
    let (_, made, _) = fixture_run(1);
    let weights = |text: &str| {
        let rows = Question::parse(text).unwrap().weights(&made).unwrap();
        rows.into_iter()
            .map(|row| row[..3].to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(weights("a - b"), [[1.0, -1.0, 0.0]]);
    assert_eq!(weights("-a + 2*c"), [[-1.0, 0.0, 2.0]]);
    assert_eq!(weights("a/2 + 0.5 * b - (c)"), [[0.5, 0.5, -1.0]]);
    assert_eq!(weights("a - 0.5*(b + c)"), [[1.0, -0.5, -0.5]]);
    assert_eq!(weights("all = a, b"), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    let question = Question::parse("a - 0.5*b").unwrap();
    assert_eq!(question.name, "aMinus05Timesb");
    assert_eq!(Question::parse("my name = a").unwrap().name, "myname");
    for (text, says) in [
        ("a - d", "“d”"),
        ("a b", "“b”"),
        ("a + 1", "cannot be read"),
        ("(a - b", "cannot be read"),
        ("3", "names no condition"),
        ("constan", "did you mean “constant”"),
    ] {
        let error = Question::parse(text)
            .unwrap()
            .weights(&made)
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(Question::parse("a,,b").is_err() && Question::parse("").is_err());
    // A finite impulse response has no column of the condition itself: the mean of its delays is meant.
    let plan = DesignPlan {
        response: Response::Fir { delays: vec![0, 1] },
        ..DesignPlan::default()
    };
    let (events, ..) = fixture_run(1);
    let fir = quietly(|run| design(&events, None, &plan, (N, TR), "run", run)).unwrap();
    let rows = Question::parse("a - b_delay_1")
        .unwrap()
        .weights(&fir)
        .unwrap();
    assert_eq!(rows[0][..4], [0.5, 0.5, 0.0, -1.0]);
}

#[test]
fn columns_that_others_make_up_are_named_and_their_contrasts_left_out() {
    let (_, mut design, courses) = fixture_run(1);
    let sum = (0..N).map(|t| 2.0 * design.columns[0].values[t] - design.columns[6].values[t]);
    let sum = sum.collect();
    let made_up = |name: &str, values| fusiform_pipelines::glm::design::Column {
        name: name.into(),
        role: fusiform_pipelines::glm::design::Role::Confound,
        values,
    };
    design.columns.push(made_up("sum", sum));
    design.columns.push(made_up("nothing", vec![0.0; N]));
    let dependent = design.dependent();
    assert_eq!(dependent.len(), 2);
    assert_eq!(
        (dependent[0].name.as_str(), &dependent[0].on[..]),
        ("sum", &["a".to_owned(), "constant".to_owned()][..])
    );
    assert_eq!(
        (dependent[1].name.as_str(), dependent[1].on.len()),
        ("nothing", 0)
    );
    let fitted = quietly(|run| fit(&courses, &design, Noise::Ols, run)).unwrap();
    assert_eq!(fitted.df, 83.0);
    let weights = |text: &str| {
        Question::parse(text)
            .unwrap()
            .weights(&design)
            .unwrap()
            .remove(0)
    };
    assert!(!fitted.is_estimable(&weights("a - b")) && !fitted.is_estimable(&weights("nothing")));
    assert!(fitted.is_estimable(&weights("b - c")) && fitted.is_estimable(&weights("a + 2*sum")));
    // What can be estimated is what it was without the superfluous columns.
    let (_, plain, _) = fixture_run(1);
    let whole = quietly(|run| fit(&courses, &plain, Noise::Ols, run)).unwrap();
    let t = |fitted, design| {
        let rows = Question::parse("b - c").unwrap().weights(design).unwrap();
        wide(&test(&effects(fitted, &rows)).statistic)
    };
    assert_near(&t(&fitted, &design), &t(&whole, &plain), 1e-5, "t");
}

#[test]
fn voxels_without_a_result_are_nan_and_counted() {
    let (_, design, mut courses) = fixture_run(1);
    for t in 0..N {
        courses.row_mut(t)[2] = 100.1;
        courses.row_mut(t)[5] = 0.0;
    }
    courses.row_mut(40)[7] = f32::NAN;
    courses.row_mut(40)[9] = f32::INFINITY;
    for noise in [Noise::Ols, Noise::Ar1] {
        let fitted = quietly(|run| fit(&courses, &design, noise, run)).unwrap();
        assert_eq!((fitted.n_constant, fitted.n_not_finite), (2, 2));
        let tested = test(&effects(
            &fitted,
            &Question::parse("a").unwrap().weights(&design).unwrap(),
        ));
        for v in 0..V {
            let without = [2, 5, 7, 9].contains(&v);
            assert_eq!(tested.statistic[v].is_nan(), without, "{noise:?} {v}");
            assert_eq!(
                tested.z[v].is_nan() && tested.p[v].is_nan() && tested.effect[v].is_nan(),
                without
            );
        }
    }
}

fn study_of(runs: Vec<(Vec<EventRow>, Matrix)>) -> Subject {
    subject(
        runs.into_iter()
            .enumerate()
            .map(|(r, (rows, courses))| {
                let columns: Vec<Vec<f32>> = (0..V)
                    .map(|v| courses.rows().map(|row| row[v]).collect())
                    .collect();
                bold(&format!("{:02}", r + 1), series(&columns, TR), rows)
            })
            .collect(),
    )
}

fn maps(
    subject: &Subject,
    plan: &FirstLevelPlan,
    questions: &[&str],
) -> (Result<FirstLevel, String>, Vec<String>) {
    let mut selection = selection(subject);
    selection.mask = Some(mask_of(V, vec![1.0; V]));
    let questions: Vec<Question> = questions
        .iter()
        .map(|q| Question::parse(q).unwrap())
        .collect();
    let (found, warnings) = heard(|run| first_level(&selection, plan, &questions, run));
    (found.map_err(|e| e.to_string()), warnings)
}

#[test]
fn the_road_from_runs_to_maps_gives_the_same_numbers() {
    let runs = [1, 2].map(fixture_run);
    let subject = study_of(runs.map(|(events, _, courses)| (events, courses)).to_vec());
    let plan = FirstLevelPlan::default();
    let (found, warnings) = maps(&subject, &plan, &["a - b"]);
    let found = found.unwrap();
    assert_eq!(found.units, Units::Percent);
    // The same by hand: each run's effect in per cent of its mean, then the mean over runs.
    let question = Question::parse("a - b").unwrap();
    let (mut effect, mut variance) = (vec![0.0; V], vec![0.0; V]);
    for k in [1, 2] {
        let (_, design, courses) = fixture_run(k);
        let fitted = quietly(|run| fit(&courses, &design, Noise::Ar1, run)).unwrap();
        let part = effects(&fitted, &question.weights(&design).unwrap());
        for v in 0..V {
            let mean = courses.rows().map(|row| f64::from(row[v])).sum::<f64>() / N as f64;
            effect[v] += 50.0 * part.effect[0][v] / mean;
            variance[v] += part.covariance[0][v] * (50.0 / mean).powi(2);
        }
    }
    let t: Vec<f64> = effect
        .iter()
        .zip(&variance)
        .map(|(e, v)| e / v.sqrt())
        .collect();
    let tested = &found.answers[0].tested;
    assert_near(&wide(&tested.effect), &effect, 1e-6, "effect");
    assert_near(&wide(&tested.statistic), &t, 1e-6, "t");
    assert!(
        warnings.iter().any(|w| w.contains("slice_time_ref 0")),
        "{warnings:?}"
    );
    assert_eq!(found.runs.len(), 2);
}

#[test]
fn a_run_that_cannot_answer_is_left_out_of_that_answer() {
    let (events, _, courses) = fixture_run(1);
    let (mut fewer, _, courses2) = fixture_run(2);
    fewer.retain(|row| row.trial_type != "b");
    fewer.push(event(500.0, 4.0, "c"));
    let subject = study_of(vec![(events, courses), (fewer, courses2)]);
    let (found, warnings) = maps(&subject, &FirstLevelPlan::default(), &["a - b", "a - c"]);
    let found = found.unwrap();
    assert_eq!(found.answers[0].runs, ["01"]);
    assert_eq!(found.answers[1].runs, ["01", "02"]);
    let says = |what: &str| warnings.iter().any(|w| w.contains(what));
    assert!(says("did not occur in run 02"), "{warnings:?}");
    assert!(
        says("run 02: 1 of 9 events begin after its last volume"),
        "{warnings:?}"
    );

    let (nothing, _) = maps(&subject, &FirstLevelPlan::default(), &["a - face"]);
    let error = nothing.unwrap_err();
    assert!(
        error.contains("“face”") && error.contains("a, b, c"),
        "{error}"
    );
    let (events, _, courses) = fixture_run(1);
    let late = events.iter().map(|row| EventRow {
        onset_secs: row.onset_secs + 1e4,
        ..row.clone()
    });
    let subject = study_of(vec![(late.collect(), courses)]);
    let error = maps(&subject, &FirstLevelPlan::default(), &["a"])
        .0
        .unwrap_err();
    assert!(error.contains("run 01 ends at 180.0 s"), "{error}");
}

/// Voxels that answer late are modelled by a late response, and their t rises.
#[test]
fn the_library_gives_every_voxel_its_own_response() {
    let (events, _, mut courses) = fixture_run(1);
    let plan = |index| DesignPlan {
        response: Response::Library(index),
        ..DesignPlan::default()
    };
    let planted: Vec<usize> = (0..V).map(|v| (v * 3) % LIBRARY_SIZE).collect();
    for (v, planted) in planted.iter().enumerate() {
        let made =
            quietly(|run| design(&events, None, &plan(*planted), (N, TR), "run", run)).unwrap();
        for t in 0..N {
            let response =
                made.columns[0].values[t] + made.columns[1].values[t] + made.columns[2].values[t];
            courses.row_mut(t)[v] = (500.0 + 30.0 * response + made_at(t * V + v, 77.0)) as f32;
        }
    }
    let subject = study_of(vec![(events, courses)]);
    let library = FirstLevelPlan {
        library: true,
        noise: Noise::Ols,
        ..FirstLevelPlan::default()
    };
    let found = maps(&subject, &library, &["a + b + c"]).0.unwrap();
    let chosen = found.response.clone().unwrap();
    for (v, planted) in planted.iter().enumerate() {
        assert!(
            usize::from(chosen[v]).abs_diff(*planted) <= 1,
            "voxel {v}: {} for {planted}",
            chosen[v]
        );
    }
    let fixed = FirstLevelPlan {
        noise: Noise::Ols,
        ..FirstLevelPlan::default()
    };
    let canonical = maps(&subject, &fixed, &["a + b + c"]).0.unwrap();
    let sum = |level: &FirstLevel| wide(&level.answers[0].tested.statistic).iter().sum::<f64>();
    assert!(sum(&found) > 1.5 * sum(&canonical));
    assert!(
        (library_peak_secs(0) - 3.5).abs() < 1e-9 && (library_peak_secs(19) - 8.0).abs() < 1e-9
    );
}
