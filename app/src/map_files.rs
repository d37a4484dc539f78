//! Files of maps and of regions, read and held against the surfaces they must fit.

mod fit;
mod said;

use std::path::Path;
use std::sync::Arc;

use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::io::freesurfer::{self, mgh};
use fusiform_pipelines::io::{atlas, cifti, gifti, nifti, npy};
use fusiform_pipelines::parcels::{self, RegionValues};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::surface::{Hemisphere, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Region, Volume};

use crate::brain::HemisphereShapes;
use crate::presets::told;
pub(crate) use fit::{file_name, hemisphere_for, settle_side, side_name};
use fit::{hemisphere_with, sides_of};
pub(crate) use said::{says_signed, title, without_sides};

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
    /// What its numbers stand for, where they are keys of regions.
    pub regions: Vec<Region>,
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
    let of_vertices = |maps: Vec<VertexMap>| {
        let side = settle_side(path, None)?;
        let chosen = pick(path, maps.len(), number, most)?;
        let maps = maps.into_iter().enumerate();
        let maps = maps.filter(|(n, _)| chosen.contains(n));
        let maps: Vec<FileMap> = maps
            .map(|(_, map)| FileMap {
                name: map.name,
                sheet: vec![(side, map.values)],
                ..FileMap::default()
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
        Kind::Npy => {
            let array = npy::read(path)?;
            if array.n_rows > 1 && array.n_cols > 1 {
                anyhow::bail!(
                    "{}: is an array of {} × {} numbers; a map on vertices is one number a vertex: save one of its columns",
                    path.display(),
                    array.n_rows,
                    array.n_cols
                );
            }
            of_vertices(vec![VertexMap {
                name: String::new(),
                values: array.values.into(),
            }])?
        }
        Kind::Cifti => {
            let file = cifti::read(path, run)?;
            let chosen = pick(path, file.n_maps(), number, most)?;
            let sides = sides_of(path, &file, run);
            let read = |map: usize| {
                let sheet = sides.iter().map(|(inside, side)| {
                    let values = file.surface_map(*inside, map)?.values;
                    Ok((*side, values))
                });
                anyhow::Ok(FileMap {
                    name: file.map_name(map),
                    volume: file.volume(map).ok().map(Arc::new),
                    sheet: sheet.collect::<anyhow::Result<_>>()?,
                    regions: match &file.maps {
                        cifti::Maps::Labels(maps) => maps
                            .get(map)
                            .map_or_else(Vec::new, |labels| labels.regions.clone()),
                        _ => Vec::new(),
                    },
                })
            };
            chosen.map(read).collect::<anyhow::Result<_>>()?
        }
        other => anyhow::bail!(
            "{}: holds no map ({other:?}); name a volume, .func.gii, .mgh, curvature, .npy or .dscalar.nii file; regions of a \
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

/// Takes zeros among positive values for "no value": thickness and its like are 0 on the medial wall, and next to 0 where
/// they were interpolated across its edge.
pub(crate) fn leave_out_zeros(sides: &mut [(Hemisphere, Arc<[f32]>)], run: &Run<'_>) {
    let all = || sides.iter().flat_map(|(_, values)| values.iter().copied());
    let finite = || all().filter(|v| v.is_finite());
    let told = told(all(), false);
    let n_zeros = all().filter(|v| *v == 0.0).count();
    if n_zeros == 0 || told.two_sided || finite().all(|v| v.fract() == 0.0) {
        return;
    }
    let residue = told.residue();
    let is_none = |v: f32| v == 0.0 || v.abs() < residue;
    let n_none = all().filter(|v| is_none(*v)).count();
    for (_, values) in sides {
        let known = values
            .iter()
            .map(|v| if is_none(*v) { f32::NAN } else { *v });
        *values = known.collect();
    }
    let next_to = if n_none > n_zeros {
        format!(" or next to it (below {residue:.2})")
    } else {
        String::new()
    };
    run.warn(format!(
        "{n_none} vertices of value 0{next_to} among positive ones are taken to have none"
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
            let read = |(inside, side)| Ok((Some(side), file.surface_labels(inside, 0)?));
            let sides = sides_of(path, &file, run).into_iter();
            sides.map(read).collect::<anyhow::Result<_>>()?
        }
        Kind::FreesurferLabel => return with_label(path, surfaces),
        other => anyhow::bail!(
            "{}: is no parcellation of a surface ({other:?}); name .annot, .label, .label.gii or .dlabel.nii files",
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

/// A list of vertices as one more region beside those that its hemisphere has.
fn with_label(
    path: &Path,
    surfaces: &[HemisphereShapes],
) -> anyhow::Result<Vec<(usize, Arc<VertexLabels>)>> {
    let label = freesurfer::read_label(path)?;
    let side = settle_side(path, None)?;
    let last = label.vertices.iter().copied().max().unwrap_or(0);
    let at = hemisphere_with(path, side, last, surfaces)?;
    let before = surfaces[at].labels.as_deref();
    let mut keys = before.map_or_else(|| vec![0; surfaces[at].n_vertices()], |b| b.keys.to_vec());
    let mut regions = before.map_or_else(Vec::new, |b| b.regions.clone());
    let key = regions.iter().map(|r| r.key).max().unwrap_or(0).max(0) + 1;
    for vertex in label.vertices {
        keys[vertex as usize] = key;
    }
    let name = file_name(path);
    regions.push(Region {
        key,
        name: name.strip_suffix(".label").unwrap_or(&name).to_owned(),
        colour: atlas::colour_of_key(key),
    });
    let keys = keys.into();
    Ok(vec![(at, Arc::new(VertexLabels { keys, regions }))])
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
