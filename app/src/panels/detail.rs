//! The selected trial, large: stimulus beside reconstruction, caption, scores.

use egui::{Rect, Ui, vec2};
use fusiform_pipelines::decode::Decoded;

use super::{Ctx, picture_ui, short, weak};
use crate::theme::{GAP, LARGE_PICTURE};

/// Draws the pair, or asks for a selection.
pub fn ui(ui: &mut Ui, ctx: &Ctx<'_>, decoded: &Decoded) {
    let selected = ctx.layout.view.trial;
    let Some(trial) = decoded.trials.iter().find(|t| Some(t.trial) == selected) else {
        ui.label(weak(ctx, "Select a trial to see it large."));
        return;
    };
    let side = ((ui.available_width() - GAP) / 2.0)
        .min(LARGE_PICTURE)
        .min(ui.available_height() - 96.0)
        .max(40.0);
    let (strip, _) = ui.allocate_exact_size(vec2(2.0 * side + GAP, side), egui::Sense::hover());
    let left = Rect::from_min_size(strip.min, vec2(side, side));
    let right = left.translate(vec2(side + GAP, 0.0));
    picture_ui(ui, ctx, left, trial.stimulus.as_ref(), "Selected stimulus");
    picture_ui(
        ui,
        ctx,
        right,
        trial.reconstruction.as_ref(),
        "Selected reconstruction",
    );
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_sized(vec2(side, 16.0), egui::Label::new(weak(ctx, "stimulus")));
        ui.add_space(GAP);
        ui.add_sized(
            vec2(side, 16.0),
            egui::Label::new(weak(ctx, "reconstruction")),
        );
    });
    let stimulus = trial
        .stimulus_id
        .as_deref()
        .and_then(|id| ctx.session.study.as_ref().and_then(|s| s.stimulus(id)));
    let caption = stimulus
        .and_then(|s| s.caption.as_deref())
        .or(trial.stimulus_id.as_deref());
    if let Some(caption) = caption {
        ui.add(egui::Label::new(caption).truncate())
            .on_hover_text(caption);
    }
    let mut facts = Vec::new();
    facts.extend(trial.pixcorr.map(|v| format!("pixcorr {}", short(v))));
    facts.extend(trial.ssim.map(|v| format!("SSIM {}", short(v))));
    facts.extend(trial.two_way.map(|v| format!("two-way {}", short(v))));
    if let (Some(rank), Some(n)) = (trial.retrieval_rank, trial.n_candidates) {
        facts.push(format!("rank {rank} of {n}"));
    }
    ui.add(egui::Label::new(weak(ctx, facts.join("  ·  "))).wrap());
}
