//! What is shown and how: saved, versioned, checked when restored, undone by snapshots.

use std::collections::BTreeMap;
use std::mem::Discriminant;
use std::path::PathBuf;

use egui_tiles::{Container, Linear, LinearDir, Tile, TileId, Tiles, Tree};
use fusiform_render::camera::{Camera, StandardView};
use glam::{DVec3, Quat, Vec3};
use serde::{Deserialize, Serialize};

use crate::command::Change;
use crate::session::MapId;

mod look;
mod regions;

pub use look::{CortexLook, Halves, Inside, InsideLook, MapLook, SliceMode};
pub use regions::{RegionChange, Regions};

/// The version of the saved form; another version is not read.
pub const VERSION: u32 = 3;

/// The name under which the layout is saved.
pub const STORAGE_KEY: &str = "fusiform_layout_v3";

/// Snapshots kept for undo.
const HISTORY: usize = 200;
/// Paths kept in the menu.
const RECENT: usize = 8;

/// The panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pane {
    /// Axial, coronal and sagittal slices.
    Slices,
    /// The cortical sheet.
    Surface,
    /// Stimulus, reconstruction, scores.
    Trials,
    /// Pictures and captions.
    Stimuli,
    /// The signal at the crosshair.
    TimeCourse,
    /// What the voxel at the crosshair answers to.
    Voxel,
    /// Clusters and regions of the map.
    Tables,
    /// The regions of the atlas and the user's own.
    Regions,
    /// What happened.
    Log,
}

impl Pane {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Slices,
        Self::Surface,
        Self::Trials,
        Self::Stimuli,
        Self::TimeCourse,
        Self::Voxel,
        Self::Tables,
        Self::Regions,
        Self::Log,
    ];

    /// The title on its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Slices => "Slices",
            Self::Surface => "Surface",
            Self::Trials => "Reconstructions",
            Self::Stimuli => "Stimuli",
            Self::TimeCourse => "Time course",
            Self::Voxel => "Voxel",
            Self::Tables => "Tables",
            Self::Regions => "Regions",
            Self::Log => "Log",
        }
    }
}

/// By what decoded trials are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// As they were shown.
    #[default]
    Trial,
    /// Run, then onset.
    Run,
    /// Pixel correlation, best first.
    Pixcorr,
    /// Structural similarity, best first.
    Ssim,
    /// Two-way identification, best first.
    TwoWay,
    /// Retrieval rank, best first.
    Rank,
}

/// The image codes the window offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeChoice {
    /// Principal components of the training pictures.
    #[default]
    Components,
    /// Downsampled pixels.
    Pixels,
}

/// What is shown; every change of it can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The crosshair, world mm (RAS+); none before a study is open.
    pub crosshair_mm: Option<[f64; 3]>,
    /// The middle of the slices, world mm; none is the middle of the volume.
    pub centre_mm: Option<[f64; 3]>,
    /// Magnification of the slices; 1 shows the whole volume.
    pub zoom: f32,
    /// Whether the subject's right is on the left of axial and coronal slices.
    pub radiological: bool,
    /// Whether region borders are drawn on slices.
    pub slice_outlines: bool,
    /// Whether region borders are drawn on surfaces.
    pub surface_outlines: bool,
    /// The map over the anatomy.
    pub map: Option<MapId>,
    /// How maps are coloured.
    pub looks: BTreeMap<MapId, MapLook>,
    /// The camera's rotation (x, y, z, w).
    pub rotation: [f32; 4],
    /// Magnification of the surfaces; 1 shows them whole.
    pub surface_zoom: f32,
    /// How surfaces are laid out and painted.
    pub cortex: CortexLook,
    /// How volumes are looked into.
    pub inside: InsideLook,
    /// How slices are arranged.
    pub slices: SliceMode,
    /// Whether anterior is on the right of sagittal slices.
    pub nose_right: bool,
    /// Whether the map runs evenly from voxel to voxel; else each voxel is a block.
    pub smooth_map: bool,
    /// The volume of the run that is marked in the time course and shown as the map of one volume, from 0.
    pub frame: usize,
    /// The selected decoded trial (row of the betas).
    pub trial: Option<usize>,
    /// The selected stimulus.
    pub stimulus: Option<String>,
    /// The order of decoded trials.
    pub sort: Sort,
    /// Whether that order is turned round.
    pub reversed: bool,
    /// The image code of the next decode.
    pub code: CodeChoice,
    /// Whether time courses are in percent of their mean.
    pub percent: bool,
    /// The user's own regions, and how all are shown.
    #[serde(default)]
    pub regions: Regions,
}

impl Default for View {
    fn default() -> Self {
        Self {
            crosshair_mm: None,
            centre_mm: None,
            zoom: 1.0,
            radiological: false,
            slice_outlines: true,
            surface_outlines: true,
            map: None,
            looks: BTreeMap::new(),
            rotation: from_behind(),
            surface_zoom: 1.0,
            cortex: CortexLook::default(),
            inside: InsideLook::default(),
            slices: SliceMode::Three,
            nose_right: false,
            smooth_map: false,
            frame: 0,
            trial: None,
            stimulus: None,
            sort: Sort::Trial,
            reversed: false,
            code: CodeChoice::Components,
            percent: true,
            regions: Regions::default(),
        }
    }
}

/// From behind, a little to the left and below: where vision is.
fn from_behind() -> [f32; 4] {
    let camera = Camera {
        target_mm: Vec3::ZERO,
        rotation: StandardView::Posterior.rotation(),
        half_height_mm: 1.0,
        fov_degrees: 0.0,
    };
    camera.turned(0.5, -0.35).rotation.to_array()
}

impl View {
    /// The crosshair, world mm.
    pub fn crosshair(&self) -> Option<DVec3> {
        self.crosshair_mm.map(DVec3::from_array)
    }

    /// How a map is coloured.
    pub fn look(&self, id: MapId, robust: (f32, f32)) -> MapLook {
        let chosen = self.looks.get(&id).copied();
        chosen.unwrap_or_else(|| MapLook::first(id, robust))
    }

    /// What belongs to a study, forgotten; habits stay.
    pub fn for_another_study(&self) -> Self {
        Self {
            radiological: self.radiological,
            slice_outlines: self.slice_outlines,
            surface_outlines: self.surface_outlines,
            cortex: self.cortex,
            slices: self.slices,
            nose_right: self.nose_right,
            smooth_map: self.smooth_map,
            sort: self.sort,
            reversed: self.reversed,
            code: self.code,
            percent: self.percent,
            // Kept under the name of the subject they were drawn on, once another is open.
            regions: self.regions.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn is_sane(&self) -> bool {
        let point = |p: &Option<[f64; 3]>| p.is_none_or(|p| p.iter().all(|v| v.is_finite()));
        point(&self.crosshair_mm)
            && point(&self.centre_mm)
            && (0.1..=100.0).contains(&self.zoom)
            && (0.1..=100.0).contains(&self.surface_zoom)
            && (Quat::from_array(self.rotation).length() - 1.0).abs() < 0.01
            && self.looks.values().all(MapLook::is_sane)
            && self.cortex.is_sane()
            && self.inside.is_sane()
    }
}

/// What is shown, how it is arranged, and the way back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layout {
    version: u32,
    /// The arrangement of the panels.
    pub tree: Tree<Pane>,
    /// What they show.
    pub view: View,
    /// Whether the dark look is on.
    pub dark: bool,
    /// What was opened lately, newest first.
    pub recent: Vec<PathBuf>,
    /// Regions by the subject they were drawn on.
    #[serde(default)]
    kept: BTreeMap<String, Regions>,
    /// Whose regions the view shows.
    #[serde(skip)]
    regions_of: Option<String>,
    #[serde(skip)]
    past: Vec<View>,
    #[serde(skip)]
    future: Vec<View>,
    // The kind of the last change: only its like can continue it.
    #[serde(skip)]
    last_change: Option<Discriminant<Change>>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            version: VERSION,
            tree: default_tree(),
            view: View::default(),
            dark: true,
            recent: Vec::new(),
            kept: BTreeMap::new(),
            regions_of: None,
            past: Vec::new(),
            future: Vec::new(),
            last_change: None,
        }
    }
}

impl Layout {
    /// The saved form.
    pub fn to_text(&self) -> String {
        let mut saved = self.clone();
        saved.regions_of(None);
        serde_json::to_string(&saved).unwrap_or_default()
    }

    /// Shows the regions of another subject, by the name under which they are kept, and keeps those of the one before.
    /// With them goes the way back, which would bring the others' again.
    pub(crate) fn regions_of(&mut self, subject: Option<String>) {
        if subject == self.regions_of {
            return;
        }
        let names = self.view.regions.names;
        let shown = std::mem::take(&mut self.view.regions);
        if let Some(before) = std::mem::replace(&mut self.regions_of, subject.clone()) {
            if shown.is_untouched() {
                self.kept.remove(&before);
            } else {
                self.kept.insert(before, shown);
            }
        }
        let kept = subject.and_then(|subject| self.kept.get(&subject).cloned());
        self.view.regions = kept.unwrap_or_default();
        self.view.regions.names = names;
        self.forget();
    }

    /// Reads the saved form; the default (and a line in the log) when it is damaged, from another version, or
    /// lacks a panel.
    pub fn from_text(text: &str) -> Self {
        match serde_json::from_str::<Self>(text) {
            Ok(layout) if layout.is_sane() => layout,
            Ok(_) => {
                log::warn!("the saved layout does not fit this version: the default is used");
                Self::default()
            }
            Err(damage) => {
                log::warn!("the saved layout cannot be read ({damage}): the default is used");
                Self::default()
            }
        }
    }

    fn is_sane(&self) -> bool {
        let mut panes: Vec<Pane> = self
            .tree
            .tiles
            .tiles()
            .filter_map(|tile| match tile {
                Tile::Pane(pane) => Some(*pane),
                Tile::Container(_) => None,
            })
            .collect();
        panes.sort();
        let reachable = self
            .tree
            .root()
            .is_some_and(|root| count_panes(&self.tree.tiles, root, 0) == Pane::ALL.len());
        self.version == VERSION && reachable && panes == sorted(Pane::ALL) && self.view.is_sane()
    }

    /// Keeps the present view for undo. With `merge`, after a change of the same kind, the last snapshot stands
    /// for this one too, so that a drag is undone as one.
    pub(crate) fn remember(&mut self, merge: bool, kind: Discriminant<Change>) {
        self.future.clear();
        if self.last_change.replace(kind) == Some(kind) && merge {
            return;
        }
        if self.past.len() == HISTORY {
            self.past.remove(0);
        }
        self.past.push(self.view.clone());
    }

    /// Goes one view back.
    pub(crate) fn undo(&mut self) {
        self.last_change = None;
        if let Some(view) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.view, view));
        }
    }

    /// Goes one view forward again.
    pub(crate) fn redo(&mut self) {
        self.last_change = None;
        if let Some(view) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.view, view));
        }
    }

    /// Forgets the way back: what it leads to belongs to another study.
    pub(crate) fn forget(&mut self) {
        self.past.clear();
        self.last_change = None;
        self.future.clear();
    }

    /// Whether there is something to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is something to redo.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Puts a path on top of the recent ones.
    pub(crate) fn opened(&mut self, path: PathBuf) {
        self.recent.retain(|p| *p != path);
        self.recent.insert(0, path);
        self.recent.truncate(RECENT);
    }
}

fn sorted<const N: usize>(mut panes: [Pane; N]) -> Vec<Pane> {
    panes.sort();
    panes.to_vec()
}

/// Panes under a tile. A damaged tree may hold a circle, hence the depth.
fn count_panes(tiles: &Tiles<Pane>, tile: TileId, depth: usize) -> usize {
    match tiles.get(tile) {
        Some(Tile::Pane(_)) => 1,
        Some(Tile::Container(container)) if depth < 32 => container
            .children()
            .map(|child| count_panes(tiles, *child, depth + 1))
            .sum(),
        _ => 0,
    }
}

/// Slices and surface above; reconstructions with stimuli, and the time course with the log, below.
pub fn default_tree() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let tabs = |tiles: &mut Tiles<Pane>, panes: &[Pane]| {
        let children = panes.iter().map(|p| tiles.insert_pane(*p)).collect();
        tiles.insert_tab_tile(children)
    };
    let slices = tabs(&mut tiles, &[Pane::Slices]);
    let surface = tabs(&mut tiles, &[Pane::Surface]);
    let trials = tabs(&mut tiles, &[Pane::Trials, Pane::Stimuli]);
    let course = tabs(
        &mut tiles,
        &[
            Pane::TimeCourse,
            Pane::Voxel,
            Pane::Tables,
            Pane::Regions,
            Pane::Log,
        ],
    );
    let pair = |tiles: &mut Tiles<Pane>, dir, children, share| {
        tiles.insert_container(Container::Linear(Linear::new_binary(dir, children, share)))
    };
    let upper = pair(&mut tiles, LinearDir::Horizontal, [slices, surface], 0.6);
    let lower = pair(&mut tiles, LinearDir::Horizontal, [trials, course], 0.6);
    let root = pair(&mut tiles, LinearDir::Vertical, [upper, lower], 0.52);
    Tree::new(egui::Id::unique("fusiform_panels"), root, tiles)
}
