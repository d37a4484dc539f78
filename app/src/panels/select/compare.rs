//! Kinds of features against each other, each picked anew in every fold.

use egui::Ui;
use fusiform_pipelines::select::{FeatureKind, Mix, Windows};

use super::scores::p_text;
use super::{heading, plural, under_way};
use crate::command::{Command, Select as Ask};
use crate::jobs::Kind;
use crate::panels::{Ctx, short, weak};

/// Which kinds are to be compared.
#[derive(Debug)]
pub(super) struct Compare {
    chosen: Vec<(FeatureKind, bool)>,
    /// Whether those that can stand beside each other are scored together as well.
    together: bool,
}

impl Default for Compare {
    fn default() -> Self {
        let kinds = [
            (FeatureKind::Voxels, true),
            (FeatureKind::Vertices, false),
            (FeatureKind::RoiMeans, true),
            (FeatureKind::RoiPatterns { n_components: 3 }, true),
            (FeatureKind::FcEdges(Windows::Trials(6)), false),
            (FeatureKind::FcNodeStrengths(Windows::Trials(6)), false),
        ];
        Self {
            chosen: kinds.to_vec(),
            together: false,
        }
    }
}

impl Compare {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        heading(
            ui,
            "Compare kinds of features",
            "Each kind is picked anew in every fold; differences are paired over folds, with the correction that folds share training rows (Nadeau & Bengio 2003).",
        );
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            for (kind, chosen) in &mut self.chosen {
                ui.checkbox(chosen, plural(kind));
            }
            ui.checkbox(&mut self.together, "and all together")
                .on_hover_text("The ticked kinds beside each other in one table, patterns of regions apart: does one add to the other?");
        });
        if under_way(ui, ctx, Kind::Compare).is_continue() {
            let mut kinds: Vec<FeatureKind> = self
                .chosen
                .iter()
                .filter(|(_, chosen)| *chosen)
                .map(|(kind, _)| *kind)
                .collect();
            let mixable: Vec<FeatureKind> = kinds
                .iter()
                .copied()
                .filter(|kind| !matches!(kind, FeatureKind::RoiPatterns { .. }))
                .collect();
            if self.together
                && let Ok(mix) = Mix::of(&mixable)
            {
                kinds.push(FeatureKind::Mixed(mix));
            }
            let can = ctx.session.selected.extracted.is_some() && kinds.len() > 1;
            let compare = ui
                .add_enabled(can, egui::Button::new("Compare"))
                .on_hover_text(
                    "With the classifier, the split and the number of features chosen above.",
                )
                .on_disabled_hover_text("Make a map first, and tick two kinds or more.");
            if compare.clicked() {
                ctx.send(Command::Select(Ask::Compare(kinds)));
            }
        }
        let Some(families) = &ctx.session.selected.compared else {
            return;
        };
        egui::Grid::new("families")
            .striped(true)
            .spacing(egui::vec2(10.0, 2.0))
            .show(ui, |ui| {
                for title in ["", "accuracy", "p", "difference", "p"] {
                    ui.label(weak(ctx, title));
                }
                ui.end_row();
                for family in families.iter() {
                    ui.label(weak(ctx, plural(&family.kind)))
                        .on_hover_text(family.kind.word().replace('+', " + "));
                    match &family.evaluation {
                        Err(problem) => {
                            ui.label(weak(ctx, "none")).on_hover_text(problem);
                        }
                        Ok(evaluation) => {
                            let scored = &evaluation.repicked;
                            ui.label(format!("{:.3}", scored.accuracy))
                                .on_hover_text(format!(
                                    "chance {:.3}, {} rows, {}",
                                    evaluation.chance, evaluation.n_rows, evaluation.split
                                ));
                            let p = scored.p.map_or_else(|| "–".into(), p_text);
                            ui.label(weak(ctx, p));
                        }
                    }
                    if let Some(difference) = &family.difference {
                        ui.label(format!("{:+.3}", difference.mean))
                            .on_hover_text(format!(
                                "Against {}, over {} folds: t = {} with {} degrees of freedom.",
                                families.first().map_or("", |f| plural(&f.kind)),
                                difference.folds.len(),
                                short(difference.t),
                                difference.df
                            ));
                        ui.label(weak(ctx, p_text(difference.p)));
                    }
                    ui.end_row();
                }
            });
    }
}
