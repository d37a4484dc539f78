//! From what is loaded and what is shown to scenes: the window's panels and figures made without a window ask here, so
//! that both draw the same.

pub mod cortex;
pub mod crisp;
pub mod mosaic;
pub mod names;
pub mod silhouette;
pub mod slices;

use fusiform_render::scene::{Modulation, VolumeLayer};

use crate::layout::{MapLook, View};
use crate::session::{OverlayMap, Session};

/// Colours of the surroundings (straight sRGB).
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Behind everything.
    pub canvas: [u8; 4],
    /// The crosshair and the marker.
    pub crosshair: [u8; 4],
}

/// The map that is worked on and its look.
pub fn map<'a>(session: &'a Session, view: &View) -> Option<(&'a OverlayMap, MapLook)> {
    let map = session.map(view.map?)?;
    Some((map, view.look(map)))
}

/// The maps that are drawn and their looks, from bottom to top.
pub fn maps<'a>(session: &'a Session, view: &View) -> Vec<(&'a OverlayMap, MapLook)> {
    let layers = view.layers().into_iter().filter(|layer| layer.visible);
    let maps = layers.filter_map(|layer| session.map(layer.map));
    maps.map(|map| (map, view.look(map))).collect()
}

/// A map on its grid as a layer; nothing for one on the cortical sheet alone.
pub fn volume_layer(
    session: &Session,
    view: &View,
    map: &OverlayMap,
    look: &MapLook,
) -> Option<VolumeLayer> {
    let modulation = look.modulation.and_then(|modulation| {
        let by = session.map(modulation.by)?.on_grid.as_ref()?;
        Some(Modulation {
            volume: by.data.clone(),
            range: modulation.range,
        })
    });
    Some(VolumeLayer {
        volume: map.on_grid.as_ref()?.data.clone(),
        // In blocks what is seen is what was measured; between two classes lies no third.
        linear: view.smooth_map && look.colormap.n_classes().is_none(),
        look: look.look(),
        modulation,
    })
}

/// The topmost map that is drawn on a grid, which the cortical sheet shows.
pub fn topmost_on_grid<'a>(session: &'a Session, view: &View) -> Option<(&'a OverlayMap, MapLook)> {
    let mut maps = maps(session, view).into_iter();
    maps.rfind(|(map, _)| map.on_grid.is_some())
}
