//! Whether the parts of a study lie where they should: surfaces in their volumes, headers that agree.

use std::fmt;

use glam::{DVec3, Vec3};

use crate::io::nifti::Header;
use crate::space::Grid;
use crate::surface::Surface;

/// The space that coordinates are in, as far as a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum Space {
    /// Of the scanner, millimetres from its isocentre.
    Scanner,
    /// Aligned to another image of the same person.
    Aligned,
    /// FreeSurfer's own surface coordinates: the centre of the conformed volume is the origin.
    TkRas,
    /// Talairach and Tournoux.
    Talairach,
    /// MNI152.
    Mni152,
    /// Another template.
    Template,
    /// Not said.
    #[default]
    Unknown,
}

impl Space {
    /// By the code of a NIfTI sform or qform (`nifti1.h`: `NIFTI_XFORM_*`).
    pub fn of_nifti_code(code: i32) -> Self {
        match code {
            1 => Self::Scanner,
            2 => Self::Aligned,
            3 => Self::Talairach,
            4 => Self::Mni152,
            5 => Self::Template,
            _ => Self::Unknown,
        }
    }

    /// Of the affine that placed a volume: the sform where it is set, else the qform.
    pub fn of_header(header: &Header) -> Self {
        let form = header.sform.or(header.qform);
        form.map_or(Self::Unknown, |form| Self::of_nifti_code(form.code))
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scanner => "scanner",
            Self::Aligned => "aligned to another image",
            Self::TkRas => "FreeSurfer surface RAS",
            Self::Talairach => "Talairach",
            Self::Mni152 => "MNI152",
            Self::Template => "another template",
            Self::Unknown => "not said",
        })
    }
}

/// How a surface lies to a volume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The part of the vertices inside the volume, 0 to 1.
    pub inside_fraction: f64,
    /// From the middle of the surface's bounding box to the middle of the volume, mm.
    pub centre_distance_mm: f64,
}

/// A surface with less of its vertices inside misses its volume. A partial field of view that cuts
/// through the brain still holds half of a hemisphere.
const LEAST_INSIDE: f64 = 0.5;

/// Holds the vertices of an anatomical surface against a voxel grid, whose outermost voxels count
/// whole. Inflated surfaces, spheres and flat maps lie nowhere in the brain: don't ask about them.
pub fn surface_fits(surface: &Surface, grid: &Grid) -> Fit {
    points_fit(&surface.vertices, grid)
}

fn points_fit(points: &[Vec3], grid: &Grid) -> Fit {
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    let mut n_inside = 0usize;
    // Inverted once: there are hundreds of thousands of vertices.
    let voxel_from_world = grid.world_from_voxel.inverse();
    let last = DVec3::from_array(grid.shape.map(|n| n as f64 - 0.5));
    for point in points {
        let world = point.as_dvec3();
        (low, high) = (low.min(world), high.max(world));
        let voxel = voxel_from_world.transform_point3(world);
        let inside = voxel.cmpge(DVec3::splat(-0.5)) & voxel.cmple(last);
        n_inside += usize::from(inside.all());
    }
    let middle = DVec3::from_array(grid.shape.map(|n| (n as f64 - 1.0) / 2.0));
    let centre = grid.world_from_voxel.transform_point3(middle);
    Fit {
        inside_fraction: n_inside as f64 / points.len().max(1) as f64,
        centre_distance_mm: if points.is_empty() {
            0.0
        } else {
            centre.distance(low.midpoint(high))
        },
    }
}

impl Fit {
    /// Whether the surface belongs to another place than the volume.
    pub fn misses(&self) -> bool {
        self.inside_fraction < LEAST_INSIDE
    }

    /// One sentence when the surface misses the volume, with the likeliest cause.
    pub fn warning(&self, surface: &str, volume: &str) -> Option<String> {
        self.misses().then(|| {
            format!(
                "{surface} lies outside {volume}: {:.0} % of its vertices are inside, and the centres are {:.0} mm apart; they are of different spaces or subjects",
                100.0 * self.inside_fraction,
                self.centre_distance_mm
            )
        })
    }
}

/// The line of a status bar for what was assumed: the first sentence, and how many more there are.
pub fn assumed_line(assumptions: &[String]) -> String {
    match assumptions {
        [] => String::new(),
        [only] => format!("assumed: {only}"),
        [first, others @ ..] => format!("assumed: {first} (and {} more)", others.len()),
    }
}
