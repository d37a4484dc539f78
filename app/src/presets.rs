//! The standard figures: four views of the cortex, three slices.

use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::Run;
use fusiform_pipelines::study::{CorticalSurface, Source, Subject};
use fusiform_pipelines::surface::{self, Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{
    Look, MeshLayer, Picture, Plane, Scene, SliceView, SurfaceView, VertexData, View, VolumeLayer,
};
use glam::Vec3;

use crate::bridge::{self, Keys};
use crate::figure::{Align, Bar, Canvas};

/// The parts of a subject that figures show.
#[derive(Debug, Default)]
pub struct Brain {
    /// A structural volume.
    pub anatomy: Option<Arc<Volume>>,
    /// Region borders.
    pub atlas: Option<Arc<Atlas>>,
    /// The hemispheres, left first.
    pub hemispheres: Vec<HemisphereShapes>,
}

/// One hemisphere, loaded.
#[derive(Debug)]
pub struct HemisphereShapes {
    /// Left or right.
    pub side: Hemisphere,
    /// Every shape there is.
    pub shapes: Vec<(Shape, Arc<Surface>)>,
    /// Positive in sulci.
    pub sulcal: Option<Arc<VertexMap>>,
    /// A parcellation.
    pub labels: Option<Arc<VertexLabels>>,
}

impl HemisphereShapes {
    fn load(files: &CorticalSurface, run: &Run<'_>) -> anyhow::Result<Self> {
        let mut shapes = Vec::new();
        for (shape, source) in &files.shapes {
            shapes.push((*shape, source.load(run)?));
        }
        Ok(Self {
            side: files.hemisphere,
            shapes,
            sulcal: load_optional(files.sulcal.as_ref(), run)?,
            labels: load_optional(files.labels.as_ref(), run)?,
        })
    }

    /// The surface of a shape.
    pub fn shape(&self, shape: Shape) -> Option<&Arc<Surface>> {
        self.shapes.iter().find(|(s, _)| *s == shape).map(|(_, surface)| surface)
    }

    /// A volume on this sheet, averaged from white to pial (or at the one anatomical surface there is).
    pub fn project(&self, volume: &Volume) -> anyhow::Result<VertexMap> {
        let inner = [Shape::White, Shape::Midthickness, Shape::Pial];
        let outer = [Shape::Pial, Shape::Midthickness, Shape::White];
        let first = |order: [Shape; 3]| order.into_iter().find_map(|s| self.shape(s));
        let (Some(white), Some(pial)) = (first(inner), first(outer)) else {
            anyhow::bail!("no white or pial surface to sample the map at: add one beside the others");
        };
        Ok(surface::project(volume, white, pial, 5)?)
    }
}

impl Brain {
    /// Loads what a subject has.
    pub fn load(subject: &Subject, run: &Run<'_>) -> anyhow::Result<Self> {
        let mut hemispheres = Vec::new();
        for files in &subject.surfaces {
            hemispheres.push(HemisphereShapes::load(files, run)?);
        }
        hemispheres.sort_by_key(|h| h.side);
        Ok(Self {
            anatomy: load_optional(subject.anatomy.as_ref(), run)?,
            atlas: load_optional(subject.atlases.first().map(|a| &a.source), run)?,
            hemispheres,
        })
    }
}

fn load_optional<T: fusiform_pipelines::study::Load>(
    source: Option<&Source<T>>,
    run: &Run<'_>,
) -> anyhow::Result<Option<Arc<T>>> {
    Ok(source.map(|s| s.load(run)).transpose()?)
}

/// A statistic to show, with its colours.
#[derive(Clone, Debug)]
pub struct Map {
    /// The numbers.
    pub volume: Volume,
    /// Name and unit.
    pub label: String,
    /// Colours.
    pub look: Look,
}

impl Map {
    /// A map with a sensible look: two-sided if it has negative numbers, up to its 99.5th percentile,
    /// small numbers hidden.
    pub fn new(volume: &Volume, label: &str) -> Self {
        let mut sizes: Vec<f32> =
            volume.data.iter().filter(|v| v.is_finite() && **v != 0.0).map(|v| v.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let top = sizes.get(sizes.len().saturating_sub(1) * 995 / 1000).copied().unwrap_or(1.0);
        let two_sided = volume.data.iter().any(|v| *v < 0.0);
        let look = Look {
            colormap: if two_sided { Colormap::ColdHot } else { Colormap::Hot },
            range: (0.0, round_up(top)),
            threshold: round_up(0.1 * top),
            two_sided,
            opacity: 1.0,
        };
        Self { volume: volume.clone(), label: label.to_owned(), look }
    }
}

/// The next number up with two leading digits.
fn round_up(value: f32) -> f32 {
    if value.is_nan() || value <= 0.0 {
        return 1.0;
    }
    let unit = 10f32.powf(value.log10().floor() - 1.0);
    (value / unit).ceil() * unit
}

/// How figures look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Pixels across and down.
    pub size: [u32; 2],
    /// The sheet.
    pub paper: [u8; 3],
    /// Text on it.
    pub ink: [u8; 3],
    /// The cortex's layout.
    pub shape: Shape,
    /// Whether region borders are drawn.
    pub outlines: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            size: [1600, 1200],
            paper: [255; 3],
            ink: [30, 30, 36],
            shape: Shape::Inflated,
            outlines: true,
        }
    }
}

/// Lateral and medial views of both hemispheres, with the map's colour bar.
pub fn four_views(brain: &Brain, map: Option<&Map>, style: Style, backend: &mut Backend) -> anyhow::Result<Picture> {
    if brain.hemispheres.is_empty() {
        anyhow::bail!("there are no cortical surfaces to draw: name a folder that holds some with --surfaces");
    }
    let [width, height] = style.size;
    let letter = height as f32 / 32.0;
    let footer = if map.is_some() { (letter * 4.4) as u32 } else { (letter * 0.8) as u32 };
    let header = (letter * 2.0) as u32;
    let cell = [width / brain.hemispheres.len() as u32, (height - header - footer) / 2];
    let mut canvas = Canvas::new(width, height, style.paper);
    let mut keys = Keys::default();

    // One zoom for all views, so that sizes compare.
    let mut layers = Vec::new();
    let mut half_height: f32 = 1.0;
    for hemisphere in &brain.hemispheres {
        let layer = mesh_layer(hemisphere, map, style, &mut keys)?;
        let (low, high) = bounds(&layer.mesh.vertices);
        let extent = high - low;
        let aspect = cell[0] as f32 / cell[1] as f32;
        half_height = half_height.max(extent.z / 2.0 * 1.06).max(extent.y / 2.0 / aspect * 1.06);
        layers.push((hemisphere.side, layer, (low + high) / 2.0));
    }
    for (column, (side, layer, centre)) in layers.iter().enumerate() {
        let lateral = if *side == Hemisphere::Left { StandardView::Left } else { StandardView::Right };
        let medial = if *side == Hemisphere::Left { StandardView::Right } else { StandardView::Left };
        for (row, view) in [lateral, medial].into_iter().enumerate() {
            let scene = Scene {
                background: opaque(style.paper),
                view: View::Surfaces(SurfaceView {
                    camera: Camera {
                        target_mm: *centre,
                        rotation: view.rotation(),
                        half_height_mm: half_height,
                        fov_degrees: 0.0,
                    },
                    meshes: vec![layer.clone()],
                    marker: None,
                }),
            };
            let picture = backend.picture(&scene, cell)?;
            canvas.put(&picture, i64::from(cell[0]) * column as i64, i64::from(header + cell[1] * row as u32));
        }
        let name = if *side == Hemisphere::Left { "left hemisphere" } else { "right hemisphere" };
        let middle = cell[0] as f32 * (column as f32 + 0.5);
        canvas.text(name, middle, letter * 0.6, letter, Align::Centre, style.ink)?;
    }
    if let Some(map) = map {
        let bar = Bar { look: &map.look, label: &label_with_threshold(map), ink: style.ink };
        canvas.colour_bar(&bar, width as f32 / 2.0, (height - footer) as f32 + letter * 0.2, width / 4, letter)?;
    }
    Ok(canvas.into_picture())
}

/// One hemisphere in the style's shape (or the nearest there is), with its map and borders.
pub fn mesh_layer(hemisphere: &HemisphereShapes, map: Option<&Map>, style: Style, keys: &mut Keys) -> anyhow::Result<MeshLayer> {
    let order = [style.shape, Shape::Inflated, Shape::Pial, Shape::Midthickness, Shape::White];
    let surface = order
        .into_iter()
        .find_map(|s| hemisphere.shape(s))
        .context("no surface of a kind that can be drawn (white, pial, inflated)")?;
    let overlay = match map {
        Some(map) => {
            let values = hemisphere.project(&map.volume)?;
            Some((bridge::vertex_data(keys.fresh(), &values), map.look.clone()))
        }
        None => None,
    };
    let outlines = hemisphere
        .labels
        .as_ref()
        .filter(|_| style.outlines)
        .map(|labels| bridge::vertex_outlines(keys.fresh(), labels));
    Ok(MeshLayer {
        mesh: bridge::mesh_data(keys.fresh(), surface),
        offset_mm: Vec3::ZERO,
        sulcal: hemisphere
            .sulcal
            .as_ref()
            .map(|map| VertexData { key: keys.fresh(), values: Arc::clone(&map.values) }),
        overlay,
        outlines,
        opacity: 1.0,
    })
}

/// An orthographic camera that has all meshes in the picture.
pub fn camera_on(meshes: &[MeshLayer], view: StandardView, size: [u32; 2]) -> Camera {
    let (low, high) = meshes
        .iter()
        .map(|m| bounds(&m.mesh.vertices))
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), (l, h)| (low.min(l), high.max(h)));
    let extent = high - low;
    let aspect = size[0] as f32 / size[1] as f32;
    Camera {
        target_mm: (low + high) / 2.0,
        rotation: view.rotation(),
        half_height_mm: (extent.z / 2.0).max(extent.y / 2.0 / aspect) * 1.06,
        fov_degrees: 0.0,
    }
}

/// Axial, coronal and sagittal slices through `at_mm` (default: the map's peak, else the middle).
pub fn slices(
    brain: &Brain,
    map: Option<&Map>,
    at_mm: Option<Vec3>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Picture> {
    let Some(base) = brain.anatomy.as_deref().or(map.map(|m| &m.volume)) else {
        anyhow::bail!("there is no volume to slice: name one with --anatomy or --map");
    };
    let at = at_mm.unwrap_or_else(|| match map {
        Some(map) => peak(&map.volume),
        None => middle(base),
    });
    let [width, _] = style.size;
    let letter = width as f32 / 50.0;
    let cell = width / 3;
    let header = (letter * 2.4) as u32;
    let footer = if map.is_some() { (letter * 4.6) as u32 } else { letter as u32 };
    let mut canvas = Canvas::new(width, header + cell + footer, style.paper);
    let mut keys = Keys::default();

    let mut layers = Vec::new();
    if brain.anatomy.is_some() {
        layers.push(VolumeLayer {
            volume: bridge::volume_data(keys.fresh(), base),
            linear: true,
            look: Look {
                colormap: Colormap::Grey,
                range: (0.0, percentile(base, 0.995)),
                threshold: 0.0,
                two_sided: false,
                opacity: 1.0,
            },
        });
    }
    if let Some(map) = map {
        let volume = bridge::volume_data(keys.fresh(), &map.volume);
        layers.push(VolumeLayer { volume, linear: true, look: map.look.clone() });
    }
    let outlines = brain
        .atlas
        .as_deref()
        .filter(|_| style.outlines)
        .map(|atlas| bridge::atlas_outlines(keys.fresh(), atlas, (cell as f32 / 300.0).max(1.5)));

    let (low, high) = base.grid.world_bounds();
    let (low, high) = (low.as_vec3(), high.as_vec3());
    let extent = high - low;
    let mm_per_pixel = extent.max_element() / cell as f32;
    for (column, plane) in [Plane::Axial, Plane::Coronal, Plane::Sagittal].into_iter().enumerate() {
        let mut centre = (low + high) / 2.0;
        let (name, edges) = match plane {
            Plane::Axial => {
                centre.z = at.z;
                (format!("z = {:.0} mm", at.z), ["L", "R"])
            }
            Plane::Coronal => {
                centre.y = at.y;
                (format!("y = {:.0} mm", at.y), ["L", "R"])
            }
            Plane::Sagittal => {
                centre.x = at.x;
                (format!("x = {:.0} mm", at.x), ["A", "P"])
            }
        };
        let scene = Scene {
            background: [0, 0, 0, 255],
            view: View::Slice(SliceView {
                plane,
                centre_mm: centre,
                mm_per_pixel,
                radiological: false,
                layers: layers.clone(),
                outlines: outlines.clone(),
                crosshair: Some((at, [255, 255, 255, 150])),
            }),
        };
        let x = cell * column as u32;
        canvas.put(&backend.picture(&scene, [cell, cell])?, i64::from(x), i64::from(header));
        let name = name.replace('-', "−");
        canvas.text(&name, x as f32 + cell as f32 / 2.0, letter * 0.7, letter, Align::Centre, style.ink)?;
        let side = header as f32 + cell as f32 / 2.0 - letter / 2.0;
        let inset = letter * 0.4;
        canvas.text(edges[0], x as f32 + inset, side, letter, Align::Left, [235; 3])?;
        canvas.text(edges[1], (x + cell) as f32 - inset, side, letter, Align::Right, [235; 3])?;
    }
    if let Some(map) = map {
        let bar = Bar { look: &map.look, label: &label_with_threshold(map), ink: style.ink };
        let top = (header + cell) as f32 + letter * 0.5;
        canvas.colour_bar(&bar, width as f32 / 2.0, top, width / 4, letter)?;
    }
    Ok(canvas.into_picture())
}

fn label_with_threshold(map: &Map) -> String {
    if map.look.threshold <= 0.0 {
        return map.label.clone();
    }
    let of = if map.look.two_sided { "|value|" } else { "value" };
    format!("{} ({of} ≥ {})", map.label, crate::figure::short(map.look.threshold))
}

fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}

fn bounds(vertices: &[Vec3]) -> (Vec3, Vec3) {
    vertices
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

fn peak(volume: &Volume) -> Vec3 {
    let best = volume
        .data
        .iter()
        .enumerate()
        .filter(|(_, v)| v.is_finite())
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        .map_or(0, |(index, _)| index);
    volume.grid.world(volume.grid.ijk(best)).as_vec3()
}

fn middle(volume: &Volume) -> Vec3 {
    let (low, high) = volume.grid.world_bounds();
    ((low + high) / 2.0).as_vec3()
}

fn percentile(volume: &Volume, part: f64) -> f32 {
    let mut values: Vec<f32> = volume.data.iter().copied().filter(|v| v.is_finite() && *v > 0.0).collect();
    values.sort_by(f32::total_cmp);
    values.get((values.len().saturating_sub(1) as f64 * part) as usize).copied().unwrap_or(1.0)
}
