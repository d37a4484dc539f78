//! What jobs send, taken into the session, and what is forgotten when something else is opened.

use std::sync::Arc;

use fusiform_pipelines::select::Statistic;
use fusiform_pipelines::surface::Hemisphere;
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_render::scene::{Key, VertexData};

use super::placed;
use super::regions::{Names, OUTLINE_WIDTH_PX};
use super::shown::{cut, hemisphere_data, underlay};
use super::{
    AddedParts, AddedSurface, AtlasData, DecodedParts, EncodedParts, GreyParts, HemisphereData,
    HemisphereParts, MapId, MapParts, OnGrid, OverlayMap, Projected, ProjectedParts, RunParts,
    Session, SubjectData, SubjectParts,
};
use crate::bridge::{self, Keys};
use crate::layout::MapLook;

impl Session {
    /// Forgets everything of the study, not the messages.
    pub(crate) fn clear_study(&mut self) {
        let fresh = Self {
            messages: std::mem::take(&mut self.messages),
            next_message: self.next_message,
            n_drawings: self.n_drawings,
            keys: std::mem::take(&mut self.keys),
            history_folder: self.history_folder.take(),
            ..Self::default()
        };
        *self = fresh;
    }

    /// Forgets what belongs to the current subject.
    pub(crate) fn clear_subject(&mut self) {
        self.subject = SubjectData::default();
        self.decoded = None;
        // They lie in the space, and on the sheet, of one subject.
        self.maps.retain(|m| !matches!(m.id, MapId::File(_)));
        self.added.clear();
        self.waiting.clear();
        self.n_file_maps = 0;
        self.clear_responses();
        self.clear_run();
    }

    /// Forgets the responses: another part of the study is meant.
    pub(crate) fn clear_responses(&mut self) {
        self.responses = None;
        self.asked_responses = false;
        self.selected.clear();
        self.encoded = None;
        self.maps
            .retain(|m| !matches!(m.id, MapId::Select | MapId::Encoded | MapId::OfCeiling));
    }

    /// Forgets what belongs to the current run.
    pub(crate) fn clear_run(&mut self) {
        self.run = None;
        self.courses = None;
        self.mean_underlay = None;
        let decoded = self.decoded.is_some();
        self.maps.retain(|m| match m.id {
            MapId::Drive => decoded,
            MapId::File(_) | MapId::Select | MapId::Encoded | MapId::OfCeiling => true,
            MapId::Tsnr | MapId::Mean | MapId::Frame => false,
        });
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
            (_, Some((atlas, name))) => Some(atlas_data(keys, atlas, name)),
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
        for map in parts.maps {
            self.put_file_map(map);
        }
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
        let map = self.maps.iter_mut().find(|m| m.id == MapId::Frame);
        let Some(on_grid) = map.and_then(|map| map.on_grid.as_mut()) else {
            return;
        };
        if on_grid.data.key.revision == frame as u64 {
            return;
        }
        let key = Key {
            revision: frame as u64,
            ..on_grid.data.key
        };
        *on_grid = OnGrid::new(key, Arc::new(volume_at(run, frame)));
    }

    /// Takes decoded trials in, with the map of the voxels that drove them.
    pub(crate) fn take_decoded(&mut self, parts: DecodedParts) {
        if let Some((volume, robust)) = parts.drive.clone() {
            self.put_map(MapId::Drive, volume, robust);
        }
        self.decoded = Some(parts);
    }

    /// Takes an encoding model in, with its maps.
    pub(crate) fn take_encoded(&mut self, parts: EncodedParts) {
        for (id, volume, robust) in &parts.maps {
            self.put_map(*id, Arc::clone(volume), *robust);
        }
        self.encoded = Some(parts);
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

    /// Takes in what added files hold; says which maps they gave.
    pub(crate) fn take_added(&mut self, parts: AddedParts) -> Vec<MapId> {
        if let Some((atlas, name)) = parts.atlas {
            self.subject.atlas = Some(atlas_data(&mut self.keys, atlas, name));
        }
        for surface in parts.surfaces {
            take_shape(&mut self.keys, &mut self.subject.cortex, surface);
        }
        for (side, labels) in parts.labels {
            let hemisphere = self.subject.cortex.iter_mut();
            for hemisphere in hemisphere.filter(|h| h.hemisphere == side) {
                let outlines = bridge::vertex_outlines(self.keys.fresh(), &labels);
                hemisphere.outlines = Some(outlines);
                hemisphere.names = Some(Names::of(&labels.regions));
                hemisphere.labels = Some(Arc::clone(&labels));
            }
        }
        self.list_regions();
        self.added.extend(parts.paths);
        let maps = parts.maps.into_iter();
        maps.map(|map| self.put_file_map(map)).collect()
    }

    /// Takes a map of a file in.
    fn put_file_map(&mut self, map: MapParts) -> MapId {
        let id = MapId::File(self.n_file_maps);
        self.n_file_maps += 1;
        let keys = &mut self.keys;
        let on_sheet = self.subject.cortex.iter().map(|hemisphere| {
            let values = map.sheet.iter().find(|(s, _)| *s == hemisphere.hemisphere);
            values.map(|(_, values)| VertexData {
                key: keys.fresh(),
                values: Arc::clone(values),
            })
        });
        let on_sheet = on_sheet.collect();
        let on_grid = map.volume.map(|v| OnGrid::new(keys.fresh(), v));
        self.maps.push(OverlayMap {
            id,
            name: map.name,
            unit: map.unit,
            meaning: map.meaning,
            on_grid,
            on_sheet,
            robust: map.robust,
            first_look: map.look,
        });
        id
    }

    /// Lays the map of the Select panel where its features are: voxels and regions on a grid, vertices on the sheet. Its
    /// key stays and its revision counts, as maps of ticked runs follow each other fast.
    pub(crate) fn put_select_map(&mut self) {
        let old = self.maps.iter().position(|m| m.id == MapId::Select);
        let old = old.map(|at| self.maps.remove(at));
        let key = old.and_then(|map| Some(map.on_grid?.data.key));
        let (Some(extracted), Some(now)) = (&self.selected.extracted, &self.selected.map) else {
            return;
        };
        let atlas = self.subject.atlas.as_ref().map(|a| &*a.atlas);
        let on_grid = placed::on_grid(extracted, now, atlas);
        let sides: Vec<(Hemisphere, usize)> = self
            .subject
            .cortex
            .iter()
            .map(|h| {
                let n = h.shapes.first().map_or(0, |s| s.1.vertices.len());
                (h.hemisphere, n)
            })
            .collect();
        let on_sheet = placed::on_sheet(extracted, now, &sides);
        if on_grid.is_none() && on_sheet.is_empty() {
            return;
        }
        let key = match key {
            Some(key) => Key {
                revision: key.revision + 1,
                ..key
            },
            None => self.keys.fresh(),
        };
        let classes = extracted.table.classes.join(" / ");
        let statistic = now.map.statistic;
        let unit = match statistic {
            Statistic::Auc => "AUC − ½".to_owned(),
            other => other.name().replace('′', "'"),
        };
        self.maps.push(OverlayMap {
            id: MapId::Select,
            name: format!("{unit}, {classes}"),
            meaning: placed::meaning(now, &extracted.table.classes),
            unit,
            on_grid: on_grid.map(|volume| OnGrid::new(key, Arc::new(volume))),
            on_sheet: on_sheet
                .into_iter()
                .map(|values| {
                    Some(VertexData {
                        key: self.keys.fresh(),
                        values: values.into(),
                    })
                })
                .collect(),
            robust: (
                if statistic.is_signed() {
                    -now.reach()
                } else {
                    0.0
                },
                now.reach(),
            ),
            first_look: placed::look(now),
        });
        self.maps.sort_by_key(|m| m.id);
    }

    fn put_map(&mut self, id: MapId, volume: Arc<Volume>, robust: (f32, f32)) {
        self.maps.retain(|m| m.id != id);
        self.maps.push(OverlayMap {
            id,
            name: id.name().to_owned(),
            unit: id.unit().to_owned(),
            meaning: id.meaning().to_owned(),
            on_grid: Some(OnGrid::new(self.keys.fresh(), volume)),
            on_sheet: Vec::new(),
            robust,
            first_look: MapLook::first(id, robust),
        });
        self.maps.sort_by_key(|m| m.id);
    }
}

fn atlas_data(keys: &mut Keys, atlas: Arc<Atlas>, name: String) -> AtlasData {
    AtlasData {
        name,
        outlines: bridge::atlas_outlines(keys.fresh(), &atlas, OUTLINE_WIDTH_PX),
        names: Names::of(&atlas.regions),
        atlas,
    }
}

/// Puts another shape on the hemisphere it belongs to; a shape that was there gives way.
fn take_shape(keys: &mut Keys, cortex: &mut Vec<HemisphereData>, added: AddedSurface) {
    let AddedSurface {
        hemisphere,
        shape,
        surface,
        file,
    } = added;
    if let Some(here) = cortex.iter_mut().find(|h| h.hemisphere == hemisphere) {
        let mesh = bridge::mesh_data(keys.fresh(), &surface);
        here.shapes.retain(|(there, ..)| *there != shape);
        here.shapes.push((shape, surface, mesh));
        here.cut = cut(keys, &here.shapes);
        return;
    }
    let parts = HemisphereParts {
        hemisphere,
        shapes: vec![(shape, surface)],
        sulcal: None,
        labels: None,
        file: Some(file),
    };
    cortex.push(hemisphere_data(keys, parts));
    cortex.sort_by_key(|h| h.hemisphere);
}

fn volume_at(run: &RunParts, frame: usize) -> Volume {
    Volume {
        grid: run.series.grid.clone(),
        data: run.series.values_at(frame).into(),
        assumptions: Vec::new(),
    }
}
