//! The features of the basket on slices and on the cortex, and clicks there that add to it.

use egui::{Pos2, Rect, Stroke, Ui, pos2};
use fusiform_render::scene::{SliceView, SurfaceView};
use glam::{DVec3, Vec3, Vec3Swizzles};

use crate::command::{Command, Select as Ask};
use crate::panels::Ctx;

/// Radius of a mark, points.
const RADIUS: f32 = 4.5;

/// Puts what is at a world point into the basket, when clicks do that.
pub fn clicked(ui: &Ui, ctx: &Ctx<'_>, at: DVec3) {
    if ctx.layout.view.select.click_adds && ctx.session.selected.map.is_some() {
        let whole = ui.input(|i| i.modifiers.shift);
        ctx.send(Command::Select(Ask::Collect(at, whole)));
    }
}

/// Marks what lies in a slice, which is drawn into `rect` with `size` pixels.
pub fn on_slice(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, slice: &SliceView, size: [u32; 2]) {
    let members = &ctx.session.selected.members;
    if members.is_empty() {
        return;
    }
    let Some(underlay) = ctx.session.underlay() else {
        return;
    };
    let voxel_mm = ctx
        .session
        .selected
        .extracted
        .as_ref()
        .and_then(|e| e.grid())
        .unwrap_or(&underlay.volume.grid)
        .voxel_size_mm()
        .max_element();
    let (right, down) = slice.axes();
    let normal = right.cross(down);
    let scale = rect.width() / size[0] as f32;
    let slab_mm = slice.slab_mm.unwrap_or(0.51 * voxel_mm as f32);
    for at in members.iter().filter_map(|m| m.world_mm) {
        let at = at.as_vec3();
        if (at - slice.centre_mm).dot(normal).abs() > slab_mm {
            continue;
        }
        let [x, y] = slice.pixel_at(at, size);
        mark(ui, ctx, rect, rect.min + egui::vec2(x, y) * scale);
    }
}

/// Marks what lies on the side of the cortex that is seen.
pub fn on_cortex(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, view: &SurfaceView, hemispheres: &[usize]) {
    let members = &ctx.session.selected.members;
    if members.is_empty() {
        return;
    }
    let aspect = rect.aspect_ratio();
    let clip = view.camera.clip_from_world(aspect);
    let towards = view.camera.rotation.inverse() * Vec3::Z;
    for place in members.iter().filter_map(|m| m.on_cortex.as_ref()) {
        let Some(number) = hemispheres.iter().position(|h| *h == place.hemisphere) else {
            continue;
        };
        let Some(layer) = view.meshes.get(number) else {
            continue;
        };
        let Some(at) = layer.vertex_mm(place.vertex) else {
            continue;
        };
        let normal: Vec3 = place
            .triangles
            .iter()
            .filter_map(|t| {
                let corner = |n: usize| layer.vertex_mm(t[n] as usize);
                let (a, b, c) = (corner(0)?, corner(1)?, corner(2)?);
                Some((b - a).cross(c - a))
            })
            .sum();
        if normal.dot(towards) <= 0.0 {
            continue;
        }
        let on_screen = clip.project_point3(at + layer.offset_mm).xy();
        let share = (on_screen * glam::vec2(0.5, -0.5)) + 0.5;
        let point = rect.min + egui::vec2(share.x * rect.width(), share.y * rect.height());
        mark(ui, ctx, rect, point);
    }
}

/// A ring that can be told from what lies under it, light or dark.
fn mark(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, at: Pos2) {
    if !rect.contains(at) {
        return;
    }
    let painter = ui.painter().with_clip_rect(rect);
    let at = pos2(at.x, at.y);
    painter.circle_stroke(at, RADIUS, Stroke::new(3.4, ctx.theme.veil()));
    painter.circle_stroke(at, RADIUS, Stroke::new(1.8, ctx.theme.mark()));
}
