//! Connections of regions, one set of edges a window: n is the number of windows, not of trials.

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::contrast::Labels;
use crate::select::extract::{courses, empty, require_regions};
use crate::select::extraction::Source;
use crate::select::feature::{Column, FeatureKind, FeatureRef, Windows};
use crate::select::table::{Row, Table};
use crate::stats::roi;
use crate::study::Study;
use crate::{Error, Result};

/// A correlation of fewer samples is ±1 as likely as anything.
pub(super) const LEAST_SAMPLES: usize = 5;

/// A window: what it is of, and the samples of every region, samples × regions.
pub(super) struct Window {
    pub(super) row: Row,
    pub(super) samples: Matrix,
}

pub(super) fn table(
    study: &Study,
    source: &Source,
    labels: &Labels,
    kind: &FeatureKind,
    over: Windows,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    require_regions(source, 3, "connections")?;
    let mut table = empty(source, *kind, labels);
    let (windows, what) = match over {
        Windows::Blocks => {
            let windows = courses::blocks(study, source, labels, LEAST_SAMPLES, run)?;
            (windows, "blocks of volumes".to_owned())
        }
        Windows::Trials(n) => (
            beta_series(source, labels, Some(n), run)?,
            format!("series of {n} trials"),
        ),
        Windows::Runs => (
            beta_series(source, labels, None, run)?,
            "series of all trials of a class in a run".to_owned(),
        ),
    };
    let counts: Vec<String> = (0..labels.classes.len())
        .map(|class| {
            let n = windows.iter().filter(|w| w.row.class == class).count();
            format!("{n} of {}", labels.classes[class])
        })
        .collect();
    table.notes.push(format!(
        "Connections are Fisher z of correlations over {what}: n is {} windows ({}), not trials.",
        windows.len(),
        counts.join(", ")
    ));
    let n = source.regions.len();
    let name = |at: usize| source.regions[at].name.clone();
    let mut values = Vec::new();
    for window in windows {
        run.check()?;
        let z = fisher(&window.samples);
        table.rows.push(window.row);
        if matches!(kind, FeatureKind::FcEdges(_)) {
            let edges = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            values.extend(edges.map(|(a, b)| z[a * n + b]));
        } else {
            let strength = |a: usize| {
                let others = (0..n).filter(|&b| b != a).map(|b| z[a * n + b].abs());
                others.sum::<f32>() / (n as f32 - 1.0)
            };
            values.extend((0..n).map(strength));
        }
    }
    table.columns = if matches!(kind, FeatureKind::FcEdges(_)) {
        (0..n)
            .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
            .map(|(a, b)| Column {
                feature: FeatureRef::FcEdge {
                    a: name(a),
                    b: name(b),
                },
                world_mm: None,
                region: None,
            })
            .collect()
    } else {
        (0..n)
            .map(|a| Column {
                feature: FeatureRef::FcNodeStrength { roi: name(a) },
                world_mm: source.regions[a].centre_mm,
                region: Some(a),
            })
            .collect()
    };
    table.values = Matrix::from_values(table.rows.len(), table.columns.len(), values)?;
    Ok(table)
}

/// Trials of one class that follow each other in a run, `n` at a time; what is left over at the end of a run is left out.
fn beta_series(
    source: &Source,
    labels: &Labels,
    n: Option<usize>,
    run: &Run<'_>,
) -> Result<Vec<Window>, Stop> {
    if n.is_some_and(|n| n < LEAST_SAMPLES) {
        return Err(Error::Choice(format!(
            "a correlation needs {LEAST_SAMPLES} trials or more a window: ask for longer windows"
        ))
        .into());
    }
    let columns: Vec<&[usize]> = source
        .regions
        .iter()
        .map(|r| r.columns.as_slice())
        .collect();
    let means = roi::means(&source.betas.values, &columns, run)?;
    let mut windows = Vec::new();
    for label in source.betas.runs() {
        for class in 0..labels.classes.len() {
            let trials: Vec<usize> = (0..labels.of_trial.len())
                .filter(|&t| {
                    labels.of_trial[t] == Some(class) && source.betas.trials[t].run == label
                })
                .collect();
            let length = n.unwrap_or(trials.len()).max(LEAST_SAMPLES);
            for part in trials.chunks_exact(length) {
                windows.push(Window {
                    row: row_of(source, class, part),
                    samples: means.select_rows(part),
                });
            }
        }
    }
    if windows.is_empty() {
        return Err(Error::Choice(format!(
            "no run holds {} trials of a class, which a window needs: choose shorter windows, blocks (--window blocks), or conditions with more trials",
            n.unwrap_or(LEAST_SAMPLES)
        ))
        .into());
    }
    Ok(windows)
}

pub(super) fn row_of(source: &Source, class: usize, trials: &[usize]) -> Row {
    let all = &source.betas.trials;
    let mut stimuli: Vec<String> = trials
        .iter()
        .filter_map(|&t| all[t].stimulus.clone())
        .collect();
    stimuli.sort();
    stimuli.dedup();
    let first = trials.first().map(|&t| &all[t]);
    Row {
        class,
        run: first.map(|t| t.run.clone()).unwrap_or_default(),
        session: first.map(|t| t.session.clone()).unwrap_or_default(),
        stimuli,
        trials: trials.to_vec(),
    }
}

/// Fisher z of the correlation of every two columns, columns × columns; NaN where one does not vary.
fn fisher(samples: &Matrix) -> Vec<f32> {
    let n = samples.n_cols;
    let columns: Vec<Vec<f64>> = (0..n)
        .map(|c| {
            let values: Vec<f64> = samples.rows().map(|row| f64::from(row[c])).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let norm = values
                .iter()
                .map(|v| (v - mean).powi(2))
                .sum::<f64>()
                .sqrt();
            let by = if norm > 1e-9 * mean.abs() {
                1.0 / norm
            } else {
                f64::NAN
            };
            values.iter().map(|v| (v - mean) * by).collect()
        })
        .collect();
    let mut z = vec![0.0; n * n];
    for a in 0..n {
        for b in a + 1..n {
            let r: f64 = columns[a].iter().zip(&columns[b]).map(|(a, b)| a * b).sum();
            // Copies of each other would be infinitely connected.
            let value = r.clamp(-0.999_999, 0.999_999).atanh() as f32;
            z[a * n + b] = value;
            z[b * n + a] = value;
        }
    }
    z
}
