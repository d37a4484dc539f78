//! `fusiform render`: the standard figures, off screen, as PNG, SVG or PDF.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use fusiform_pipelines::surface::Shape;
use serde_json::json;

use super::Output;
use super::args::backend;
use super::progress::shown;
use crate::figure::Format;
use crate::figure_file::{self, FigureFile, Kind, LookPlan, Page};
use crate::jobs;
use crate::presets::{self, Angle, Sample};
use crate::scene_file::{self, SceneFile};
use crate::sources::Sources;

const EXAMPLES: &str = "\
Examples:
  fusiform render demo -o brain.png
  fusiform render --surfaces fsaverage5/ --map tmap.nii.gz --threshold 3 --label t -o tmap.pdf
  fusiform render --view mosaic --slices z:-40:60:10 --anatomy t1.nii.gz --map tmap.nii.gz -o slices.svg
  fusiform render --surfaces sub-01/ --map lh.thickness --map rh.thickness --width-mm 89 -o one-column.pdf
  fusiform render demo --save-scene scene.json -o a.png; fusiform render --scene scene.json -o b.png";

/// What `render` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A study, or the word `demo` (which shows its planted signal-to-noise ratio)
    study: Option<PathBuf>,
    /// Draw what --save-scene or the window saved, exactly as it was
    #[arg(
        long,
        conflicts_with_all = [
            "study", "subject", "surfaces", "anatomy", "atlas", "parcellation", "map", "view", "views", "shape",
            "slices", "at", "threshold", "soft", "min", "max", "colormap", "label", "map_number", "table", "no_outlines",
            "two_sided", "one_sided", "names", "width_mm", "dpi", "size", "dark", "sample", "radiological", "save_scene",
        ]
    )]
    scene: Option<PathBuf>,
    /// Subject id, when the study has several
    #[arg(long)]
    subject: Option<String>,
    /// What to draw
    #[arg(long, value_enum, default_value_t = ViewName::Surface)]
    view: ViewName,
    /// From where the cortex is shown
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Angle::Lateral, Angle::Medial])]
    views: Vec<Angle>,
    /// Surfaces: GIFTI files or a folder of them, or a FreeSurfer subject; may be given several times
    #[arg(long)]
    surfaces: Vec<PathBuf>,
    /// A structural volume
    #[arg(long)]
    anatomy: Option<PathBuf>,
    /// A volume of regions, outlined on slices
    #[arg(long)]
    atlas: Option<PathBuf>,
    /// Regions outlined on surfaces: .annot, .label.gii, .dlabel.nii, once a hemisphere; .label, each one more region
    #[arg(long)]
    parcellation: Vec<PathBuf>,
    /// What to show in colour: a volume, or values on vertices (.func.gii, .mgh, curvature, .npy: once a hemisphere; .dscalar.nii)
    #[arg(long)]
    map: Vec<PathBuf>,
    /// Which map of a file that holds several, from 1
    #[arg(long, requires = "map")]
    map_number: Option<usize>,
    /// Numbers by region, painted on the parcellation: a TSV or CSV of two columns, region name or key, and number
    #[arg(long, conflicts_with = "map")]
    table: Option<PathBuf>,
    /// Name and unit of the map's numbers, for the colour bar
    #[arg(long)]
    label: Option<String>,
    /// Hide numbers of smaller magnitude
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Let numbers below the threshold fade instead
    #[arg(long)]
    soft: bool,
    /// The number at the low end of the colour bar; of a two-sided map, in its middle
    #[arg(long, allow_negative_numbers = true)]
    min: Option<f32>,
    /// The number at the high end of the colour bar
    #[arg(long, allow_negative_numbers = true)]
    max: Option<f32>,
    /// Give negative numbers colours of their own, however few they are
    #[arg(long, conflicts_with = "one_sided")]
    two_sided: bool,
    /// Give negative numbers no colours of their own
    #[arg(long)]
    one_sided: bool,
    /// Colours of the map, by name
    #[arg(long)]
    colormap: Option<String>,
    /// Layout of the cortex
    #[arg(long, value_enum, default_value_t = ShapeName::Inflated)]
    shape: ShapeName,
    /// How volumes are put on the cortex
    #[arg(long, value_enum, default_value_t = Sample::Pixel)]
    sample: Sample,
    /// World position of slices and cuts: x,y,z in mm
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_point, allow_hyphen_values = true)]
    at: Option<[f32; 3]>,
    /// Slices of a mosaic: axis:first:last:step in mm, several with commas between
    #[arg(long, default_value = "z:-40:60:10")]
    slices: String,
    /// Show the subject's right on the left of axial and coronal slices
    #[arg(long)]
    radiological: bool,
    /// Leave out region borders
    #[arg(long)]
    no_outlines: bool,
    /// Write the names of regions on the cortex, where they have room
    #[arg(long)]
    names: bool,
    /// Width as printed, mm; journals ask for about 89 (one column) or 183 (two)
    #[arg(long, default_value_t = 183.0)]
    width_mm: f32,
    /// Pixels an inch
    #[arg(long, default_value_t = 300.0)]
    dpi: f32,
    /// Pixels, WIDTHxHEIGHT, instead of --dpi and the figure's own height
    #[arg(long, value_parser = parse_size)]
    size: Option<[u32; 2]>,
    /// A dark sheet
    #[arg(long)]
    dark: bool,
    /// Draw with the CPU reference renderer even where there is a graphics driver
    #[arg(long)]
    cpu: bool,
    /// Save what is drawn, to draw it again with --scene
    #[arg(long, value_name = "FILE")]
    save_scene: Option<PathBuf>,
    /// The figure to write: .png, .svg or .pdf
    #[arg(long, short)]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ViewName {
    /// The cortex from the sides, or from --views
    Surface,
    /// The cortex laid flat
    Flat,
    /// Axial, coronal and sagittal slices
    Slices,
    /// Rows of slices
    Mosaic,
    /// The largest number along each axis
    Glass,
    /// The anatomy cut open
    Cast,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShapeName {
    White,
    Midthickness,
    Pial,
    Inflated,
    Sphere,
}

fn parse_point(text: &str) -> Result<[f32; 3], String> {
    let numbers = text.split(',').map(|part| part.trim().parse::<f32>());
    let numbers: Vec<f32> = numbers.filter_map(Result::ok).collect();
    let point = <[f32; 3]>::try_from(numbers).ok();
    point
        .filter(|at| text.split(',').count() == 3 && at.iter().all(|mm| mm.is_finite()))
        .ok_or_else(|| format!("“{text}” is no place: write x,y,z in mm, such as -42,-54,-18"))
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
    Format::of(&args.out)?;
    let drawable = match &args.scene {
        Some(path) if is_figure(path) => Saved::Figure(Box::new(FigureFile::read(path)?)),
        Some(path) => Saved::View(Box::new(SceneFile::read(path)?)),
        None => Saved::Figure(Box::new(figure_of(args)?)),
    };
    if let Saved::Figure(figure) = &drawable
        && figure.sources.is_empty()
    {
        anyhow::bail!("nothing to draw: name a study (or `demo`), --surfaces, --anatomy or --map");
    }
    let (renderer, [width, height]) = shown(output.quiet, |run| -> anyhow::Result<_> {
        let driver = || backend(args.cpu, run);
        let (mut backend, sheet) = match &drawable {
            Saved::Figure(figure) => {
                // A driver takes as long to start as the files to be read.
                let (mut backend, loaded) = jobs::both(driver, || figure.load(run));
                let (brain, map) = loaded?;
                run.stage("drawing");
                let sheet = figure.draw(&brain, map.as_ref(), &mut backend)?;
                (backend, sheet)
            }
            Saved::View(view) => {
                let mut backend = driver();
                run.stage("reading what the view shows");
                let sheet = scene_file::sheet(view, &mut backend)?;
                (backend, sheet)
            }
        };
        for note in backend.take_notes() {
            run.warn(note);
        }
        sheet.write(&args.out)?;
        if let (Some(path), Saved::Figure(figure)) = (&args.save_scene, &drawable) {
            figure.write(path)?;
        }
        let renderer = if backend.is_gpu() { "gpu" } else { "cpu" };
        Ok((renderer, sheet.pixels()))
    })?;
    output.result(
        &json!({ "out": args.out, "width": width, "height": height, "renderer": renderer }),
        &format!("wrote {}", args.out.display()),
    )
}

/// What there is to draw.
enum Saved {
    Figure(Box<FigureFile>),
    /// Of the window.
    View(Box<SceneFile>),
}

/// Whether a saved file holds a figure; else it should hold a view of the window, which its reader checks.
fn is_figure(path: &Path) -> bool {
    std::fs::read_to_string(path)
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .is_some_and(|value| value.get("figure").is_some())
}

/// What the options ask for.
fn figure_of(args: &Args) -> anyhow::Result<FigureFile> {
    let at_mm = args.at;
    let shape = match args.shape {
        ShapeName::White => Shape::White,
        ShapeName::Midthickness => Shape::Midthickness,
        ShapeName::Pial => Shape::Pial,
        ShapeName::Inflated => Shape::Inflated,
        ShapeName::Sphere => Shape::Sphere,
    };
    // Before any file is read.
    if let Some(name) = &args.colormap {
        figure_file::colormap(name)?;
    }
    presets::parse_rows(&args.slices)?;
    Ok(FigureFile {
        version: figure_file::VERSION,
        sources: Sources {
            study: args.study.clone(),
            subject: args.subject.clone(),
            surfaces: args.surfaces.clone(),
            anatomy: args.anatomy.clone(),
            atlas: args.atlas.clone(),
            parcellation: args.parcellation.clone(),
            maps: args.map.clone(),
            map_number: args.map_number,
            table: args.table.clone(),
        },
        look: LookPlan {
            label: args.label.clone(),
            threshold: args.threshold,
            soft: args.soft.then_some(true),
            min: args.min,
            max: args.max,
            colormap: args.colormap.clone(),
            two_sided: match (args.two_sided, args.one_sided) {
                (false, false) => None,
                (two_sided, _) => Some(two_sided),
            },
            opacity: None,
        },
        figure: match args.view {
            ViewName::Surface => Kind::Surface {
                shape,
                views: args.views.clone(),
                camera: None,
            },
            ViewName::Flat => Kind::Flat,
            ViewName::Slices => Kind::Slices { at_mm },
            ViewName::Mosaic => Kind::Mosaic {
                rows: args.slices.clone(),
            },
            ViewName::Glass => Kind::Glass,
            ViewName::Cast => Kind::Cast { at_mm },
        },
        page: Page {
            width_mm: args.width_mm,
            dpi: args.dpi,
            size: args.size,
            dark: args.dark,
            outlines: !args.no_outlines,
            names: args.names,
            sample: args.sample,
            radiological: args.radiological,
        },
    })
}
