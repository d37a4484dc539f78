//! Below the slices: where the crosshair is and what is there.

use egui::Ui;

use super::tenth;
use crate::panels::{Ctx, capitalised, overlay, short};
use crate::session::Underlay;
use crate::theme;

/// Draws it.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay) {
    let Some(at) = ctx.layout.view.crosshair() else {
        return;
    };
    ui.spacing_mut().item_spacing.y = 2.0;
    let voxel = |ijk: Option<[usize; 3]>| {
        ijk.map_or_else(
            || "outside".to_owned(),
            |[i, j, k]| format!("voxel {i}, {j}, {k}"),
        )
    };
    ui.horizontal(|ui| {
        pair(
            ui,
            ctx,
            "World (RAS)",
            &format!("{}, {}, {} mm", tenth(at.x), tenth(at.y), tenth(at.z)),
        )
        .on_hover_text("Right, anterior and superior of the origin are positive.");
        let region = ctx
            .session
            .region_at(at)
            .map_or("none", |r| r.name.as_str());
        pair(ui, ctx, "Region", region).on_hover_text("The atlas's region at the crosshair.");
        if let Some((map, _)) = overlay::current(ctx) {
            let value = match map.volume() {
                Some(volume) => volume.at_world(at).map(f64::from),
                None => ctx.session.sheet_value_near(map, at).map(f64::from),
            };
            let value = value.map_or_else(|| "outside".into(), short);
            pair(ui, ctx, &map.name, &format!("{value} ({})", map.unit))
                .on_hover_text(&map.meaning);
        }
    });
    ui.horizontal(|ui| {
        let ijk = underlay.volume.grid.voxel_at(at);
        let value = ijk.map_or_else(String::new, |v| {
            format!(" = {}", short(f64::from(underlay.volume.at(v))))
        });
        pair(
            ui,
            ctx,
            &capitalised(&underlay.name),
            &format!("{}{value}", voxel(ijk)),
        )
        .on_hover_text("Voxel indices i, j, k from 0, and the value in the file's own units.");
        if let Some(grid) = ctx.session.bold_grid() {
            pair(ui, ctx, "BOLD", &voxel(grid.voxel_at(at)))
                .on_hover_text("The voxel of the run whose time course is shown.");
        }
    });
}

fn pair(ui: &mut Ui, ctx: &Ctx<'_>, name: &str, value: &str) -> egui::Response {
    let mut job = egui::text::LayoutJob::default();
    let format = |color| egui::TextFormat {
        font_id: theme::small_font(),
        color,
        ..Default::default()
    };
    job.append(name, 0.0, format(ctx.theme.weak));
    job.append(value, 6.0, format(ctx.theme.strong));
    let response = ui.label(job);
    ui.add_space(4.0);
    response
}
