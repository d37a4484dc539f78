//! Three slices through one point.

use fusiform_pipelines::volume::Volume;
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{Look, Picture, Plane, Scene, SliceView, View, VolumeLayer};
use glam::Vec3;

use super::{Map, Style, label_with_threshold};
use crate::brain::Brain;
use crate::bridge::{self, Keys};
use crate::figure::{Align, Bar, Canvas};

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
    let footer = if map.is_some() {
        (letter * 4.6) as u32
    } else {
        letter as u32
    };
    let mut canvas = Canvas::new(width, header + cell + footer, style.paper);
    let mut keys = Keys::default();

    let mut layers = Vec::new();
    if brain.anatomy.is_some() {
        layers.push(VolumeLayer {
            modulation: None,
            volume: bridge::volume_data(keys.fresh(), base),
            linear: true,
            look: Look {
                soft: false,
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
        layers.push(VolumeLayer {
            modulation: None,
            volume,
            linear: true,
            look: map.look.clone(),
        });
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
    for (column, plane) in [Plane::Axial, Plane::Coronal, Plane::Sagittal]
        .into_iter()
        .enumerate()
    {
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
                nose_right: false,
                slab_mm: None,
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
        canvas.put(
            &backend.picture(&scene, [cell, cell])?,
            i64::from(x),
            i64::from(header),
        );
        let name = name.replace('-', "−");
        canvas.text(
            &name,
            x as f32 + cell as f32 / 2.0,
            letter * 0.7,
            letter,
            Align::Centre,
            style.ink,
        )?;
        let side = header as f32 + cell as f32 / 2.0 - letter / 2.0;
        let inset = letter * 0.4;
        canvas.text(
            edges[0],
            x as f32 + inset,
            side,
            letter,
            Align::Left,
            [235; 3],
        )?;
        canvas.text(
            edges[1],
            (x + cell) as f32 - inset,
            side,
            letter,
            Align::Right,
            [235; 3],
        )?;
    }
    if let Some(map) = map {
        let bar = Bar {
            look: &map.look,
            label: &label_with_threshold(map),
            ink: style.ink,
        };
        let top = (header + cell) as f32 + letter * 0.5;
        canvas.colour_bar(&bar, width as f32 / 2.0, top, width / 4, letter)?;
    }
    Ok(canvas.into_picture())
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
    let mut values: Vec<f32> = volume
        .data
        .iter()
        .copied()
        .filter(|v| v.is_finite() && *v > 0.0)
        .collect();
    values.sort_by(f32::total_cmp);
    values
        .get((values.len().saturating_sub(1) as f64 * part) as usize)
        .copied()
        .unwrap_or(1.0)
}
