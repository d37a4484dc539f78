//! Maps: numbers that can lie over the anatomy, on a grid, on the cortical sheet, or on both.

use std::sync::Arc;

use fusiform_pipelines::volume::Volume;
use fusiform_render::scene::{Key, VertexData, VolumeData};
use serde::{Deserialize, Serialize};

use crate::bridge;
use crate::layout::MapLook;

/// Tells one map from another. Saved as a word, such as `Tsnr` or `File-2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum MapId {
    /// Temporal signal-to-noise of the run.
    Tsnr,
    /// Mean BOLD of the run.
    Mean,
    /// One volume of the run.
    Frame,
    /// Ridge weights: the voxels that drove the decode.
    Drive,
    /// How well each feature tells the chosen conditions apart.
    Select,
    /// What an encoding model predicts of every voxel, R².
    Encoded,
    /// That, as a share of the noise ceiling.
    OfCeiling,
    /// A map of a file, counted from 0 in the order in which they came.
    File(u32),
}

impl MapId {
    /// The maps the program makes, in the order of the menu.
    pub const MADE: [Self; 7] = [
        Self::Tsnr,
        Self::Mean,
        Self::Frame,
        Self::Drive,
        Self::Select,
        Self::Encoded,
        Self::OfCeiling,
    ];

    /// Its name for the user; that of a file's map is with the map.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tsnr => "Temporal SNR",
            Self::Mean => "Mean BOLD",
            Self::Frame => "BOLD, one volume",
            Self::Drive => "Voxels that drove the decode",
            Self::Select => "Discriminability",
            Self::Encoded => "Encoding model, R²",
            Self::OfCeiling => "Encoding model, of the ceiling",
            Self::File(_) => "Map of a file",
        }
    }

    /// Its unit for the user.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Tsnr => "mean / SD",
            Self::Mean | Self::Frame => "scanner units",
            Self::Drive => "weight norm",
            Self::Select => "statistic",
            Self::Encoded => "share of variance",
            Self::OfCeiling => "R² / ceiling",
            Self::File(_) => "as in the file",
        }
    }

    /// What its numbers mean.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Tsnr => {
                "Mean over time divided by standard deviation over time, voxel by voxel: how steady the signal is."
            }
            Self::Mean => "The mean of the run over time, in the scanner's own units.",
            Self::Frame => {
                "The volume that is marked in the time course, in the scanner's own units. Click there, or press Play."
            }
            Self::Drive => {
                "Length (L2 norm) of each voxel's ridge weights, mean over folds: how much the reconstruction listens to it."
            }
            Self::Select => "How well each feature by itself tells the chosen conditions apart.",
            Self::Encoded => {
                "Share of the variance of held-out single trials that the encoding model predicts; the mean of the training trials has 0."
            }
            Self::OfCeiling => {
                "R² of the encoding model over the noise ceiling, where that is 0.05 or more: 1 is all that can be predicted."
            }
            Self::File(_) => "The numbers of a file, in its own units.",
        }
    }
}

impl From<MapId> for String {
    fn from(id: MapId) -> Self {
        match id {
            MapId::File(number) => format!("File-{number}"),
            made => format!("{made:?}"),
        }
    }
}

impl TryFrom<String> for MapId {
    type Error = String;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        let made = Self::MADE.into_iter().find(|id| String::from(*id) == word);
        let of_file = || Some(Self::File(word.strip_prefix("File-")?.parse().ok()?));
        made.or_else(of_file)
            .ok_or_else(|| format!("no map is named {word}"))
    }
}

/// A map over the anatomy.
#[derive(Clone, Debug)]
pub struct OverlayMap {
    /// Which.
    pub id: MapId,
    /// Its name for the user.
    pub name: String,
    /// The unit of its numbers.
    pub unit: String,
    /// What its numbers mean.
    pub meaning: String,
    /// Its numbers on a grid.
    pub on_grid: Option<OnGrid>,
    /// Its numbers on the vertices of the subject's hemispheres, in their order; nothing where it has none.
    pub on_sheet: Vec<Option<VertexData>>,
    /// Where most of its numbers lie.
    pub robust: (f32, f32),
    /// How it looks until somebody changes that.
    pub first_look: MapLook,
}

/// Numbers on a grid.
#[derive(Clone, Debug)]
pub struct OnGrid {
    /// The numbers.
    pub volume: Arc<Volume>,
    /// The same for the renderer.
    pub data: VolumeData,
}

impl OnGrid {
    /// With the key by which the renderer caches it.
    pub(super) fn new(key: Key, volume: Arc<Volume>) -> Self {
        Self {
            data: bridge::volume_data(key, &volume),
            volume,
        }
    }
}

impl OverlayMap {
    /// Its numbers on a grid.
    pub fn volume(&self) -> Option<&Arc<Volume>> {
        self.on_grid.as_ref().map(|grid| &grid.volume)
    }

    /// Whether it has numbers on the cortical sheet itself.
    pub fn is_on_sheet(&self) -> bool {
        self.on_sheet.iter().any(Option::is_some)
    }

    /// Tells this map's numbers from all others, earlier ones of the same map too.
    pub fn revision(&self) -> u64 {
        let key = self.on_grid.as_ref().map(|grid| grid.data.key);
        key.map_or(0, |key| (key.id << 24) | (key.revision & 0xff_ffff))
    }
}
