//! Stimulus, reconstruction and scores of every held-out trial, with the controls that keep them honest.

use egui::{Align2, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::decode::{Decoded, DecodedTrial};

mod columns;
mod text;

use super::scores::{cards, fraction};
use super::{Ctx, confusion, detail, picture_ui, placeholder, toolbar, weak};
use crate::command::{Change, Command};
use crate::jobs::Kind;
use crate::layout::{CodeChoice, Sort};
use crate::theme::{self, GAP, ROW_PICTURE};
use columns::{Columns, SCORES, header};

/// Height of a row with pictures and of one without, points.
const ROW: (f32, f32) = (ROW_PICTURE + 6.0, 24.0);
/// Width of the enlarged pair, points; left out where the table would get too narrow.
const DETAIL: f32 = 252.0;

/// The selection the table was last scrolled to.
#[derive(Debug, Default)]
pub struct Trials {
    scrolled_to: Option<usize>,
    shows_confusion: bool,
}

impl Trials {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        toolbar::row(ui, |ui| self.controls(ui, ctx));
        let Some(parts) = &ctx.session.decoded else {
            let idle = match ctx.session.study_subject() {
                Some(s) if s.runs.is_empty() && s.betas.is_none() && !ctx.session.partial => {
                    "Nothing to decode: this study has no BOLD runs and no betas."
                }
                Some(_) => "Press “Decode” to reconstruct what was seen in each held-out run.",
                None => "Open a study to decode it.",
            };
            placeholder(ui, ctx, &[Kind::Decode, Kind::Open], idle);
            return;
        };
        cards(ui, ctx, parts);
        ui.add_space(4.0);
        let body = ui.available_rect_before_wrap();
        let shows_matrix = self.shows_confusion || !has_pictures(&parts.decoded);
        let (side_width, table_width) = if has_pictures(&parts.decoded) {
            (DETAIL, 520.0)
        } else {
            (1.5 * DETAIL, 300.0)
        };
        let has_detail = body.width() > side_width + table_width && body.height() > 120.0;
        let detail_left = if has_detail {
            body.right() - side_width
        } else {
            body.right()
        };
        let table = Rect::from_min_max(
            body.min,
            pos2(
                detail_left - if has_detail { GAP } else { 0.0 },
                body.bottom(),
            ),
        );
        ui.scope_builder(
            egui::UiBuilder::new().max_rect(table).id_salt("table"),
            |ui| {
                self.table(ui, ctx, &parts.decoded);
            },
        );
        if has_detail {
            let side = Rect::from_min_max(pos2(detail_left, body.top()), body.max);
            ui.scope_builder(
                egui::UiBuilder::new().max_rect(side).id_salt("detail"),
                |ui| {
                    if shows_matrix {
                        confusion::ui(ui, ctx, &parts.decoded);
                    } else {
                        detail::ui(ui, ctx, &parts.decoded);
                    }
                },
            );
        }
    }

    fn controls(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let busy = ctx.jobs.is_running(Kind::Decode);
        let subject = ctx.session.study_subject();
        let loaded = subject.is_some() && !ctx.session.partial;
        let has_data = subject.is_some_and(|s| !s.runs.is_empty() || s.betas.is_some());
        let ready = loaded && has_data && !busy;
        let why_not = match (busy, loaded) {
            (true, _) => "Decoding is under way.",
            (_, false) => "The study is not loaded yet.",
            _ => "This study has no BOLD runs and no betas to decode.",
        };
        let button = egui::Button::new(RichText::new("Decode").color(ctx.theme.strong))
            .fill(ctx.theme.selected);
        let decode = ui
            .add_enabled(ready, button)
            .on_hover_text("Reconstruct every trial from models fitted without its run. Key D")
            .on_disabled_hover_text(why_not);
        if decode.clicked() {
            ctx.send(Command::Decode);
        }
        let cancel = ui
            .add_enabled(busy, egui::Button::new("Cancel"))
            .on_hover_text("Stop decoding; the folds done so far stay.")
            .on_disabled_hover_text("Nothing is being decoded.");
        if cancel.clicked() {
            ctx.send(Command::Cancel(Kind::Decode));
        }
        ui.label("Image code")
            .on_hover_text("What the brain is asked for.");
        for (code, name, meaning) in [
            (
                CodeChoice::Components,
                "Components",
                "Principal components of the training pictures' pixels.",
            ),
            (
                CodeChoice::Pixels,
                "Pixels",
                "Each pixel of the downsampled picture by itself.",
            ),
        ] {
            let chosen = ctx.layout.view.code == code;
            if ui
                .selectable_label(chosen, name)
                .on_hover_text(meaning)
                .clicked()
            {
                ctx.change(Change::Code(code));
            }
        }
        if let Some(parts) = &ctx.session.decoded {
            if parts.decoded.confusion.len() > 1 && has_pictures(&parts.decoded) {
                ui.toggle_value(&mut self.shows_confusion, "Confusions")
                    .on_hover_text("Which conditions are taken for which.");
            }
            let table = || text::of(&parts.decoded, &ordered(&parts.decoded, ctx));
            let hint = "The table of trials in its order, as tab-separated text for a spreadsheet.";
            if ui.button("Copy").on_hover_text(hint).clicked() {
                ui.ctx().copy_text(table());
            }
            let hint = "The same in a file (.tsv).";
            if ui.button("Save…").on_hover_text(hint).clicked() {
                ctx.send(Command::AskTable(table()));
            }
            let state = if parts.complete {
                parts.decoded.split.clone()
            } else {
                "folds so far".into()
            };
            let text = format!("{} trials, {state}", parts.decoded.trials.len());
            ui.add(egui::Label::new(weak(ctx, text)).truncate())
                .on_hover_text(&parts.method);
        }
    }

    fn table(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, decoded: &Decoded) {
        let pictures = has_pictures(decoded);
        let columns = Columns::fit(ui.available_width() - 10.0, pictures);
        header(ui, ctx, &columns);
        let order = ordered(decoded, ctx);
        let row_height = if pictures { ROW.0 } else { ROW.1 };
        let mut scroll = egui::ScrollArea::vertical().auto_shrink(false);
        let selected = ctx.layout.view.trial;
        if self.scrolled_to != selected {
            self.scrolled_to = selected;
            if let Some(place) = order
                .iter()
                .position(|&n| Some(decoded.trials[n].trial) == selected)
            {
                let above = (place as f32 * (row_height + ui.spacing().item_spacing.y)
                    - row_height)
                    .max(0.0);
                scroll = scroll.vertical_scroll_offset(above);
            }
        }
        scroll.show_rows(ui, row_height, order.len(), |ui, range| {
            for &n in &order[range] {
                self.row(ui, ctx, &decoded.trials[n], &columns, row_height);
            }
        });
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        ctx: &Ctx<'_>,
        trial: &DecodedTrial,
        columns: &Columns,
        height: f32,
    ) {
        let (rect, _) = ui.allocate_exact_size(vec2(columns.width, height), Sense::hover());
        let response = ui.interact(
            rect,
            ui.scope_id().with(("trial", trial.trial)),
            Sense::click(),
        );
        let selected = ctx.layout.view.trial == Some(trial.trial);
        response.widget_info(|| {
            WidgetInfo::selected(
                Role::Button,
                true,
                selected,
                format!("Trial {}", trial.trial + 1),
            )
        });
        if response.clicked() {
            self.scrolled_to = Some(trial.trial);
            ctx.change(Change::Trial(trial.trial));
        }
        if selected {
            ui.painter().rect_filled(rect, 3.0, ctx.theme.selected);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 3.0, ctx.theme.raised);
        }
        let ink = if selected {
            ctx.theme.strong
        } else {
            ctx.theme.text
        };
        let quiet = if selected {
            ctx.theme.text
        } else {
            ctx.theme.weak
        };
        let painter = ui.painter();
        let y = rect.center().y;
        let text = |x: f32, y: f32, align, words: &str, colour, font| {
            painter.text(pos2(rect.left() + x, y), align, words, font, colour);
        };
        let conditions_end = columns.scores.first().map_or(columns.width, |x| x - 48.0);
        let condition = |x: f32, y: f32, words: &str, colour, font| {
            let mut job =
                egui::text::LayoutJob::simple(words.to_owned(), font, colour, conditions_end - x);
            job.wrap.max_rows = 1;
            job.wrap.break_anywhere = true;
            let galley = painter.layout_job(job);
            painter.galley(
                pos2(rect.left() + x, y - galley.size().y / 2.0),
                galley,
                colour,
            );
        };
        let two_lines = height > 40.0;
        if two_lines {
            text(
                columns.trial + 6.0,
                y - 9.0,
                Align2::LEFT_CENTER,
                &format!("{}", trial.trial + 1),
                ink,
                theme::body_font(),
            );
            text(
                columns.trial + 6.0,
                y + 10.0,
                Align2::LEFT_CENTER,
                &format!("run {}", trial.fold),
                quiet,
                theme::small_font(),
            );
        } else {
            let words = format!("{}   run {}", trial.trial + 1, trial.fold);
            text(
                columns.trial + 6.0,
                y,
                Align2::LEFT_CENTER,
                &words,
                ink,
                theme::small_font(),
            );
        }
        if let (Some(stimulus), Some(reconstruction)) = (columns.stimulus, columns.reconstruction) {
            let square = |x: f32| {
                Rect::from_min_size(
                    pos2(rect.left() + x, rect.top() + 3.0),
                    vec2(ROW_PICTURE, ROW_PICTURE),
                )
            };
            let what = trial.stimulus_id.as_deref().unwrap_or(&trial.condition);
            let number = trial.trial + 1;
            picture_ui(
                ui,
                ctx,
                square(stimulus),
                trial.stimulus.as_ref(),
                &format!("Stimulus of trial {number}: {what}"),
            );
            let name = format!("Reconstruction of trial {number}: {what}");
            picture_ui(
                ui,
                ctx,
                square(reconstruction),
                trial.reconstruction.as_ref(),
                &name,
            );
        }
        let named = trial.predicted_condition.as_deref();
        let right = named == Some(trial.condition.as_str());
        let verdict = match named {
            Some(_) if right => ctx.theme.good,
            Some(_) => ctx.theme.bad,
            None => quiet,
        };
        let said = named.map_or_else(|| "not named".to_owned(), |n| format!("named {n}"));
        if two_lines {
            condition(
                columns.condition,
                y - 9.0,
                &trial.condition,
                ink,
                theme::body_font(),
            );
            condition(
                columns.condition,
                y + 10.0,
                &said,
                verdict,
                theme::small_font(),
            );
        } else {
            condition(
                columns.condition,
                y,
                &trial.condition,
                ink,
                theme::body_font(),
            );
            condition(
                columns.condition + 150.0,
                y,
                &said,
                verdict,
                theme::body_font(),
            );
        }
        for (column, sort) in columns.scores.iter().zip(SCORES) {
            let words = match sort {
                Sort::Rank => match (trial.retrieval_rank, trial.n_candidates) {
                    (Some(rank), Some(n)) => format!("{rank} of {n}"),
                    _ => "none".into(),
                },
                sort => score_of(trial, sort).map_or_else(|| "none".into(), fraction),
            };
            text(
                *column,
                y,
                Align2::RIGHT_CENTER,
                &words,
                ink,
                theme::body_font(),
            );
        }
    }
}

/// Whether there are reconstructions to show.
pub fn has_pictures(decoded: &Decoded) -> bool {
    decoded.trials.iter().any(|t| t.reconstruction.is_some())
}

fn score_of(trial: &DecodedTrial, sort: Sort) -> Option<f64> {
    match sort {
        Sort::Pixcorr => trial.pixcorr,
        Sort::Ssim => trial.ssim,
        Sort::TwoWay => trial.two_way,
        Sort::Rank => trial.retrieval_rank.map(|r| -(r as f64)),
        Sort::Trial | Sort::Run => None,
    }
}

/// The trials in the order the user chose, best first for scores.
fn ordered(decoded: &Decoded, ctx: &Ctx<'_>) -> Vec<usize> {
    let sort = ctx.layout.view.sort;
    let mut order: Vec<usize> = (0..decoded.trials.len()).collect();
    match sort {
        Sort::Trial => {}
        Sort::Run => order.sort_by(|&a, &b| decoded.trials[a].fold.cmp(&decoded.trials[b].fold)),
        score => order.sort_by(|&a, &b| {
            let of = |n: usize| score_of(&decoded.trials[n], score).unwrap_or(f64::NEG_INFINITY);
            of(b).total_cmp(&of(a))
        }),
    }
    if ctx.layout.view.reversed {
        order.reverse();
    }
    order
}
