//! What the job of adding files does: each is told by its content and held against what is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fusiform_pipelines::io::cifti::{self, Maps};
use fusiform_pipelines::parcels;
use fusiform_pipelines::roi;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::study::roles::{Role, VolumeRole};
use fusiform_pipelines::surface::Surface;
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_pipelines::{Error, Run, Stop};

use super::grey::robust_range;
use super::sort::{is_label, is_opened_alone, lies_on_sheet, opens, roles_of};
use crate::brain::{Brain, HemisphereShapes};
use crate::layout::MapLook;
use crate::map_files::{
    FileMap, SheetValues, file_name, hemisphere_for, leave_out_zeros, paint, read_maps,
    read_regions, says_signed, settle_side, side_name, without_sides,
};
use crate::presets::{self, Values};
use crate::session::{AddedParts, AddedSurface, MapParts, News};

/// Maps taken from one file, at most.
const MOST_MAPS: usize = 12;

/// Reads files that were dropped on the window: they become maps, regions and surfaces of what is open, unless one of
/// them is a study, a saved view, a run or an anatomy. Then these are opened in its place, the others with them; so are
/// surfaces that do not fit the demo. `waiting` are files that lacked a surface or regions when they came: they are tried
/// again when such come.
pub(crate) fn files(
    paths: &[PathBuf],
    waiting: &[PathBuf],
    open: &Brain,
    is_demo: bool,
    run: &Run<'_>,
) -> Result<News, Stop> {
    let (alone, paths): (Vec<PathBuf>, Vec<PathBuf>) = paths
        .iter()
        .cloned()
        .partition(|path| is_opened_alone(path));
    if let Some((first, others)) = alone.split_first() {
        for other in others {
            run.warn(format!(
                "{}: one study is opened at a time, here {}: drop it again to open it instead",
                other.display(),
                file_name(first)
            ));
        }
        return Ok(News::Instead {
            open: vec![first.clone()],
            add: paths,
        });
    }
    let mut parts = AddedParts::default();
    let mut roles = roles_of(&paths, &mut parts.refused, run)?;
    if opens(&roles, open, is_demo, run)? {
        for refusal in parts.refused {
            run.warn(refusal);
        }
        return Ok(News::Instead {
            open: roles.into_iter().map(|(path, _)| path).collect(),
            add: waiting.to_vec(),
        });
    }
    let brings = roles.iter().any(|(_, role)| {
        matches!(
            role,
            Role::Surface(_) | Role::Labels | Role::Volume(VolumeRole::Atlas(_), _)
        )
    });
    if brings {
        let mut known = Vec::new();
        roles.extend(roles_of(waiting, &mut known, run)?);
    } else {
        parts.waiting = waiting.to_vec();
    }
    run.stage("reading maps, regions and surfaces");
    let mut shown = Shown {
        atlas: open.atlas.clone(),
        surfaces: shapes_of(open),
        parts,
    };
    // Surfaces first and tables last: the one is laid on the other.
    roles.sort_by_key(|(_, role)| match role {
        Role::Surface(_) => 0,
        Role::Volume(VolumeRole::Atlas(_), _) | Role::Labels => 1,
        Role::Table => 3,
        _ => 2,
    });
    let n_files = roles.len();
    for (n, (path, role)) in roles.into_iter().enumerate() {
        run.check()?;
        run.progress(n, n_files);
        let may_wait = lies_on_sheet(&path, &role) || matches!(role, Role::Table);
        let refusal = match shown.take(&path, role, run) {
            Ok(taken_as) => {
                let words = format!("{}: {taken_as}", file_name(&path));
                shown.parts.taken_as.push(words);
                // A label's region is kept with the user's own; added again it would come twice.
                if !is_label(&path) {
                    shown.parts.paths.push(path);
                }
                continue;
            }
            Err(error) => match error.downcast::<Stop>() {
                Ok(Stop::Cancelled) => return Err(Stop::Cancelled),
                Ok(stop @ Stop::Failed(_)) => stop.to_string(),
                Err(error) => format!("{error:#}"),
            },
        };
        // One that waits was spoken of when it came.
        if !waiting.contains(&path) {
            shown.parts.refused.push(refusal);
        }
        if may_wait {
            shown.parts.waiting.push(path);
        }
    }
    let mut parts = shown.parts;
    parts.maps = pairs_joined(parts.maps);
    Ok(News::Added(parts))
}

/// What is open, with what was added so far.
struct Shown {
    atlas: Option<Arc<Atlas>>,
    surfaces: Vec<HemisphereShapes>,
    parts: AddedParts,
}

impl Shown {
    fn take(&mut self, path: &Path, role: Role, run: &Run<'_>) -> anyhow::Result<&'static str> {
        Ok(match role {
            Role::Run => "a run",
            Role::Volume(VolumeRole::Atlas(_), _) => {
                let atlas = Arc::new(Atlas::load(path, run)?);
                self.atlas = Some(Arc::clone(&atlas));
                self.parts.atlas = Some((atlas, file_name(path)));
                "regions"
            }
            Role::Volume(_, volume) => {
                let map = FileMap {
                    volume: Some(Arc::new(volume)),
                    ..FileMap::default()
                };
                self.put(path, map, "");
                "a map"
            }
            Role::Surface(shape) => {
                let surface = Surface::load(path, run)?;
                let side = settle_side(path, surface.hemisphere)?;
                self.put_surface(AddedSurface {
                    hemisphere: side,
                    shape,
                    surface: Arc::new(surface),
                    file: path.to_path_buf(),
                })?;
                "a surface"
            }
            Role::Labels => {
                self.put_regions(path, run)?;
                "regions of the surfaces"
            }
            Role::Grayordinates if is_regions(path, run)? => {
                self.put_regions(path, run)?;
                "regions of the surfaces"
            }
            Role::SheetMap | Role::Shading | Role::Grayordinates => {
                let maps = read_maps(path, &self.surfaces, None, MOST_MAPS, run)?;
                let several = maps.len() > 1;
                if maps.len() == MOST_MAPS {
                    run.warn(format!(
                        "{}: no more than {MOST_MAPS} maps of a file are taken",
                        file_name(path)
                    ));
                }
                for mut map in maps {
                    leave_out_zeros(&mut map.sheet, run);
                    let name = std::mem::take(&mut map.name);
                    self.put(path, map, if several { &name } else { "" });
                }
                if several { "maps" } else { "a map" }
            }
            Role::Table => {
                let values = parcels::read_values(path)?;
                let (map, unmatched) = paint(path, &values, self.atlas.as_deref(), &self.surfaces)?;
                if let Some(unmatched) = unmatched {
                    run.warn(unmatched);
                }
                let name = map.name.clone();
                self.put(path, map, &name);
                if let Some(map) = self.parts.maps.last_mut() {
                    // What a table says is shown, however small.
                    map.look.threshold = 0.0;
                    "values painted on the regions".clone_into(&mut map.meaning);
                }
                "values painted on the regions"
            }
            Role::Other(_) if is_label(path) => {
                self.put_label(path, run)?;
                "a region of your own"
            }
            Role::Other(what) => {
                return Err(Error::file(path, format!("is not shown: it is {what}")).into());
            }
        })
    }

    fn put(&mut self, path: &Path, map: FileMap, name: &str) {
        let file = file_name(path);
        let name = if name.is_empty() {
            file
        } else {
            format!("{name} ({file})")
        };
        let meaning = format!("From {}", path.display());
        let signed = says_signed(path);
        let parts = map_parts(&name, &meaning, map.volume, map.sheet, signed);
        self.parts.maps.push(parts);
    }

    fn put_surface(&mut self, added: AddedSurface) -> anyhow::Result<()> {
        let n = added.surface.vertices.len();
        let here = self
            .surfaces
            .iter_mut()
            .find(|h| h.side == added.hemisphere);
        match here {
            Some(_) => {
                let at = hemisphere_for(&added.file, added.hemisphere, n, &self.surfaces)?;
                let shapes = &mut self.surfaces[at].shapes;
                shapes.push((added.shape, Arc::clone(&added.surface)));
            }
            None => self.surfaces.push(HemisphereShapes {
                side: added.hemisphere,
                shapes: vec![(added.shape, Arc::clone(&added.surface))],
                sulcal: None,
                labels: None,
                file: Some(added.file.clone()),
            }),
        }
        self.parts.surfaces.push(added);
        Ok(())
    }

    /// A FreeSurfer label.
    fn put_label(&mut self, path: &Path, run: &Run<'_>) -> anyhow::Result<()> {
        let side = settle_side(path, None)?;
        let Some(hemisphere) = self.surfaces.iter().find(|h| h.side == side) else {
            anyhow::bail!(
                "{}: is a region of the {} hemisphere, of which there is no surface: add the one it was drawn on",
                path.display(),
                side_name(side)
            );
        };
        let rois = roi::files::read(path, Some(hemisphere.n_vertices()), run)?;
        self.parts.rois.extend(rois);
        Ok(())
    }

    fn put_regions(&mut self, path: &Path, run: &Run<'_>) -> anyhow::Result<()> {
        for (at, labels) in read_regions(path, &self.surfaces, run)? {
            let side = self.surfaces[at].side;
            if self.parts.labels.iter().any(|(there, _)| *there == side) {
                run.warn(format!(
                    "{}: a hemisphere shows one parcellation, so this one stands in the place of the one before it",
                    file_name(path)
                ));
            }
            self.surfaces[at].labels = Some(Arc::clone(&labels));
            self.parts.labels.push((side, labels));
        }
        Ok(())
    }
}

/// A map with the look that suits its numbers. `signed`: it says of itself that it is a statistic with a sign.
pub(super) fn map_parts(
    name: &str,
    meaning: &str,
    volume: Option<Arc<Volume>>,
    sheet: SheetValues,
    signed: bool,
) -> MapParts {
    let values = match &volume {
        Some(volume) => Values::Volume(Arc::clone(volume)),
        None => Values::Sheet(sheet.clone()),
    };
    let look = presets::Map::new(values, "", signed).look;
    let robust = match &volume {
        Some(volume) => robust_range(&volume.data, 0.02, 0.98),
        None => {
            let all: Vec<f32> = sheet.iter().flat_map(|(_, v)| v.iter().copied()).collect();
            robust_range(&all, 0.02, 0.98)
        }
    };
    MapParts {
        name: name.to_owned(),
        unit: "units of the file".to_owned(),
        meaning: if meaning.is_empty() {
            "A map that came with the surfaces.".to_owned()
        } else {
            meaning.to_owned()
        },
        volume,
        sheet,
        robust,
        look: MapLook::of(&look),
    }
}

/// Whether a CIFTI file holds regions.
fn is_regions(path: &Path, run: &Run<'_>) -> Result<bool, Stop> {
    Ok(matches!(cifti::read(path, run)?.maps, Maps::Labels(_)))
}

fn shapes_of(brain: &Brain) -> Vec<HemisphereShapes> {
    let copy = |h: &HemisphereShapes| HemisphereShapes {
        side: h.side,
        shapes: h.shapes.clone(),
        sulcal: h.sulcal.clone(),
        labels: h.labels.clone(),
        file: h.file.clone(),
    };
    brain.hemispheres.iter().map(copy).collect()
}

/// Two maps that cover one hemisphere each, and whose names differ in the side alone, as one map.
pub(super) fn pairs_joined(maps: Vec<MapParts>) -> Vec<MapParts> {
    let mut joined: Vec<MapParts> = Vec::new();
    for map in maps {
        let alone = |map: &MapParts| match (map.sheet.as_slice(), &map.volume) {
            ([(side, _)], None) => Some(*side),
            _ => None,
        };
        let partner = joined.iter_mut().find(|there| {
            let sides = (alone(there), alone(&map));
            let differ = matches!(sides, (Some(a), Some(b)) if a != b);
            differ && without_sides(&there.name) == without_sides(&map.name)
        });
        let Some(partner) = partner else {
            joined.push(map);
            continue;
        };
        partner.name = without_sides(&map.name);
        partner.meaning = format!("{}\n{}", partner.meaning, map.meaning);
        partner.sheet.extend(map.sheet);
        partner.sheet.sort_by_key(|(side, _)| *side);
        partner.robust = (
            partner.robust.0.min(map.robust.0),
            partner.robust.1.max(map.robust.1),
        );
        let values = Values::Sheet(partner.sheet.clone());
        let signed = partner.look.two_sided || map.look.two_sided;
        partner.look = MapLook::of(&presets::Map::new(values, "", signed).look);
    }
    joined
}

#[cfg(test)]
mod tests {
    use fusiform_pipelines::surface::Hemisphere;

    use super::*;

    fn side(name: &str, side: Hemisphere, values: &[f32]) -> MapParts {
        let values: Arc<[f32]> = values.into();
        let sides = Values::Sheet(vec![(side, Arc::clone(&values))]);
        let look = presets::Map::new(sides, "", false).look;
        MapParts {
            name: name.into(),
            unit: String::new(),
            meaning: String::new(),
            volume: None,
            sheet: vec![(side, values)],
            robust: (0.0, 1.0),
            look: MapLook::of(&look),
        }
    }

    #[test]
    fn two_sides_of_one_name_are_one_map() {
        let maps = vec![
            side("rh.thickness", Hemisphere::Right, &[1.0, -3.0, 3.0, 3.0]),
            side("lh.thickness", Hemisphere::Left, &[2.0]),
            side("lh.curv", Hemisphere::Left, &[4.0]),
        ];
        let joined = pairs_joined(maps);
        let names: Vec<&str> = joined.iter().map(|map| map.name.as_str()).collect();
        assert_eq!(names, ["thickness", "lh.curv"]);
        let sides: Vec<Hemisphere> = joined[0].sheet.iter().map(|(side, _)| *side).collect();
        assert_eq!(sides, [Hemisphere::Left, Hemisphere::Right]);
        // A look of both: the right one has a negative number.
        assert!(joined[0].look.two_sided);
        assert!((joined[0].look.high - 3.0).abs() < 1e-6);
    }
}
