//! The collected features: added, picked, removed.

use egui::{Align2, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::{Search, Sign};

use super::{Edit, choose, feature_name, heading, row, under_way};
use crate::command::{Change, Command, FINDING, Select as Ask};
use crate::jobs::Kind;
use crate::panels::{Ctx, short, weak};
use crate::session::selected::{Member, Purpose};
use crate::theme;

/// Height of a row, points.
const ROW: f32 = 20.0;
/// Rows in sight.
const IN_SIGHT: f32 = 6.0;

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let n = edit.look.basket.features.len();
    heading(
        ui,
        &format!("Basket ({n})"),
        "The features that a classifier gets. They are marked on slices, on the cortex and in the matrix.",
    );
    let has_map = ctx.session.selected.map.is_some();
    buttons(ui, ctx, edit, has_map);
    rule(ui, ctx, edit);
    combination(ui, ctx, edit, has_map);
    list(ui, ctx);
}

fn buttons(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit, has_map: bool) {
    ui.horizontal_wrapped(|ui| {
        let no_map = "Make a map first.";
        let pick = egui::Button::new("Auto-pick").shortcut_text("N");
        let pick = ui
            .add_enabled(has_map, pick)
            .on_hover_text("The strongest features by the rule below, in place of what is in the basket. Key N")
            .on_disabled_hover_text(no_map);
        if pick.clicked() {
            ctx.send(Command::Select(Ask::AutoPick));
        }
        let here = egui::Button::new("Add").shortcut_text("A");
        let here = ui
            .add_enabled(has_map, here)
            .accessible_name("Add what is at the crosshair")
            .on_hover_text(
                "What is at the crosshair; with Shift all of its cluster, or region. Keys A and Shift + A",
            )
            .on_disabled_hover_text(no_map);
        if let Some(at) = ctx.layout.view.crosshair().filter(|_| here.clicked()) {
            let whole = ui.input(|i| i.modifiers.shift);
            ctx.send(Command::Select(Ask::Collect(at, whole)));
        }
        let clear = ui
            .add_enabled(!edit.look.basket.features.is_empty(), egui::Button::new("Clear"))
            .on_hover_text("Empties the basket; Undo brings it back.")
            .on_disabled_hover_text("The basket is empty.");
        if clear.clicked() {
            edit.look = edit.look.emptied();
        }
        ui.checkbox(&mut edit.look.click_adds, "clicks add")
            .on_hover_text("A click on slices and the cortex adds what is there; Shift + click its cluster or region.");
    });
}

/// How features are picked, in the basket and in every fold.
fn rule(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let signed = edit.look.statistic.is_signed();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        ui.label(weak(ctx, "pick"));
        let pick = &mut edit.look.plan.pick;
        let number = egui::DragValue::new(&mut pick.n).range(1..=5000);
        let number = ui
            .add(number)
            .accessible_name("Features to pick")
            .on_hover_text("Features at most, in the basket and in every fold.");
        ui.label(weak(ctx, "apart"));
        let apart = egui::DragValue::new(&mut pick.min_distance_mm)
            .range(0.0..=100.0)
            .speed(0.2)
            .max_decimals(1)
            .suffix(" mm");
        let apart = ui
            .add(apart)
            .accessible_name("Least distance")
            .on_hover_text(
                "Picked features are at least so far from each other: neighbours say the same.",
            );
        ui.checkbox(&mut pick.one_per_region, "one a region");
        edit.dragged(&number);
        edit.dragged(&apart);
    });
    if signed {
        row(ui, ctx, "sign", |ui| {
            let values = [
                (
                    Sign::Both,
                    "either way".to_owned(),
                    "Differences either way count.",
                ),
                (
                    Sign::First,
                    "A has more".to_owned(),
                    "Features with more in A alone.",
                ),
                (
                    Sign::Second,
                    "B has more".to_owned(),
                    "Features with more in B alone.",
                ),
            ];
            let name = ("sign", "Sign of picked features");
            choose(ui, name, &mut edit.look.plan.pick.sign, &values, |_| None);
        });
    }
}

/// What is tried when the best combination is looked for.
fn combination(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit, has_map: bool) {
    let mut search = match edit.look.plan.search {
        Search::None => Search::Prefixes,
        other => other,
    };
    let before = search;
    row(ui, ctx, "combine", |ui| {
        let values = [
            (
                Search::Prefixes,
                "the first 1, 2, 3, …".to_owned(),
                "The strongest one, two, three, … up to as many as are picked (HappyFeat's rule).",
            ),
            (
                Search::Forward,
                "one by one".to_owned(),
                "The one that helps most, then the next, as long as one does.",
            ),
            (
                Search::Regions,
                "one region".to_owned(),
                "The strongest of a single region, region by region.",
            ),
        ];
        let name = ("search", "Combinations to try");
        choose(ui, name, &mut search, &values, |_| None);
    });
    if search != before {
        edit.look.plan.search = search;
    }
    let finds = ctx
        .jobs
        .get(Kind::Score)
        .is_some_and(|job| job.name == FINDING);
    if finds {
        let _ = under_way(ui, ctx, Kind::Score);
        return;
    }
    let busy = ctx.jobs.is_running(Kind::Score);
    let find = ui
        .add_enabled(has_map && !busy, egui::Button::new("Find best combination"))
        .on_hover_text(
            "Searches within the training rows of each fold, so the re-picked score stays honest. What does best on all rows goes into the basket.",
        )
        .on_disabled_hover_text("Make a map first, and let what is under way end.");
    if find.clicked() {
        ctx.send(Command::Select(Ask::Score(Purpose::BestCombination, false)));
    }
}

fn list(ui: &mut Ui, ctx: &Ctx<'_>) {
    let members = &ctx.session.selected.members;
    if members.is_empty() {
        let words = "Empty. Press N for the strongest, A for what is at the crosshair, or click in the list.";
        ui.add(egui::Label::new(weak(ctx, words)).wrap());
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical()
        .id_salt("basket")
        .max_height(ROW * IN_SIGHT)
        .show_rows(ui, ROW, members.len(), |ui, range| {
            for place in range {
                member(ui, ctx, &members[place], place);
            }
        });
    ui.reset_style();
}

fn member(ui: &mut Ui, ctx: &Ctx<'_>, member: &Member, place: usize) {
    let selected = &ctx.session.selected;
    let table = selected.extracted.as_ref().map(|e| &e.table);
    let name = match (member.column, table) {
        (Some(column), Some(table)) => feature_name(table, column),
        _ => member.feature.to_string(),
    };
    let value = member
        .column
        .zip(selected.map.as_ref())
        .map(|(column, now)| short(f64::from(now.map.values[column])));
    ui.horizontal(|ui| {
        let width = ui.available_width() - 28.0;
        let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Basket: {name}")));
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 2.0, ctx.theme.raised);
        }
        let font = theme::small_font();
        let ink = if member.column.is_some() {
            ctx.theme.text
        } else {
            ctx.theme.warn
        };
        let mut job = egui::text::LayoutJob::simple(name.clone(), font.clone(), ink, width - 48.0);
        job.wrap.max_rows = 1;
        job.wrap.break_anywhere = true;
        let galley = ui.painter().layout_job(job);
        let top = rect.center().y - galley.size().y / 2.0;
        ui.painter()
            .galley(pos2(rect.left() + 3.0, top), galley, ink);
        ui.painter().text(
            pos2(rect.right() - 2.0, rect.center().y),
            Align2::RIGHT_CENTER,
            value.unwrap_or_default(),
            font,
            ctx.theme.weak,
        );
        if let Some(at) = member.world_mm.filter(|_| response.clicked()) {
            ctx.change(Change::Crosshair(at));
        }
        let words = if member.column.is_none() {
            "Not among the features at hand: make them again, or clear the basket.".to_owned()
        } else if member.world_mm.is_some() {
            "Click: the crosshair goes there.".to_owned()
        } else {
            String::new()
        };
        response.on_hover_text(format!("{name}\n{words}"));
        let remove = egui::Button::new("×").small().frame(false);
        if ui
            .add(remove)
            .accessible_name(format!("Remove {name}"))
            .on_hover_text("Out of the basket.")
            .clicked()
        {
            ctx.send(Command::Select(Ask::Remove(place)));
        }
    });
}
