//! How maps, surfaces, slices and volumes look: the parts of a view.

use fusiform_render::colormap::Colormap;
use fusiform_render::scene::Look;
use serde::{Deserialize, Serialize};

use crate::session::MapId;

/// How a map is coloured. The numbers are in the map's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapLook {
    /// The colours.
    #[serde(with = "by_name")]
    pub colormap: Colormap,
    /// Below this it is transparent.
    pub threshold: f32,
    /// Whether what is below the threshold fades instead of ending.
    pub soft: bool,
    /// The low end of the colour bar.
    pub low: f32,
    /// The high end of the colour bar.
    pub high: f32,
    /// 0 to 1.
    pub opacity: f32,
    /// Whether `low..high` and the threshold are magnitudes, and negative numbers are coloured too.
    #[serde(default)]
    pub two_sided: bool,
    /// Another map that makes this one clear where it is small.
    #[serde(default)]
    pub modulation: Option<ModulationLook>,
}

/// Opacity from the magnitudes of another map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModulationLook {
    /// Which.
    pub by: MapId,
    /// The magnitudes of opacity 0 and 1.
    pub range: (f32, f32),
}

impl MapLook {
    /// A map's first look, from where most of its numbers lie.
    pub fn first(id: MapId, robust: (f32, f32)) -> Self {
        let (low, high) = robust;
        let (colormap, threshold, opacity) = match id {
            MapId::Tsnr => (Colormap::Viridis, low, 0.55),
            MapId::Mean | MapId::Frame => (Colormap::Viridis, low, 0.8),
            MapId::Drive | MapId::Select | MapId::Encoded | MapId::OfCeiling | MapId::File(_) => {
                (Colormap::Hot, low + 0.3 * (high - low), 0.95)
            }
        };
        Self {
            colormap,
            threshold,
            soft: false,
            low,
            high,
            opacity,
            two_sided: false,
            modulation: None,
        }
    }

    /// As the renderer has it.
    pub fn of(look: &Look) -> Self {
        Self {
            colormap: look.colormap,
            threshold: look.threshold,
            soft: look.soft,
            low: look.range.0,
            high: look.range.1,
            opacity: look.opacity,
            two_sided: look.two_sided,
            modulation: None,
        }
    }

    /// As the renderer wants it.
    pub fn look(&self) -> Look {
        Look {
            colormap: self.colormap,
            range: (self.low, self.high),
            threshold: self.threshold,
            soft: self.soft,
            two_sided: self.two_sided,
            opacity: self.opacity,
        }
    }

    pub(super) fn is_sane(&self) -> bool {
        [self.threshold, self.low, self.high, self.opacity]
            .iter()
            .all(|v| v.is_finite())
            && self.low < self.high
            && (0.0..=1.0).contains(&self.opacity)
            && self
                .modulation
                .is_none_or(|m| m.range.0.is_finite() && m.range.1.is_finite())
    }
}

/// Which halves of the cortex are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Halves {
    /// Both.
    #[default]
    Both,
    /// The subject's left.
    Left,
    /// The subject's right.
    Right,
}

/// How the cortical sheet is laid out and painted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CortexLook {
    /// Where between its shapes it is: 0 white, 1 pial, 2 inflated, 3 sphere, 4 flat.
    pub morph: f32,
    /// Which halves.
    pub halves: Halves,
    /// How far the halves are moved apart, mm.
    pub apart_mm: f32,
    /// Whether the map is sampled in every pixel; else at the vertices and painted between them.
    pub per_pixel: bool,
    /// Where the one sample lies: 0 white, 1 pial.
    pub depth: f32,
    /// Samples from white to pial; with one, `depth` says where.
    pub n_layers: u32,
    /// 1 solid, less is glass.
    pub opacity: f32,
}

impl Default for CortexLook {
    fn default() -> Self {
        Self {
            morph: 2.0,
            halves: Halves::Both,
            apart_mm: 0.0,
            per_pixel: true,
            depth: 0.5,
            n_layers: 5,
            opacity: 1.0,
        }
    }
}

impl CortexLook {
    pub(super) fn is_sane(&self) -> bool {
        (0.0..=4.0).contains(&self.morph)
            && (0.0..=200.0).contains(&self.apart_mm)
            && (0.0..=1.0).contains(&self.depth)
            && (1..=32).contains(&self.n_layers)
            && (0.0..=1.0).contains(&self.opacity)
    }
}

/// What is looked into, within or instead of the surfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inside {
    /// Nothing.
    #[default]
    Nothing,
    /// The anatomy, or the mean BOLD.
    Anatomy,
    /// The map.
    Map,
    /// Both.
    Both,
}

/// How volumes are looked into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InsideLook {
    /// Which.
    pub what: Inside,
    /// The largest number on a ray instead of lit matter.
    pub maximum: bool,
    /// The share cut away along x, y, z, from the positive end; negative from the other.
    pub cuts: [f32; 3],
}

impl InsideLook {
    pub(super) fn is_sane(&self) -> bool {
        self.cuts.iter().all(|cut| (-1.0..=1.0).contains(cut))
    }
}

/// How slices are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SliceMode {
    /// Axial, coronal and sagittal through the crosshair.
    #[default]
    Three,
    /// Many axial slices.
    Mosaic,
    /// The largest number of the map on the way through the whole head, from three sides.
    Glass,
    /// The axial slice alone.
    Axial,
    /// The coronal slice alone.
    Coronal,
    /// The sagittal slice alone.
    Sagittal,
}

impl SliceMode {
    /// The number of the plane that is shown alone, in the order of [`crate::compose::slices::PLANES`].
    pub const fn alone(self) -> Option<usize> {
        match self {
            Self::Axial => Some(0),
            Self::Coronal => Some(1),
            Self::Sagittal => Some(2),
            Self::Three | Self::Mosaic | Self::Glass => None,
        }
    }
}

/// Colour maps are saved by their names.
mod by_name {
    use fusiform_render::colormap::Colormap;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
    pub(super) fn serialize<S: Serializer>(map: &Colormap, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(map.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Colormap, D::Error> {
        let name = String::deserialize(from)?;
        Colormap::all()
            .iter()
            .find(|map| map.name() == name)
            .copied()
            .ok_or_else(|| serde::de::Error::custom(format!("no colour map is named {name}")))
    }
}
