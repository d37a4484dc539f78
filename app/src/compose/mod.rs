//! From what is loaded and what is shown to scenes: the window's panels and figures made without a window ask here, so
//! that both draw the same.

pub mod cortex;
pub mod names;
pub mod silhouette;
pub mod slices;

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

/// The map that is shown and its look.
pub fn map<'a>(session: &'a Session, view: &View) -> Option<(&'a OverlayMap, MapLook)> {
    let map = session.map(view.map?)?;
    Some((map, view.look(map.id, map.robust)))
}
