//! The files a figure is made from: read, and held against each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::Error;
use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::parcels;
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::{Load, Study, demo, files, select};
use fusiform_pipelines::volume::{Atlas, Volume};
use serde::{Deserialize, Serialize};

use crate::brain::Brain;
use crate::map_files::{
    SheetValues, leave_out_zeros, paint, read_maps, read_regions, says_signed, side_name, title,
};
use crate::presets::{Map, Values};

/// Files by their role; a later one stands in for what the study has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// A study, or `demo`.
    pub study: Option<PathBuf>,
    /// Subject id, when the study has several.
    pub subject: Option<String>,
    /// Surface files and folders of them: GIFTI, FreeSurfer subjects.
    pub surfaces: Vec<PathBuf>,
    /// A structural volume.
    pub anatomy: Option<PathBuf>,
    /// A volume of regions.
    pub atlas: Option<PathBuf>,
    /// Regions on surfaces: .annot, .label.gii, .dlabel.nii.
    pub parcellation: Vec<PathBuf>,
    /// One volume, or values on the vertices of one or both hemispheres.
    pub maps: Vec<PathBuf>,
    /// Which map of files that hold several, from 1.
    pub map_number: Option<usize>,
    /// Numbers by region, painted on the parcellation instead of a map.
    pub table: Option<PathBuf>,
}

impl Sources {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.study.is_none()
            && self.surfaces.is_empty()
            && self.anatomy.is_none()
            && self.maps.is_empty()
            && (self.table.is_none() || self.atlas.is_none())
    }

    /// Every path, to be changed.
    pub(crate) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let study = self.study.as_mut().filter(|path| !is_demo(path));
        study
            .into_iter()
            .chain(&mut self.surfaces)
            .chain(&mut self.anatomy)
            .chain(&mut self.atlas)
            .chain(&mut self.parcellation)
            .chain(&mut self.maps)
            .chain(&mut self.table)
    }

    /// Reads all of it. The map comes with its first look; a table is painted on the regions of the surfaces `on_sheet`, and
    /// else on those of the volume.
    ///
    /// # Errors
    /// Names the file that cannot be read or does not fit the surfaces, and what would fit.
    pub fn load(&self, on_sheet: bool, run: &Run<'_>) -> anyhow::Result<(Brain, Option<Map>)> {
        let mut brain = Brain::default();
        let mut map = None;
        if let Some(path) = &self.study {
            (brain, map) = self.load_study(path, run)?;
        }
        if !self.surfaces.is_empty() {
            let found = files::from_files(&surface_files(&self.surfaces), run)?;
            let subject = found.subjects.first().context("no surfaces")?;
            brain.hemispheres = Brain::load(subject, run)?.hemispheres;
            if brain.hemispheres.is_empty() {
                anyhow::bail!(
                    "{}: no surfaces are here; name GIFTI or FreeSurfer surfaces, or a folder that holds some",
                    self.surfaces[0].display()
                );
            }
        }
        if let Some(path) = &self.anatomy {
            brain.anatomy = Some(Arc::new(Volume::load(path, run)?));
        }
        if let Some(path) = &self.atlas {
            brain.atlas = Some(Arc::new(Atlas::load(path, run)?));
        }
        for path in &self.parcellation {
            for (at, labels) in read_regions(path, &brain.hemispheres, run)? {
                brain.hemispheres[at].labels = Some(labels);
            }
        }
        if let Some(path) = &self.table {
            map = Some(self.painted(path, &brain, on_sheet)?);
        } else if !self.maps.is_empty() {
            map = Some(self.load_maps(&brain, run)?);
        }
        Ok((brain, map))
    }

    fn load_study(&self, path: &Path, run: &Run<'_>) -> anyhow::Result<(Brain, Option<Map>)> {
        if !is_demo(path) {
            if !path.exists() {
                return Err(Error::file(
                    path,
                    "there is no such file or folder; name a study, or `demo` for the built-in one",
                )
                .into());
            }
            let study = Study::open(path, run)?;
            let subject = select::choose_subject(&study, self.subject.as_deref())?;
            return Ok((Brain::load(subject, run)?, None));
        }
        let made = demo::generate(&demo::DemoPlan::default(), run)?;
        let id = self.subject.as_deref().unwrap_or(demo::FIRST_SUBJECT);
        let subject = select::choose_subject(&made.study, Some(id))?;
        // The truth that comes with the study is the first subject's.
        let map = (id == demo::FIRST_SUBJECT).then(|| {
            let values = Values::Volume(Arc::clone(&made.truth_snr));
            Map::new(values, "planted signal-to-noise ratio", false)
        });
        Ok((Brain::load(subject, run)?, map))
    }

    fn load_maps(&self, brain: &Brain, run: &Run<'_>) -> anyhow::Result<Map> {
        let mut sides: SheetValues = Vec::new();
        let mut name = title(&self.maps, "");
        let mut classes = Vec::new();
        let signed = self.maps.iter().any(|path| says_signed(path));
        let number = Some(self.map_number.unwrap_or(1));
        for path in &self.maps {
            let map = read_maps(path, &brain.hemispheres, number, 1, run)?;
            let map = map.into_iter().next().unwrap_or_default();
            name = title(&self.maps, &map.name);
            classes.extend(map.regions.iter().map(|r| (r.key, r.name.clone())));
            match map.volume {
                Some(volume) if map.sheet.is_empty() && is_volume(path)? => {
                    if self.maps.len() > 1 {
                        anyhow::bail!(
                            "{}: one figure shows one volume; name it alone with --map",
                            path.display()
                        );
                    }
                    return Ok(said(Map::new(Values::Volume(volume), &name, signed), run));
                }
                _ if map.sheet.is_empty() => anyhow::bail!(
                    "{}: has no values on the cortex; name a volume or another map",
                    path.display()
                ),
                _ => {}
            }
            for (side, values) in map.sheet {
                if sides.iter().any(|(taken, _)| *taken == side) {
                    anyhow::bail!(
                        "{}: another map covers the {} hemisphere already; name one a hemisphere",
                        path.display(),
                        side_name(side)
                    );
                }
                sides.push((side, values));
            }
        }
        leave_out_zeros(&mut sides, run);
        let mut map = said(Map::new(Values::Sheet(sides), &name, signed), run);
        map.classes = classes;
        Ok(map)
    }

    /// The table painted on the parcellation: that of the surfaces `on_sheet`, where there is one.
    fn painted(&self, path: &Path, brain: &Brain, on_sheet: bool) -> anyhow::Result<Map> {
        let values = parcels::read_values(path)?;
        let (map, unmatched) = paint(path, &values, brain.atlas.as_deref(), &brain.hemispheres)?;
        if let Some(unmatched) = unmatched {
            anyhow::bail!("{unmatched}: correct the names, or leave those rows out");
        }
        let values = match map.volume {
            Some(volume) if !on_sheet || map.sheet.is_empty() => Values::Volume(volume),
            _ => Values::Sheet(map.sheet),
        };
        let mut painted = Map::new(values, &map.name, true);
        // What a table says is shown, however small.
        painted.look.threshold = 0.0;
        Ok(painted)
    }
}

/// A map, after saying what of it is not seen.
fn said(map: Map, run: &Run<'_>) -> Map {
    if let Some(words) = map.unseen() {
        run.warn(words);
    }
    map
}

/// Whether a file is a volume and not a table of vertices and voxels.
fn is_volume(path: &Path) -> anyhow::Result<bool> {
    Ok(detect::kind(path)? != Kind::Cifti)
}

/// Whether the built-in study is meant.
fn is_demo(path: &Path) -> bool {
    path == Path::new("demo")
}

/// The files of FreeSurfer subjects instead of their folders.
fn surface_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.join("surf").is_dir() {
            files.push(path.clone());
            continue;
        }
        for side in ["lh", "rh"] {
            let parts = ["white", "pial", "inflated", "sphere", "sulc", "curv"];
            let surfaces = parts.map(|part| path.join("surf").join(format!("{side}.{part}")));
            let flat = path.join("surf").join(format!("{side}.flat.surf.gii"));
            let regions = path.join("label").join(format!("{side}.aparc.annot"));
            let all = surfaces.into_iter().chain([flat, regions]);
            files.extend(all.filter(|file| file.is_file()));
        }
    }
    files
}
