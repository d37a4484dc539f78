//! What is looked into: volumes as solids, and the cuts through them.

use fusiform_render::colormap::Colormap;
use fusiform_render::scene::{Cast, ClipPlane, Look, SolidLayer, VolumeLayer};
use glam::Vec3;

use crate::compose::{map, volume_layer};
use crate::layout::{Inside, View};
use crate::session::Session;

/// Shapes past this place on the slider are no longer where the brain is.
const ANATOMICAL: f32 = 1.0;

/// Whether volumes can be looked into: only where the surfaces are where the brain is.
pub fn can_look_inside(session: &Session, view: &View) -> bool {
    session.underlay().is_some()
        && (view.cortex.morph <= ANATOMICAL || session.subject.cortex.is_empty())
}

pub(super) fn solids(session: &Session, view: &View) -> Vec<SolidLayer> {
    let inside = view.inside;
    let mut solids = Vec::new();
    if !can_look_inside(session, view) {
        return solids;
    }
    let cast = if inside.maximum {
        Cast::Maximum
    } else {
        Cast::Shaded
    };
    let mut add = |layer| {
        solids.push(SolidLayer {
            layer,
            cast,
            step_voxels: 0.75,
        });
    };
    if let (Inside::Anatomy | Inside::Both, Some(underlay)) = (inside.what, session.underlay()) {
        let (low, high) = underlay.window;
        add(VolumeLayer {
            volume: underlay.data.clone(),
            linear: true,
            look: Look {
                colormap: Colormap::Grey,
                range: underlay.window,
                threshold: low.max(0.0) + 0.3 * (high - low.max(0.0)),
                soft: false,
                two_sided: false,
                opacity: if inside.maximum { 1.0 } else { 0.85 },
            },
            modulation: None,
        });
    }
    if let (Inside::Map | Inside::Both, Some((map, look))) = (inside.what, map(session, view))
        && let Some(layer) = volume_layer(session, view, map, &look)
    {
        add(layer);
    }
    solids
}

/// The cuts through what is looked into, from the shares of its extent.
pub(super) fn clips(session: &Session, view: &View) -> Vec<ClipPlane> {
    let Some(underlay) = session.underlay() else {
        return Vec::new();
    };
    let (low, high) = (
        underlay.bounds_mm.0.as_vec3(),
        underlay.bounds_mm.1.as_vec3(),
    );
    let mut clips = Vec::new();
    for (axis, unit) in [Vec3::X, Vec3::Y, Vec3::Z].into_iter().enumerate() {
        let cut = view.inside.cuts[axis];
        let extent = high[axis] - low[axis];
        if cut > 0.0 {
            clips.push(ClipPlane {
                normal: unit,
                distance_mm: high[axis] - cut * extent,
            });
        } else if cut < 0.0 {
            clips.push(ClipPlane {
                normal: -unit,
                distance_mm: -(low[axis] - cut * extent),
            });
        }
    }
    clips
}
