//! What a single file is, for `fusiform info`: told from its content, with every assumption.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DVec3};
use serde::Serialize;

use crate::io::cifti::{self, Maps};
use crate::io::detect::{self, Kind};
use crate::io::freesurfer::{self, mgh};
use crate::io::{array, gifti, hdf5, mat, nifti, npy, picture, table};
use crate::run::{self, Run, Stop};
use crate::surface::{Surface, VertexLabels};
use crate::{Error, Result};

/// A file, described. Keys are stable: `fusiform info --json` prints them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FileInfo {
    /// The file.
    pub path: PathBuf,
    /// `NIfTI-1 volume`, `GIFTI surface`, …
    pub kind: String,
    /// Sizes along its dimensions: i, j, k, time for volumes; vertices, triangles for surfaces.
    pub shape: Vec<usize>,
    /// How values are stored.
    pub datatype: Option<String>,
    /// `LAS`, `RAS`, …: where i, j, k grow to.
    pub orientation: Option<String>,
    /// Edge lengths of a voxel, mm.
    pub voxel_size_mm: Option<[f64; 3]>,
    /// World mm from voxel, row after row, as the program uses it.
    pub world_from_voxel: Option<[[f64; 4]; 4]>,
    /// Which affine that is: `sform`, `qform` or `none`.
    pub placed_by: Option<String>,
    /// Opposite corners of the box it fills, world mm.
    pub bounds_mm: Option<[[f64; 3]; 2]>,
    /// Seconds a volume.
    pub tr_secs: Option<f64>,
    /// (slope, intercept) of the stored values.
    pub scaling: Option<(f64, f64)>,
    /// What the values mean, when the file says.
    pub intent: Option<String>,
    /// Free text of the header.
    pub description: Option<String>,
    /// What was assumed, in sentences.
    pub assumptions: Vec<String>,
}

/// Describes a file. Reads headers of volumes, all of a surface or table.
///
/// # Errors
/// When it is of no kind that the program reads, or is damaged.
pub fn inspect(path: &Path) -> Result<FileInfo> {
    if hdf5::is_hdf5(path)? {
        let by = if hdf5::open(path)?.from_matlab() {
            "MATLAB 7.3"
        } else {
            "HDF5"
        };
        return arrays(path, by);
    }
    if mat::is_mat(path)? {
        return arrays(path, "MATLAB");
    }
    let kind = match detect::kind(path) {
        // By its name alone, for the reader's own sentence on what is wrong with it.
        Err(_) if has_ending(path, &[".gii", ".gii.gz"]) => Kind::GiftiSurface,
        Err(_) if has_ending(path, &[".nii", ".nii.gz", ".hdr", ".img"]) => Kind::Nifti,
        Err(_) if has_ending(path, &[".npy"]) => Kind::Npy,
        Err(_) if has_ending(path, &[".png", ".jpg", ".jpeg"]) => Kind::Picture,
        kind => kind?,
    };
    let simple = |kind: &str, shape: Vec<usize>| FileInfo {
        path: path.to_path_buf(),
        kind: kind.to_owned(),
        shape,
        ..FileInfo::default()
    };
    let regions = |kind: &str, labels: &VertexLabels| {
        simple(
            &format!("{kind}, {} regions", labels.regions.len()),
            vec![labels.keys.len()],
        )
    };
    Ok(match kind {
        Kind::Nifti => volume(path)?,
        Kind::Mgh => mgh_volume(path)?,
        Kind::Cifti => cifti_table(path)?,
        Kind::GiftiSurface => surface("GIFTI surface", path, gifti::read_surface(path)?),
        Kind::FreesurferSurface => {
            surface("FreeSurfer surface", path, freesurfer::read_surface(path)?)
        }
        Kind::GiftiLabels => regions("GIFTI labels", &gifti::read_labels(path)?),
        Kind::FreesurferAnnot => regions("FreeSurfer annotation", &freesurfer::read_annot(path)?),
        Kind::GiftiMap => {
            let maps = gifti::read_map(path)?;
            simple(
                "GIFTI maps",
                vec![maps.first().map_or(0, |map| map.values.len()), maps.len()],
            )
        }
        Kind::FreesurferMap => simple(
            "FreeSurfer map",
            vec![freesurfer::read_curv(path)?.values.len()],
        ),
        Kind::FreesurferLabel => simple(
            "FreeSurfer label",
            vec![freesurfer::read_label(path)?.vertices.len()],
        ),
        Kind::FreesurferPatch => simple(
            "FreeSurfer patch",
            vec![freesurfer::read_patch(path)?.vertices.len()],
        ),
        Kind::Npy => {
            let matrix = npy::read(path)?;
            simple("NumPy matrix", vec![matrix.n_rows, matrix.n_cols])
        }
        Kind::Npz => arrays(path, "NumPy")?,
        Kind::Picture => {
            let image = picture::read(path)?;
            simple(
                "picture",
                vec![image.width() as usize, image.height() as usize],
            )
        }
        Kind::Table => {
            let table = table::read(path)?;
            FileInfo {
                description: said(&table.columns.join(", ")),
                ..simple("table", vec![table.rows.len(), table.columns.len()])
            }
        }
    })
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase());
    name.is_some_and(|name| endings.iter().any(|ending| name.ends_with(ending)))
}

/// A file of several arrays; of a single one its shape.
fn arrays(path: &Path, by: &str) -> Result<FileInfo> {
    let all = array::list(path)?;
    let first = all.first().filter(|_| all.len() == 1);
    let n = all.len();
    Ok(FileInfo {
        path: path.to_path_buf(),
        kind: format!("{by} file, {n} {}", if n == 1 { "array" } else { "arrays" }),
        shape: first.map(|info| info.shape.clone()).unwrap_or_default(),
        datatype: first.map(|info| info.datatype.clone()),
        description: said(&array::listing(&all)),
        ..FileInfo::default()
    })
}

/// Read whole, for the numbers of an MGH file say little without its tail.
fn mgh_volume(path: &Path) -> Result<FileInfo> {
    let series = read_quietly(|run| mgh::read_series(path, run))?;
    let (low, high) = series.grid.world_bounds();
    let mut shape = series.grid.shape.to_vec();
    if series.n_times > 1 {
        shape.push(series.n_times);
    }
    Ok(FileInfo {
        path: path.to_path_buf(),
        kind: format!(
            "MGH {}",
            if series.n_times > 1 {
                "series"
            } else {
                "volume"
            }
        ),
        shape,
        orientation: Some(series.grid.orientation()),
        voxel_size_mm: Some(series.grid.voxel_size_mm().to_array()),
        world_from_voxel: Some(rows(&series.grid.world_from_voxel)),
        placed_by: Some("MGH header".to_owned()),
        bounds_mm: Some([low.to_array(), high.to_array()]),
        tr_secs: series.tr_secs,
        assumptions: series.assumptions,
        ..FileInfo::default()
    })
}

fn cifti_table(path: &Path) -> Result<FileInfo> {
    let file = read_quietly(|run| cifti::read(path, run))?;
    let what = match &file.maps {
        Maps::Scalars(_) => "maps",
        Maps::Series { .. } => "series",
        Maps::Labels(_) => "labels",
    };
    let surfaces = file.places.surfaces.iter();
    let voxels = file.places.voxels.iter().map(|part| &part.structure);
    let structures: Vec<&str> = surfaces
        .map(|part| &part.structure)
        .chain(voxels)
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    Ok(FileInfo {
        path: path.to_path_buf(),
        kind: format!("CIFTI-2 {what}"),
        shape: vec![file.values.n_rows, file.values.n_cols],
        tr_secs: file.tr_secs(),
        description: said(&structures.join(", ")),
        ..FileInfo::default()
    })
}

/// Nobody listens and nobody can cancel here.
fn read_quietly<T>(read: impl FnOnce(&Run<'_>) -> Result<T, Stop>) -> Result<T> {
    run::quietly(read).map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => Error::data("reading was cancelled"),
    })
}

fn volume(path: &Path) -> Result<FileInfo> {
    let header = nifti::read_header(path)?;
    let placed_by = match (header.sform, header.qform) {
        (Some(_), _) => "sform",
        (None, Some(_)) => "qform",
        (None, None) => "none",
    };
    let (low, high) = header.grid.world_bounds();
    let what = if header.n_volumes() > 1 {
        "series"
    } else {
        "volume"
    };
    Ok(FileInfo {
        path: path.to_path_buf(),
        kind: format!("NIfTI-{} {what}", header.version),
        shape: header.shape.clone(),
        datatype: Some(header.datatype.name().to_owned()),
        orientation: Some(header.grid.orientation()),
        voxel_size_mm: Some(header.grid.voxel_size_mm().to_array()),
        world_from_voxel: Some(rows(&header.grid.world_from_voxel)),
        placed_by: Some(placed_by.to_owned()),
        bounds_mm: Some([low.to_array(), high.to_array()]),
        tr_secs: header.tr_secs,
        scaling: header.scaling,
        intent: said(&header.intent),
        description: said(&header.description),
        assumptions: header.assumptions,
    })
}

fn surface(kind: &str, path: &Path, surface: Surface) -> FileInfo {
    let (low, high) = surface
        .vertices
        .iter()
        .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(l, h), v| {
            (l.min(v.as_dvec3()), h.max(v.as_dvec3()))
        });
    let side = surface.hemisphere.map_or(String::new(), |h| {
        format!(", {h:?} hemisphere").to_lowercase()
    });
    FileInfo {
        path: path.to_path_buf(),
        kind: format!("{kind}{side}"),
        shape: vec![surface.vertices.len(), surface.triangles.len()],
        bounds_mm: Some([low.to_array(), high.to_array()]),
        assumptions: surface.assumptions,
        ..FileInfo::default()
    }
}

fn said(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn rows(affine: &DAffine3) -> [[f64; 4]; 4] {
    let m = affine.matrix3;
    let t = affine.translation;
    let row = |r: usize| [m.x_axis[r], m.y_axis[r], m.z_axis[r], t[r]];
    [row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]
}

impl FileInfo {
    /// Aligned for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "{name:14}{value}");
        };
        line("file", self.path.display().to_string());
        line("kind", self.kind.clone());
        line(
            "shape",
            self.shape
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" × "),
        );
        if let Some(datatype) = &self.datatype {
            line("stored as", datatype.clone());
        }
        if let Some((slope, intercept)) = self.scaling {
            line("scaling", format!("× {slope} + {intercept}"));
        }
        if let Some([x, y, z]) = self.voxel_size_mm {
            line("voxel", format!("{x:.3} × {y:.3} × {z:.3} mm"));
        }
        if let Some(tr) = self.tr_secs {
            line("TR", format!("{tr} s"));
        }
        if let (Some(orientation), Some(placed_by)) = (&self.orientation, &self.placed_by) {
            line(
                "orientation",
                format!("{orientation} (placed by {placed_by})"),
            );
        }
        if let Some(rows) = self.world_from_voxel {
            for (n, row) in rows[..3].iter().enumerate() {
                let name = if n == 0 { "world ← voxel" } else { "" };
                line(
                    name,
                    row.iter()
                        .map(|v| format!("{v:10.4}"))
                        .collect::<Vec<_>>()
                        .join(" "),
                );
            }
        }
        if let Some([low, high]) = self.bounds_mm {
            for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
                line(name, format!("{:8.1} to {:.1} mm", low[axis], high[axis]));
            }
        }
        if let Some(intent) = &self.intent {
            line("intent", intent.clone());
        }
        if let Some(description) = &self.description {
            line("description", description.clone());
        }
        for assumption in &self.assumptions {
            line("assumed", assumption.clone());
        }
        text
    }
}
