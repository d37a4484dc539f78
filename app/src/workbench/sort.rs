//! Files that come together, told apart: which are opened, which lie over what is open, which cannot be used.

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::study::Load;
use fusiform_pipelines::study::roles::{self, Role, VolumeRole};
use fusiform_pipelines::surface::Surface;
use fusiform_pipelines::{Run, Stop};

use crate::brain::Brain;
use crate::map_files::settle_side;

/// Folders, study files and saved views.
pub(super) fn is_opened_alone(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    path.is_dir() || matches!(ending.as_deref(), Some("json" | "toml"))
}

/// Whether a file is a FreeSurfer label: some vertices of a surface.
pub(super) fn is_label(path: &Path) -> bool {
    matches!(detect::kind(path), Ok(Kind::FreesurferLabel))
}

/// Whether a file needs a surface to lie on.
pub(super) fn lies_on_sheet(path: &Path, role: &Role) -> bool {
    match role {
        Role::Labels | Role::Shading | Role::SheetMap | Role::Grayordinates => true,
        Role::Other(_) => is_label(path),
        _ => false,
    }
}

/// Whether files are a subject of their own rather than parts of the one that is open: a run or an anatomy is among
/// them, or surfaces that do not fit the demo, which nobody means to add to.
pub(super) fn opens(
    files: &[(PathBuf, Role)],
    open: &Brain,
    is_demo: bool,
    run: &Run<'_>,
) -> Result<bool, Stop> {
    for (path, role) in files {
        match role {
            Role::Run | Role::Volume(VolumeRole::Anatomy, _) => return Ok(true),
            Role::Surface(_) if is_demo => {
                let Ok(surface) = Surface::load(path, run) else {
                    continue;
                };
                let Ok(side) = settle_side(path, surface.hemisphere) else {
                    continue;
                };
                let here = open.hemispheres.iter().find(|h| h.side == side);
                if here.is_none_or(|h| h.n_vertices() != surface.vertices.len()) {
                    return Ok(true);
                }
            }
            _ => {}
        }
    }
    Ok(false)
}

/// Loose files that are opened together: the body of a study, and what lies over it. Without a body all of them are.
/// What cannot be used is said and left out, unless nothing else is there.
pub(super) fn split(
    paths: &[PathBuf],
    run: &Run<'_>,
) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Stop> {
    let mut unusable = Vec::new();
    let files = roles_of(paths, &mut unusable, run)?;
    let has_surface = files
        .iter()
        .any(|(_, role)| matches!(role, Role::Surface(_)));
    let (mut body, mut over) = (Vec::new(), Vec::new());
    for (path, role) in files {
        match role {
            Role::Volume(VolumeRole::Signed, _)
            | Role::SheetMap
            | Role::Grayordinates
            | Role::Table => over.push(path),
            // Each by itself, so that one that does not fit is not the end of all.
            Role::Labels if has_surface => over.push(path),
            Role::Other(_) if is_label(&path) => over.push(path),
            Role::Other(what) => {
                unusable.push(format!("{}: is not shown: it is {what}", path.display()));
            }
            _ => body.push(path),
        }
    }
    body.extend(paths.iter().filter(|path| path.is_dir()).cloned());
    if body.is_empty() && over.is_empty() {
        // The error of opening them names the first.
        return Ok((paths.to_vec(), Vec::new()));
    }
    for sentence in unusable {
        run.warn(sentence);
    }
    Ok(if body.is_empty() {
        (over, Vec::new())
    } else {
        (body, over)
    })
}

/// What each file is; folders are left out, and why others are is said.
pub(super) fn roles_of(
    paths: &[PathBuf],
    refused: &mut Vec<String>,
    run: &Run<'_>,
) -> Result<Vec<(PathBuf, Role)>, Stop> {
    run.stage("looking into the files");
    let mut known = Vec::new();
    for (n, path) in paths.iter().enumerate() {
        run.check()?;
        run.progress(n, paths.len());
        if path.is_dir() {
            continue;
        }
        match roles::of(path, run) {
            Ok(role) => known.push((path.clone(), role)),
            Err(Stop::Failed(error)) => refused.push(error.to_string()),
            Err(stop) => return Err(stop),
        }
    }
    Ok(known)
}
