//! `fusiform bench`: one measured kernel on named input, with a figure that shows the work was done.
//!
//! Each kernel also times a limit that no program can beat on the same machine in the same run (the
//! bytes of the file, a copy of the result, an empty frame): quote the ratio, not the seconds.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Subcommand;
use fusiform_pipelines::Run;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::study::files;
use fusiform_render::camera::StandardView;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{Scene, SurfaceView, View};
use serde_json::{Value, json};

use super::Output;
use super::progress::shown;
use crate::brain::Brain;
use crate::bridge::Keys;
use crate::presets::{self, Style};

/// What `bench` takes.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    kernel: Kernel,
    /// Repetitions; the median is reported
    #[arg(long, global = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    reps: u32,
}

#[derive(Debug, Subcommand)]
enum Kernel {
    /// Read a 4-D volume into f32; the limit is reading its bytes and writing as many floats
    Load {
        /// A .nii or .nii.gz file
        file: PathBuf,
    },
    /// Sample a volume on the cortex, 5 depths; the limit is reading the samples' 8 corners from memory
    Project {
        /// A 3-D volume
        volume: PathBuf,
        /// A folder of GIFTI surfaces
        surfaces: PathBuf,
    },
    /// Draw a turning cortex; the limit is a frame with nothing in it
    Draw {
        /// A folder of GIFTI surfaces
        surfaces: PathBuf,
        /// Pixels across
        #[arg(long, default_value_t = 1280)]
        width: u32,
        /// Pixels down
        #[arg(long, default_value_t = 800)]
        height: u32,
        /// Use the CPU reference renderer
        #[arg(long)]
        cpu: bool,
    },
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let measured = shown(output.quiet, |run| match &args.kernel {
        Kernel::Load { file } => load(file, args.reps, run),
        Kernel::Project { volume, surfaces } => project(volume, surfaces, args.reps, run),
        Kernel::Draw {
            surfaces,
            width,
            height,
            cpu,
        } => draw(surfaces, [*width, *height], *cpu, args.reps, run),
    })?;
    let json = measured.json();
    output.result(&json, &serde_json::to_string_pretty(&json)?)
}

struct Measured {
    task: &'static str,
    size: String,
    all: Vec<f64>,
    limit: Vec<f64>,
    quality: Value,
}

impl Measured {
    fn json(&self) -> Value {
        let (seconds, limit) = (median(&self.all), median(&self.limit));
        json!({
            "task": self.task, "peer": "fusiform", "size": self.size, "seconds": seconds, "all": self.all,
            "limit_seconds": limit, "ratio_to_limit": seconds / limit, "quality": self.quality,
        })
    }
}

fn load(file: &std::path::Path, reps: u32, run: &Run<'_>) -> anyhow::Result<Measured> {
    let mut limit = Vec::new();
    let mut all = Vec::new();
    let mut size = String::new();
    let mut quality = Value::Null;
    for _ in 0..reps {
        let start = Instant::now();
        let series = nifti::read_series(file, run)?;
        all.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
        let copy = std::hint::black_box(series.data.to_vec());
        limit.push(start.elapsed().as_secs_f64());

        let [i, j, k] = series.grid.shape;
        size = format!("{i}x{j}x{k}x{} from {} bytes", series.n_times, bytes.len());
        quality =
            json!({ "sum": copy.iter().map(|&v| f64::from(v)).sum::<f64>(), "n": copy.len() });
    }
    Ok(Measured {
        task: "load",
        size,
        all,
        limit,
        quality,
    })
}

fn project(
    volume: &std::path::Path,
    surfaces: &std::path::Path,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let volume = nifti::read_volume(volume, run)?;
    let brain = brain(surfaces, run)?;
    let n_vertices: usize = brain
        .hemispheres
        .iter()
        .filter_map(|h| h.shapes.first())
        .map(|(_, s)| s.vertices.len())
        .sum();
    let mut all = Vec::new();
    let mut limit = Vec::new();
    let mut mean = 0.0;
    for _ in 0..reps {
        let start = Instant::now();
        let maps = brain
            .hemispheres
            .iter()
            .map(|h| h.project(&volume))
            .collect::<anyhow::Result<Vec<_>>>()?;
        all.push(start.elapsed().as_secs_f64());
        let finite: Vec<f64> = maps
            .iter()
            .flat_map(|m| m.values.iter())
            .filter(|v| v.is_finite())
            .map(|&v| f64::from(v))
            .collect();
        mean = finite.iter().sum::<f64>() / finite.len().max(1) as f64;

        let n_reads = n_vertices * 5 * 8;
        let start = Instant::now();
        let sum: f32 = volume.data.iter().cycle().take(n_reads).sum();
        limit.push(start.elapsed().as_secs_f64());
        std::hint::black_box(sum);
    }
    let size = format!("{n_vertices} vertices, 5 depths");
    Ok(Measured {
        task: "vol_to_surf",
        size,
        all,
        limit,
        quality: json!({ "mean": mean }),
    })
}

fn draw(
    surfaces: &std::path::Path,
    size: [u32; 2],
    cpu: bool,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let brain = brain(surfaces, run)?;
    let (mut backend, why_not_gpu) = if cpu {
        (Backend::Cpu, None)
    } else {
        Backend::best()
    };
    if let Some(why) = why_not_gpu {
        run.warn(format!("{why}: drawing on the CPU"));
    }
    let mut keys = Keys::default();
    let style = Style {
        outlines: false,
        ..Style::default()
    };
    let meshes = brain
        .hemispheres
        .iter()
        .map(|h| presets::mesh_layer(h, None, style, &mut keys))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let n_vertices: usize = meshes.iter().map(|m| m.mesh.vertices.len()).sum();
    let camera = presets::camera_on(&meshes, StandardView::Left, size);
    let scene = |meshes, turn: f32| Scene {
        background: [255; 4],
        view: View::Surfaces(SurfaceView {
            camera: camera.turned(turn, 0.0),
            meshes,
            marker: None,
        }),
    };
    // The first frame uploads and compiles.
    let first = backend.picture(&scene(meshes.clone(), 0.0), size)?;
    let drawn = first
        .rgba
        .chunks_exact(4)
        .filter(|p| p[..3] != [255; 3])
        .count();
    let mut all = Vec::new();
    let mut limit = Vec::new();
    for rep in 0..reps {
        let start = Instant::now();
        backend.picture(&scene(meshes.clone(), 0.02 * rep as f32), size)?;
        all.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        backend.picture(&scene(Vec::new(), 0.0), size)?;
        limit.push(start.elapsed().as_secs_f64());
    }
    let size = format!("{n_vertices} vertices, {}x{} pixels", size[0], size[1]);
    Ok(Measured {
        task: "draw",
        size,
        all,
        limit,
        quality: json!({ "pixels_drawn": drawn }),
    })
}

fn brain(surfaces: &std::path::Path, run: &Run<'_>) -> anyhow::Result<Brain> {
    let found = files::from_files(&[surfaces.to_path_buf()], run)?;
    let subject = found
        .subjects
        .first()
        .context("no surfaces in that folder")?;
    Brain::load(subject, run)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
