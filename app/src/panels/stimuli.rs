//! Every stimulus as a thumbnail with its caption, to be searched and selected.

use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::study::Stimulus;

use super::{Ctx, picture_ui, placeholder, toolbar};
use crate::command::Change;
use crate::jobs::Kind;
use crate::theme::{self, GAP, THUMBNAIL};

/// Room for two lines of caption below a thumbnail, points.
const CAPTION: f32 = 34.0;

/// What is looked for.
#[derive(Debug, Default)]
pub struct Stimuli {
    search: String,
    category: Option<String>,
}

impl Stimuli {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let all: &[Stimulus] = ctx.session.study.as_ref().map_or(&[], |s| &s.stimuli);
        if all.is_empty() {
            placeholder(ui, ctx, &[Kind::Open], "This study names no stimuli.");
            return;
        }
        let mut categories: Vec<&str> = all.iter().filter_map(|s| s.category.as_deref()).collect();
        categories.sort_unstable();
        categories.dedup();
        let shown: Vec<&Stimulus> = all.iter().filter(|s| self.fits(s)).collect();
        toolbar::row(ui, |ui| {
            ui.add(
                egui::TextEdit::singleline(&mut self.search)
                    .hint_text("Search")
                    .desired_width(170.0),
            )
            .accessible_name("Search stimuli")
            .on_hover_text("Words in the id, the caption or the category.");
            if !categories.is_empty() {
                let text = self
                    .category
                    .clone()
                    .unwrap_or_else(|| "All categories".into());
                egui::ComboBox::from_id_salt("category")
                    .selected_text(text)
                    .width(130.0)
                    .show_ui(ui, |ui| {
                        ui.selectable_value(&mut self.category, None, "All categories");
                        for category in categories {
                            ui.selectable_value(
                                &mut self.category,
                                Some(category.into()),
                                category,
                            );
                        }
                    })
                    .response
                    .accessible_name("Category");
            }
            ui.label(super::weak(
                ctx,
                format!("{} of {}", shown.len(), all.len()),
            ));
        });
        if shown.is_empty() {
            placeholder(
                ui,
                ctx,
                &[],
                "No stimulus fits these words: clear the search.",
            );
            return;
        }
        let cell = vec2(THUMBNAIL + GAP, THUMBNAIL + CAPTION);
        let per_row = ((ui.available_width() / cell.x).floor() as usize).max(1);
        let rows = shown.len().div_ceil(per_row);
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show_rows(ui, cell.y, rows, |ui, range| {
                for row in range {
                    let (strip, _) =
                        ui.allocate_exact_size(vec2(ui.available_width(), cell.y), Sense::hover());
                    for (n, stimulus) in shown.iter().skip(row * per_row).take(per_row).enumerate()
                    {
                        let at = strip.min + vec2(n as f32 * cell.x, 0.0);
                        thumbnail(ui, ctx, stimulus, Rect::from_min_size(at, cell));
                    }
                }
            });
    }

    fn fits(&self, stimulus: &Stimulus) -> bool {
        let category = self.category.is_none() || self.category == stimulus.category;
        let words = self.search.to_lowercase();
        let text = [
            Some(stimulus.id.as_str()),
            stimulus.caption.as_deref(),
            stimulus.category.as_deref(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
        category && words.split_whitespace().all(|word| text.contains(word))
    }
}

fn thumbnail(ui: &Ui, ctx: &Ctx<'_>, stimulus: &Stimulus, cell: Rect) {
    let selected = ctx.layout.view.stimulus.as_deref() == Some(&stimulus.id);
    let response = ui.interact(
        cell,
        ui.scope_id().with(("stimulus", &stimulus.id)),
        Sense::click(),
    );
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::Button,
            true,
            selected,
            format!("Stimulus {}", stimulus.id),
        )
    });
    if response.clicked() {
        ctx.change(Change::Stimulus(stimulus.id.clone()));
    }
    let frame = Rect::from_min_max(
        cell.min,
        pos2(cell.right() - GAP + 4.0, cell.bottom() - 2.0),
    );
    if selected {
        ui.painter().rect_filled(frame, 4.0, ctx.theme.selected);
    } else if response.hovered() {
        ui.painter().rect_filled(frame, 4.0, ctx.theme.raised);
    }
    let square = Rect::from_min_size(cell.min + vec2(2.0, 2.0), vec2(THUMBNAIL, THUMBNAIL));
    let picture = ctx.session.pictures.get(&stimulus.id);
    picture_ui(
        ui,
        ctx,
        square,
        picture,
        &format!("Picture of {}", stimulus.id),
    );
    let caption = stimulus
        .caption
        .as_deref()
        .or(stimulus.category.as_deref())
        .unwrap_or(&stimulus.id);
    let mut job = egui::text::LayoutJob::simple(
        caption.to_owned(),
        theme::small_font(),
        if selected {
            ctx.theme.strong
        } else {
            ctx.theme.text
        },
        THUMBNAIL,
    );
    job.wrap.max_rows = 2;
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(
        square.left_bottom() + vec2(0.0, 2.0),
        galley,
        ctx.theme.text,
    );
    response.on_hover_ui(|ui| {
        ui.strong(&stimulus.id);
        if let Some(caption) = &stimulus.caption {
            ui.label(caption);
        }
        if let Some(category) = &stimulus.category {
            ui.label(format!("category: {category}"));
        }
    });
}
