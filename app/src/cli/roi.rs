//! `fusiform roi`: regions of atlases and maps, listed, combined, brought onto a surface, written.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use fusiform_pipelines::Error;
use fusiform_pipelines::io::atlas::colour_of_key;
use fusiform_pipelines::io::gifti::hemisphere_in_name;
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::io::table::Table;
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::files::{self, Format};
use fusiform_pipelines::roi::listing::Listed;
use fusiform_pipelines::roi::transfer::{Sheet, completed};
use fusiform_pipelines::roi::{Op, Roi, above, cluster_at, combine, complement, grown, shrunk};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::surface::{Hemisphere, Surface};
use glam::DVec3;
use serde_json::{Value, json};

use super::Output;
use super::clusters::aligned;
use super::progress::shown;

const EXAMPLES: &str = "\
Examples:
  fusiform roi atlas.nii.gz                                    the regions, their sizes and middles
  fusiform roi atlas.nii.gz --union V1,V2 --name early -o early.nii.gz
  fusiform roi lh.aparc.annot --keep fusiform,lingual -o lh.ventral.label.gii
  fusiform roi --from-map tmap.nii.gz --threshold 3 -o active.nii.gz
  fusiform roi --from-map tmap.nii.gz --threshold 3 --at 40,-54,-18 --name FFA -o ffa.nii.gz
  fusiform roi atlas.nii.gz --from-map tmap.nii.gz --threshold 3 --intersection FFA,map -o both.nii.gz
  fusiform roi atlas.nii.gz --complement V1 --within mask.nii.gz -o rest.nii.gz
  fusiform roi atlas.nii.gz --keep V1 --surfaces lh.white.surf.gii,lh.pial.surf.gii -o lh.V1.label

An operation makes one region; without one, all regions (or those of --keep) are listed, or written with -o. The file's
ending says the format: .nii.gz or .nii (with a .tsv of names), .label.gii, .label (one region), .annot. Regions on other
grids are brought onto the first one's, nearest voxel.";

/// What `roi` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Files of regions: atlases of whole numbers (NIfTI, MGH), .label.gii, .annot, .label
    #[arg(required_unless_present = "from_map")]
    files: Vec<PathBuf>,
    /// Adds a region named “map”: where this map (NIfTI) is above --threshold
    #[arg(long, value_name = "MAP", requires = "threshold")]
    from_map: Option<PathBuf>,
    /// Numbers above it are in the region of the map
    #[arg(long, requires = "from_map", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Numbers below minus the threshold too
    #[arg(long, requires = "from_map")]
    two_sided: bool,
    /// Only the cluster that holds this place, world mm
    #[arg(
        long,
        value_name = "X,Y,Z",
        value_delimiter = ',',
        num_args = 1,
        allow_hyphen_values = true,
        requires = "from_map"
    )]
    at: Vec<f64>,
    /// Only these regions, by name, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    keep: Vec<String>,
    /// One region of all that is in any of these
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "operation")]
    union: Vec<String>,
    /// One region of what is in all of these
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "operation")]
    intersection: Vec<String>,
    /// One region of what is in the first and in none of the others
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "operation")]
    difference: Vec<String>,
    /// One region of what is in none of these, within --within
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        group = "operation",
        requires = "within"
    )]
    complement: Vec<String>,
    /// The mask (NIfTI, above 0.5) of a complement
    #[arg(long, value_name = "MASK", requires = "complement")]
    within: Option<PathBuf>,
    /// Then larger by so many voxels (faces) or vertices (edges)
    #[arg(long, value_name = "N", default_value_t = 0)]
    grow: usize,
    /// Then smaller by so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    shrink: usize,
    /// The white and the pial surface of a hemisphere, or one surface: brings voxels onto it, and lets vertices grow
    #[arg(long, value_name = "WHITE,PIAL", value_delimiter = ',')]
    surfaces: Vec<PathBuf>,
    /// Brings vertices into the grid of this volume; needs --surfaces
    #[arg(long, value_name = "VOLUME", requires = "surfaces")]
    into: Option<PathBuf>,
    /// The name of the region that is made
    #[arg(long)]
    name: Option<String>,
    /// Write the regions there instead of listing them
    #[arg(long, short)]
    out: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    // A name that says no format is told before the work, not after it.
    args.out.as_deref().map(Format::of).transpose()?;
    let (rois, written) = shown(output.quiet, |run| work(args, run))?;
    let listed: Vec<Listed> = rois.iter().map(|roi| Listed::of(roi, &[])).collect();
    let rows: Vec<Value> = listed.iter().map(row).collect();
    let (paths, notes) = (&written.paths, &written.notes);
    let names = paths.iter().map(|path| path.display().to_string());
    let text = if args.out.is_some() {
        let lines = names.map(|path| format!("wrote {path}"));
        lines
            .chain(notes.iter().cloned())
            .collect::<Vec<_>>()
            .join("\n")
    } else {
        aligned(&table(&listed), "no regions")
    };
    output.result(
        &json!({ "regions": rows, "written": paths, "notes": notes }),
        &text,
    )
}

fn work(args: &Args, run: &Run<'_>) -> anyhow::Result<(Vec<Roi>, files::Written)> {
    let surfaces = surfaces(args, run)?;
    let sheets: Vec<Sheet<'_>> = match surfaces.as_slice() {
        [] => Vec::new(),
        [one] => vec![sheet(args, one, one)?],
        [white, pial, ..] => vec![sheet(args, white, pial)?],
    };
    let grid = match &args.into {
        Some(path) => Some(nifti::read_first_volume(path, run)?.grid),
        None => None,
    };
    let mut all = Vec::new();
    for path in &args.files {
        let n_vertices = surfaces.first().map(|s| s.vertices.len());
        for roi in files::read(path, n_vertices, run)? {
            join(&mut all, roi);
        }
    }
    all.extend(of_map(args, run)?);
    if !args.keep.is_empty() {
        all = args
            .keep
            .iter()
            .map(|name| find(&all, name).cloned())
            .collect::<anyhow::Result<_>>()?;
    }
    let (operands, op) = operation(args);
    let mut rois = if operands.is_empty() {
        all
    } else {
        let chosen = operands.iter().map(|name| find(&all, name));
        let chosen = chosen.collect::<anyhow::Result<Vec<_>>>()?;
        vec![made(args, &chosen, op, run)?]
    };
    let triangles = |side: Hemisphere| {
        let sheet = sheets.iter().find(|s| s.hemisphere == side);
        sheet.map(|s| &*s.inner.triangles)
    };
    if args.grow + args.shrink > 0
        && surfaces.is_empty()
        && rois.iter().any(|roi| !roi.patches.is_empty())
    {
        bail!("vertices grow along the edges of a surface: name it with --surfaces");
    }
    for roi in &mut rois {
        for _ in 0..args.grow {
            *roi = grown(roi, triangles);
        }
        for _ in 0..args.shrink {
            *roi = shrunk(roi, triangles);
        }
        if !sheets.is_empty() {
            *roi = completed(roi.clone(), &sheets, grid.as_ref(), run)?;
        }
    }
    if let (Some(name), [one]) = (&args.name, rois.as_mut_slice()) {
        one.name.clone_from(name);
    } else if args.name.is_some() {
        bail!(
            "--name names the one region that is made, and there are {}: combine them, or keep one",
            rois.len()
        );
    }
    let written = match &args.out {
        Some(path) => {
            if let Some(empty) = rois.iter().find(|roi| roi.is_empty()) {
                bail!("nothing is in {}: no file was written", empty.name);
            }
            files::write(path, &rois, &sheets)?
        }
        None => files::Written::default(),
    };
    Ok((rois, written))
}

/// Adds a region; a part of one that is there already, such as its other hemisphere, goes to that.
fn join(all: &mut Vec<Roi>, roi: Roi) {
    let is_part = |there: &&mut Roi| {
        let apart = roi
            .patches
            .iter()
            .all(|p| there.patch(p.hemisphere).is_none());
        there.name == roi.name && apart && (there.voxels.is_none() || roi.voxels.is_none())
    };
    match all.iter_mut().find(is_part) {
        Some(there) => {
            there.patches.extend(roi.patches);
            there.voxels = there.voxels.take().or(roi.voxels);
        }
        None => all.push(roi),
    }
}

/// The names an operation works on, and which it is; none of a complement, which is told by its mask.
fn operation(args: &Args) -> (&[String], Option<Op>) {
    for (names, op) in [
        (&args.union, Op::Union),
        (&args.intersection, Op::Intersection),
        (&args.difference, Op::Difference),
    ] {
        if !names.is_empty() {
            return (names, Some(op));
        }
    }
    (&args.complement, None)
}

fn made(args: &Args, chosen: &[&Roi], op: Option<Op>, run: &Run<'_>) -> anyhow::Result<Roi> {
    let (first, others) = chosen.split_first().context("no region is named")?;
    let op_or_union = op.unwrap_or(Op::Union);
    let mut roi = Roi::clone(first);
    for other in others {
        roi = combine(op_or_union, &roi, other)?;
    }
    if let (None, Some(path)) = (op, &args.within) {
        let within = Mask::from_volume(&nifti::read_volume(path, run)?);
        roi = complement(&roi, &within)?;
    }
    Ok(roi)
}

fn of_map(args: &Args, run: &Run<'_>) -> anyhow::Result<Option<Roi>> {
    let (Some(path), Some(threshold)) = (&args.from_map, args.threshold) else {
        return Ok(None);
    };
    let map = nifti::read_volume(path, run)?;
    let voxels = match *args.at.as_slice() {
        [] => above(&map, threshold, args.two_sided),
        [x, y, z] => cluster_at(&map, threshold, args.two_sided, DVec3::new(x, y, z))?,
        _ => bail!(
            "--at takes three numbers, x,y,z in mm, not {}",
            args.at.len()
        ),
    };
    if voxels.is_empty() {
        return Err(Error::file(
            path,
            format!("nothing is above {threshold}: lower --threshold"),
        )
        .into());
    }
    Ok(Some(Roi::of_voxels("map", colour_of_key(1), voxels)))
}

fn surfaces(args: &Args, run: &Run<'_>) -> anyhow::Result<Vec<Surface>> {
    if args.surfaces.len() > 2 {
        bail!(
            "--surfaces takes one surface, or a white and a pial one, not {}",
            args.surfaces.len()
        );
    }
    let read = |path: &PathBuf| Ok(Surface::load(path, run)?);
    args.surfaces.iter().map(read).collect()
}

fn sheet<'a>(args: &Args, inner: &'a Surface, outer: &'a Surface) -> anyhow::Result<Sheet<'a>> {
    let path = args
        .surfaces
        .first()
        .map_or(Path::new(""), PathBuf::as_path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hemisphere = inner.hemisphere.or_else(|| hemisphere_in_name(&name)).with_context(|| {
        format!(
            "{}: neither it nor its name says which side of the brain it is; put lh, rh, left or right in the name",
            path.display()
        )
    })?;
    Ok(Sheet {
        hemisphere,
        inner,
        outer,
    })
}

fn find<'a>(all: &'a [Roi], name: &str) -> anyhow::Result<&'a Roi> {
    const SHOWN: usize = 30;
    all.iter().find(|roi| roi.name == name).with_context(|| {
        let names: Vec<&str> = all
            .iter()
            .map(|roi| roi.name.as_str())
            .take(SHOWN)
            .collect();
        let more = all.len().saturating_sub(SHOWN);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(
            "there is no region {name}; there are {}{rest}",
            names.join(", ")
        )
    })
}

fn row(region: &Listed) -> Value {
    let [r, g, b] = region.colour;
    json!({
        "name": region.name,
        "color": format!("#{r:02x}{g:02x}{b:02x}"),
        "n_voxels": region.n_voxels,
        "volume_mm3": region.volume_mm3,
        "n_vertices": region.n_vertices,
        "middle_mm": region.heart_mm.map(|at| at.to_array()),
    })
}

fn table(listed: &[Listed]) -> Table {
    let columns = [
        "region",
        "voxels",
        "volume_mm3",
        "vertices",
        "x",
        "y",
        "z",
        "color",
    ];
    let row = |region: &Listed| {
        let [r, g, b] = region.colour;
        let mut row = vec![
            region.name.clone(),
            region.n_voxels.to_string(),
            format!("{:.0}", region.volume_mm3),
            region.n_vertices.to_string(),
        ];
        row.extend(match region.heart_mm {
            Some(at) => at.to_array().map(|mm| format!("{mm:.1}")),
            None => ["n/a", "n/a", "n/a"].map(str::to_owned),
        });
        row.push(format!("#{r:02x}{g:02x}{b:02x}"));
        row
    };
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: listed.iter().map(row).collect(),
    }
}
