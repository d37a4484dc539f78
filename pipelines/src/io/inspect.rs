//! What a single file is, for `fusiform info`: told from its content, with every assumption.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DVec3};
use serde::Serialize;

use crate::Result;
use crate::io::{gifti, nifti, npy, picture};

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
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let ends = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if ends(&[".gii", ".gii.gz"]) {
        return surface_or_map(path);
    }
    if ends(&[".npy"]) {
        let matrix = npy::read(path)?;
        return Ok(FileInfo {
            path: path.to_path_buf(),
            kind: "NumPy matrix".to_owned(),
            shape: vec![matrix.n_rows, matrix.n_cols],
            ..FileInfo::default()
        });
    }
    if ends(&[".png", ".jpg", ".jpeg"]) {
        let image = picture::read(path)?;
        return Ok(FileInfo {
            path: path.to_path_buf(),
            kind: "picture".to_owned(),
            shape: vec![image.width() as usize, image.height() as usize],
            ..FileInfo::default()
        });
    }
    volume(path)
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

fn surface_or_map(path: &Path) -> Result<FileInfo> {
    let info = FileInfo {
        path: path.to_path_buf(),
        ..FileInfo::default()
    };
    let not_a_surface = match gifti::read_surface(path) {
        Ok(surface) => {
            let (low, high) = surface
                .vertices
                .iter()
                .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(l, h), v| {
                    (l.min(v.as_dvec3()), h.max(v.as_dvec3()))
                });
            let side = surface.hemisphere.map_or(String::new(), |h| {
                format!(", {h:?} hemisphere").to_lowercase()
            });
            return Ok(FileInfo {
                kind: format!("GIFTI surface{side}"),
                shape: vec![surface.vertices.len(), surface.triangles.len()],
                bounds_mm: Some([low.to_array(), high.to_array()]),
                assumptions: surface.assumptions,
                ..info
            });
        }
        Err(error) => error,
    };
    if let Ok(labels) = gifti::read_labels(path) {
        return Ok(FileInfo {
            kind: format!("GIFTI labels, {} regions", labels.regions.len()),
            shape: vec![labels.keys.len()],
            ..info
        });
    }
    match gifti::read_map(path) {
        Ok(maps) if !maps.is_empty() => Ok(FileInfo {
            kind: "GIFTI maps".to_owned(),
            shape: vec![maps[0].values.len(), maps.len()],
            ..info
        }),
        _ => Err(not_a_surface),
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
