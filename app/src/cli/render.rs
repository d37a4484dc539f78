//! `fusiform render`: the standard figures, off screen.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::{Study, demo, files, select};
use fusiform_pipelines::surface::Shape;
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use glam::Vec3;
use serde_json::json;

use super::Output;
use super::args::{backend, is_demo, open};
use super::progress::shown;
use crate::brain::Brain;
use crate::figure;
use crate::presets::{self, Map, Style};
use crate::scene_file::{self, SceneFile};

const EXAMPLES: &str = "\
Examples:
  fusiform render demo -o brain.png
  fusiform render --surfaces fsaverage5/ --map tmap.nii.gz --threshold 3 --label t -o tmap.png
  fusiform render --view slices --anatomy t1.nii.gz --map tmap.nii.gz --at -42,-54,-18 -o ffa.png";

/// What `render` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A study, or the word `demo` (which shows its planted signal-to-noise ratio)
    study: Option<PathBuf>,
    /// A view saved by the window or by --save-scene: drawn exactly as it was
    #[arg(long, conflicts_with_all = ["study", "surfaces", "anatomy", "map"])]
    scene: Option<PathBuf>,
    /// Subject id, when the study has several
    #[arg(long)]
    subject: Option<String>,
    /// What to draw
    #[arg(long, value_enum, default_value_t = ViewName::Surface)]
    view: ViewName,
    /// A folder of GIFTI surfaces (both hemispheres; white, pial, inflated; sulc)
    #[arg(long)]
    surfaces: Option<PathBuf>,
    /// A structural volume
    #[arg(long)]
    anatomy: Option<PathBuf>,
    /// A volume to show in colour (a t-map, say)
    #[arg(long)]
    map: Option<PathBuf>,
    /// Name and unit of the map's numbers, for the colour bar
    #[arg(long, requires = "map")]
    label: Option<String>,
    /// Hide numbers of smaller magnitude
    #[arg(long)]
    threshold: Option<f32>,
    /// The number at the end of the colour bar
    #[arg(long)]
    max: Option<f32>,
    /// Colours of the map
    #[arg(long, value_enum)]
    colormap: Option<MapName>,
    /// Layout of the cortex
    #[arg(long, value_enum, default_value_t = ShapeName::Inflated)]
    shape: ShapeName,
    /// World position of the slices: x,y,z in mm
    #[arg(
        long,
        value_delimiter = ',',
        num_args = 3,
        allow_negative_numbers = true
    )]
    at: Option<Vec<f32>>,
    /// Leave out region borders
    #[arg(long)]
    no_outlines: bool,
    /// Pixels, WIDTHxHEIGHT
    #[arg(long, default_value = "1600x1200", value_parser = parse_size)]
    size: [u32; 2],
    /// A dark sheet
    #[arg(long)]
    dark: bool,
    /// Draw with the CPU reference renderer even where there is a graphics driver
    #[arg(long)]
    cpu: bool,
    /// The picture to write (.png)
    #[arg(long, short)]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ViewName {
    /// Four views of the cortex
    Surface,
    /// Axial, coronal and sagittal slices
    Slices,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShapeName {
    White,
    Pial,
    Inflated,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MapName {
    Viridis,
    BlueRed,
    Hot,
    ColdHot,
}

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let wrong = || format!("“{text}” is no size: write WIDTHxHEIGHT, such as 1600x1200");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let parse = |part: &str| {
        part.parse::<u32>()
            .ok()
            .filter(|n| (64..=16_384).contains(n))
    };
    Ok([
        parse(width).ok_or_else(wrong)?,
        parse(height).ok_or_else(wrong)?,
    ])
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    if args
        .out
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("png"))
    {
        anyhow::bail!(
            "{}: pictures are written as PNG; give a name that ends in .png",
            args.out.display()
        );
    }
    if let Some(path) = &args.scene {
        let scene = SceneFile::read(path)?;
        let renderer = shown(output.quiet, |run| {
            run.stage("reading what the view shows");
            let mut backend = backend(args.cpu, run);
            let picture = scene_file::draw(&scene, &mut backend)?;
            figure::write_png(&args.out, &picture)?;
            Ok::<_, anyhow::Error>(renderer_name(&backend))
        })?;
        let [width, height] = scene.size;
        return output.result(
            &json!({ "out": args.out, "width": width, "height": height, "renderer": renderer }),
            &format!("wrote {}", args.out.display()),
        );
    }
    if args.study.is_none()
        && args.surfaces.is_none()
        && args.anatomy.is_none()
        && args.map.is_none()
    {
        anyhow::bail!("nothing to draw: name a study (or `demo`), --surfaces, --anatomy or --map");
    }
    let renderer = shown(output.quiet, |run| draw(args, run))?;
    output.result(
        &json!({
            "out": args.out, "width": args.size[0], "height": args.size[1], "renderer": renderer,
        }),
        &format!("wrote {}", args.out.display()),
    )
}

fn draw(args: &Args, run: &Run<'_>) -> anyhow::Result<&'static str> {
    let (brain, map) = load(args, run)?;
    let mut backend = backend(args.cpu, run);
    run.stage("drawing");
    let (paper, ink) = if args.dark {
        ([18, 18, 22], [235; 3])
    } else {
        ([255; 3], [30, 30, 36])
    };
    let shape = match args.shape {
        ShapeName::White => Shape::White,
        ShapeName::Pial => Shape::Pial,
        ShapeName::Inflated => Shape::Inflated,
    };
    let style = Style {
        size: args.size,
        paper,
        ink,
        shape,
        outlines: !args.no_outlines,
    };
    let drawn = match args.view {
        ViewName::Surface => presets::four_views(&brain, map.as_ref(), style, &mut backend)?,
        ViewName::Slices => {
            let at = args.at.as_ref().map(|at| Vec3::new(at[0], at[1], at[2]));
            presets::slices(&brain, map.as_ref(), at, style, &mut backend)?
        }
    };
    figure::write_png(&args.out, &drawn)?;
    Ok(renderer_name(&backend))
}

fn renderer_name(backend: &Backend) -> &'static str {
    match backend {
        Backend::Gpu(_) => "gpu",
        Backend::Cpu => "cpu",
    }
}

fn load(args: &Args, run: &Run<'_>) -> anyhow::Result<(Brain, Option<Map>)> {
    let mut brain = Brain::default();
    let mut map = None;
    if let Some(path) = &args.study {
        if is_demo(path) {
            let made = demo::generate(&demo::DemoPlan::default(), run)?;
            let subject = args.subject.as_deref().unwrap_or(demo::FIRST_SUBJECT);
            // The truth that comes with the study is the first subject's.
            if subject == demo::FIRST_SUBJECT {
                map = Some(Map::new(&made.truth_snr, "planted signal-to-noise ratio"));
            }
            brain = load_subject(&made.study, Some(subject), run)?;
        } else {
            brain = load_subject(&open(path, run)?, args.subject.as_deref(), run)?;
        }
    }
    if let Some(folder) = &args.surfaces {
        let found = files::from_files(std::slice::from_ref(folder), run)?;
        let subject = found.subjects.first().context("no surfaces")?;
        brain.hemispheres = Brain::load(subject, run)?.hemispheres;
        if brain.hemispheres.is_empty() {
            anyhow::bail!(
                "{}: no GIFTI surfaces in this folder; name one that holds *.surf.gii or *.gii files",
                folder.display()
            );
        }
    }
    if let Some(path) = &args.anatomy {
        brain.anatomy = Some(Arc::new(nifti::read_volume(path, run)?));
    }
    if let Some(path) = &args.map {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let volume = nifti::read_volume(path, run)?;
        map = Some(Map::new(&volume, args.label.as_deref().unwrap_or(&name)));
    }
    if let Some(map) = &mut map {
        if let Some(threshold) = args.threshold {
            map.look.threshold = threshold.abs();
        }
        if let Some(max) = args.max {
            map.look.range.1 = max;
        }
        if let Some(name) = args.colormap {
            map.look.colormap = match name {
                MapName::Viridis => Colormap::Viridis,
                MapName::BlueRed => Colormap::BlueRed,
                MapName::Hot => Colormap::Hot,
                MapName::ColdHot => Colormap::ColdHot,
            };
        }
    }
    Ok((brain, map))
}

fn load_subject(study: &Study, id: Option<&str>, run: &Run<'_>) -> anyhow::Result<Brain> {
    Brain::load(select::choose_subject(study, id)?, run)
}
