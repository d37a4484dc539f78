//! What is shown and how: saved, versioned, checked when restored, undone by snapshots.

use std::collections::BTreeMap;
use std::mem::Discriminant;
use std::path::PathBuf;

use egui_tiles::{Container, Linear, LinearDir, Tiles, Tree};
use serde::{Deserialize, Serialize};

use crate::command::Change;

mod layers;
mod look;
mod mouse;
mod regions;
mod saved;
mod select;
mod view;

pub use layers::Layer;
pub use look::{CortexLook, Halves, Inside, InsideLook, MapLook, ModulationLook, SliceMode};
pub use mouse::{Drag, Hold, Mouse, Wheel};
pub use regions::{RegionChange, Regions};
pub use select::{SelectLook, Shown};
pub use view::View;

/// The version of the saved form; others are read as far as they are understood.
pub const VERSION: u32 = 4;

/// The name under which the layout is saved, and those under which earlier versions did.
pub const STORAGE_KEYS: [&str; 4] = [
    "fusiform_layout",
    "fusiform_layout_v3",
    "fusiform_layout_v2",
    "fusiform_layout_v1",
];

/// The name under which a layout is kept, as it was, of which a part could not be read.
pub const DAMAGED_KEY: &str = "fusiform_layout_damaged";

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
    /// Which features tell two conditions apart.
    Select,
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
    pub const ALL: [Self; 10] = [
        Self::Slices,
        Self::Surface,
        Self::Trials,
        Self::Stimuli,
        Self::Select,
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
            Self::Select => "Select",
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
    /// What the mouse does on slices.
    #[serde(default)]
    pub mouse: Mouse,
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
            mouse: Mouse::default(),
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

    /// Reads the saved form. Also gives a sentence for each part that could not be read and is as at first.
    pub fn from_text(text: &str) -> (Self, Vec<String>) {
        saved::read(text)
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

/// Slices and surface above, the Select panel over the whole width below, the others behind it.
pub fn tree_for_selecting() -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let slices = tiles.insert_pane(Pane::Slices);
    let surface = tiles.insert_pane(Pane::Surface);
    let above = [slices, surface].map(|pane| tiles.insert_tab_tile(vec![pane]));
    let others = Pane::ALL
        .into_iter()
        .filter(|pane| !matches!(pane, Pane::Slices | Pane::Surface | Pane::Select));
    let below = std::iter::once(Pane::Select).chain(others);
    let below = below.map(|pane| tiles.insert_pane(pane)).collect();
    let below = tiles.insert_tab_tile(below);
    let above = Linear::new_binary(LinearDir::Horizontal, above, 0.56);
    let above = tiles.insert_container(Container::Linear(above));
    let whole = Linear::new_binary(LinearDir::Vertical, [above, below], 0.42);
    let root = tiles.insert_container(Container::Linear(whole));
    Tree::new(egui::Id::unique("fusiform_panels"), root, tiles)
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
    let trials = tabs(&mut tiles, &[Pane::Trials, Pane::Stimuli, Pane::Select]);
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
