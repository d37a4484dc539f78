//! The files a figure is made from: read, and held against each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::Error;
use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::io::freesurfer::{self, mgh};
use fusiform_pipelines::io::gifti::{self, hemisphere_in_name};
use fusiform_pipelines::io::{cifti, nifti};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::{Load, Study, demo, files, select};
use fusiform_pipelines::surface::{Hemisphere, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Volume};
use serde::{Deserialize, Serialize};

use crate::brain::{Brain, HemisphereShapes};
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
}

impl Sources {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.study.is_none()
            && self.surfaces.is_empty()
            && self.anatomy.is_none()
            && self.maps.is_empty()
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
    }

    /// Reads all of it. The map comes with its first look.
    ///
    /// # Errors
    /// Names the file that cannot be read or does not fit the surfaces, and what would fit.
    pub fn load(&self, run: &Run<'_>) -> anyhow::Result<(Brain, Option<Map>)> {
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
            lay_regions(path, &mut brain, run)?;
        }
        if !self.maps.is_empty() {
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
            Map::new(values, "planted signal-to-noise ratio")
        });
        Ok((Brain::load(subject, run)?, map))
    }

    fn load_maps(&self, brain: &Brain, run: &Run<'_>) -> anyhow::Result<Map> {
        let mut sides: Vec<(Hemisphere, Arc<[f32]>)> = Vec::new();
        let name = file_name(&self.maps[0]);
        for path in &self.maps {
            match self.read_map(path, brain, run)? {
                Values::Volume(volume) if self.maps.len() == 1 => {
                    return Ok(Map::new(Values::Volume(volume), &name));
                }
                Values::Volume(_) => anyhow::bail!(
                    "{}: one figure shows one volume; name it alone with --map",
                    path.display()
                ),
                Values::Sheet(parts) => {
                    for (side, values) in parts {
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
            }
        }
        leave_out_zeros(&mut sides, run);
        Ok(Map::new(Values::Sheet(sides), &name))
    }

    fn read_map(&self, path: &Path, brain: &Brain, run: &Run<'_>) -> anyhow::Result<Values> {
        let sheets = match detect::kind(path)? {
            Kind::Nifti => return Ok(Values::Volume(Arc::new(nifti::read_volume(path, run)?))),
            Kind::Mgh => match mgh::read_map(path, run) {
                Ok(maps) => vec![(None, self.pick(path, maps)?.values)],
                Err(_) => return Ok(Values::Volume(Arc::new(mgh::read_volume(path, run)?))),
            },
            Kind::GiftiMap => vec![(None, self.pick(path, gifti::read_map(path)?)?.values)],
            Kind::FreesurferMap => vec![(None, freesurfer::read_curv(path)?.values)],
            Kind::Cifti => {
                let file = cifti::read(path, run)?;
                let number = self.map_number.unwrap_or(1);
                if number == 0 || number > file.n_maps() {
                    anyhow::bail!(
                        "{}: holds {} maps; choose one of 1 to {0} with --map-number",
                        path.display(),
                        file.n_maps()
                    );
                }
                let sides = file.hemispheres();
                let read = |side| Ok((Some(side), file.surface_map(side, number - 1)?.values));
                sides.into_iter().map(read).collect::<anyhow::Result<_>>()?
            }
            other => anyhow::bail!(
                "{}: holds no map ({other:?}); name a volume, .func.gii, .mgh, curvature or .dscalar.nii file, and \
                 regions with --parcellation",
                path.display()
            ),
        };
        if sheets.is_empty() {
            anyhow::bail!(
                "{}: has no values on the cortex; name a volume or another map",
                path.display()
            );
        }
        let mut laid = Vec::new();
        for (side, values) in sheets {
            let side = settle_side(path, side)?;
            hemisphere_for(path, side, values.len(), &brain.hemispheres)?;
            laid.push((side, values));
        }
        Ok(Values::Sheet(laid))
    }

    fn pick<T>(&self, path: &Path, mut maps: Vec<T>) -> anyhow::Result<T> {
        let number = self.map_number.unwrap_or(1);
        if number == 0 || number > maps.len() {
            anyhow::bail!(
                "{}: holds {} maps; choose one of 1 to {0} with --map-number",
                path.display(),
                maps.len()
            );
        }
        Ok(maps.swap_remove(number - 1))
    }
}

/// Takes zeros among positive values for "no value": thickness and its like are 0 on the medial wall.
fn leave_out_zeros(sides: &mut [(Hemisphere, Arc<[f32]>)], run: &Run<'_>) {
    let all = || sides.iter().flat_map(|(_, values)| values.iter());
    let n_zeros = all().filter(|v| **v == 0.0).count();
    if n_zeros == 0 || all().any(|v| *v < 0.0) || all().all(|v| v.fract() == 0.0) {
        return;
    }
    for (_, values) in sides {
        let known = values.iter().map(|v| if *v == 0.0 { f32::NAN } else { *v });
        *values = known.collect();
    }
    run.warn(format!(
        "{n_zeros} vertices of value 0 among positive ones are taken to have none"
    ));
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

/// Puts a parcellation on the hemispheres it belongs to.
fn lay_regions(path: &Path, brain: &mut Brain, run: &Run<'_>) -> anyhow::Result<()> {
    let found: Vec<(Option<Hemisphere>, VertexLabels)> = match detect::kind(path)? {
        Kind::FreesurferAnnot => vec![(None, freesurfer::read_annot(path)?)],
        Kind::GiftiLabels => vec![(None, gifti::read_labels(path)?)],
        Kind::Cifti => {
            let file = cifti::read(path, run)?;
            let read = |side| Ok((Some(side), file.surface_labels(side, 0)?));
            let sides = file.hemispheres().into_iter();
            sides.map(read).collect::<anyhow::Result<_>>()?
        }
        other => anyhow::bail!(
            "{}: is no parcellation of a surface ({other:?}); name .annot, .label.gii or .dlabel.nii files",
            path.display()
        ),
    };
    for (side, labels) in found {
        let side = settle_side(path, side)?;
        let at = hemisphere_for(path, side, labels.keys.len(), &brain.hemispheres)?;
        brain.hemispheres[at].labels = Some(Arc::new(labels));
    }
    Ok(())
}

fn settle_side(path: &Path, known: Option<Hemisphere>) -> anyhow::Result<Hemisphere> {
    known
        .or_else(|| hemisphere_in_name(&file_name(path)))
        .or_else(|| {
            // Names such as `fsa5_lh_aparc.annot` and folders such as `lh/`.
            let folder = path.parent()?.file_name()?;
            hemisphere_in_name(&folder.to_string_lossy())
        })
        .with_context(|| {
            format!(
                "{}: its name does not say which side of the brain it is; put lh, rh, left or right in the name",
                path.display()
            )
        })
}

/// The hemisphere of that side, if it has as many vertices.
fn hemisphere_for(
    path: &Path,
    side: Hemisphere,
    n: usize,
    hemispheres: &[HemisphereShapes],
) -> anyhow::Result<usize> {
    let side_word = side_name(side);
    let fits = match mesh_name(n) {
        Some(mesh) => format!("{mesh} surfaces, which have {n} vertices a side"),
        None => format!("surfaces of {n} vertices a side"),
    };
    let Some(at) = hemispheres.iter().position(|h| h.side == side) else {
        anyhow::bail!(
            "{}: has {n} values for the {side_word} hemisphere, of which there is no surface; add {fits} with --surfaces",
            path.display()
        );
    };
    let have = hemispheres[at].n_vertices();
    if have == n {
        return Ok(at);
    }
    let surface = hemispheres[at].file.as_ref().map_or_else(
        || format!("the {side_word} surface of the study"),
        |file| file.display().to_string(),
    );
    let mesh = mesh_name(have).map_or(String::new(), |mesh| format!(" ({mesh})"));
    anyhow::bail!(
        "{}: has {n} values, but {surface} has {have} vertices{mesh}; what fits are {fits}, or a map of {have} values",
        path.display()
    )
}

/// The template mesh with that many vertices a side.
fn mesh_name(n: usize) -> Option<&'static str> {
    Some(match n {
        642 => "fsaverage3",
        2_562 => "fsaverage4",
        10_242 => "fsaverage5",
        40_962 => "fsaverage6",
        163_842 => "fsaverage",
        32_492 => "fs_LR 32k",
        59_292 => "fs_LR 59k",
        _ => return None,
    })
}

fn side_name(side: Hemisphere) -> &'static str {
    match side {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
