//! Reading a 4-D volume: all of it, the voxels of a mask, one voxel.
//!
//! The figures under `quality` are those that other programs get from the same files, so that
//! nobody compares the times of different work.

use std::fs;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use fusiform_pipelines::Run;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::mask::Mask;
use serde_json::json;

use super::Measured;
use super::meter::{Meter, peak_mib};

pub(super) fn load(file: &Path, reps: u32, run: &Run<'_>) -> anyhow::Result<Measured> {
    let mut measured = Measured::of("load");
    for _ in 0..reps {
        let meter = Meter::start();
        let series = nifti::read_series(file, run)?;
        measured.add(&meter);
        measured.peak_mib = measured.peak_mib.or_else(peak_mib);

        let meter = Meter::start();
        let n_bytes = read_all(file)?;
        let copy = black_box(series.data.to_vec());
        measured.limit.push(meter.secs());

        let [i, j, k] = series.grid.shape;
        let t = series.n_times;
        measured.size = format!("{i}x{j}x{k}x{t} from {n_bytes} bytes");
        measured.quality = json!({
            "shape": [i, j, k, t], "dtype": "float32", "sum": sum(&copy),
            "v": series.values_at(t / 2)[series.grid.index([i / 2, j / 2, k / 2])],
        });
    }
    Ok(measured)
}

pub(super) fn masked(
    file: &Path,
    mask: &Path,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::of("masked");
    for _ in 0..reps {
        let meter = Meter::start();
        let mask = Mask::from_volume(&nifti::read_volume(mask, run)?);
        let matrix = nifti::read_masked(file, &mask, run)?;
        measured.add(&meter);
        measured.peak_mib = measured.peak_mib.or_else(peak_mib);

        let meter = Meter::start();
        let n_bytes = read_all(file)?;
        let copy = black_box(matrix.values.clone());
        measured.limit.push(meter.secs());

        let (t, v) = (matrix.n_rows, matrix.n_cols);
        measured.size = format!("{t} times x {v} voxels from {n_bytes} bytes");
        let row = matrix.rows().nth(t / 2).map(|row| sum(row) / v as f64);
        measured.quality =
            json!({ "shape": [t, v], "dtype": "float32", "sum": sum(&copy), "middle_row": row });
    }
    Ok(measured)
}

pub(super) fn time_course(
    file: &Path,
    voxel: [usize; 3],
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::of("time_course");
    for _ in 0..reps {
        let meter = Meter::start();
        let course = nifti::read_time_course(file, voxel, run)?;
        measured.add(&meter);
        measured.peak_mib = measured.peak_mib.or_else(peak_mib);

        let mut bytes = vec![0; 4 * course.len()];
        let meter = Meter::start();
        let n_read = fs::File::open(file).and_then(|mut f| f.read(&mut bytes));
        measured.limit.push(meter.secs());
        black_box(n_read).with_context(|| file.display().to_string())?;

        measured.size = format!("{} times of voxel {voxel:?}", course.len());
        measured.quality = json!({ "shape": [course.len()], "sum": sum(&course) });
    }
    Ok(measured)
}

fn read_all(file: &Path) -> anyhow::Result<usize> {
    Ok(black_box(fs::read(file).with_context(|| file.display().to_string())?).len())
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum()
}
