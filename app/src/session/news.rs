//! What jobs send home: values as they were read or computed, before the renderer's keys are given to them.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::decode::Decoded;
use fusiform_pipelines::encode::{Encoded, Luck};
use fusiform_pipelines::parcels::RegionCourse;
use fusiform_pipelines::roi::Roi;
use fusiform_pipelines::roi::files::Written;
use fusiform_pipelines::roi::listing::Listed;
use fusiform_pipelines::select::history::History;
use fusiform_pipelines::select::null::Null;
use fusiform_pipelines::selectivity::Responses;
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::events::Events;
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Series, Volume};
use glam::DVec3;
use image::RgbImage;

use super::MapId;
use super::selected::{Extracted, Family, Offer, ScoredParts};
use crate::compose::silhouette::Silhouette;
use crate::layout::{MapLook, Pane};
use crate::scene_file::SceneFile;
use crate::workbench::draw::DrawnParts;

/// What jobs send home.
#[derive(Debug)]
pub enum News {
    /// A study was opened, or as much of the demo study as exists.
    Study {
        /// The study.
        study: Arc<Study>,
        /// Whether runs are still to come.
        partial: bool,
        /// The paths it was opened from; none for the demo study.
        opened: Vec<PathBuf>,
        /// Files named beside them, to lie over it.
        add: Vec<PathBuf>,
    },
    /// Where the user wants a view or a picture to be written.
    Save {
        /// What.
        what: Saved,
        /// Where.
        path: PathBuf,
    },
    /// A saved view was read.
    Scene(Box<SceneFile>),
    /// A subject's anatomy, as far as it was read.
    Subject(SubjectParts),
    /// The first volume of a run whose others are still being read.
    FirstVolume(GreyParts),
    /// A BOLD run.
    Run(RunParts),
    /// A map on the cortical sheet.
    Projected(ProjectedParts),
    /// What added files hold.
    Added(AddedParts),
    /// The mean signal of every region.
    Courses(CoursesParts),
    /// Files to be opened instead of what is open, and files to be added to that.
    Instead {
        /// To be opened.
        open: Vec<PathBuf>,
        /// To be added.
        add: Vec<PathBuf>,
    },
    /// Stimulus pictures by stimulus id.
    Pictures(Vec<(String, Arc<RgbImage>)>),
    /// The responses of the selected part of the study, voxel by voxel.
    Responses(Arc<Responses>),
    /// What there is to tell apart.
    Offer(Arc<Offer>),
    /// Features and what maps are made of.
    Extracted(Arc<Extracted>),
    /// Maps of exchanged labels.
    Null(Arc<Null>),
    /// Scores, written down in the history.
    Scored(Arc<ScoredParts>, History),
    /// Kinds of features against each other, as far as they are scored.
    Compared(Arc<Vec<Family>>),
    /// Earlier attempts on the study.
    History(History),
    /// Where the history is to be written; none when the dialog was closed.
    Attempts(Option<PathBuf>),
    /// An encoding model.
    Encoded(EncodedParts),
    /// Decoded trials, of the folds done so far.
    Decoded(DecodedParts),
    /// A region was made.
    Drawn(DrawnParts),
    /// Where the user wants regions to be written; nothing when no dialog could be shown.
    Export {
        /// Which, by their names.
        names: Vec<String>,
        /// Where.
        path: Option<PathBuf>,
        /// Whether the dialog came back so fast that nobody can have seen it.
        unseen: bool,
    },
    /// Regions were written.
    Exported(Written),
    /// Where a table is to be written.
    Table {
        /// The table.
        text: String,
        /// The path; none when the dialog was closed or could not be shown.
        path: Option<PathBuf>,
        /// Whether it could not be shown.
        unseen: bool,
    },
    /// Paths the user chose; none when the dialog was closed or could not be shown.
    Paths {
        /// The choice.
        paths: Vec<PathBuf>,
        /// Whether the dialog came back so fast that nobody can have seen it.
        unseen: bool,
    },
}

/// What can be saved from the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The view, to be opened or drawn again.
    View(Pane),
    /// A picture of it.
    Picture(Pane),
}

/// A volume to be shown in grey.
#[derive(Clone, Debug)]
pub struct GreyParts {
    /// The numbers.
    pub volume: Arc<Volume>,
    /// The numbers shown black and white.
    pub window: (f32, f32),
    /// The box of what is not air, world mm.
    pub bounds_mm: (DVec3, DVec3),
    /// What is not air seen along z, y and x.
    pub silhouettes: Option<Arc<[Silhouette; 3]>>,
}

/// A subject's anatomy, read.
#[derive(Clone, Debug, Default)]
pub struct SubjectParts {
    /// Subject id.
    pub id: String,
    /// The structural volume.
    pub anatomy: Option<GreyParts>,
    /// The atlas and its name.
    pub atlas: Option<(Arc<Atlas>, String)>,
    /// The hemispheres.
    pub cortex: Vec<HemisphereParts>,
    /// The regions of the atlas and of the hemispheres, as they stand in a list.
    pub regions: Arc<[Listed]>,
    /// Maps over them that the study has.
    pub maps: Vec<MapParts>,
}

/// A hemisphere, read.
#[derive(Clone, Debug)]
pub struct HemisphereParts {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// Its shapes.
    pub shapes: Vec<(Shape, Arc<Surface>)>,
    /// Sulcal depth or curvature.
    pub sulcal: Option<Arc<VertexMap>>,
    /// Its parcellation.
    pub labels: Option<Arc<VertexLabels>>,
    /// The file of its first shape; nothing for surfaces made by the program.
    pub file: Option<PathBuf>,
}

/// What added files hold, held against what is open.
#[derive(Clone, Debug, Default)]
pub struct AddedParts {
    /// The files that were taken.
    pub paths: Vec<PathBuf>,
    /// Maps, to lie over each other in this order.
    pub maps: Vec<MapParts>,
    /// Regions of a volume, and their name.
    pub atlas: Option<(Arc<Atlas>, String)>,
    /// Regions of hemispheres.
    pub labels: Vec<(Hemisphere, Arc<VertexLabels>)>,
    /// Surfaces.
    pub surfaces: Vec<AddedSurface>,
    /// Regions of vertices that are edited by themselves.
    pub rois: Vec<Roi>,
    /// Files that lack a surface, or regions, to lie on.
    pub waiting: Vec<PathBuf>,
    /// What each file was taken as, in sentences.
    pub taken_as: Vec<String>,
    /// Why others were not, in sentences.
    pub refused: Vec<String>,
}

/// A surface from a file.
#[derive(Clone, Debug)]
pub struct AddedSurface {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// How it is laid out.
    pub shape: Shape,
    /// The surface.
    pub surface: Arc<Surface>,
    /// Its file.
    pub file: PathBuf,
}

/// A map from a file.
#[derive(Clone, Debug)]
pub struct MapParts {
    /// Its name.
    pub name: String,
    /// The unit of its numbers.
    pub unit: String,
    /// What its numbers mean.
    pub meaning: String,
    /// Its numbers on a grid.
    pub volume: Option<Arc<Volume>>,
    /// Its numbers on the vertices of hemispheres.
    pub sheet: Vec<(Hemisphere, Arc<[f32]>)>,
    /// Where most of its numbers lie.
    pub robust: (f32, f32),
    /// How it looks at first.
    pub look: MapLook,
}

/// A BOLD run, read, and what is computed from it at once.
#[derive(Clone, Debug)]
pub struct RunParts {
    /// Run label.
    pub label: String,
    /// The volumes.
    pub series: Arc<Series>,
    /// What was shown when.
    pub events: Option<Arc<Events>>,
    /// Seconds a volume, when anything says so.
    pub tr_secs: Option<f64>,
    /// Mean over time.
    pub mean: GreyParts,
    /// Temporal signal-to-noise (mean / standard deviation over time), NaN outside the head, and its robust range.
    pub tsnr: (Arc<Volume>, (f32, f32)),
}

/// A map sampled on both hemispheres.
#[derive(Clone, Debug)]
pub struct ProjectedParts {
    /// Which map.
    pub map: MapId,
    /// The revision of the map it was made from.
    pub revision: u64,
    /// In the order of the subject's hemispheres.
    pub hemispheres: Vec<VertexMap>,
}

/// The mean signal of every region of an atlas in a run.
#[derive(Clone, Debug)]
pub struct CoursesParts {
    /// The run.
    pub series: Arc<Series>,
    /// The atlas.
    pub atlas: Arc<Atlas>,
    /// One a region that has voxels.
    pub courses: Vec<RegionCourse>,
}

impl CoursesParts {
    /// Whether they are of this run and this atlas.
    pub fn are_of(&self, run: &RunParts, atlas: &Arc<Atlas>) -> bool {
        Arc::ptr_eq(&self.series, &run.series) && Arc::ptr_eq(&self.atlas, atlas)
    }

    /// That of a region, by its name.
    pub fn of(&self, region: &str) -> Option<&RegionCourse> {
        self.courses.iter().find(|c| c.region.name == region)
    }
}

/// An encoding model of some responses.
#[derive(Clone, Debug)]
pub struct EncodedParts {
    /// Scores, one a voxel of the responses.
    pub encoded: Arc<Encoded>,
    /// Those responses.
    pub of: Arc<Responses>,
    /// What r and R² a single voxel reaches when responses are shuffled.
    pub luck: Option<(Luck, Luck)>,
    /// Maps with the robust range of each; none for voxels without a grid.
    pub maps: Vec<(MapId, Arc<Volume>, (f32, f32))>,
}

/// A decode, whole or so far.
#[derive(Clone, Debug)]
pub struct DecodedParts {
    /// Trials and scores.
    pub decoded: Arc<Decoded>,
    /// Runs and onsets of the beta rows, seconds.
    pub onsets: Arc<[(String, f64)]>,
    /// How the betas were made, in words.
    pub method: String,
    /// Which voxels drove the decode and the robust range of that, when it is known.
    pub drive: Option<(Arc<Volume>, (f32, f32))>,
    /// What was chosen without being asked for.
    pub assumptions: Vec<String>,
    /// Whether all folds are done.
    pub complete: bool,
}
