//! What is loaded and computed: the document of the window.
//!
//! Only [`crate::command::apply`] changes a session. Values come from job threads as
//! [`News`]; here they get the keys by which the renderer caches them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::selectivity::Responses;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::select::Query;
use fusiform_pipelines::study::{BoldRun, Study, Subject};
use fusiform_pipelines::volume::Region;
use glam::DVec3;
use image::RgbImage;

use crate::bridge::Keys;
use crate::layout::View;

mod maps;
mod news;
pub mod placed;
mod regions;
pub mod selected;
mod shown;
mod take;

pub use maps::{MapId, OnGrid, OverlayMap};
pub use news::{
    AddedParts, AddedSurface, CoursesParts, DecodedParts, EncodedParts, GreyParts, HemisphereParts,
    MapParts, News, ProjectedParts, RunParts, Saved, SubjectParts,
};
pub(crate) use regions::listed;
pub use regions::{Names, Own};
pub use shown::{AtlasData, HemisphereData, Projected, SubjectData, Underlay};

/// A point farther than this from the cortex (mm) has no place on it.
pub const NEAR_CORTEX_MM: f32 = 8.0;

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Good to know.
    Note,
    /// Should be read.
    Warning,
    /// Something did not work; the session goes on.
    Failure,
}

/// Something the user should read and may dismiss.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Tells it from all others.
    pub number: u64,
    /// How grave.
    pub grade: Grade,
    /// What was being done.
    pub title: String,
    /// What happened and what to do.
    pub text: String,
}

/// What is loaded and computed.
#[derive(Debug, Default)]
pub struct Session {
    /// The study.
    pub study: Option<Arc<Study>>,
    /// The paths it was opened from; none for the demo study.
    pub opened: Vec<PathBuf>,
    /// Files that were added to it: maps, regions, surfaces.
    pub added: Vec<PathBuf>,
    /// Whether more of the study is still being made.
    pub partial: bool,
    /// Whether it is the demo study.
    pub is_demo: bool,
    /// Which part of the study commands work on.
    pub query: Query,
    /// The current subject's id.
    pub subject_id: Option<String>,
    /// The current subject, as far as it was read.
    pub subject: SubjectData,
    /// The current run.
    pub run: Option<RunParts>,
    /// The mean of the current run, for studies without anatomy.
    pub mean_underlay: Option<Underlay>,
    /// The maps there are.
    pub maps: Vec<OverlayMap>,
    /// The mean signal of every region in the run, once one is pinned.
    pub courses: Option<CoursesParts>,
    /// The map on the cortical sheet.
    pub projected: Option<Projected>,
    /// Stimulus pictures that were read.
    pub pictures: BTreeMap<String, Arc<RgbImage>>,
    /// The responses of the selected part of the study, voxel by voxel.
    pub responses: Option<Arc<Responses>>,
    /// Whether they were asked for: what failed is not tried again by itself.
    pub(crate) asked_responses: bool,
    /// What the Select panel's settings lead to.
    pub selected: selected::Selected,
    /// The folder in which attempts are kept; none keeps them while the window is open.
    pub(crate) history_folder: Option<PathBuf>,
    /// The encoding model of the responses, once one was asked for.
    pub encoded: Option<EncodedParts>,
    /// The newest decode.
    pub decoded: Option<DecodedParts>,
    /// What the user should read, oldest first.
    pub messages: Vec<Message>,
    /// What the user was asked for because a desktop dialog did not come up.
    pub wants_path: bool,
    /// The map, and its revision, that was last sent to be put on the cortical sheet.
    pub(crate) projecting: Option<(MapId, u64)>,
    /// A saved view whose study is still being read.
    pub(crate) awaited: Option<View>,
    /// Files to be added once the subject is read.
    pub(crate) to_add: Vec<PathBuf>,
    /// Files that were dropped before what they lie on.
    pub(crate) waiting: Vec<PathBuf>,
    /// How many maps came from files.
    n_file_maps: u32,
    /// Where the program itself last put the crosshair, world mm.
    pub(crate) aimed_mm: Option<[f64; 3]>,
    /// The user's own regions, ready to be drawn.
    pub own: Own,
    /// Regions that were asked for.
    pub(crate) n_drawings: u32,
    next_message: u64,
    keys: Keys,
}

impl Session {
    /// The current subject of the study.
    pub fn study_subject(&self) -> Option<&Subject> {
        self.study.as_ref()?.subject(self.subject_id.as_deref()?)
    }

    /// The current subject's runs that the query does not exclude.
    pub fn runs(&self) -> Vec<&BoldRun> {
        let Some(subject) = self.study_subject() else {
            return Vec::new();
        };
        let fits = |asked: &Option<String>, run: &BoldRun, key: &str| {
            asked
                .as_ref()
                .is_none_or(|a| run.entities.get(key).is_none_or(|b| a == b))
        };
        subject
            .runs
            .iter()
            .filter(|run| {
                fits(&self.query.task, run, "task")
                    && fits(&self.query.desc, run, "desc")
                    && fits(&self.query.space, run, "space")
            })
            .collect()
    }

    /// The query with the current subject filled in.
    pub fn resolved_query(&self) -> Query {
        Query {
            subject: self
                .query
                .subject
                .clone()
                .or_else(|| self.subject_id.clone()),
            ..self.query.clone()
        }
    }

    /// The values an entity (`desc`, `task`) takes over the current subject's runs.
    pub fn entity_values(&self, key: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .study_subject()
            .map(|s| {
                s.runs
                    .iter()
                    .filter_map(|r| r.entities.get(key).cloned())
                    .collect()
            })
            .unwrap_or_default();
        values.sort();
        values.dedup();
        values
    }

    /// What lies under everything: the anatomy, or the mean of the run.
    pub fn underlay(&self) -> Option<&Underlay> {
        self.subject
            .anatomy
            .as_ref()
            .or(self.mean_underlay.as_ref())
    }

    /// A map by its id.
    pub fn map(&self, id: MapId) -> Option<&OverlayMap> {
        self.maps.iter().find(|m| m.id == id)
    }

    /// The number of a map of the sheet at the vertex nearest to a world point, where one is near.
    pub fn sheet_value_near(&self, map: &OverlayMap, world_mm: DVec3) -> Option<f32> {
        let (hemisphere, vertex) = self.vertex_near(world_mm)?;
        let values = map.on_sheet.get(hemisphere)?.as_ref()?;
        values.values.get(vertex).copied().filter(|v| v.is_finite())
    }

    /// The vertex nearest to a world point, half way through the cortex; nothing beyond [`NEAR_CORTEX_MM`].
    pub fn vertex_near(&self, world_mm: DVec3) -> Option<(usize, usize)> {
        let at = world_mm.as_vec3();
        let mut best = (NEAR_CORTEX_MM * NEAR_CORTEX_MM, None);
        for (n, hemisphere) in self.subject.cortex.iter().enumerate() {
            let mut vertex = 0;
            while let Some(place) = hemisphere.anatomical_mm(vertex) {
                let distance = place.distance_squared(at);
                if distance < best.0 {
                    best = (distance, Some((n, vertex)));
                }
                vertex += 1;
            }
        }
        best.1
    }

    /// The grid of the BOLD run.
    pub fn bold_grid(&self) -> Option<&Grid> {
        self.run.as_ref().map(|r| &r.series.grid)
    }

    /// The region of the atlas at a world point.
    pub fn region_at(&self, world_mm: DVec3) -> Option<&Region> {
        self.subject.atlas.as_ref()?.atlas.region_at_world(world_mm)
    }

    /// The box that holds what is shown, world mm.
    pub fn world_bounds(&self) -> Option<(DVec3, DVec3)> {
        self.underlay().map(|u| u.volume.grid.world_bounds())
    }

    /// Everything that was assumed, in sentences.
    pub fn assumptions(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut add = |lines: &[String]| {
            for line in lines {
                if !all.contains(line) {
                    all.push(line.clone());
                }
            }
        };
        if let Some(study) = &self.study {
            add(&study.assumptions);
        }
        if let Some(anatomy) = &self.subject.anatomy {
            add(&anatomy.volume.assumptions);
        }
        for hemisphere in &self.subject.cortex {
            for (_, surface, _) in &hemisphere.shapes {
                add(&surface.assumptions);
            }
        }
        if let Some(run) = &self.run {
            add(&run.series.assumptions);
        }
        if let Some(decoded) = &self.decoded {
            add(&decoded.assumptions);
        }
        all
    }

    /// Says something to the user, here and in the log; the same words are not repeated.
    pub(crate) fn say(&mut self, grade: Grade, title: impl Into<String>, text: impl Into<String>) {
        let (title, text) = (title.into(), text.into());
        match grade {
            Grade::Note => log::info!("{title}: {text}"),
            Grade::Warning => log::warn!("{title}: {text}"),
            Grade::Failure => log::error!("{title}: {text}"),
        }
        self.messages.retain(|m| m.text != text || m.title != title);
        self.next_message += 1;
        self.messages.push(Message {
            number: self.next_message,
            grade,
            title,
            text,
        });
    }

    /// Whether somebody must ask for responses before there are any.
    pub fn wants_responses(&self) -> bool {
        self.study.is_some() && !self.partial && self.responses.is_none() && !self.asked_responses
    }
}
