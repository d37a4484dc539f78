//! The scores over all trials, each with chance and with the shuffled control beside it.

use egui::{Align2, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::decode::Score;

use super::Ctx;
use crate::session::DecodedParts;
use crate::theme::{self, GAP};

/// A score of a trial or of all.
pub(crate) fn fraction(value: f64) -> String {
    format!("{value:.3}")
}

/// The scores over all trials, each with chance and the shuffled control.
pub(crate) fn cards(ui: &mut Ui, ctx: &Ctx<'_>, parts: &DecodedParts) {
    let scores = &parts.decoded.scores;
    let all = [
        (
            "Accuracy",
            scores.accuracy,
            "Share of trials whose condition is named right.",
        ),
        (
            "Pixel corr.",
            scores.pixcorr,
            "Mean Pearson correlation of reconstruction and stimulus pixels.",
        ),
        (
            "SSIM",
            scores.ssim,
            "Mean structural similarity of reconstruction and stimulus.",
        ),
        ("Two-way", scores.two_way, "Mean two-way identification."),
        (
            "Retrieval, top 1",
            scores.retrieval_top1,
            "Share of trials whose stimulus comes first among the candidates.",
        ),
    ];
    let shown: Vec<_> = all
        .into_iter()
        .filter_map(|(name, score, meaning)| Some((name, score?, meaning)))
        .collect();
    if shown.is_empty() {
        return;
    }
    let width =
        ((ui.available_width() - GAP * (shown.len() - 1) as f32) / shown.len() as f32).min(240.0);
    ui.horizontal(|ui| {
        for (name, score, meaning) in shown {
            card(ui, ctx, name, score, meaning, width, parts.complete);
        }
    });
}

fn card(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    name: &str,
    score: Score,
    meaning: &str,
    width: f32,
    complete: bool,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 62.0), Sense::hover());
    let words = format!(
        "{name} {}, chance {}, shuffled {}",
        fraction(score.value),
        fraction(score.chance),
        fraction(score.shuffled)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 5.0, ctx.theme.raised);
    let small = theme::small_font();
    let number = egui::FontId::new(theme::NUMBER, egui::FontFamily::Proportional);
    let beats = complete && score.p < 0.05;
    let ink = if beats {
        ctx.theme.good
    } else {
        ctx.theme.strong
    };
    let left = rect.left() + 9.0;
    let value = painter.layout_no_wrap(fraction(score.value), number, ink);
    let room = rect.width() - value.size().x - 26.0;
    let mut title =
        egui::text::LayoutJob::simple(name.to_owned(), small.clone(), ctx.theme.weak, room);
    title.wrap.max_rows = 1;
    title.wrap.break_anywhere = true;
    let title = painter.layout_job(title);
    painter.galley(pos2(left, rect.top() + 5.0), title, ctx.theme.weak);
    let value_at = pos2(rect.right() - 9.0 - value.size().x, rect.top() + 3.0);
    painter.galley(value_at, value, ink);
    let chance = format!("chance {}", fraction(score.chance));
    painter.text(
        pos2(left, rect.top() + 25.0),
        Align2::LEFT_TOP,
        chance,
        small.clone(),
        ctx.theme.text,
    );
    let control = match (complete, width > 150.0) {
        (true, true) => {
            format!(
                "shuffled {} ± {}",
                fraction(score.shuffled),
                fraction(score.shuffled_sd)
            )
        }
        (true, false) => format!("shuffled {}", fraction(score.shuffled)),
        (false, true) => "shuffled: at the end".into(),
        (false, false) => "shuffled: later".into(),
    };
    painter.text(
        pos2(left, rect.top() + 42.0),
        Align2::LEFT_TOP,
        control,
        small,
        ctx.theme.text,
    );
    let p = if complete {
        format!("\np = {} against shuffled trials.", super::short(score.p))
    } else {
        String::new()
    };
    response.on_hover_text(format!("{meaning}{p}"));
}
