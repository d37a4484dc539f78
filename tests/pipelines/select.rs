//! Features that tell conditions apart: the scores must not flatter, and the numbers must be those of other programs.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its scaffolding fails"
)]

use fusiform_pipelines::betas::Trial;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::select::table::made;
use fusiform_pipelines::select::{Column, FeatureKind, FeatureRef, Row, Table};
use glam::DVec3;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

mod compared;
mod contrasts;
mod extracted;
mod honest;
mod interactive;
mod maps;
mod mixed;
mod models;
mod splits;
mod stored;
mod studies;
mod told;

fn trial(run: &str, condition: &str, stimulus: Option<&str>) -> Trial {
    Trial {
        subject: "1".into(),
        session: String::new(),
        run: run.into(),
        onset_secs: 0.0,
        duration_secs: 1.0,
        condition: condition.into(),
        stimulus: stimulus.map(Into::into),
        repeat: 0,
    }
}

fn row(class: usize, run: usize, stimulus: Option<usize>) -> Row {
    Row {
        class,
        run: format!("{:02}", run + 1),
        session: String::new(),
        stimuli: stimulus.map(|s| format!("{s}.png")).into_iter().collect(),
        trials: Vec::new(),
    }
}

/// Voxels in a line, 3 mm apart.
fn line_of_voxels(n: usize) -> Vec<Column> {
    (0..n)
        .map(|i| Column {
            feature: FeatureRef::Voxel { ijk: [i, 0, 0] },
            world_mm: Some(DVec3::new(3.0 * i as f64, 0.0, 0.0)),
            region: None,
        })
        .collect()
}

fn noise(n_rows: usize, n_cols: usize, seed: u64) -> Matrix {
    let mut random = StdRng::seed_from_u64(seed);
    let values = (0..n_rows * n_cols)
        .map(|_| random.sample::<f32, _>(StandardNormal))
        .collect();
    Matrix::from_values(n_rows, n_cols, values).unwrap()
}

/// A table of voxels in a line; classes are called `a`, `b`, …
fn table_of(rows: Vec<Row>, values: Matrix) -> Table {
    let n_classes = rows.iter().map(|r| r.class).max().unwrap() + 1;
    let classes = ["a", "b", "c", "d"][..n_classes].map_to_strings();
    let columns = line_of_voxels(values.n_cols);
    made(FeatureKind::Voxels, classes, rows, columns, values).unwrap()
}

trait ToStrings {
    fn map_to_strings(&self) -> Vec<String>;
}

impl ToStrings for [&str] {
    fn map_to_strings(&self) -> Vec<String> {
        self.iter().map(|s| (*s).to_owned()).collect()
    }
}

/// `per_class` rows of each of `n_classes` classes in each of `n_runs` runs, every row its own stimulus.
fn balanced(n_runs: usize, per_class: usize, n_classes: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for run in 0..n_runs {
        for i in 0..per_class * n_classes {
            rows.push(row(i % n_classes, run, Some(rows.len())));
        }
    }
    rows
}
