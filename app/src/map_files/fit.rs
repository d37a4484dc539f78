//! Whether files of values fit the surfaces: which side each is of, and what is said when the numbers of vertices differ.

use std::path::Path;

use anyhow::Context;
use fusiform_pipelines::io::cifti;
use fusiform_pipelines::io::gifti::{self, hemisphere_in_name};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::surface::Hemisphere;

use crate::brain::HemisphereShapes;

/// Which side a file is of: what it says, else its name, else that of its folder, else what a GIFTI file has inside.
pub(crate) fn settle_side(path: &Path, known: Option<Hemisphere>) -> anyhow::Result<Hemisphere> {
    known
        .or_else(|| hemisphere_in_name(&file_name(path)))
        .or_else(|| {
            // Names such as `fsa5_lh_aparc.annot` and folders such as `lh/`.
            let folder = path.parent()?.file_name()?;
            hemisphere_in_name(&folder.to_string_lossy())
        })
        .or_else(|| gifti::read_hemisphere(path).ok().flatten())
        .with_context(|| {
            format!(
                "{}: its name does not say which side of the brain it is; put lh, rh, left or right in the name",
                path.display()
            )
        })
}

/// The sides that a CIFTI file has, each with the side it is shown on. A file that covers one side alone, and another than
/// its name says, is taken for what its name says: a name is easily mended, and files are about that were made of a right
/// side and call it left.
pub(super) fn sides_of(
    path: &Path,
    file: &cifti::Cifti,
    run: &Run<'_>,
) -> Vec<(Hemisphere, Hemisphere)> {
    let found = file.hemispheres();
    let named = hemisphere_in_name(&file_name(path));
    if let (&[inside], Some(named)) = (found.as_slice(), named)
        && inside != named
    {
        let word = side_name(named);
        run.warn(format!(
            "{}: calls its structure CORTEX_{} inside, but its name says {word}; it is shown on the {word} hemisphere: rename \
             it if that is wrong",
            path.display(),
            side_name(inside).to_uppercase(),
        ));
        return vec![(inside, named)];
    }
    found.into_iter().map(|side| (side, side)).collect()
}

/// The hemisphere of that side, if it has as many vertices.
pub(crate) fn hemisphere_for(
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
            "{}: has {n} values for the {side_word} hemisphere, of which there is no surface; add {fits} (--surfaces, or drop them on the window)",
            path.display()
        );
    };
    let have = hemispheres[at].n_vertices();
    if have == n {
        return Ok(at);
    }
    let surface = surface_name(&hemispheres[at]);
    let other = hemispheres.iter().find(|h| h.n_vertices() == n);
    let other = other.map_or_else(String::new, |h| {
        let word = side_name(h.side);
        format!(
            "; {} has {n}: name the file as of the {word} side if it is",
            surface_name(h)
        )
    });
    anyhow::bail!(
        "{}: has {n} values, but {surface} has {have} vertices{}; what fits are {fits}, or a file of {have} values{other}",
        path.display(),
        in_mesh(have)
    )
}

/// The hemisphere of a list of vertices, the highest of which is `last`.
pub(super) fn hemisphere_with(
    path: &Path,
    side: Hemisphere,
    last: u32,
    hemispheres: &[HemisphereShapes],
) -> anyhow::Result<usize> {
    let word = side_name(side);
    let Some(at) = hemispheres.iter().position(|h| h.side == side) else {
        anyhow::bail!(
            "{}: lists vertices of the {word} hemisphere, of which there is no surface; add the one it was drawn on \
             (--surfaces)",
            path.display()
        );
    };
    let have = hemispheres[at].n_vertices();
    anyhow::ensure!(
        (last as usize) < have,
        "{}: lists the vertex {last}, but {} has {have} vertices{}; what fits is the surface it was drawn on, of more than \
         {last} vertices",
        path.display(),
        surface_name(&hemispheres[at]),
        in_mesh(have)
    );
    Ok(at)
}

/// What errors call a hemisphere: its file, where it has one.
fn surface_name(hemisphere: &HemisphereShapes) -> String {
    hemisphere.file.as_ref().map_or_else(
        || format!("the {} surface of the study", side_name(hemisphere.side)),
        |file| file.display().to_string(),
    )
}

/// The name of the mesh of so many vertices, in brackets.
fn in_mesh(n: usize) -> String {
    mesh_name(n).map_or_else(String::new, |mesh| format!(" ({mesh})"))
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

pub(crate) fn side_name(side: Hemisphere) -> &'static str {
    match side {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
