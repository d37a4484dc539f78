//! Above the surfaces: which shape, from where, how painted, what is looked into.

use egui::Ui;
use fusiform_render::camera::StandardView;

use crate::command::Change;
use crate::compose::cortex::{self, STOPS};
use crate::layout::{CortexLook, Halves, Inside, InsideLook};
use crate::panels::Ctx;

const VIEWS: [(StandardView, &str, &str); 6] = [
    (StandardView::Left, "Left", "From the subject's left. Key 1"),
    (
        StandardView::Right,
        "Right",
        "From the subject's right. Key 2",
    ),
    (
        StandardView::Superior,
        "Top",
        "From above, anterior up. Key 3",
    ),
    (
        StandardView::Inferior,
        "Bottom",
        "From below, anterior up. Key 4",
    ),
    (StandardView::Anterior, "Front", "From the front. Key 5"),
    (StandardView::Posterior, "Back", "From behind. Key 6"),
];

/// The shapes as stops of one slider.
pub(super) fn shapes(ui: &mut Ui, ctx: &Ctx<'_>) {
    let look = ctx.layout.view.cortex;
    let there = |shape| {
        let cortex = &ctx.session.subject.cortex;
        cortex.iter().any(|h| h.shape(shape).is_some())
    };
    let last = STOPS
        .iter()
        .filter(|(shape, ..)| there(*shape))
        .map(|s| s.1);
    let last = last.fold(0.0, f32::max);
    if last > 0.0 {
        let mut morph = look.morph.min(last);
        ui.spacing_mut().slider_width = if ui.available_width() < 520.0 {
            70.0
        } else {
            120.0
        };
        let slider = ui
            .add(egui::Slider::new(&mut morph, 0.0..=last).show_value(false))
            .accessible_name("Shape")
            .on_hover_text(
                "From white matter over pia, inflated and sphere to the flat map, without a jump.",
            );
        if slider.changed() {
            // Near a shape, that shape.
            let near = STOPS.iter().find(|(_, at, _)| (at - morph).abs() < 0.03);
            let morph = near.map_or(morph, |(_, at, _)| *at);
            ctx.drag(
                Change::Cortex(CortexLook { morph, ..look }),
                slider.drag_started(),
            );
        }
    }
    for (shape, at, name) in STOPS {
        if there(shape)
            && ui
                .selectable_label(look.morph == at, name)
                .on_hover_text(meaning(at))
                .clicked()
        {
            ctx.change(Change::Cortex(CortexLook { morph: at, ..look }));
        }
    }
    let view = &ctx.layout.view;
    let moved = view.surface_zoom != 1.0 || view.surface_shift_mm != [0.0; 2];
    let fit = ui
        .add_enabled(moved, egui::Button::new("Fit"))
        .on_hover_text("Show the surfaces whole, in the middle. Key 0")
        .on_disabled_hover_text("They are shown whole. Wheel zooms; Shift + drag moves.");
    if fit.clicked() {
        ctx.change(Change::SurfaceShift([0.0; 2]));
        ctx.drag(Change::SurfaceZoom(1.0), false);
    }
}

fn meaning(stop: f32) -> &'static str {
    match stop as u32 {
        0 => "The border of white and grey matter. Key W",
        1 => "The outer border of grey matter. Key P",
        2 => "Sulci blown out, so that their walls can be seen. Key I",
        3 => "Each hemisphere as a sphere.",
        _ => {
            "Cut and laid flat: seen from above, unlit, so that colours are those of the bar. Key F"
        }
    }
}

/// From where.
pub(super) fn views(ui: &mut Ui, ctx: &Ctx<'_>) {
    for (view, name, hint) in VIEWS {
        let rotation = view.rotation().to_array();
        let chosen = ctx.layout.view.rotation == rotation;
        if ui
            .selectable_label(chosen, name)
            .on_hover_text(hint)
            .clicked()
        {
            ctx.change(Change::Rotation(rotation));
        }
    }
}

/// Which halves, how far apart, and whether regions have borders.
pub(super) fn halves(ui: &mut Ui, ctx: &Ctx<'_>) {
    let look = ctx.layout.view.cortex;
    if ctx.session.subject.cortex.len() > 1 {
        for (halves, name) in [
            (Halves::Left, "L"),
            (Halves::Both, "L + R"),
            (Halves::Right, "R"),
        ] {
            let chosen = look.halves == halves;
            let hint = "Which hemispheres are drawn. Key H goes through them.";
            if ui
                .selectable_label(chosen, name)
                .on_hover_text(hint)
                .clicked()
            {
                ctx.change(Change::Cortex(CortexLook { halves, ..look }));
            }
        }
        let mut apart_mm = look.apart_mm;
        let drag = egui::DragValue::new(&mut apart_mm)
            .range(0.0..=200.0)
            .suffix(" mm")
            .max_decimals(0);
        let drag = ui
            .add_enabled(look.halves == Halves::Both, drag)
            .accessible_name("Gap between hemispheres")
            .on_hover_text("Hemispheres apart by so much: their medial sides can be seen.");
        if drag.changed() {
            let look = CortexLook { apart_mm, ..look };
            ctx.drag(Change::Cortex(look), drag.drag_started());
        }
    }
    let mut outlines = ctx.layout.view.surface_outlines;
    let there = ctx
        .session
        .subject
        .cortex
        .iter()
        .any(|h| h.outlines.is_some());
    let regions = ui
        .add_enabled(there, egui::Checkbox::new(&mut outlines, "Regions"))
        .on_hover_text("The borders of the parcellation's regions. Key B, with those on slices.")
        .on_disabled_hover_text("These surfaces have no parcellation.");
    if regions.changed() {
        ctx.change(Change::SurfaceOutlines(outlines));
    }
}

/// How the map is put on the sheet, and what is looked into.
pub(super) fn paint(ui: &mut Ui, ctx: &Ctx<'_>) {
    let look = ctx.layout.view.cortex;
    let mut new = look;
    let mut starts = false;
    let mut touched = false;
    let pixel = ui.checkbox(&mut new.per_pixel, "Per pixel").on_hover_text(
        "On: the map is sampled in every pixel between white and pial, so that voxels keep their edges. Off: at the \
         vertices, painted between them.",
    );
    touched |= pixel.changed();
    starts |= pixel.changed();
    if look.per_pixel {
        let mut n_layers = new.n_layers;
        let layers = ui
            .add(
                egui::DragValue::new(&mut n_layers)
                    .range(1..=32)
                    .speed(0.1)
                    .suffix(" depths"),
            )
            .accessible_name("Depths")
            .on_hover_text(
                "Samples from white to pial, averaged. With one, its depth can be chosen.",
            );
        new.n_layers = n_layers;
        touched |= layers.changed();
        starts |= layers.drag_started();
        if new.n_layers == 1 {
            ui.spacing_mut().slider_width = 70.0;
            let depth = ui
                .add(egui::Slider::new(&mut new.depth, 0.0..=1.0).show_value(false))
                .accessible_name("Depth")
                .on_hover_text(format!(
                    "Where the map is sampled: {:.0} % of the way from white to pial.",
                    new.depth * 100.0
                ));
            touched |= depth.changed();
            starts |= depth.drag_started();
        }
    }
    let mut percent = (new.opacity * 100.0).round();
    let opacity = ui
        .add(
            egui::DragValue::new(&mut percent)
                .range(0.0..=100.0)
                .suffix(" % solid")
                .speed(0.5)
                .max_decimals(0),
        )
        .accessible_name("Opacity of the surfaces")
        .on_hover_text("Below 100 % the cortex is glass: what lies inside shows.");
    new.opacity = percent / 100.0;
    touched |= opacity.changed();
    starts |= opacity.drag_started();
    if touched {
        ctx.drag(Change::Cortex(new), starts);
    }
    ui.separator();
    inside_controls(ui, ctx);
}

fn inside_controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    let inside = ctx.layout.view.inside;
    let can = cortex::can_look_inside(ctx.session, &ctx.layout.view);
    let name = |what| match what {
        Inside::Nothing => "nothing",
        Inside::Anatomy => "anatomy",
        Inside::Map => "map",
        Inside::Both => "both",
    };
    ui.add_enabled_ui(can, |ui| {
        ui.label("Inside");
        let combo = egui::ComboBox::from_id_salt("inside")
            .selected_text(name(inside.what))
            .width(76.0)
            .show_ui(ui, |ui| {
                for what in [Inside::Nothing, Inside::Anatomy, Inside::Map, Inside::Both] {
                    if ui.selectable_label(inside.what == what, name(what)).clicked() {
                        ctx.change(Change::Inside(InsideLook { what, ..inside }));
                    }
                }
            });
        combo
            .response
            .accessible_name("Inside")
            .on_hover_text("Volumes looked into by rays. Make the surfaces glass, or cut the volume, to see it.")
            .on_disabled_hover_text("Only where the surfaces are where the brain is: white to pial.");
        if inside.what == Inside::Nothing {
            return;
        }
        let mut maximum = inside.maximum;
        let hint = "The largest number on each ray instead of lit matter.";
        if ui.checkbox(&mut maximum, "Maximum").on_hover_text(hint).changed() {
            ctx.change(Change::Inside(InsideLook { maximum, ..inside }));
        }
        ui.spacing_mut().slider_width = 56.0;
        let mut cuts = inside.cuts;
        for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
            ui.label(name);
            let slider = ui
                .add(egui::Slider::new(&mut cuts[axis], -1.0..=1.0).show_value(false))
                .accessible_name(format!("Cut along {name}"))
                .on_hover_text("Cut away from one end or the other; in the middle nothing is cut.");
            if slider.changed() {
                if cuts[axis].abs() < 0.03 {
                    cuts[axis] = 0.0;
                }
                let look = InsideLook { cuts, ..inside };
                ctx.drag(Change::Inside(look), slider.drag_started());
            }
        }
    });
}
