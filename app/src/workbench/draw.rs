//! Making regions: what a job does when one was drawn, cut from a map, or made of others.

use std::path::Path;
use std::sync::Arc;

use fusiform_pipelines::io::atlas::colour_of_key;
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::files::{self, Written};
use fusiform_pipelines::roi::listing;
use fusiform_pipelines::roi::transfer::{Sheet, completed};
use fusiform_pipelines::roi::{
    Op, Patch, Roi, above, cluster_at, combine, complement, grown, lasso, shrunk,
};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_pipelines::{Error, Run, Stop};
use glam::DVec3;

use super::grey::AIR;
use super::load;
use crate::compose;
use crate::layout::View;
use crate::panels::short;
use crate::session::Session;

/// A region that is wanted.
#[derive(Clone, Debug)]
pub enum Drawing {
    /// Of others, by their names: the first with the second, that with the third, and so on.
    Combined(Op, Vec<String>),
    /// One larger by one voxel and vertex.
    Grown(String),
    /// One smaller by one voxel and vertex.
    Shrunk(String),
    /// Another like it, to be edited.
    Copied(String),
    /// One that came in a file.
    Given(Box<Roi>),
    /// What of the head is not in one.
    Complement(String),
    /// Where the map is above its threshold: all of it, or the cluster at the crosshair.
    FromMap {
        /// Whether only what is joined to the crosshair.
        cluster: bool,
    },
    /// Within a line drawn on a slice.
    OnSlice {
        /// The line's corners on the plane, world mm.
        polygon_mm: Vec<DVec3>,
        /// The plane's normal.
        normal: DVec3,
        /// Voxels whose centres are within half of it of the plane; at least the layer that is cut.
        slab_mm: f64,
    },
    /// Within a line drawn on the cortex.
    OnSurface(Vec<Patch>),
}

impl Drawing {
    /// What is being done, for the user.
    pub fn title(&self) -> String {
        match self {
            Self::Combined(op, names) => {
                format!(
                    "Making a region: {}",
                    names.join(&format!(" {} ", op.word()))
                )
            }
            Self::Grown(name) => format!("Making {name} larger"),
            Self::Shrunk(name) => format!("Making {name} smaller"),
            Self::Copied(name) => format!("Copying {name}"),
            Self::Given(roi) => format!("Adding {}", roi.name),
            Self::Complement(name) => format!("Making what is not {name}"),
            Self::FromMap { .. } => "Making a region from the map".to_owned(),
            Self::OnSlice { .. } | Self::OnSurface(_) => "Making the drawn region".to_owned(),
        }
    }

    /// The drawn region in whose place the new one stands.
    fn replaces(&self, ground: &Ground) -> Option<String> {
        match self {
            Self::Grown(name) | Self::Shrunk(name) => {
                let is_own = ground.own.iter().any(|roi| roi.name == *name);
                is_own.then(|| name.clone())
            }
            _ => None,
        }
    }
}

/// What regions are made of, shared with the job that makes them.
#[derive(Clone, Debug)]
pub struct Ground {
    subject: String,
    own: Vec<Arc<Roi>>,
    atlas: Option<Arc<Atlas>>,
    labels: Vec<(Hemisphere, Arc<VertexLabels>)>,
    sheets: Vec<(Hemisphere, Arc<Surface>, Arc<Surface>)>,
    /// The map that is worked on.
    map: Option<Map>,
    /// The voxels of drawn regions: the map's, else the atlas's, else the anatomy's.
    grid: Option<Grid>,
    /// The mean of the run, else the anatomy, and below which of its numbers there is air.
    head: Option<(Arc<Volume>, f32)>,
    crosshair_mm: Option<DVec3>,
}

/// A map a region can be cut from.
#[derive(Clone, Debug)]
struct Map {
    name: String,
    volume: Option<Arc<Volume>>,
    /// Its numbers on the vertices, where it has some of its own.
    sheets: Vec<(Hemisphere, Arc<[f32]>)>,
    threshold: f32,
    /// Whether both signs count.
    two_sided: bool,
}

impl Map {
    fn shows(&self, value: f32) -> bool {
        value > self.threshold || (self.two_sided && value < -self.threshold)
    }

    /// Where it is above its threshold: all of it, or the cluster at a place.
    fn region(&self, colour: [u8; 3], cluster_mm: Option<DVec3>) -> Result<Roi, Error> {
        let name = format!("{} above {}", self.name, short(f64::from(self.threshold)));
        let Some(volume) = &self.volume else {
            if cluster_mm.is_some() {
                return Err(Error::data(
                    "this map has numbers on the cortex alone: make a region of all of it, or draw a line round a part",
                ));
            }
            let patch = |(hemisphere, values): &(Hemisphere, Arc<[f32]>)| Patch {
                hemisphere: *hemisphere,
                n_vertices: values.len(),
                vertices: (0..)
                    .zip(values.iter())
                    .filter(|(_, value)| self.shows(**value))
                    .map(|(vertex, _)| vertex)
                    .collect(),
            };
            return Ok(Roi {
                name,
                colour,
                voxels: None,
                patches: self.sheets.iter().map(patch).collect(),
            });
        };
        let voxels = match cluster_mm {
            Some(at) => cluster_at(volume, self.threshold, self.two_sided, at)?,
            None => above(volume, self.threshold, self.two_sided),
        };
        Ok(Roi::of_voxels(name, colour, voxels))
    }
}

/// A region that was made.
#[derive(Clone, Debug)]
pub struct DrawnParts {
    /// Of which subject, as its regions are kept.
    pub subject: String,
    /// The region.
    pub roi: Arc<Roi>,
    /// The drawn region in whose place it stands; else it is a new one.
    pub replaces: Option<String>,
}

impl Ground {
    /// What is there now.
    pub fn of(session: &Session, view: &View) -> Self {
        let regions = &view.regions;
        let coloured = |roi: &Arc<Roi>| {
            let colour = regions.colour(&roi.name, roi.colour);
            Arc::new(Roi {
                colour,
                ..Roi::clone(roi)
            })
        };
        let atlas = session.subject.atlas.as_ref().map(|a| Arc::clone(&a.atlas));
        let cortex = &session.subject.cortex;
        let map = compose::map(session, view).map(|(map, look)| Map {
            name: map.name.clone(),
            volume: map.volume().cloned(),
            sheets: cortex
                .iter()
                .zip(&map.on_sheet)
                .filter_map(|(h, values)| {
                    Some((h.hemisphere, Arc::clone(&values.as_ref()?.values)))
                })
                .collect(),
            threshold: look.threshold,
            two_sided: look.two_sided,
        });
        let grid = map
            .as_ref()
            .and_then(|map| Some(map.volume.as_ref()?.grid.clone()));
        let grid = grid.or_else(|| atlas.as_ref().map(|a| a.grid.clone()));
        Self {
            subject: session.regions_kept_as().unwrap_or_default(),
            own: regions.own.iter().map(coloured).collect(),
            labels: cortex
                .iter()
                .filter_map(|h| Some((h.hemisphere, Arc::clone(h.labels.as_ref()?))))
                .collect(),
            sheets: cortex
                .iter()
                .filter_map(|h| {
                    let (inner, outer) = load::sheet(h)?;
                    Some((h.hemisphere, inner, outer))
                })
                .collect(),
            map,
            grid: grid.or_else(|| session.underlay().map(|u| u.volume.grid.clone())),
            head: session
                .mean_underlay
                .as_ref()
                .or_else(|| session.underlay())
                .map(|head| (Arc::clone(&head.volume), AIR * head.window.1)),
            crosshair_mm: view.crosshair(),
            atlas,
        }
    }

    fn sheets(&self) -> Vec<Sheet<'_>> {
        self.sheets
            .iter()
            .map(|(hemisphere, inner, outer)| Sheet {
                hemisphere: *hemisphere,
                inner,
                outer,
            })
            .collect()
    }

    /// A region by its name: a drawn one, or one of the atlas and the parcellation.
    fn roi(&self, name: &str) -> Result<Roi, Error> {
        if let Some(own) = self.own.iter().find(|roi| roi.name == name) {
            return Ok(Roi::clone(own));
        }
        let labels: Vec<_> = self
            .labels
            .iter()
            .map(|(side, labels)| (*side, &**labels))
            .collect();
        listing::find(name, self.atlas.as_deref(), &labels)
            .ok_or_else(|| Error::data(format!("there is no region {name}: choose another")))
    }

    /// A region with all parts that can be had.
    fn whole(&self, name: &str, run: &Run<'_>) -> Result<Roi, Stop> {
        completed(self.roi(name)?, &self.sheets(), self.grid.as_ref(), run)
    }

    /// Makes a region.
    ///
    /// # Errors
    /// When nothing is in it, with what could be done; and when cancelled.
    pub fn draw(&self, drawing: &Drawing, run: &Run<'_>) -> Result<DrawnParts, Stop> {
        let triangles = |side: Hemisphere| {
            let sheet = self.sheets.iter().find(|(s, ..)| *s == side);
            sheet.map(|(_, inner, _)| &*inner.triangles)
        };
        let colour = colour_of_key(self.own.len() as i32 + 1);
        let roi = match drawing {
            Drawing::Combined(op, names) => {
                let mut names = names.iter();
                let first = names.next().map(|name| self.whole(name, run)).transpose()?;
                let mut roi = first.ok_or_else(|| Error::data("choose regions to make one of"))?;
                for name in names {
                    roi = combine(*op, &roi, &self.whole(name, run)?)?;
                }
                roi
            }
            Drawing::Grown(name) => named(grown(&self.roi(name)?, triangles), "larger"),
            Drawing::Shrunk(name) => named(shrunk(&self.roi(name)?, triangles), "smaller"),
            Drawing::Copied(name) => named(self.roi(name)?, "copy"),
            Drawing::Given(roi) => Roi {
                colour,
                ..Roi::clone(roi)
            },
            Drawing::Complement(name) => {
                let (head, air) = self.head.as_ref().ok_or_else(|| {
                    Error::data("there is no volume that says where the head is: open one first")
                })?;
                let within = Mask::new(head.grid.clone(), |v| head.data[v] >= *air);
                complement(&self.whole(name, run)?, &within)?
            }
            Drawing::FromMap { cluster } => {
                let map = self.map.as_ref().ok_or_else(|| {
                    Error::data("no map is shown: choose one above the slices first")
                })?;
                map.region(colour, self.crosshair_mm.filter(|_| *cluster))?
            }
            Drawing::OnSlice {
                polygon_mm,
                normal,
                slab_mm,
            } => {
                let grid = self
                    .grid
                    .as_ref()
                    .ok_or_else(|| Error::data("there is no volume to draw on: open one first"))?;
                let voxels = lasso::on_plane(grid, polygon_mm, *normal, *slab_mm);
                Roi::of_voxels("drawn", colour, voxels)
            }
            Drawing::OnSurface(patches) => Roi {
                name: "drawn".to_owned(),
                colour,
                voxels: None,
                patches: patches.clone(),
            },
        };
        if roi.is_empty() {
            return Err(
                Error::data(format!("nothing is in {}: no region was added", roi.name)).into(),
            );
        }
        let replaces = drawing.replaces(self);
        let roi = completed(roi, &self.sheets(), self.grid.as_ref(), run)?;
        Ok(DrawnParts {
            subject: self.subject.clone(),
            roi: Arc::new(roi),
            replaces,
        })
    }

    /// Writes regions, by their names.
    ///
    /// # Errors
    /// As [`files::write`].
    pub fn export(&self, names: &[String], path: &Path, run: &Run<'_>) -> Result<Written, Stop> {
        let mut rois = Vec::new();
        for name in names {
            run.check()?;
            rois.push(self.whole(name, run)?);
        }
        Ok(files::write(path, &rois, &self.sheets())?)
    }
}

fn named(roi: Roi, what: &str) -> Roi {
    Roi {
        name: format!("{} {what}", roi.name),
        ..roi
    }
}
