//! What can be told apart by: kinds of features, and references to single ones.

use glam::DVec3;

use crate::surface::Hemisphere;

/// What the columns of a table are.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// One a voxel of the mask.
    Voxels,
    /// One a vertex of the cortex: voxels weighed as the projection between white and pial says.
    Vertices,
    /// The mean over the voxels of each region.
    RoiMeans,
    /// The first principal components of each region, fitted on the training rows of a fold alone.
    RoiPatterns {
        /// Components a region at most.
        n_components: usize,
    },
    /// Fisher z of the correlation of every two regions over a window; a row is a window, not a trial.
    FcEdges(Windows),
    /// The mean |Fisher z| of a region's edges; a row is a window, not a trial.
    FcNodeStrengths(Windows),
    /// The log power of a region's time course in bands, over a block; a row is a block.
    BandPower,
}

/// Over what a correlation is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Windows {
    /// The volumes of one block, after the lag of the response: for block designs.
    Blocks,
    /// So many trials of one class that follow each other in a run: a beta series (Rissman, Gazzaley & D'Esposito
    /// 2004, *NeuroImage* 23, 752–763).
    Trials(usize),
    /// All trials of one class in a run: one window a run and class.
    Runs,
}

/// A single feature, by what it is and not by where its column happens to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureRef {
    /// A voxel of the grid of the betas.
    Voxel {
        /// Its index along i, j, k.
        ijk: [usize; 3],
    },
    /// A column of betas that lie on no grid.
    Point {
        /// The column, from 0.
        index: usize,
    },
    /// A vertex.
    Vertex {
        /// Left or right.
        hemisphere: Hemisphere,
        /// Its number, from 0.
        index: usize,
    },
    /// The mean of a region.
    RoiMean {
        /// The region.
        roi: String,
    },
    /// A principal component of a region.
    RoiPattern {
        /// The region.
        roi: String,
        /// The component, from 0; by falling variance.
        component: usize,
    },
    /// The connection of two regions.
    FcEdge {
        /// The first, as the atlas orders them.
        a: String,
        /// The second.
        b: String,
    },
    /// How strongly a region is connected to all others.
    FcNodeStrength {
        /// The region.
        roi: String,
    },
    /// The power of a region in a band.
    BandPower {
        /// The region.
        roi: String,
        /// The name of the band.
        band: String,
    },
}

impl std::fmt::Display for FeatureRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Voxel { ijk: [i, j, k] } => write!(f, "voxel {i} {j} {k}"),
            Self::Point { index } => write!(f, "point {index}"),
            Self::Vertex { hemisphere, index } => match hemisphere {
                Hemisphere::Left => write!(f, "vertex L {index}"),
                Hemisphere::Right => write!(f, "vertex R {index}"),
            },
            Self::RoiMean { roi } => f.write_str(roi),
            Self::RoiPattern { roi, component } => write!(f, "{roi} PC {}", component + 1),
            Self::FcEdge { a, b } => write!(f, "{a} – {b}"),
            Self::FcNodeStrength { roi } => write!(f, "{roi} strength"),
            Self::BandPower { roi, band } => write!(f, "{roi} {band}"),
        }
    }
}

impl FeatureKind {
    /// What one row of a table of this kind is.
    pub fn row_is(&self) -> &'static str {
        match self {
            Self::Voxels | Self::Vertices | Self::RoiMeans | Self::RoiPatterns { .. } => "trial",
            Self::FcEdges(_) | Self::FcNodeStrengths(_) => "window",
            Self::BandPower => "block",
        }
    }

    /// The plural word used for it on the command line and in headings.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Voxels => "voxels",
            Self::Vertices => "vertices",
            Self::RoiMeans => "rois",
            Self::RoiPatterns { .. } => "patterns",
            Self::FcEdges(_) => "fc",
            Self::FcNodeStrengths(_) => "strength",
            Self::BandPower => "power",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it is.
    pub feature: FeatureRef,
    /// Where it is, world mm: a voxel's or vertex's own place, a region's centre; none of edges and of points without
    /// coordinates.
    pub world_mm: Option<DVec3>,
    /// The region it lies in or is of: an index into the table's regions.
    pub region: Option<usize>,
}
