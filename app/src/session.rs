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
use fusiform_pipelines::volume::{Region, Volume};
use fusiform_render::scene::Key;
use glam::DVec3;
use image::RgbImage;

use crate::bridge::{self, Keys};
use crate::layout::View;

mod news;
mod regions;
mod shown;

pub use news::{
    DecodedParts, GreyParts, HemisphereParts, News, ProjectedParts, RunParts, Saved, SubjectParts,
};
pub(crate) use regions::listed;
pub use regions::{Names, Own};
pub use shown::{AtlasData, HemisphereData, MapId, OverlayMap, Projected, SubjectData, Underlay};
use shown::{hemisphere_data, underlay};

/// How region borders are drawn on slices, pixels.
const OUTLINE_WIDTH_PX: f32 = 1.5;

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
    /// The map on the cortical sheet.
    pub projected: Option<Projected>,
    /// Stimulus pictures that were read.
    pub pictures: BTreeMap<String, Arc<RgbImage>>,
    /// The responses of the selected part of the study, voxel by voxel.
    pub responses: Option<Arc<Responses>>,
    /// Whether they were asked for: what failed is not tried again by itself.
    pub(crate) asked_responses: bool,
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

    /// Forgets everything of the study, not the messages.
    pub(crate) fn clear_study(&mut self) {
        let fresh = Self {
            messages: std::mem::take(&mut self.messages),
            next_message: self.next_message,
            keys: std::mem::take(&mut self.keys),
            n_drawings: self.n_drawings,
            ..Self::default()
        };
        *self = fresh;
    }

    /// Forgets what belongs to the current subject.
    pub(crate) fn clear_subject(&mut self) {
        self.subject = SubjectData::default();
        self.decoded = None;
        self.clear_responses();
        self.clear_run();
    }

    /// Forgets the responses: another part of the study is meant.
    pub(crate) fn clear_responses(&mut self) {
        self.responses = None;
        self.asked_responses = false;
    }

    /// Whether somebody must ask for responses before there are any.
    pub fn wants_responses(&self) -> bool {
        self.study.is_some() && !self.partial && self.responses.is_none() && !self.asked_responses
    }

    /// Forgets what belongs to the current run.
    pub(crate) fn clear_run(&mut self) {
        self.run = None;
        self.mean_underlay = None;
        self.maps
            .retain(|m| m.id == MapId::Drive && self.decoded.is_some());
        let gone = |p: &Projected| self.maps.iter().all(|m| m.id != p.map);
        if self.projected.as_ref().is_some_and(gone) {
            self.projected = None;
        }
    }

    /// Takes a subject's anatomy in. Values that are already here keep their keys.
    pub(crate) fn take_subject(&mut self, parts: SubjectParts) {
        let same = self.subject.id == parts.id;
        let old = std::mem::take(&mut self.subject);
        let old = if same { old } else { SubjectData::default() };
        let keys = &mut self.keys;
        let anatomy = match (old.anatomy, parts.anatomy) {
            (Some(old), Some(new)) if Arc::ptr_eq(&old.volume, &new.volume) => Some(old),
            (_, Some(new)) => Some(underlay(keys, "anatomy", &new)),
            (old, None) => old,
        };
        let atlas = match (old.atlas, parts.atlas) {
            (Some(old), Some((new, _))) if Arc::ptr_eq(&old.atlas, &new) => Some(old),
            (_, Some((atlas, name))) => Some(AtlasData {
                name,
                outlines: bridge::atlas_outlines(keys.fresh(), &atlas, OUTLINE_WIDTH_PX),
                names: regions::names_of(&atlas.regions),
                atlas,
            }),
            (old, None) => old,
        };
        let cortex = if parts.cortex.is_empty() {
            old.cortex
        } else {
            parts
                .cortex
                .into_iter()
                .map(|h| hemisphere_data(keys, h))
                .collect()
        };
        self.subject = SubjectData {
            id: parts.id,
            anatomy,
            atlas,
            cortex,
            regions: parts.regions,
        };
        self.projected = None;
    }

    /// Takes the first volume of a run in, where nothing else can be seen yet.
    pub(crate) fn take_first_volume(&mut self, parts: &GreyParts) {
        if self.mean_underlay.is_none() {
            self.mean_underlay = Some(underlay(&mut self.keys, "first volume", parts));
        }
    }

    /// Takes a run in, with the maps made of it.
    pub(crate) fn take_run(&mut self, parts: RunParts) {
        self.clear_run();
        self.mean_underlay = Some(underlay(&mut self.keys, "mean BOLD", &parts.mean));
        let tsnr = parts.tsnr.clone();
        self.put_map(MapId::Tsnr, tsnr.0, tsnr.1);
        self.put_map(
            MapId::Mean,
            Arc::clone(&parts.mean.volume),
            parts.mean.window,
        );
        let first = volume_at(&parts, 0);
        self.put_map(MapId::Frame, Arc::new(first), parts.mean.window);
        self.run = Some(parts);
    }

    /// Shows another volume of the run as a map. Its key stays and its revision counts, so that volumes that were shown
    /// before do not pile up on the device.
    pub(crate) fn show_frame(&mut self, frame: usize) {
        let Some(run) = &self.run else {
            return;
        };
        let frame = frame.min(run.series.n_times.saturating_sub(1));
        let Some(map) = self.maps.iter_mut().find(|m| m.id == MapId::Frame) else {
            return;
        };
        if map.data.key.revision == frame as u64 {
            return;
        }
        map.volume = Arc::new(volume_at(run, frame));
        map.data = bridge::volume_data(
            Key {
                revision: frame as u64,
                ..map.data.key
            },
            &map.volume,
        );
    }

    /// Takes decoded trials in, with the map of the voxels that drove them.
    pub(crate) fn take_decoded(&mut self, parts: DecodedParts) {
        if let Some((volume, robust)) = parts.drive.clone() {
            self.put_map(MapId::Drive, volume, robust);
        }
        self.decoded = Some(parts);
    }

    /// Takes a map on the cortical sheet in, if it is of the newest revision.
    pub(crate) fn take_projected(&mut self, parts: &ProjectedParts) {
        if self
            .map(parts.map)
            .is_none_or(|m| m.revision() != parts.revision)
        {
            return;
        }
        let hemispheres = parts
            .hemispheres
            .iter()
            .map(|map| bridge::vertex_data(self.keys.fresh(), map))
            .collect();
        self.projected = Some(Projected {
            map: parts.map,
            revision: parts.revision,
            hemispheres,
        });
    }

    fn put_map(&mut self, id: MapId, volume: Arc<Volume>, robust: (f32, f32)) {
        self.maps.retain(|m| m.id != id);
        let data = bridge::volume_data(self.keys.fresh(), &volume);
        self.maps.push(OverlayMap {
            id,
            volume,
            data,
            robust,
        });
        self.maps.sort_by_key(|m| m.id);
    }
}

fn volume_at(run: &RunParts, frame: usize) -> Volume {
    Volume {
        grid: run.series.grid.clone(),
        data: run.series.values_at(frame).into(),
        assumptions: Vec::new(),
    }
}
