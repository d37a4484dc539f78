//! `fusiform clusters`: the clusters of a map above a threshold, and what it holds in each region.

use std::path::PathBuf;

use clap::ValueEnum;
use fusiform_pipelines::clusters::{
    ClusterPlan, Connectivity, by_region, clusters, region_table, table,
};
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::io::table::{self as tsv, Table};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::volume::Atlas;
use serde_json::json;

use super::Output;
use super::progress::shown;

const EXAMPLES: &str = "\
Examples:
  fusiform clusters tmap.nii.gz --threshold 3.1
  fusiform clusters tmap.nii.gz --threshold 3.1 --two-sided --atlas atlas.nii.gz -o clusters.tsv
  fusiform clusters tmap.nii.gz --regions --atlas atlas.nii.gz";

/// What `clusters` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A map (NIfTI)
    map: PathBuf,
    /// Numbers above it belong to clusters
    #[arg(long, required_unless_present = "regions")]
    threshold: Option<f32>,
    /// Clusters of numbers below minus the threshold too
    #[arg(long)]
    two_sided: bool,
    /// Which voxels belong together
    #[arg(long, value_enum, default_value_t = Joined::Faces)]
    connectivity: Joined,
    /// Leave out clusters of fewer voxels
    #[arg(long, default_value_t = 1)]
    least_voxels: usize,
    /// Further peaks of a cluster are at least this far apart, mm
    #[arg(long, default_value_t = 8.0)]
    peak_distance: f64,
    /// An atlas (NIfTI) whose names are given to peaks and shares
    #[arg(long)]
    atlas: Option<PathBuf>,
    /// Statistics of the map in each region of the atlas, instead of clusters
    #[arg(long, requires = "atlas")]
    regions: bool,
    /// Write the table there (.tsv) instead of printing it
    #[arg(long, short)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Joined {
    /// Sharing a face: 6 neighbours, as in nilearn
    Faces,
    /// Sharing an edge: 18 neighbours, as in SPM
    Edges,
    /// Sharing a corner: 26 neighbours, as in FSL
    Corners,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let found = shown(output.quiet, |run| find(args, run))?;
    if let Some(path) = &args.out {
        tsv::write(path, &found)?;
    }
    let rows: Vec<serde_json::Value> = found
        .rows
        .iter()
        .map(|row| {
            let pairs = found.columns.iter().zip(row);
            let typed = |text: &String| {
                text.parse::<f64>()
                    .map_or_else(|_| json!(text), |x| json!(x))
            };
            serde_json::Value::Object(pairs.map(|(k, v)| (k.clone(), typed(v))).collect())
        })
        .collect();
    let text = match &args.out {
        Some(path) => format!("wrote {}", path.display()),
        None => aligned(&found, "nothing above the threshold"),
    };
    output.result(
        &json!({ "map": args.map, "threshold": args.threshold, "rows": rows }),
        &text,
    )
}

fn find(args: &Args, run: &Run<'_>) -> anyhow::Result<Table> {
    let map = nifti::read_volume(&args.map, run)?;
    let atlas = match &args.atlas {
        Some(path) => Some(Atlas::load(path, run)?),
        None => None,
    };
    if let (true, Some(atlas)) = (args.regions, &atlas) {
        return Ok(region_table(&by_region(&map, atlas)));
    }
    let plan = ClusterPlan {
        threshold: args.threshold.unwrap_or(0.0),
        two_sided: args.two_sided,
        connectivity: match args.connectivity {
            Joined::Faces => Connectivity::Faces,
            Joined::Edges => Connectivity::Edges,
            Joined::Corners => Connectivity::Corners,
        },
        least_voxels: args.least_voxels,
        peak_distance_mm: args.peak_distance,
        ..ClusterPlan::default()
    };
    Ok(table(&map, &clusters(&map, &plan)?, atlas.as_ref()))
}

/// A table for the terminal: numbers to the right, words to the left; `nothing` where it has no rows.
pub(super) fn aligned(table: &Table, nothing: &str) -> String {
    let width = |n: usize| {
        let cells = table.rows.iter().map(|row| row[n].chars().count());
        cells
            .chain([table.columns[n].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, &w)| {
            if cell.parse::<f64>().is_ok() {
                format!("{cell:>w$}")
            } else {
                format!("{cell:w$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&table.columns)];
    lines.extend(table.rows.iter().map(|row| line(row)));
    if table.rows.is_empty() {
        lines.push(nothing.to_owned());
    }
    lines.join("\n")
}
