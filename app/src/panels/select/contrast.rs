//! What is told apart, and how many trials of it each run holds.

use std::sync::Arc;

use egui::{Id, RichText, Ui, vec2};
use fusiform_pipelines::select::{self, RunCount};

use super::field::{Field, Typed, focus};
use super::{Edit, heading};
use crate::command::{Command, Select as Ask};
use crate::panels::{Ctx, weak};
use crate::session::selected::Offer;
use crate::theme;

/// More classes than these are summed up.
const MOST_CLASSES: usize = 4;

/// The two fields, and what was counted last.
#[derive(Debug, Default)]
pub(super) struct Contrast {
    a: Field,
    b: Field,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    of: (usize, String, String, bool),
    result: Result<Counts, String>,
}

#[derive(Debug)]
struct Counts {
    classes: Vec<String>,
    runs: Vec<RunCount>,
}

/// The ids by which the keyboard finds the fields.
pub(super) fn field_ids() -> [Id; 2] {
    [
        Id::unique("select condition A"),
        Id::unique("select condition B"),
    ]
}

impl Contrast {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
        heading(
            ui,
            "Contrast",
            "Two conditions, or all of them. Maps are positive where A has more than B.",
        );
        let offer = ctx.session.selected.offer.clone();
        // While events are read no names can be offered, but what is typed is not lost.
        let names = offer.as_ref().map_or(&[][..], |offer| &offer.names);
        let [id_a, id_b] = field_ids();
        ui.add_enabled_ui(!edit.look.every, |ui| {
            let typed = ui
                .horizontal(|ui| {
                    swatch(ui, ctx, 0, "A");
                    let name = (id_a, "Condition A");
                    self.a.ui(ui, ctx, name, &edit.look.a, names)
                })
                .inner;
            match typed {
                Typed::Nothing => {}
                Typed::Done(text) => edit.look.a = text,
                Typed::Entered(text) => {
                    edit.look.a = text;
                    focus(ui.ctx(), if edit.look.a.is_empty() { id_a } else { id_b });
                }
            }
            let typed = ui
                .horizontal(|ui| {
                    swatch(ui, ctx, 1, "B");
                    let name = (id_b, "Condition B");
                    self.b.ui(ui, ctx, name, &edit.look.b, names)
                })
                .inner;
            match typed {
                Typed::Nothing => {}
                Typed::Done(text) => edit.look.b = text,
                Typed::Entered(text) => {
                    edit.look.b = text;
                    for (text, id) in [(&edit.look.a, id_a), (&edit.look.b, id_b)] {
                        if text.is_empty() {
                            focus(ui.ctx(), id);
                            return;
                        }
                    }
                    // The change goes first: commands are carried out in order.
                    ctx.change(crate::command::Change::Select(Box::new(edit.look.clone())));
                    ctx.send(Command::Select(Ask::Extract));
                }
            }
        });
        let Some(offer) = offer else {
            return;
        };
        ui.horizontal_wrapped(|ui| {
            ui.checkbox(&mut edit.look.every, "Every condition a class")
                .on_hover_text("Instead of A and B. R² is the statistic of more than two classes.");
            let swap = egui::Button::new("Swap A and B").small();
            let empty = edit.look.a.is_empty() && edit.look.b.is_empty();
            let can = !(edit.look.every || empty);
            if ui
                .add_enabled(can, swap)
                .on_hover_text("A becomes B: signs turn round.")
                .clicked()
            {
                std::mem::swap(&mut edit.look.a, &mut edit.look.b);
            }
        });
        self.count(&offer, edit.look.every);
        self.counts(ui, ctx, edit);
    }

    /// Counts the trials of what stands in the fields, when that has changed.
    fn count(&mut self, offer: &Arc<Offer>, every: bool) {
        let (a, b) = (self.a.text().to_owned(), self.b.text().to_owned());
        let of = (Arc::as_ptr(offer).addr(), a, b, every);
        if self.counted.as_ref().is_some_and(|c| c.of == of) {
            return;
        }
        let contrast = if every {
            select::Contrast::all(&offer.trials)
        } else {
            select::Contrast::two(&of.1, &of.2)
        };
        let result = contrast
            .and_then(|contrast| contrast.label(&offer.trials))
            .map(|labels| Counts {
                runs: labels.counts(&offer.trials),
                classes: labels.classes,
            })
            .map_err(|error| error.to_string());
        self.counted = Some(Counted { of, result });
    }

    fn counts(&self, ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
        let Some(counted) = &self.counted else {
            return;
        };
        let counts = match &counted.result {
            Ok(counts) => counts,
            Err(_) if counted.of.1.is_empty() || counted.of.2.is_empty() => {
                let words = "Name two conditions: type, or press arrow down in a field.";
                ui.label(weak(ctx, words));
                return;
            }
            Err(problem) => {
                let words = RichText::new(problem)
                    .size(theme::SMALL)
                    .color(ctx.theme.warn);
                ui.add(egui::Label::new(words).wrap());
                return;
            }
        };
        table(ui, ctx, edit, counts);
        for warning in warnings(counts) {
            let words = RichText::new(warning)
                .size(theme::SMALL)
                .color(ctx.theme.warn);
            ui.add(egui::Label::new(words).wrap());
        }
    }
}

fn swatch(ui: &mut Ui, ctx: &Ctx<'_>, class: usize, letter: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), egui::Sense::hover());
    ui.painter()
        .rect_filled(rect, 3.0, ctx.theme.condition(class).gamma_multiply(0.35));
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        letter,
        theme::small_font(),
        ctx.theme.strong,
    );
}

/// A row a run: whether it takes part in the map, and its trials of each class.
fn table(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit, counts: &Counts) {
    let few = counts.classes.len() <= MOST_CLASSES;
    let small = |text: &str, colour| RichText::new(text).size(theme::SMALL).color(colour);
    egui::ScrollArea::vertical()
        .id_salt("runs")
        .max_height(132.0)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let grid = egui::Grid::new("runs").striped(true).spacing(vec2(14.0, 1.0));
            grid.show(ui, |ui| {
                ui.label(weak(ctx, "in the map"))
                    .on_hover_text("The map follows at once. A basket that was picked without a run can be tested on it without flattery.");
                if few {
                    for (n, class) in counts.classes.iter().enumerate() {
                        let name = short_name(class);
                        ui.label(small(&name, ctx.theme.condition(n))).on_hover_text(class);
                    }
                } else {
                    ui.label(weak(ctx, "trials"));
                    ui.label(weak(ctx, "fewest"));
                }
                ui.end_row();
                for run in &counts.runs {
                    let mut ticked = edit.look.is_ticked(&run.run);
                    let tick = ui
                        .checkbox(&mut ticked, small(&run.run, ctx.theme.text))
                        .accessible_name(format!("Run {} in the map", run.run));
                    if tick.changed() {
                        edit.look.unticked.retain(|other| *other != run.run);
                        if !ticked {
                            edit.look.unticked.push(run.run.clone());
                        }
                    }
                    cells(ui, ctx, run, counts, few);
                    ui.end_row();
                }
                let total = |class: usize| counts.runs.iter().map(|r| r.n[class]).sum::<usize>();
                let totals = RunCount {
                    run: "all".into(),
                    n: (0..counts.classes.len()).map(total).collect(),
                };
                ui.label(weak(ctx, "all runs"));
                cells(ui, ctx, &totals, counts, few);
                ui.end_row();
            });
        });
}

fn cells(ui: &mut Ui, ctx: &Ctx<'_>, run: &RunCount, counts: &Counts, few: bool) {
    let number = |ui: &mut Ui, n: usize, class: &str| {
        let colour = if n == 0 {
            ctx.theme.warn
        } else {
            ctx.theme.text
        };
        let text = RichText::new(n.to_string())
            .size(theme::SMALL)
            .color(colour);
        let label = ui.label(text);
        if n == 0 {
            label.on_hover_text(format!(
                "Run {} shows no {class}: it helps to learn the other classes, and when it is held out only those are tested.",
                run.run
            ));
        }
    };
    if few {
        for (n, class) in run.n.iter().zip(&counts.classes) {
            number(ui, *n, class);
        }
        return;
    }
    number(ui, run.n.iter().sum(), "class");
    if let Some((class, n)) = run.n.iter().enumerate().min_by_key(|(_, n)| **n) {
        number(ui, *n, counts.classes.get(class).map_or("", String::as_str));
    }
}

/// A class that leaving a run out would leave without trials to learn from.
fn warnings(counts: &Counts) -> Vec<String> {
    let mut all = Vec::new();
    for (class, name) in counts.classes.iter().enumerate() {
        let with: Vec<&str> = counts
            .runs
            .iter()
            .filter(|run| run.n[class] > 0)
            .map(|run| run.run.as_str())
            .collect();
        if let [only] = with.as_slice() {
            all.push(format!(
                "Only run {only} shows {name}: when it is held out there is nothing to learn {name} from, so that fold is left out. Loosen the filter, or hold out stimuli."
            ));
        }
    }
    all
}

fn short_name(class: &str) -> String {
    let mut letters = class.chars();
    let head: String = letters.by_ref().take(12).collect();
    if letters.next().is_some() {
        format!("{head}…")
    } else {
        head
    }
}
