//! What can be told apart by: kinds of features, and references to single ones.

use std::borrow::Cow;

use glam::DVec3;

use crate::surface::Hemisphere;
use crate::{Error, Result};

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
    /// Several of these beside each other.
    Mixed(Mix),
}

/// Which kinds of features stand beside each other in one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Mix {
    /// [`FeatureKind::Voxels`].
    pub voxels: bool,
    /// [`FeatureKind::Vertices`].
    pub vertices: bool,
    /// [`FeatureKind::RoiMeans`].
    pub roi_means: bool,
    /// [`FeatureKind::FcEdges`].
    pub fc_edges: Option<Windows>,
    /// [`FeatureKind::FcNodeStrengths`].
    pub node_strengths: Option<Windows>,
    /// [`FeatureKind::BandPower`].
    pub band_power: bool,
}

impl Mix {
    /// The mix of some kinds.
    ///
    /// # Errors
    /// With fewer than two kinds, and for components of regions: they are fitted anew in every fold.
    pub fn of(kinds: &[FeatureKind]) -> Result<Self> {
        let mut mix = Self::default();
        for kind in kinds {
            match *kind {
                FeatureKind::Voxels => mix.voxels = true,
                FeatureKind::Vertices => mix.vertices = true,
                FeatureKind::RoiMeans => mix.roi_means = true,
                FeatureKind::FcEdges(over) => mix.fc_edges = Some(over),
                FeatureKind::FcNodeStrengths(over) => mix.node_strengths = Some(over),
                FeatureKind::BandPower => mix.band_power = true,
                FeatureKind::RoiPatterns { .. } | FeatureKind::Mixed(_) => {
                    return Err(Error::Choice(
                        "patterns of regions are fitted anew in every fold and cannot be mixed with other features: take rois or voxels".into(),
                    ));
                }
            }
        }
        if mix.kinds().len() < 2 {
            return Err(Error::Choice(
                "a mix needs two different kinds of features: write voxels+rois, say".into(),
            ));
        }
        Ok(mix)
    }

    /// Its kinds, in the order of their columns.
    pub fn kinds(&self) -> Vec<FeatureKind> {
        let single = [
            (self.voxels, FeatureKind::Voxels),
            (self.vertices, FeatureKind::Vertices),
            (self.roi_means, FeatureKind::RoiMeans),
        ];
        let mut kinds: Vec<FeatureKind> = single
            .iter()
            .filter(|(is_in, _)| *is_in)
            .map(|(_, kind)| *kind)
            .collect();
        kinds.extend(self.fc_edges.map(FeatureKind::FcEdges));
        kinds.extend(self.node_strengths.map(FeatureKind::FcNodeStrengths));
        kinds.extend(self.band_power.then_some(FeatureKind::BandPower));
        kinds
    }
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

impl FeatureRef {
    /// Whether it is a single spot: what is of a whole region has a centre that says little about it, and in both
    /// hemispheres nothing.
    pub fn is_spot(&self) -> bool {
        matches!(
            self,
            Self::Voxel { .. } | Self::Point { .. } | Self::Vertex { .. }
        )
    }
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
            Self::Mixed(mix) => {
                let kinds = mix.kinds();
                let of = kinds.iter().map(Self::row_is).find(|row| *row != "trial");
                of.unwrap_or("trial")
            }
        }
    }

    /// The plural word used for it on the command line and in headings.
    pub fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Voxels => "voxels",
            Self::Vertices => "vertices",
            Self::RoiMeans => "rois",
            Self::RoiPatterns { .. } => "patterns",
            Self::FcEdges(_) => "fc",
            Self::FcNodeStrengths(_) => "strength",
            Self::BandPower => "power",
            Self::Mixed(mix) => {
                let words: Vec<_> = mix.kinds().iter().map(Self::word).collect();
                return Cow::Owned(words.join("+"));
            }
        })
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
