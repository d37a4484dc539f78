//! Slices: the anatomy in grey, the map over it, region borders, the crosshair.

use fusiform_render::colormap::Colormap;
use fusiform_render::scene::{Look, Plane, Scene, SliceView, View as Picture, VolumeLayer};
use glam::DVec3;

use super::{Paint, maps, volume_layer};
use crate::layout::{SliceMode, View};
use crate::session::{Session, Underlay};

/// Empty border around the volume, as a share of its size.
pub const BORDER: f64 = 1.1;

/// The planes with the world axes across, down and through.
pub const PLANES: [(Plane, [usize; 3]); 3] = [
    (Plane::Axial, [0, 1, 2]),
    (Plane::Coronal, [0, 2, 1]),
    (Plane::Sagittal, [1, 2, 0]),
];

/// A slice of what is loaded: `at` is its offset along the plane's normal (world mm), `mm_per_pixel` its zoom.
pub fn scene(
    session: &Session,
    view: &View,
    underlay: &Underlay,
    plane: usize,
    (at, mm_per_pixel): (f64, f64),
    paint: Paint,
) -> Scene {
    let (plane, axes) = PLANES[plane];
    let glass = view.slices == SliceMode::Glass;
    let (low, high) = underlay.bounds_mm;
    let middle = (low + high) / 2.0;
    let mut centre = view.centre_mm.map_or(middle, DVec3::from_array);
    if view.slices == SliceMode::Mosaic {
        centre = middle;
    }
    centre[axes[2]] = at;
    let outlines = if glass {
        let number = PLANES.iter().position(|(p, _)| *p == plane);
        let silhouette = number.and_then(|n| Some(underlay.silhouettes.as_ref()?[n].clone()));
        silhouette.into_iter().collect()
    } else if view.slice_outlines {
        let regions = session.region_volumes(&view.regions).into_iter();
        regions.map(|(layer, _)| layer).collect()
    } else {
        Vec::new()
    };
    let crosshair = view.crosshair().unwrap_or(middle);
    Scene {
        background: paint.canvas,
        view: Picture::Slice(SliceView {
            plane,
            centre_mm: centre.as_vec3(),
            mm_per_pixel: mm_per_pixel as f32,
            radiological: view.radiological,
            nose_right: view.nose_right,
            slab_mm: glass.then_some(f32::INFINITY),
            layers: layers(session, view, underlay),
            outlines,
            crosshair: (view.slices != SliceMode::Mosaic)
                .then(|| (crosshair.as_vec3(), paint.crosshair)),
        }),
    }
}

/// The zoom (mm a pixel) at which the whole volume fits pictures of these sizes (pixels), one a plane, magnified.
pub fn mm_per_pixel(underlay: &Underlay, sizes: [[f64; 2]; 3], zoom: f64) -> f64 {
    let fits =
        (0..PLANES.len()).map(|plane| plane_mm_per_pixel(underlay, plane, sizes[plane], zoom));
    fits.fold(0.0, f64::max)
}

/// The same for one plane alone.
pub fn plane_mm_per_pixel(
    underlay: &Underlay,
    plane: usize,
    [width, height]: [f64; 2],
    zoom: f64,
) -> f64 {
    let extent = underlay.bounds_mm.1 - underlay.bounds_mm.0;
    let (_, axes) = PLANES[plane];
    (extent[axes[0]] / width).max(extent[axes[1]] / height) * BORDER / zoom
}

/// What lies on the left, right, top and bottom of a plane's picture.
pub fn edges(view: &View, plane: Plane) -> [&'static str; 4] {
    let (left, right) = if view.radiological {
        ("R", "L")
    } else {
        ("L", "R")
    };
    match plane {
        Plane::Axial => [left, right, "A", "P"],
        Plane::Coronal => [left, right, "S", "I"],
        Plane::Sagittal if view.nose_right => ["P", "A", "S", "I"],
        Plane::Sagittal => ["A", "P", "S", "I"],
    }
}

fn layers(session: &Session, view: &View, underlay: &Underlay) -> Vec<VolumeLayer> {
    let grey = Look {
        soft: false,
        colormap: Colormap::Grey,
        range: view.grey.unwrap_or(underlay.window),
        threshold: 0.0,
        two_sided: false,
        opacity: 1.0,
    };
    let mut layers = Vec::new();
    if view.slices != SliceMode::Glass {
        layers.push(VolumeLayer {
            modulation: None,
            volume: underlay.data.clone(),
            linear: true,
            look: grey,
        });
    }
    let maps = maps(session, view);
    layers.extend(
        maps.iter()
            .filter_map(|(map, look)| volume_layer(session, view, map, look)),
    );
    layers
}
