//! The folders of the Natural Scenes Dataset (Allen et al. 2022): betas a session, no BOLD.
//!
//! ```text
//! nsddata/experiments/nsd/nsd_expdesign.mat           who saw what when
//! nsddata/ppdata/subj01/func1pt8mm/roi/*.nii.gz       regions, and nsdgeneral
//! nsddata/ppdata/subj01/func1pt8mm/T1_to_func1pt8mm.nii.gz
//! nsddata/freesurfer/subj01/{surf,label}/             surfaces, names of the regions
//! nsddata_betas/ppdata/subj01/func1pt8mm/betas_*/betas_session01.{hdf5,nii.gz,mat}
//! nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5        73 000 pictures in one array
//! ```
//!
//! What is there is used; any part but the design and one subject's betas may be missing.

mod design;
mod sessions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;
use crate::io::hdf5;
use crate::run::{Run, Stop};
use crate::study::names::{file_name, file_stem, natural_order};
use crate::study::tree::list_folder;
use crate::study::{Entities, Named, ReadyBetas, Source, Stimulus, Study, Subject, surfaces};

use design::Design;
pub use sessions::Sessions;

/// Versions of the betas, best first: the choice where several are there.
const VERSIONS: [&str; 3] = [
    "betas_fithrf_GLMdenoise_RR",
    "betas_fithrf",
    "betas_assumehrf",
];

/// Grids of the betas, the smaller files first.
const GRIDS: [&str; 2] = ["func1pt8mm", "func1mm"];

/// Whether the folder is laid out like NSD.
pub(super) fn is_nsd(path: &Path) -> bool {
    path.join("nsddata").is_dir() && path.join("nsddata_betas").join("ppdata").is_dir()
}

/// Opens the folder: the design and headers are read, no betas.
///
/// # Errors
/// When the design is missing or damaged, no subject has betas, or the head of a session's file
/// cannot be read.
pub fn open(path: &Path, run: &Run<'_>) -> Result<Study, Stop> {
    run.stage("reading the folders of NSD");
    let path = std::path::absolute(path).map_err(|source| Error::io(path, source))?;
    let design = Design::read(&path.join("nsddata/experiments/nsd/nsd_expdesign.mat"))?;
    let mut assumptions = vec![
        "NSD: a session counts as a run, so folds leave sessions out".to_owned(),
        "NSD: the condition of a trial says whether its picture is one of the shared 1000"
            .to_owned(),
    ];
    let mut subjects = Vec::new();
    for folder in list_folder(&path.join("nsddata_betas/ppdata"))? {
        run.check()?;
        let number = file_name(&folder)
            .strip_prefix("subj")
            .and_then(|n| n.parse::<usize>().ok());
        if let Some(number) = number {
            subjects.extend(subject(&path, &folder, number, &design, &mut assumptions)?);
        }
    }
    if subjects.is_empty() {
        let problem = "no betas_session files are in it: put nsddata_betas/ppdata/subj01/func1pt8mm/betas_*/ there";
        return Err(Error::file(&path, problem).into());
    }
    let stimuli = stimuli(&path, &subjects, &mut assumptions)?;
    Ok(Study {
        name: file_name(&path),
        root: Some(path),
        subjects,
        stimuli,
        assumptions,
    })
}

/// One subject; `None` without betas.
fn subject(
    root: &Path,
    betas: &Path,
    number: usize,
    design: &Design,
    assumptions: &mut Vec<String>,
) -> Result<Option<Subject>, Error> {
    let name = file_name(betas);
    let Some((grid_name, version)) = choose_version(betas, &name, assumptions)? else {
        return Ok(None);
    };
    let ppdata = root.join("nsddata/ppdata").join(&name).join(grid_name);
    let (masks, atlases) = regions(&ppdata.join("roi"))?;
    let anatomy = ["T1_to_func1pt8mm.nii.gz", "T1_to_func1mm.nii.gz"]
        .map(|name| ppdata.join(name))
        .into_iter()
        .find(|path| path.is_file());
    let placed_by = masks
        .iter()
        .map(|mask| &mask.source)
        .filter_map(Source::path)
        .chain(atlases.iter().filter_map(|atlas| atlas.source.path()))
        .next();
    let usual_mask = masks
        .iter()
        .find(|mask| mask.name == "nsdgeneral")
        .map(|m| m.source.clone());
    let sessions = Sessions::index(
        &version,
        &name,
        number,
        design,
        placed_by,
        usual_mask,
        assumptions,
    )?;
    let surf = root.join("nsddata/freesurfer").join(&name).join("surf");
    Ok(Some(Subject {
        id: name,
        anatomy: anatomy.map(Source::File),
        masks,
        atlases,
        surfaces: if surf.is_dir() {
            surfaces::of_folder(&surf)?
        } else {
            Vec::new()
        },
        betas: Some(ReadyBetas::Sessions(Arc::new(sessions))),
        ..Subject::default()
    }))
}

/// The grid and the folder of the best version of the betas that has sessions.
fn choose_version(
    betas: &Path,
    subject: &str,
    assumptions: &mut Vec<String>,
) -> Result<Option<(&'static str, PathBuf)>, Error> {
    for grid in GRIDS {
        let folder = betas.join(grid);
        if !folder.is_dir() {
            continue;
        }
        let mut versions: Vec<PathBuf> = list_folder(&folder)?
            .into_iter()
            .filter(|path| path.is_dir() && file_name(path).starts_with("betas_"))
            .collect();
        let rank = |path: &PathBuf| {
            VERSIONS
                .iter()
                .position(|v| *v == file_name(path))
                .unwrap_or(VERSIONS.len())
        };
        versions.sort_by_key(rank);
        versions.retain(|path| sessions::files(path).is_ok_and(|files| !files.is_empty()));
        if let [first, others @ ..] = versions.as_slice() {
            if !others.is_empty() {
                let others: Vec<String> = others.iter().map(|path| file_name(path)).collect();
                assumptions.push(format!(
                    "{subject}: {} are used, and not {}",
                    file_name(first),
                    others.join(", ")
                ));
            }
            return Ok(Some((grid, first.clone())));
        }
    }
    Ok(None)
}

type Regions = (
    Vec<Named<crate::volume::Volume>>,
    Vec<Named<crate::volume::Atlas>>,
);

/// Region volumes of both hemispheres: `nsdgeneral` and other plain selections are masks, the rest
/// atlases. Files of one hemisphere repeat what those of both hold.
fn regions(folder: &Path) -> Result<Regions, Error> {
    let (mut masks, mut atlases) = (Vec::new(), Vec::new());
    if !folder.is_dir() {
        return Ok((masks, atlases));
    }
    for path in list_folder(folder)? {
        let name = file_stem(&path);
        let file = file_name(&path);
        let is_volume = file.ends_with(".nii") || file.ends_with(".nii.gz");
        if !is_volume || name.starts_with("lh.") || name.starts_with("rh.") {
            continue;
        }
        let source = path.clone();
        if matches!(name.as_str(), "nsdgeneral" | "brainmask") {
            masks.push(Named {
                name,
                entities: Entities::new(),
                source: Source::File(source),
            });
        } else {
            atlases.push(Named {
                name,
                entities: Entities::new(),
                source: Source::File(source),
            });
        }
    }
    Ok((masks, atlases))
}

/// Every picture that a trial shows, from the one array of all 73 000, read a picture at a time.
fn stimuli(
    root: &Path,
    subjects: &[Subject],
    assumptions: &mut Vec<String>,
) -> Result<Vec<Stimulus>, Error> {
    let trials = subjects
        .iter()
        .filter_map(|s| s.betas.as_ref())
        .flat_map(ReadyBetas::trials);
    let ids: BTreeSet<&str> = trials
        .filter_map(|trial| trial.stimulus.as_deref())
        .collect();
    let brick = root.join("nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5");
    let n_pictures = if brick.is_file() {
        let file = hdf5::open(&brick)?;
        let array = file.array("imgBrick")?;
        array.dims().first().copied().unwrap_or(0)
    } else {
        assumptions.push(
            "no nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5: the stimuli have no pictures"
                .to_owned(),
        );
        0
    };
    let mut ids: Vec<&str> = ids.into_iter().collect();
    ids.sort_by(|a, b| natural_order(a, b));
    let stimulus = |id: &str| {
        let index = design::picture_index(id).filter(|&index| index < n_pictures);
        Stimulus {
            id: id.to_owned(),
            image: index.map(|index| Source::Entry {
                path: brick.clone(),
                index,
            }),
            caption: None,
            category: None,
        }
    };
    Ok(ids.into_iter().map(stimulus).collect())
}
