//! A study: an index over subjects, runs, masks, atlases, surfaces and stimuli.
//!
//! Opening a study reads names and small tables only. Volumes are read when
//! something asks for them, through [`Source::load`].

pub mod bids;
mod companions;
pub mod confounds;
pub mod demo;
pub mod derivative;
pub mod describe;
pub mod events;
pub mod files;
pub mod manifest;
mod names;
pub mod nsd;
mod ready_betas;
pub mod roles;
pub mod select;
mod stimuli;
mod surfaces;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use names::did_you_mean;

use image::RgbImage;

use crate::Error;
use crate::betas::{Betas, Trial};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use crate::volume::{Atlas, Series, Volume};

/// Something a study can give: a file to be read, a value already here, or one made when asked for.
#[derive(Clone, Debug)]
pub enum Source<T> {
    /// A file, read at each load.
    File(PathBuf),
    /// One of many in a file, read at each load.
    Entry {
        /// The file.
        path: PathBuf,
        /// Which, from 0.
        index: usize,
    },
    /// A value in memory.
    Memory(Arc<T>),
    /// A value made at each load, the same each time.
    Made(Maker<T>),
}

/// Makes a value on demand: what is too heavy to keep and cheap enough to make again.
#[derive(Clone)]
pub struct Maker<T> {
    /// Makes it; equal at every call.
    pub make: MakeFn<T>,
    /// What it is called in messages.
    pub label: String,
    /// The shape of a volume or series, known without making it.
    pub outline: Option<Outline>,
}

/// The function of a [`Maker`].
pub type MakeFn<T> = Arc<dyn Fn(&Run<'_>) -> Result<T, Stop> + Send + Sync>;

/// What the header of a volume or series would say.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Shape and place.
    pub grid: Grid,
    /// Volumes; 1 for a single one.
    pub n_times: usize,
    /// Seconds from one volume to the next.
    pub tr_secs: Option<f64>,
}

impl<T> std::fmt::Debug for Maker<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Maker")
            .field("label", &self.label)
            .field("outline", &self.outline)
            .finish_non_exhaustive()
    }
}

impl<T: Load> Source<T> {
    /// Reads the file, hands out the value, or makes it.
    pub fn load(&self, run: &Run<'_>) -> Result<Arc<T>, Stop> {
        match self {
            Self::File(path) => T::load(path, run).map(Arc::new),
            Self::Entry { path, index } => T::load_entry(path, *index, run).map(Arc::new),
            Self::Memory(value) => Ok(Arc::clone(value)),
            Self::Made(maker) => (maker.make)(run).map(Arc::new),
        }
    }

    /// The file, if it comes from one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Entry { path, .. } => Some(path),
            Self::Memory(_) | Self::Made(_) => None,
        }
    }
}

/// What can be read from a file of its own.
pub trait Load: Sized {
    /// Reads it.
    fn load(path: &Path, run: &Run<'_>) -> Result<Self, Stop>;

    /// Reads one of many from a file that can hold several.
    ///
    /// # Errors
    /// When this kind of data is kept one a file.
    fn load_entry(path: &Path, _index: usize, _run: &Run<'_>) -> Result<Self, Stop> {
        Err(Error::file(
            path,
            "is read whole and not in parts: name a file of its own",
        )
        .into())
    }
}

/// Betas that were made elsewhere.
#[derive(Clone, Debug)]
pub enum ReadyBetas {
    /// All of them, in memory.
    Memory(Arc<Betas>),
    /// A file a session, of which the voxels of a mask are read when something asks.
    Sessions(Arc<nsd::Sessions>),
}

impl ReadyBetas {
    /// The trials, one a row.
    pub fn trials(&self) -> &[Trial] {
        match self {
            Self::Memory(betas) => &betas.trials,
            Self::Sessions(sessions) => &sessions.trials,
        }
    }

    /// Columns: of sessions, all voxels of their grid.
    pub fn n_voxels(&self) -> usize {
        match self {
            Self::Memory(betas) => betas.n_voxels(),
            Self::Sessions(sessions) => sessions.grid.n_voxels(),
        }
    }

    /// The run labels in order of first appearance.
    pub fn runs(&self) -> Vec<String> {
        let mut runs: Vec<String> = Vec::new();
        for trial in self.trials() {
            if !runs.contains(&trial.run) {
                runs.push(trial.run.clone());
            }
        }
        runs
    }
}

/// A whole study.
#[derive(Clone, Debug, Default)]
pub struct Study {
    /// Its name.
    pub name: String,
    /// The folder or file it was opened from; `None` for the demo study.
    pub root: Option<PathBuf>,
    /// Its subjects, by id.
    pub subjects: Vec<Subject>,
    /// Every stimulus the events name.
    pub stimuli: Vec<Stimulus>,
    /// What was assumed while opening, in sentences for the user.
    pub assumptions: Vec<String>,
}

/// One subject's files.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Id without `sub-`.
    pub id: String,
    /// A structural volume.
    pub anatomy: Option<Source<Volume>>,
    /// BOLD runs in the order of their labels.
    pub runs: Vec<BoldRun>,
    /// Masks by name.
    pub masks: Vec<Named<Volume>>,
    /// Atlases by name.
    pub atlases: Vec<Named<Atlas>>,
    /// Cortical surfaces.
    pub surfaces: Vec<CorticalSurface>,
    /// Ready-made betas (`study.toml`, NSD), when the study holds no BOLD.
    pub betas: Option<ReadyBetas>,
}

/// A source with a name and the BIDS entities that tell it from its like.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// Shown to the user.
    pub name: String,
    /// `desc`, `space`, … by key; empty outside BIDS.
    pub entities: Entities,
    /// Where it is.
    pub source: Source<T>,
}

/// BIDS entities (`task` → `objectviewing`), by key.
pub type Entities = std::collections::BTreeMap<String, String>;

/// One BOLD run and what was shown during it.
#[derive(Clone, Debug)]
pub struct BoldRun {
    /// Unique within the subject: "01", or "ses-02_run-01" when there are sessions.
    pub label: String,
    /// Session id; empty when there are none.
    pub session: String,
    /// BIDS entities of the file; empty outside BIDS.
    pub entities: Entities,
    /// Seconds from one volume to the next, from the sidecar; else the header decides.
    pub tr_secs: Option<f64>,
    /// The volumes.
    pub bold: Source<Series>,
    /// The events table, when there is one.
    pub events: Option<Source<events::Events>>,
    /// The nuisance regressors of the run (`*_desc-confounds_timeseries.tsv`), when there are any.
    pub confounds: Option<Source<confounds::Confounds>>,
}

/// One hemisphere in several shapes.
#[derive(Clone, Debug)]
pub struct CorticalSurface {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// The shapes that exist; all with the same vertex order.
    pub shapes: Vec<(Shape, Source<Surface>)>,
    /// Sulcal depth or curvature, positive in sulci: the shading.
    pub sulcal: Option<Source<VertexMap>>,
    /// A parcellation.
    pub labels: Option<Source<VertexLabels>>,
    /// Other maps over its vertices: thickness, statistics.
    pub maps: Vec<Named<VertexMap>>,
}

/// One stimulus.
#[derive(Clone, Debug)]
pub struct Stimulus {
    /// What events call it.
    pub id: String,
    /// The picture.
    pub image: Option<Source<RgbImage>>,
    /// What it shows, in words.
    pub caption: Option<String>,
    /// Its category.
    pub category: Option<String>,
}

impl Study {
    /// Opens a BIDS folder, one laid out like NSD, a `study.toml` (or the folder that holds one),
    /// reading names and small tables; any other single file as [`files::from_files`] does.
    ///
    /// # Errors
    /// Those of [`bids::open`], [`nsd::open`], [`manifest::open`] and [`files::from_files`].
    pub fn open(path: &Path, run: &Run<'_>) -> Result<Self, Stop> {
        let is_manifest = path.is_file() && path.extension().is_some_and(|e| e == "toml");
        if is_manifest || path.join("study.toml").is_file() {
            manifest::open(path, run)
        } else if path.is_file() {
            files::from_files(&[path.to_path_buf()], run)
        } else if nsd::is_nsd(path) {
            nsd::open(path, run)
        } else {
            bids::open(path, run)
        }
    }

    /// A subject by id.
    pub fn subject(&self, id: &str) -> Option<&Subject> {
        self.subjects.iter().find(|s| s.id == id)
    }

    /// A stimulus by id.
    pub fn stimulus(&self, id: &str) -> Option<&Stimulus> {
        self.stimuli.iter().find(|s| s.id == id)
    }
}

impl BoldRun {
    /// The events of the run, for work that needs trials.
    ///
    /// # Errors
    /// When the run has none: the text says where they are looked for. Else those of reading them.
    pub fn load_events(&self, run: &Run<'_>) -> Result<Arc<events::Events>, Stop> {
        if let Some(events) = &self.events {
            return events.load(run);
        }
        let remedy = "or leave the run out with --runs";
        let error = match self.bold.path() {
            Some(path) => {
                let wanted = format!(
                    "{}_events.tsv",
                    names::file_stem(path).trim_end_matches("_bold")
                );
                Error::file(
                    path,
                    format!(
                        "this run has no events, so it has no trials: add {wanted} beside it {remedy}"
                    ),
                )
            }
            None => Error::data(format!(
                "run {} has no events, so it has no trials: add them {remedy}",
                self.label
            )),
        };
        Err(error.into())
    }
}
