//! The columns of the table of trials and their heads, which choose the order.

use egui::{Align2, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::command::Change;
use crate::layout::Sort;
use crate::panels::Ctx;
use crate::theme;

/// The score columns, from left to right.
pub(super) const SCORES: [Sort; 4] = [Sort::Pixcorr, Sort::Ssim, Sort::TwoWay, Sort::Rank];

/// Left edges of the columns (right edges of the scores), points from the table's left.
pub(super) struct Columns {
    pub(super) width: f32,
    pub(super) trial: f32,
    pub(super) stimulus: Option<f32>,
    pub(super) reconstruction: Option<f32>,
    pub(super) condition: f32,
    pub(super) scores: Vec<f32>,
}

impl Columns {
    pub(super) fn fit(width: f32, pictures: bool) -> Self {
        let trial = 0.0;
        if !pictures {
            let scores = Vec::new();
            return Self {
                width,
                trial,
                stimulus: None,
                reconstruction: None,
                condition: 110.0,
                scores,
            };
        }
        let score_width = if width > 640.0 { 72.0 } else { 58.0 };
        let scores = (0..4)
            .map(|n| width - 8.0 - (3 - n) as f32 * score_width)
            .collect();
        Self {
            width,
            trial,
            stimulus: Some(84.0),
            reconstruction: Some(150.0),
            condition: 246.0,
            scores,
        }
    }
}

/// Draws the heads; a click on one orders by it, a second click reverses.
pub(super) fn header(ui: &mut Ui, ctx: &Ctx<'_>, columns: &Columns) {
    let (rect, _) = ui.allocate_exact_size(vec2(columns.width, 22.0), Sense::hover());
    let font = theme::small_font();
    let plain = |x: f32, words: &str| {
        let at = pos2(rect.left() + x, rect.center().y);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, words, font.clone(), ctx.theme.weak);
    };
    if let (Some(stimulus), Some(reconstruction)) = (columns.stimulus, columns.reconstruction) {
        plain(stimulus, "Stimulus");
        plain(reconstruction, "Reconstruction");
    }
    plain(columns.condition, "Shown, named");
    let order = &ctx.layout.view;
    let sortable = |x: f32, align: Align2, sort: Sort, words: &str, meaning: &str| {
        let on = order.sort == sort;
        let colour = if on { ctx.theme.accent } else { ctx.theme.weak };
        let galley = ui
            .painter()
            .layout_no_wrap(words.to_owned(), font.clone(), colour);
        let place = align.anchor_size(pos2(rect.left() + x, rect.center().y), galley.size());
        let response = ui.interact(
            place.expand(3.0),
            ui.scope_id().with(("sort", words)),
            Sense::click(),
        );
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, true, on, format!("Sort by {words}"))
        });
        let colour = if response.hovered() {
            ctx.theme.strong
        } else {
            colour
        };
        ui.painter()
            .galley_with_override_text_color(place.min, galley, colour);
        if on {
            // A bar under the words for the usual order, over them for the reverse.
            let y = if order.reversed {
                place.top() - 1.0
            } else {
                place.bottom() + 1.0
            };
            ui.painter()
                .hline(place.x_range(), y, egui::Stroke::new(2.0, colour));
        }
        if response.on_hover_text(meaning).clicked() {
            ctx.change(Change::Sort(sort, on && !order.reversed));
        }
    };
    sortable(
        6.0,
        Align2::LEFT_CENTER,
        Sort::Trial,
        "Trial",
        "In the order they were shown.",
    );
    sortable(
        44.0,
        Align2::LEFT_CENTER,
        Sort::Run,
        "Run",
        "By run, then in the order they were shown.",
    );
    for ((x, sort), (words, meaning)) in columns.scores.iter().zip(SCORES).zip([
        ("Pixcorr", "Pearson correlation of the pixels of reconstruction and stimulus; chance 0."),
        ("SSIM", "Structural similarity of reconstruction and stimulus, −1 to 1."),
        ("Two-way", "Share of the other candidates that are less like the reconstruction than the stimulus is; chance 0.5."),
        ("Rank", "Rank of the true stimulus among the candidates by likeness to the reconstruction; 1 is best."),
    ]) {
        sortable(*x, Align2::RIGHT_CENTER, sort, words, meaning);
    }
}
