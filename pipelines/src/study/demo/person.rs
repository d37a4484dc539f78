//! One subject: what it is made of, made when first asked for and kept with the study.

use std::sync::{Arc, OnceLock};

use glam::Vec3;

use super::anatomy::{self, Lattice};
use super::atlas::{self, Holding, Topography};
use super::bold::{self, Scene};
use super::cortex::{self, Cortex};
use super::plan::{DemoPlan, Layout, Size};
use super::response::{self, Tuning};
use super::stream::Stream;
use crate::run::{Run, Stop};
use crate::study::{BoldRun, CorticalSurface, Entities, Maker, Named, Outline, Source, Subject};
use crate::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use crate::volume::{Atlas, Volume};

/// A subject of the demo study.
#[derive(Debug)]
pub(super) struct Person {
    /// The seed of the study: of what subjects share.
    pub(super) seed: u64,
    /// The seed of what is the subject's own.
    pub(super) own_seed: u64,
    /// Its place among the subjects.
    pub(super) index: usize,
    /// Who sees what.
    pub(super) layout: Layout,
    size: Size,
    topography: Topography,
    body: OnceLock<Arc<Body>>,
    anatomy: OnceLock<Arc<Volume>>,
    tuning: OnceLock<Arc<Tuning>>,
}

/// What follows from the folded cortex.
#[derive(Debug)]
pub(super) struct Body {
    halves: [Cortex; 2],
    keys: [Vec<i32>; 2],
    holdings: Vec<Holding>,
    /// Grey matter: the part of each voxel between white and pial surface.
    grey: Vec<f32>,
    scene: Scene,
}

/// Which voxels a mask holds.
struct MaskRule {
    name: &'static str,
    /// Its BIDS entities beside subject and space.
    pairs: &'static [(&'static str, &'static str)],
    keep: fn(&Body, usize) -> bool,
}

/// The first goes with the runs: it shares their `desc`.
const MASKS: [MaskRule; 3] = [
    MaskRule {
        name: "visual-demo",
        pairs: &[("label", "visual"), ("desc", "demo")],
        keep: |body, voxel| body.holdings[voxel].key > 0,
    },
    MaskRule {
        name: "brain",
        pairs: &[("desc", "brain")],
        keep: |body, voxel| body.scene.brain[voxel],
    },
    MaskRule {
        name: "grey",
        pairs: &[("desc", "grey")],
        keep: |body, voxel| body.grey[voxel] > 0.3,
    },
];

/// The vertices of one shape of a cortex.
type Vertices = fn(&Cortex) -> Vec<Vec3>;

/// Hands out what `cell` holds, or makes it. No lock is held meanwhile (a waiting thread of a
/// thread pool could be the one that should make it), so two askers may both make it: the same.
fn kept<T>(
    cell: &OnceLock<Arc<T>>,
    make: impl FnOnce() -> Result<T, Stop>,
) -> Result<Arc<T>, Stop> {
    if let Some(value) = cell.get() {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(make()?);
    Ok(Arc::clone(cell.get_or_init(|| value)))
}

/// The id of a subject by its place.
pub(super) fn id(index: usize) -> String {
    format!("{:02}", index + 1)
}

impl Person {
    /// Nothing is made yet.
    pub(super) fn new(plan: &DemoPlan, index: usize) -> Self {
        // The first subject's own seed is the study's.
        let own_seed = match index {
            0 => plan.seed,
            _ => Stream::new(plan.seed, &[10, index as u64]).bits(),
        };
        Self {
            seed: plan.seed,
            own_seed,
            index,
            layout: plan.layout(),
            size: plan.size,
            topography: Topography::new(own_seed),
            body: OnceLock::new(),
            anatomy: OnceLock::new(),
            tuning: OnceLock::new(),
        }
    }

    /// Cortex, areas, and what a scanner sees at rest.
    pub(super) fn body(&self, run: &Run<'_>) -> Result<Arc<Body>, Stop> {
        kept(&self.body, || {
            run.stage(format!("folding the cortex of subject {}", id(self.index)));
            let grow = |side| cortex::grow(self.own_seed, side, self.size.finest_split(), run);
            let (left, right) = rayon::join(|| grow(Hemisphere::Left), || grow(Hemisphere::Right));
            let halves = [left?, right?];
            let keys = [0, 1].map(|half| atlas::vertex_keys(&halves[half], &self.topography));
            run.check()?;
            let lattice = self.size.bold();
            let [pial, white] = anatomy::tissue(&lattice, &halves, 5);
            let holdings = atlas::holdings(&lattice, &halves, &keys);
            run.check()?;
            let scene = bold::scene(self.own_seed, &lattice, &pial, &white);
            Ok(Body {
                grey: pial.iter().zip(&white).map(|(p, w)| p - w).collect(),
                halves,
                keys,
                holdings,
                scene,
            })
        })
    }

    fn t1(&self, run: &Run<'_>) -> Result<Volume, Stop> {
        let body = self.body(run)?;
        let volume = kept(&self.anatomy, || {
            anatomy::t1(self.own_seed, &self.size.anatomy(), &body.halves, run)
        })?;
        Ok((*volume).clone())
    }

    fn tuning(&self, run: &Run<'_>) -> Result<Arc<Tuning>, Stop> {
        let body = self.body(run)?;
        kept(&self.tuning, || {
            response::tune(self, &self.topography, &body.holdings, run)
        })
    }

    /// The planted response of every voxel that has one to every picture.
    pub(super) fn planted(&self, run: &Run<'_>) -> Result<super::Planted, Stop> {
        let tuning = self.tuning(run)?;
        let pictures = self.layout.pictures_of(self.index);
        Ok(super::Planted {
            voxels: tuning.voxels.clone(),
            stimuli: pictures.into_iter().map(super::picture_id).collect(),
            responses: tuning.responses.clone(),
        })
    }

    /// The planted signal-to-noise of every voxel, 0 where there is none.
    pub(super) fn snr(&self, run: &Run<'_>) -> Result<Volume, Stop> {
        let tuning = self.tuning(run)?;
        let mut snr = vec![0.0; self.size.bold().n_voxels()];
        for (&voxel, &planted) in tuning.voxels.iter().zip(&tuning.snr) {
            snr[voxel] = planted;
        }
        Ok(self.volume(snr))
    }

    fn volume(&self, data: Vec<f32>) -> Volume {
        Volume {
            grid: self.size.bold().grid(),
            data: data.into(),
            assumptions: Vec::new(),
        }
    }

    /// The subject as a study holds it: everything is made on demand. `name_of` gives the id and
    /// the category of a picture.
    pub(super) fn subject(
        self: &Arc<Self>,
        name_of: &dyn Fn(usize) -> (String, String),
    ) -> Subject {
        let id = id(self.index);
        let lattice = self.size.bold();
        let entities = |pairs: &[(&str, &str)]| -> Entities {
            [("sub", id.as_str())]
                .iter()
                .chain(pairs)
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        };
        let in_t1w = |pairs: &[(&str, &str)]| entities(&[&[("space", "T1w")], pairs].concat());
        Subject {
            anatomy: Some(self.made("anatomy", Some(outline(self.size.anatomy(), 1)), Self::t1)),
            masks: MASKS
                .iter()
                .map(|&MaskRule { name, pairs, keep }| Named {
                    name: name.to_owned(),
                    entities: in_t1w(pairs),
                    source: self.made(name, Some(outline(lattice, 1)), move |me, run| {
                        let body = me.body(run)?;
                        let values =
                            (0..body.holdings.len()).map(|v| f32::from(u8::from(keep(&body, v))));
                        Ok(me.volume(values.collect()))
                    }),
                })
                .collect(),
            atlases: vec![Named {
                name: "areas".to_owned(),
                entities: in_t1w(&[("desc", "areas")]),
                source: self.made("areas", Some(outline(lattice, 1)), |me, run| {
                    Ok(Atlas {
                        grid: me.size.bold().grid(),
                        keys: me.body(run)?.holdings.iter().map(|h| h.key).collect(),
                        regions: atlas::regions(),
                    })
                }),
            }],
            surfaces: vec![
                self.surface(0, Hemisphere::Left),
                self.surface(1, Hemisphere::Right),
            ],
            runs: (0..self.layout.n_runs())
                .map(|number| {
                    let label = format!("{:02}", number + 1);
                    let (trials, n_times) = bold::schedule(self, number);
                    let entities =
                        in_t1w(&[("task", "pictures"), ("run", &label), ("desc", "demo")]);
                    BoldRun {
                        entities,
                        session: String::new(),
                        tr_secs: Some(bold::TR_SECS),
                        bold: self.made(
                            &format!("run {label}"),
                            Some(outline(lattice, n_times)),
                            move |me, run| {
                                let (body, tuning) = (me.body(run)?, me.tuning(run)?);
                                run.stage(format!("scanning run {}", number + 1));
                                bold::scan(me, number, &me.size.bold(), &body.scene, &tuning, run)
                            },
                        ),
                        events: Some(Source::Memory(Arc::new(bold::events(&trials, name_of)))),
                        confounds: None,
                        label,
                    }
                })
                .collect(),
            betas: None,
            id,
        }
    }

    fn surface(self: &Arc<Self>, half: usize, hemisphere: Hemisphere) -> CorticalSurface {
        let shapes: [(Shape, Vertices); 5] = [
            (Shape::White, |c| c.white.clone()),
            (Shape::Midthickness, Cortex::midthickness),
            (Shape::Pial, |c| c.pial.clone()),
            (Shape::Inflated, |c| c.inflated.clone()),
            (Shape::Sphere, |c| c.sphere.clone()),
        ];
        CorticalSurface {
            hemisphere,
            shapes: shapes
                .into_iter()
                .map(|(shape, vertices)| {
                    let source = self.made("surface", None, move |me, run| {
                        let body = me.body(run)?;
                        let cortex = &body.halves[half];
                        Ok(Surface {
                            vertices: vertices(cortex).into(),
                            triangles: Arc::clone(&cortex.triangles),
                            hemisphere: Some(hemisphere),
                            assumptions: Vec::new(),
                        })
                    });
                    (shape, source)
                })
                .chain([(Shape::Flat, self.flat(half, hemisphere))])
                .collect(),
            sulcal: Some(self.made("sulcal depth", None, move |me, run| {
                Ok(VertexMap {
                    name: "sulcal depth".to_owned(),
                    values: me.body(run)?.halves[half].sulcal.as_slice().into(),
                })
            })),
            maps: Vec::new(),
            labels: Some(self.made("areas", None, move |me, run| {
                Ok(VertexLabels {
                    keys: me.body(run)?.keys[half].as_slice().into(),
                    regions: atlas::regions(),
                })
            })),
        }
    }

    fn flat(self: &Arc<Self>, half: usize, hemisphere: Hemisphere) -> Source<Surface> {
        self.made("flat map", None, move |me, run| {
            let (vertices, triangles) = me.body(run)?.halves[half].flat();
            Ok(Surface {
                vertices: vertices.into(),
                triangles: triangles.into(),
                hemisphere: Some(hemisphere),
                assumptions: Vec::new(),
            })
        })
    }

    fn made<T>(
        self: &Arc<Self>,
        label: &str,
        outline: Option<Outline>,
        make: impl Fn(&Self, &Run<'_>) -> Result<T, Stop> + Send + Sync + 'static,
    ) -> Source<T> {
        let me = Arc::clone(self);
        Source::Made(Maker {
            make: Arc::new(move |run| make(&me, run)),
            label: format!("{label} of the demo's subject {}", id(self.index)),
            outline,
        })
    }
}

fn outline(lattice: Lattice, n_times: usize) -> Outline {
    Outline {
        grid: lattice.grid(),
        n_times,
        tr_secs: (n_times > 1).then_some(bold::TR_SECS),
    }
}
