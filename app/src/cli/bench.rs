//! `fusiform bench`: one measured kernel on named input, with a figure that shows the work was done.
//!
//! Each kernel also times a limit that no program can beat on the same machine in the same run (the
//! bytes of the file, a copy of the result, an empty frame): quote the ratio, not the seconds.

mod frames;
mod inspect;
mod meter;
mod network;
mod reading;
mod ridge;
mod selection;
mod statistics;

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use fusiform_pipelines::Run;
use fusiform_pipelines::device::DeviceChoice;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::nets::witness::Kind;
use fusiform_pipelines::project::{Interpolation, Way, sampled};
use fusiform_pipelines::study::files;
use fusiform_pipelines::surface::Shape;
use fusiform_render::camera::StandardView;
use fusiform_render::scene::{Scene, SurfaceView, View};
use serde_json::{Value, json};

use self::meter::Meter;
use super::Output;
use super::args::backend;
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
    /// Read the voxels of a mask out of a 4-D volume; the limit is reading its bytes and writing the result
    Masked {
        /// A .nii or .nii.gz file
        file: PathBuf,
        /// A mask on the same grid
        mask: PathBuf,
    },
    /// Read the time course of one voxel; the limit is opening the file and reading as many bytes in one piece
    TimeCourse {
        /// A .nii or .nii.gz file
        file: PathBuf,
        /// The voxel, as i,j,k from 0
        #[arg(value_parser = voxel)]
        voxel: [usize; 3],
    },
    /// Put a volume on the cortex, 10 depths; the limit is reading the samples' 8 corners from memory
    Project {
        /// A 3-D volume
        volume: PathBuf,
        /// A folder of GIFTI surfaces
        surfaces: PathBuf,
        /// Volumes on this grid to put there, one after the other
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        volumes: u32,
    },
    /// Read one voxel of the demo study as the inspector shows it; the limit is reading all responses from memory
    Inspect,
    /// The t of the first column of a design, voxel by voxel; the limit is the two matrix products it needs
    Glm {
        /// Volumes × columns (.npy)
        design: PathBuf,
        /// Volumes × voxels (.npy)
        data: PathBuf,
        /// What is assumed of the noise
        #[arg(long, value_enum, default_value_t = statistics::NoiseModel::Ols)]
        noise: statistics::NoiseModel,
    },
    /// A permutation test corrected for all voxels; the limit is the product of the data with as many labellings
    Permute {
        /// Trials × voxels (.npy)
        data: PathBuf,
        /// A label a trial, 0 or 1 (.npy)
        labels: PathBuf,
        /// The first voxels alone
        #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
        columns: usize,
        /// Permutations
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        permutations: u32,
    },
    /// A map of the difference between two sets of trials; the limit is reading the data once
    TwoSample {
        /// Trials × voxels (.npy)
        data: PathBuf,
        /// A label a trial, 0 or 1 (.npy)
        labels: PathBuf,
        /// What the map shows
        #[arg(long, value_enum, default_value_t = statistics::Shown::Welch)]
        measure: statistics::Shown,
        /// With the p of every voxel
        #[arg(long)]
        p: bool,
    },
    /// The map of a difference after a run was taken out of it; the limit is reading the data once
    Untick {
        /// Trials × voxels (.npy)
        data: PathBuf,
        /// A label a trial, 0 or 1 (.npy)
        labels: PathBuf,
    },
    /// Fit an encoding model with a penalty for every target; the limit is the products it needs at this machine's rate
    Ridge(Arrays),
    /// Search weights of two feature spaces too; the limit is the products it needs at this machine's rate
    Banded {
        #[command(flatten)]
        arrays: Arrays,
        /// Candidate weights to draw
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        draws: u32,
        /// Candidate weights from a .npy file instead, one a row
        #[arg(long)]
        weights: Option<PathBuf>,
    },
    /// Decode features from voxels with one penalty; the limit is its arithmetic at this machine's rate
    DecodeRidge {
        #[command(flatten)]
        arrays: Arrays,
        /// Choose a penalty for every feature by cross-validation
        #[arg(long)]
        search: bool,
    },
    /// Run a network on inputs that another library was run on (tests/peers/nets.py makes the folder)
    Network {
        /// Which network: clip-image, unet, autoencoder, gpt2, dino, alexnet, inception, efficientnet-b1 or resnet50
        kind: Kind,
        /// The model as published, and io.safetensors with inputs and outputs
        folder: PathBuf,
        /// Where to compute: auto, cpu or wgpu
        #[arg(long, default_value = "cpu")]
        device: DeviceChoice,
    },
    /// Frames of made-up brains: two hemispheres of 164 k vertices, three slices, rays through 256³ voxels
    Render,
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

/// Arrays of features and responses, to fit and to test.
#[derive(clap::Args, Debug)]
struct Arrays {
    /// The folder of SET_X_train.npy, SET_Y_train.npy, SET_X_test.npy and SET_Y_test.npy
    folder: PathBuf,
    /// The name before `_X_train.npy`
    #[arg(long)]
    set: String,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    if matches!(args.kernel, Kernel::Render) {
        let (json, text) = frames::run(args.reps)?;
        return output.result(&json, &text);
    }
    let measured = shown(output.quiet, |run| match &args.kernel {
        Kernel::Render => anyhow::bail!("frames have no limit"),
        Kernel::Inspect => inspect::run(args.reps, run),
        Kernel::Network {
            kind,
            folder,
            device,
        } => network::run(*kind, folder, *device, args.reps, run),
        Kernel::Ridge(a) => ridge::run(&a.folder, &a.set, &ridge::Task::Ridge, args.reps, run),
        Kernel::Banded {
            arrays: a,
            draws,
            weights,
        } => {
            let (draws, weights) = (*draws as usize, weights.clone());
            let task = ridge::Task::Banded { draws, weights };
            ridge::run(&a.folder, &a.set, &task, args.reps, run)
        }
        Kernel::DecodeRidge { arrays: a, search } => {
            let task = ridge::Task::Decode { search: *search };
            ridge::run(&a.folder, &a.set, &task, args.reps, run)
        }
        Kernel::Load { file } => reading::load(file, args.reps, run),
        Kernel::Masked { file, mask } => reading::masked(file, mask, args.reps, run),
        Kernel::TimeCourse { file, voxel } => reading::time_course(file, *voxel, args.reps, run),
        Kernel::Glm {
            design,
            data,
            noise,
        } => statistics::glm(design, data, *noise, args.reps, run),
        Kernel::Permute {
            data,
            labels,
            columns,
            permutations,
        } => statistics::permuted(
            data,
            labels,
            *columns,
            *permutations as usize,
            args.reps,
            run,
        ),
        Kernel::TwoSample {
            data,
            labels,
            measure,
            p,
        } => statistics::two_samples(data, labels, *measure, *p, args.reps, run),
        Kernel::Untick { data, labels } => selection::untick(data, labels, args.reps, run),
        Kernel::Project {
            volume,
            surfaces,
            volumes,
        } => project(volume, surfaces, *volumes, args.reps, run),
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

#[derive(Default)]
struct Measured {
    task: &'static str,
    size: String,
    all: Vec<f64>,
    cpu_all: Vec<f64>,
    limit: Vec<f64>,
    peak_mib: Option<f64>,
    quality: Value,
}

impl Measured {
    fn of(task: &'static str) -> Self {
        Self {
            task,
            ..Self::default()
        }
    }

    fn add(&mut self, meter: &Meter) {
        self.all.push(meter.secs());
        self.cpu_all.extend(meter.cpu_secs());
    }

    fn json(&self) -> Value {
        let (seconds, limit) = (median(&self.all), median(&self.limit));
        json!({
            "task": self.task, "peer": "fusiform", "size": self.size, "seconds": seconds, "all": self.all,
            "cpu_s": median(&self.cpu_all), "cpu_all": self.cpu_all, "peak_mib": self.peak_mib,
            "limit_seconds": limit, "ratio_to_limit": seconds / limit, "quality": self.quality,
        })
    }
}

fn project(
    volume: &std::path::Path,
    surfaces: &std::path::Path,
    n_volumes: u32,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    const DEPTHS: usize = 10;
    let volume = nifti::read_volume(volume, run)?;
    let brain = brain(surfaces, run)?;
    let mut sheets = Vec::new();
    for hemisphere in &brain.hemispheres {
        let of = |shape| {
            let surface = hemisphere.shape(shape);
            surface.with_context(|| format!("{}: no {shape:?} surface", surfaces.display()))
        };
        sheets.push((of(Shape::White)?, of(Shape::Pial)?));
    }
    let n_vertices: usize = sheets.iter().map(|(white, _)| white.vertices.len()).sum();
    let mut measured = Measured::of("vol_to_surf");
    for _ in 0..reps {
        let meter = Meter::start();
        let (mut sum, mut n) = (0.0, 0u32);
        for (inner, outer) in &sheets {
            let n_depths = Way::Depth {
                inner,
                outer,
                n: DEPTHS,
            };
            let weights = sampled(&volume.grid, n_depths, Interpolation::Linear)?;
            for _ in 0..n_volumes {
                let values = weights.apply(&volume.data);
                let finite = values.iter().filter(|v| v.is_finite());
                sum += finite.clone().map(|&v| f64::from(v)).sum::<f64>();
                n += finite.count() as u32;
            }
        }
        measured.add(&meter);
        measured.quality = json!({ "mean": sum / f64::from(n.max(1)) });

        let n_reads = n_vertices * DEPTHS * 8;
        let meter = Meter::start();
        for _ in 0..n_volumes {
            let sum: f32 = volume.data.iter().cycle().take(n_reads).sum();
            std::hint::black_box(sum);
        }
        measured.limit.push(meter.secs());
    }
    measured.size = format!("{n_vertices} vertices, {DEPTHS} depths, {n_volumes} volumes");
    Ok(measured)
}

fn draw(
    surfaces: &std::path::Path,
    size: [u32; 2],
    cpu: bool,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let brain = brain(surfaces, run)?;
    let mut backend = backend(cpu, run);
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
            solids: Vec::new(),
            clips: Vec::new(),
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
    let mut measured = Measured::of("draw");
    for rep in 0..reps {
        let meter = Meter::start();
        backend.picture(&scene(meshes.clone(), 0.02 * rep as f32), size)?;
        measured.add(&meter);
        let meter = Meter::start();
        backend.picture(&scene(Vec::new(), 0.0), size)?;
        measured.limit.push(meter.secs());
    }
    measured.size = format!("{n_vertices} vertices, {}x{} pixels", size[0], size[1]);
    measured.quality = json!({ "pixels_drawn": drawn });
    Ok(measured)
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

/// `48,48,30`.
fn voxel(text: &str) -> Result<[usize; 3], String> {
    let numbers: Option<Vec<usize>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    numbers
        .and_then(|n| n.try_into().ok())
        .ok_or_else(|| "three whole numbers are needed, as in 48,48,30".to_owned())
}
