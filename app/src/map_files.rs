//! Files of maps and of regions, read and held against the surfaces they must fit.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::io::freesurfer::{self, mgh};
use fusiform_pipelines::io::gifti::{self, hemisphere_in_name};
use fusiform_pipelines::io::{cifti, nifti};
use fusiform_pipelines::parcels::{self, RegionValues};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::surface::{Hemisphere, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Volume};

use crate::brain::HemisphereShapes;

/// Numbers on the vertices of hemispheres.
pub type SheetValues = Vec<(Hemisphere, Arc<[f32]>)>;

/// A map of a file.
#[derive(Clone, Debug, Default)]
pub struct FileMap {
    /// Its own name, where the file gives it one.
    pub name: String,
    /// Its numbers on a grid.
    pub volume: Option<Arc<Volume>>,
    /// Its numbers on the vertices of hemispheres.
    pub sheet: SheetValues,
}

/// Reads the maps of a file: all of them up to `most`, or the one of a number from 1. A sheet's maps are held against the
/// surfaces.
///
/// # Errors
/// Names the file that is no map or does not fit, the surface it does not fit, both counts, and what would fit.
pub fn read_maps(
    path: &Path,
    surfaces: &[HemisphereShapes],
    number: Option<usize>,
    most: usize,
    run: &Run<'_>,
) -> anyhow::Result<Vec<FileMap>> {
    let of_volume = |volume| FileMap {
        volume: Some(Arc::new(volume)),
        ..FileMap::default()
    };
    let of_vertices = |maps: Vec<fusiform_pipelines::surface::VertexMap>| {
        let side = settle_side(path, None)?;
        let chosen = pick(path, maps.len(), number, most)?;
        let maps = maps.into_iter().enumerate();
        let maps = maps.filter(|(n, _)| chosen.contains(n));
        let maps: Vec<FileMap> = maps
            .map(|(_, map)| FileMap {
                name: map.name,
                volume: None,
                sheet: vec![(side, map.values)],
            })
            .collect();
        anyhow::Ok(maps)
    };
    let maps = match detect::kind(path)? {
        Kind::Nifti => vec![of_volume(nifti::read_volume(path, run)?)],
        Kind::Mgh => match mgh::read_map(path, run) {
            Ok(maps) => of_vertices(maps)?,
            Err(_) => vec![of_volume(mgh::read_volume(path, run)?)],
        },
        Kind::GiftiMap => of_vertices(gifti::read_map(path)?)?,
        Kind::FreesurferMap => of_vertices(vec![freesurfer::read_curv(path)?])?,
        Kind::Cifti => {
            let file = cifti::read(path, run)?;
            let chosen = pick(path, file.n_maps(), number, most)?;
            let read = |map: usize| {
                let sides = file.hemispheres().into_iter();
                let sheet = sides.map(|side| Ok((side, file.surface_map(side, map)?.values)));
                anyhow::Ok(FileMap {
                    name: file.map_name(map),
                    volume: file.volume(map).ok().map(Arc::new),
                    sheet: sheet.collect::<anyhow::Result<_>>()?,
                })
            };
            chosen.map(read).collect::<anyhow::Result<_>>()?
        }
        other => anyhow::bail!(
            "{}: holds no map ({other:?}); name a volume, .func.gii, .mgh, curvature or .dscalar.nii file; regions of a \
             surface are .annot, .label.gii and .dlabel.nii files",
            path.display()
        ),
    };
    for (side, values) in maps.iter().flat_map(|map| &map.sheet) {
        hemisphere_for(path, *side, values.len(), surfaces)?;
    }
    Ok(maps)
}

fn pick(
    path: &Path,
    n_maps: usize,
    number: Option<usize>,
    most: usize,
) -> anyhow::Result<std::ops::Range<usize>> {
    match number {
        None => Ok(0..n_maps.min(most)),
        Some(number) if (1..=n_maps).contains(&number) => Ok(number - 1..number),
        Some(_) => anyhow::bail!(
            "{}: holds {n_maps} maps; choose one of 1 to {n_maps} with --map-number",
            path.display()
        ),
    }
}

/// Takes zeros among positive values for "no value": thickness and its like are 0 on the medial wall.
pub(crate) fn leave_out_zeros(sides: &mut [(Hemisphere, Arc<[f32]>)], run: &Run<'_>) {
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

/// Reads a parcellation: the regions of each hemisphere, which is that many of `surfaces`.
pub(crate) fn read_regions(
    path: &Path,
    surfaces: &[HemisphereShapes],
    run: &Run<'_>,
) -> anyhow::Result<Vec<(usize, Arc<VertexLabels>)>> {
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
    let mut laid = Vec::new();
    for (side, labels) in found {
        let side = settle_side(path, side)?;
        let at = hemisphere_for(path, side, labels.keys.len(), surfaces)?;
        laid.push((at, Arc::new(labels)));
    }
    Ok(laid)
}

/// Which side a file is of: what it says, else its name, else that of its folder.
pub(crate) fn settle_side(path: &Path, known: Option<Hemisphere>) -> anyhow::Result<Hemisphere> {
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

/// Paints a table of region values on the parcellations there are: on the grid of the atlas, and on the hemispheres that
/// have regions. Also gives the rows that none of them has.
///
/// # Errors
/// When there is no parcellation, or no row matches: the text lists what did not match and what there is.
pub(crate) fn paint(
    path: &Path,
    values: &RegionValues,
    atlas: Option<&Atlas>,
    surfaces: &[HemisphereShapes],
) -> anyhow::Result<(FileMap, Option<String>)> {
    let mut map = FileMap {
        name: values.name.clone(),
        ..FileMap::default()
    };
    let mut unmatched: Option<Vec<String>> = None;
    let mut regions = Vec::new();
    let mut note = |new: Vec<String>| {
        unmatched = Some(match unmatched.take() {
            None => new,
            Some(old) => old.into_iter().filter(|name| new.contains(name)).collect(),
        });
    };
    if let Some(atlas) = atlas {
        let found = parcels::matched(values, &atlas.regions, None);
        if !found.values.is_empty() {
            map.volume = Some(Arc::new(parcels::painted_volume(atlas, &found.values)));
        }
        note(found.unmatched);
        regions.extend(atlas.regions.iter().cloned());
    }
    for hemisphere in surfaces {
        let Some(labels) = &hemisphere.labels else {
            continue;
        };
        let found = parcels::matched(values, &labels.regions, Some(hemisphere.side));
        if !found.values.is_empty() {
            let painted = parcels::painted_sheet(labels, &found.values, &values.name);
            map.sheet.push((hemisphere.side, painted.values));
        }
        note(found.unmatched);
        for region in &labels.regions {
            if !regions.iter().any(|there| there.name == region.name) {
                regions.push(region.clone());
            }
        }
    }
    let Some(unmatched) = unmatched else {
        anyhow::bail!(
            "{}: holds values of regions, but there is no parcellation to paint: add an atlas (--atlas), or the regions \
             of surfaces (--parcellation), or drop them on the window first",
            path.display()
        );
    };
    let sentence = (!unmatched.is_empty()).then(|| {
        let sentence = parcels::unmatched_sentence(&unmatched, &regions);
        format!("{}: {sentence}", path.display())
    });
    if let (None, true, Some(sentence)) = (&map.volume, map.sheet.is_empty(), &sentence) {
        anyhow::bail!("{sentence}: correct the names");
    }
    Ok((map, sentence))
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
