//! A study made of single files: what is dropped on the window.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::io::cifti::{self, Maps};
use crate::io::detect::{self, Kind};
use crate::io::{hdf5, mat};
use crate::placement;
use crate::run::{Run, Stop};
use crate::study::companions::head_of;
use crate::study::names::{BidsName, entity_text, file_name, file_stem};
use crate::study::roles::{self, VolumeRole};
use crate::study::stimuli::{self, EventsDigest};
use crate::study::surfaces::{self, SheetPart};
use crate::study::tree::list_folder;
use crate::study::{BoldRun, CorticalSurface, Entities, Load, Named, Source, Study, Subject};

use crate::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};

/// Makes a study of one subject from loose files (of a folder: the files in it), each told by its
/// content: NIfTI with several volumes is a run; with one, a mask (zeros and ones, or by its name), an atlas
/// (whole numbers in patches, or a table beside it) or the anatomy; MGH is
/// either; GIFTI and FreeSurfer files are surfaces, their shading, labels and maps, by the side and
/// shape in their names; CIFTI is laid on the surfaces with as many vertices. A sentence in `assumptions` says so for each.
///
/// # Errors
/// Names the first file that is missing, unreadable or of no known kind.
pub fn from_files(paths: &[PathBuf], run: &Run<'_>) -> Result<Study, Stop> {
    run.stage("looking into the files");
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(
                list_folder(path)?
                    .into_iter()
                    .filter(|path| is_imaging_name(path)),
            );
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            return Err(Error::file(path, "there is no such file: check the path").into());
        }
    }
    let Some(first) = files.first() else {
        let place = paths.first().map_or_else(PathBuf::new, PathBuf::clone);
        return Err(Error::file(
            place,
            "no NIfTI, GIFTI or FreeSurfer file is here: name one",
        )
        .into());
    };
    let name = if files.len() == 1 {
        file_stem(first)
    } else {
        format!("{} and {} more", file_stem(first), files.len() - 1)
    };
    let mut loose = Loose::default();
    for (index, path) in files.iter().enumerate() {
        run.check()?;
        run.progress(index, files.len());
        loose.add(path, run)?;
    }
    loose.settle_anatomy();
    loose.check_placement()?;
    let mut sheets = surfaces::assemble(&loose.sheets);
    loose.lay_cifti_on(&mut sheets);
    let mut subject = loose.subject;
    subject.id = "01".into();
    subject.surfaces = sheets;
    if subject.surfaces.is_empty() && !loose.sheets.is_empty() {
        loose
            .assumptions
            .push("no surface to draw the shading or labels on: add one".into());
    }
    let mut digest = EventsDigest::default();
    for bold in &subject.runs {
        if let Some(table) = bold.events.as_ref().and_then(Source::path) {
            digest.add(table)?;
        }
    }
    let mut assumptions = loose.assumptions;
    let stimuli = digest
        .shown()
        .iter()
        .map(|shown| stimuli::nameless(&shown.id))
        .collect();
    assumptions.extend(digest.assumptions);
    Ok(Study {
        name,
        root: None,
        stimuli,
        subjects: vec![subject],
        assumptions,
    })
}

/// How much a single volume looks like a brain rather than a map; likelier ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AnatomyLikeness {
    /// Its name says so.
    ByName,
    /// No value is negative.
    Plain,
    /// Some are, as in a statistic.
    Signed,
}

/// What the files seen so far amount to.
#[derive(Default)]
struct Loose {
    subject: Subject,
    sheets: Vec<(PathBuf, Hemisphere, SheetPart)>,
    /// The first file of each side and its vertices, which all others must have as well.
    n_vertices: BTreeMap<Hemisphere, (PathBuf, usize)>,
    /// Surfaces that lie where the brain does, to be held against the volumes.
    anatomical: Vec<(PathBuf, Surface)>,
    /// What CIFTI files hold.
    cifti: Vec<OnSheet>,
    /// Single volumes that are neither masks nor atlases.
    volumes: Vec<(AnatomyLikeness, PathBuf)>,
    assumptions: Vec<String>,
}

/// Maps and labels of one hemisphere.
struct OnSheet {
    path: PathBuf,
    side: Hemisphere,
    maps: Vec<VertexMap>,
    labels: Option<VertexLabels>,
}

impl Loose {
    fn add(&mut self, path: &Path, run: &Run<'_>) -> Result<(), Stop> {
        if hdf5::is_hdf5(path)? || mat::is_mat(path)? {
            return Err(is_array(path).into());
        }
        let taken_as = match detect::kind(path)? {
            Kind::Nifti => self.add_volume(path, run)?,
            Kind::Mgh if roles::is_sheet_map(path)? => Some(self.add_sheet(path, None, run)?),
            Kind::Mgh => self.add_volume(path, run)?,
            Kind::GiftiSurface
            | Kind::GiftiMap
            | Kind::GiftiLabels
            | Kind::FreesurferSurface
            | Kind::FreesurferMap
            | Kind::FreesurferAnnot => Some(self.add_sheet(path, surfaces::part_of(path), run)?),
            Kind::Cifti => Some(self.add_cifti(path, run)?),
            Kind::FreesurferLabel | Kind::FreesurferPatch => {
                Some("a piece of a surface, left out: drop the whole surface".to_owned())
            }
            Kind::Table => Some("read with the file that it describes".to_owned()),
            Kind::Picture => Some("a picture, left out: stimuli come with a study".to_owned()),
            Kind::Npy | Kind::Npz => {
                return Err(is_array(path).into());
            }
        };
        if let Some(taken_as) = taken_as {
            self.assumptions
                .push(format!("{}: {taken_as}", file_name(path)));
        }
        Ok(())
    }

    /// `None` for a single volume, which [`Self::settle_anatomy`] speaks of.
    fn add_volume(&mut self, path: &Path, run: &Run<'_>) -> Result<Option<String>, Stop> {
        let n_times = head_of(path)?.n_volumes;
        if n_times > 1 {
            self.subject
                .runs
                .push(loose_run(path, self.subject.runs.len()));
            return Ok(Some(format!("{n_times} volumes, taken as a BOLD run")));
        }
        let (role, _) = roles::of_volume(path, run)?;
        let likeness = match role {
            VolumeRole::Mask => {
                self.subject.masks.push(named(path));
                return Ok(Some("taken as a mask (inside is above 0.5)".into()));
            }
            VolumeRole::Atlas(table) => {
                self.subject.atlases.push(named(path));
                return Ok(Some(match table {
                    Some(table) => {
                        format!("taken as an atlas, with names from {}", file_name(&table))
                    }
                    None => "whole numbers in patches, taken as an atlas".into(),
                }));
            }
            VolumeRole::Anatomy => AnatomyLikeness::ByName,
            VolumeRole::Plain => AnatomyLikeness::Plain,
            VolumeRole::Signed => AnatomyLikeness::Signed,
        };
        self.volumes.push((likeness, path.to_path_buf()));
        Ok(None)
    }

    /// Takes the likeliest single volume as the anatomy and lists the others with the masks.
    fn settle_anatomy(&mut self) {
        // A stable sort: the first of equals stays first.
        self.volumes.sort_by_key(|(likeness, _)| *likeness);
        for (index, (_, path)) in self.volumes.iter().enumerate() {
            let taken_as = if index == 0 {
                self.subject.anatomy = Some(Source::File(path.clone()));
                "taken as the anatomy"
            } else {
                self.subject.masks.push(named(path));
                "listed with the masks (inside is above 0.5)"
            };
            self.assumptions
                .push(format!("{}: {taken_as}", file_name(path)));
        }
    }

    fn add_sheet(
        &mut self,
        path: &Path,
        by_name: Option<SheetPart>,
        run: &Run<'_>,
    ) -> Result<String, Stop> {
        let (part, side_inside, n_vertices) = match (detect::kind(path)?, by_name) {
            (Kind::GiftiSurface | Kind::FreesurferSurface, by_name) => {
                let surface = Surface::load(path, run)?;
                let part = by_name.filter(|part| matches!(part, SheetPart::Shape(_)));
                let part = part.unwrap_or(SheetPart::Shape(Shape::Pial));
                if let SheetPart::Shape(Shape::White | Shape::Midthickness | Shape::Pial) = part {
                    self.anatomical.push((path.to_path_buf(), surface.clone()));
                }
                (part, surface.hemisphere, surface.vertices.len())
            }
            (Kind::GiftiLabels | Kind::FreesurferAnnot, _) => (
                SheetPart::Labels,
                None,
                VertexLabels::load(path, run)?.keys.len(),
            ),
            (_, by_name) => {
                let part = by_name
                    .filter(|part| matches!(part, SheetPart::SulcalDepth | SheetPart::Curvature))
                    .unwrap_or(SheetPart::Map);
                (part, None, VertexMap::load(path, run)?.values.len())
            }
        };
        let side = surfaces::hemisphere_of(path).or(side_inside).ok_or_else(|| {
            let problem = "neither its name nor its content says which side of the brain it is: put lh, rh, left or right in the name";
            Error::file(path, problem)
        })?;
        let what = format!("{} {}", side_text(side), part_text(part));
        if let Some((first, n_first)) = self.n_vertices.get(&side).filter(|(_, n)| *n != n_vertices)
        {
            let problem = format!(
                "the {what} has {n_vertices} vertices, but {} has {n_first}: open only files of one surface together",
                file_name(first)
            );
            return Err(Error::file(path, problem).into());
        }
        self.n_vertices
            .entry(side)
            .or_insert((path.to_path_buf(), n_vertices));
        if let Some((first, ..)) = self
            .sheets
            .iter()
            .find(|(_, s, p)| (*s, *p) == (side, part) && part != SheetPart::Map)
        {
            return Ok(format!(
                "left out, for {} is the {what} already",
                file_name(first)
            ));
        }
        self.sheets.push((path.to_path_buf(), side, part));
        Ok(match part {
            SheetPart::Map => format!("taken as a {what}"),
            _ => format!("taken as the {what}"),
        })
    }

    /// Maps and labels of both hemispheres, read here, for they share one file.
    fn add_cifti(&mut self, path: &Path, run: &Run<'_>) -> Result<String, Stop> {
        const MOST_MAPS: usize = 20;
        let file = cifti::read(path, run)?;
        let mut said = Vec::new();
        for side in file.hemispheres() {
            let mut on_sheet = OnSheet {
                path: path.to_path_buf(),
                side,
                maps: Vec::new(),
                labels: None,
            };
            if matches!(file.maps, Maps::Labels(_)) {
                on_sheet.labels = Some(file.surface_labels(side, 0)?);
                said.push(format!("{} parcellation", side_text(side)));
            } else {
                for map in 0..file.n_maps().min(MOST_MAPS) {
                    on_sheet.maps.push(file.surface_map(side, map)?);
                }
                said.push(format!("{} {} maps", on_sheet.maps.len(), side_text(side)));
            }
            self.cifti.push(on_sheet);
        }
        Ok(match said.as_slice() {
            [] => "has no values on the cortex: left out".to_owned(),
            said => format!("taken as the {}", said.join(" and the ")),
        })
    }

    /// Lays what CIFTI files hold on the sheets with as many vertices.
    fn lay_cifti_on(&mut self, sheets: &mut [CorticalSurface]) {
        for part in std::mem::take(&mut self.cifti) {
            let n = part.maps.first().map(|map| map.values.len());
            let n = n
                .or(part.labels.as_ref().map(|labels| labels.keys.len()))
                .unwrap_or(0);
            let n_sheet = self.n_vertices.get(&part.side).map(|(_, n)| *n);
            let sheet = sheets
                .iter_mut()
                .find(|sheet| sheet.hemisphere == part.side);
            let Some(sheet) = sheet.filter(|_| n_sheet == Some(n)) else {
                self.assumptions.push(format!(
                    "{}: no {} surface of {n} vertices is here to show it on: add one of the same mesh",
                    file_name(&part.path),
                    side_text(part.side)
                ));
                continue;
            };
            sheet.maps.extend(part.maps.into_iter().map(|map| Named {
                name: map.name.clone(),
                entities: Entities::new(),
                source: Source::Memory(Arc::new(map)),
            }));
            if let Some(labels) = part.labels {
                sheet.labels = sheet
                    .labels
                    .take()
                    .or(Some(Source::Memory(Arc::new(labels))));
            }
        }
    }

    /// Says which surfaces lie outside the anatomy, or else the first run.
    fn check_placement(&mut self) -> Result<(), Stop> {
        let runs = self.subject.runs.iter().filter_map(|run| run.bold.path());
        let anatomy = self.subject.anatomy.as_ref().and_then(Source::path);
        let Some(volume) = anatomy.or(runs.into_iter().next()) else {
            return Ok(());
        };
        let grid = head_of(volume)?.grid;
        let warnings = self.anatomical.iter().filter_map(|(path, surface)| {
            placement::surface_fits(surface, &grid).warning(&file_name(path), &file_name(volume))
        });
        self.assumptions.extend(warnings.collect::<Vec<_>>());
        Ok(())
    }
}

fn named<T>(path: &Path) -> Named<T> {
    Named {
        name: file_stem(path),
        entities: Entities::new(),
        source: Source::File(path.to_path_buf()),
    }
}

/// A run with the events table beside it, if there is one.
fn loose_run(path: &Path, n_before: usize) -> BoldRun {
    let entities = BidsName::parse(&file_name(path))
        .map(|name| name.entities)
        .unwrap_or_default();
    // One table serves every version of a run.
    let of_run = |key: &str| !matches!(key, "space" | "desc" | "res" | "den");
    let stem = file_stem(path);
    let events = [
        stem.trim_end_matches("_bold"),
        entity_text(&entities, of_run).as_str(),
    ]
    .map(|stem| path.with_file_name(format!("{stem}_events.tsv")))
    .into_iter()
    .find(|events| events.is_file());
    let of_this_run = entity_text(&entities, of_run);
    let confounds = path.with_file_name(format!("{of_this_run}_desc-confounds_timeseries.tsv"));
    BoldRun {
        label: format!("{:02}", n_before + 1),
        session: String::new(),
        entities,
        tr_secs: None,
        bold: Source::File(path.to_path_buf()),
        events: events.map(Source::File),
        confounds: confounds.is_file().then_some(Source::File(confounds)),
    }
}

fn is_imaging_name(path: &Path) -> bool {
    const ENDINGS: [&str; 6] = [".nii", ".nii.gz", ".gii", ".gii.gz", ".mgh", ".mgz"];
    let name = file_name(path).to_lowercase();
    let by_ending = ENDINGS.iter().any(|end| name.ends_with(end));
    let freesurfer =
        || surfaces::part_of(path).is_some_and(|part| surfaces::is_freesurfer(path, part));
    path.is_file() && (by_ending || freesurfer())
}

fn is_array(path: &Path) -> Error {
    Error::file(
        path,
        "holds arrays of numbers: name one as betas in a study.toml and open that",
    )
}

fn side_text(side: Hemisphere) -> &'static str {
    match side {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    }
}

fn part_text(part: SheetPart) -> &'static str {
    match part {
        SheetPart::Shape(Shape::White) => "white surface",
        SheetPart::Shape(Shape::Midthickness) => "midthickness surface",
        SheetPart::Shape(Shape::Pial) => "pial surface",
        SheetPart::Shape(Shape::Inflated) => "inflated surface",
        SheetPart::Shape(Shape::Sphere) => "sphere",
        SheetPart::Shape(Shape::Flat) => "flat map",
        SheetPart::SulcalDepth => "sulcal depth",
        SheetPart::Curvature => "curvature",
        SheetPart::Labels => "parcellation",
        SheetPart::Map => "map over its vertices",
    }
}
