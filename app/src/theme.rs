//! Every colour, size and font of the window.

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2};

/// The colours of one look, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Whether it is the dark one.
    pub dark: bool,
    /// Behind everything: bars and gaps.
    pub base: Color32,
    /// Behind a panel's content.
    pub panel: Color32,
    /// Buttons, fields, cards.
    pub raised: Color32,
    /// A raised thing under the pointer.
    pub lifted: Color32,
    /// Behind text fields.
    pub sunken: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Round boxes, buttons and fields, so that they are found on the panel.
    pub edge: Color32,
    /// Reading text.
    pub text: Color32,
    /// Headings and the numbers that matter.
    pub strong: Color32,
    /// Units, hints, captions.
    pub weak: Color32,
    /// What can be pressed now, and what is selected.
    pub accent: Color32,
    /// Behind a selected row.
    pub selected: Color32,
    /// Better than chance; finished.
    pub good: Color32,
    /// Should be read.
    pub warn: Color32,
    /// Failed.
    pub bad: Color32,
    /// A number that flatters.
    pub badge: Color32,
    /// Behind slices and surfaces, sRGB.
    pub canvas: [u8; 4],
    /// The crosshair on slices and surfaces, sRGB.
    pub crosshair: [u8; 4],
}

/// Body text, points.
pub const BODY: f32 = 14.0;
/// Captions, axis letters and table headers, points.
pub const SMALL: f32 = 12.5;
/// Panel headings, points.
pub const HEADING: f32 = 16.0;
/// The large numbers on score cards, points.
pub const NUMBER: f32 = 19.0;
/// The space between neighbours, points.
pub const GAP: f32 = 8.0;
/// Thumbnails of the stimulus browser, points a side.
pub const THUMBNAIL: f32 = 84.0;
/// Pictures in a table row, points a side.
pub const ROW_PICTURE: f32 = 56.0;
/// The enlarged pair, points a side at most.
pub const LARGE_PICTURE: f32 = 168.0;

#[allow(
    clippy::disallowed_methods,
    reason = "this is the file where colours are made"
)]
const fn hex(rgb: u32) -> Color32 {
    Color32::from_rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

/// Ten colours that stay apart for colour-blind eyes, for conditions (Okabe and Ito 2008, with two greys
/// and a violet added).
const CONDITIONS: [Color32; 10] = [
    hex(0xE69F00),
    hex(0x56B4E9),
    hex(0x009E73),
    hex(0xCC79A7),
    hex(0xD55E00),
    hex(0x0072B2),
    hex(0xF0E442),
    hex(0x9A7BD0),
    hex(0x8C8C8C),
    hex(0xB9C4A7),
];

impl Theme {
    /// The colours around scenes.
    pub fn paint(&self) -> crate::compose::Paint {
        crate::compose::Paint {
            canvas: self.canvas,
            crosshair: self.crosshair,
        }
    }

    /// For dim rooms: the default, as pictures stand out on it.
    pub const fn dark() -> Self {
        Self {
            dark: true,
            base: hex(0x14171B),
            panel: hex(0x1B1F24),
            raised: hex(0x2A3038),
            lifted: hex(0x363E48),
            sunken: hex(0x12151A),
            line: hex(0x313841),
            edge: hex(0x5B6773),
            text: hex(0xC9D1D9),
            strong: hex(0xF0F4F8),
            weak: hex(0x8F9BA8),
            accent: hex(0x4FA3E0),
            selected: hex(0x1F4B6E),
            good: hex(0x5FBF8A),
            warn: hex(0xE2B04A),
            bad: hex(0xE5706B),
            badge: hex(0xF08A3C),
            canvas: [0, 0, 0, 255],
            crosshair: [92, 219, 149, 255],
        }
    }

    /// For bright rooms and for print.
    pub const fn light() -> Self {
        Self {
            dark: false,
            base: hex(0xE6E9ED),
            panel: hex(0xF8F9FB),
            raised: hex(0xE3E7EC),
            lifted: hex(0xD5DBE3),
            sunken: hex(0xFFFFFF),
            line: hex(0xCBD2DA),
            edge: hex(0x8793A0),
            text: hex(0x2B333B),
            strong: hex(0x0E1318),
            weak: hex(0x5C6874),
            accent: hex(0x17619E),
            selected: hex(0xC4DEF4),
            good: hex(0x1A6E44),
            warn: hex(0x7D5500),
            bad: hex(0xB3322D),
            badge: hex(0xB65A0A),
            canvas: [0, 0, 0, 255],
            crosshair: [92, 219, 149, 255],
        }
    }

    /// One of the two.
    pub const fn of(dark: bool) -> Self {
        if dark { Self::dark() } else { Self::light() }
    }

    /// The colour of the n-th condition.
    pub fn condition(&self, index: usize) -> Color32 {
        CONDITIONS[index % CONDITIONS.len()]
    }

    /// A colour from elsewhere, drawn nearer to the text where it would not stand out from a panel.
    pub fn legible(&self, rgb: [u8; 3]) -> Color32 {
        const LEAST: f32 = 0.28;
        let light = |c: Color32| {
            let [r, g, b, _] = c.to_array().map(|c| f32::from(c) / 255.0);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let colour = opaque([rgb[0], rgb[1], rgb[2], 255]);
        let apart = (light(colour) - light(self.panel)).abs();
        let share = (LEAST - apart).max(0.0) / LEAST;
        colour.lerp_to_gamma(self.strong, share)
    }

    /// Letters and rules drawn over slices and surfaces.
    pub const fn on_canvas(&self) -> Color32 {
        hex(0xD7DEE6)
    }

    /// Letters on a badge.
    pub const fn on_badge(&self) -> Color32 {
        if self.dark {
            hex(0x1D1206)
        } else {
            hex(0xFFFFFF)
        }
    }

    /// Rings around collected features, over slices and surfaces.
    pub const fn mark(&self) -> Color32 {
        hex(0xFFFFFF)
    }

    /// Behind letters drawn over pictures.
    pub const fn veil(&self) -> Color32 {
        Color32::from_black_alpha(150)
    }

    /// The canvas as an egui colour.
    pub const fn canvas_colour(&self) -> Color32 {
        opaque(self.canvas)
    }

    /// How a share of 0 to 1 looks as the background of a number.
    pub fn heat(&self, share: f32) -> Color32 {
        self.panel
            .lerp_to_gamma(self.accent, 0.85 * share.clamp(0.0, 1.0))
    }

    /// Gives egui these colours, sizes and fonts.
    pub fn install(&self, ctx: &egui::Context) {
        ctx.set_theme(if self.dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        });
        let style = self.style();
        ctx.all_styles_mut(|s| *s = style.clone());
    }

    fn style(&self) -> egui::Style {
        let font = |size, family| FontId::new(size, family);
        let text_styles = [
            (TextStyle::Small, font(SMALL, FontFamily::Proportional)),
            (TextStyle::Body, font(BODY, FontFamily::Proportional)),
            (TextStyle::Button, font(BODY, FontFamily::Proportional)),
            (TextStyle::Heading, font(HEADING, FontFamily::Proportional)),
            (TextStyle::Monospace, font(13.0, FontFamily::Monospace)),
        ];
        let mut style = egui::Style {
            text_styles: text_styles.into(),
            ..egui::Style::default()
        };
        let spacing = &mut style.spacing;
        spacing.item_spacing = Vec2::new(GAP, 5.0);
        spacing.button_padding = Vec2::new(9.0, 3.0);
        spacing.interact_size = Vec2::new(36.0, 24.0);
        spacing.menu_margin = Margin::same(6);
        spacing.window_margin = Margin::same(14);
        spacing.slider_width = 110.0;
        spacing.combo_width = 80.0;
        spacing.tooltip_width = 380.0;
        spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.tooltip_delay = 0.35;
        style.interaction.selectable_labels = false;
        style.animation_time = 0.08;

        let mut v = if self.dark {
            egui::Visuals::dark()
        } else {
            egui::Visuals::light()
        };
        v.panel_fill = self.base;
        v.window_fill = self.panel;
        v.window_stroke = Stroke::new(1.0, self.line);
        v.extreme_bg_color = self.sunken;
        v.text_edit_bg_color = Some(self.sunken);
        v.faint_bg_color = self.base;
        v.weak_text_color = Some(self.weak);
        v.hyperlink_color = self.accent;
        v.warn_fg_color = self.warn;
        v.error_fg_color = self.bad;
        v.selection.bg_fill = self.selected;
        v.selection.stroke = Stroke::new(1.0, self.strong);
        v.slider_trailing_fill = true;
        let round = CornerRadius::same(4);
        for (widget, fill, ink) in [
            (&mut v.widgets.noninteractive, self.panel, self.text),
            (&mut v.widgets.inactive, self.raised, self.text),
            (&mut v.widgets.hovered, self.lifted, self.strong),
            (&mut v.widgets.active, self.lifted, self.strong),
            (&mut v.widgets.open, self.raised, self.strong),
        ] {
            widget.bg_fill = fill;
            widget.weak_bg_fill = fill;
            widget.bg_stroke = Stroke::NONE;
            widget.fg_stroke = Stroke::new(1.0, ink);
            widget.corner_radius = round;
            widget.expansion = 0.0;
        }
        v.widgets.noninteractive.bg_stroke = Stroke::new(1.0, self.line);
        v.widgets.inactive.bg_stroke = Stroke::new(1.0, self.edge);
        v.widgets.open.bg_stroke = Stroke::new(1.0, self.edge);
        v.widgets.hovered.bg_stroke = Stroke::new(1.0, self.accent);
        v.widgets.active.bg_stroke = Stroke::new(1.0, self.accent);
        style.visuals = v;
        style
    }
}

/// An opaque sRGB colour as egui's.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the file where colours are made"
)]
pub const fn opaque(rgba: [u8; 4]) -> Color32 {
    Color32::from_rgb(rgba[0], rgba[1], rgba[2])
}

/// The font of captions and axis letters.
pub fn small_font() -> FontId {
    FontId::new(SMALL, FontFamily::Proportional)
}

/// The font of body text.
pub fn body_font() -> FontId {
    FontId::new(BODY, FontFamily::Proportional)
}

/// A colour of a colour map (sRGB, 0 to 1).
pub fn of_map(srgb: [f32; 3]) -> Color32 {
    let [r, g, b] = srgb.map(|c| (c * 255.0).round() as u8);
    opaque([r, g, b, 255])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours as WCAG 2.2 defines it, 1 to 21.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let [r, g, b, _] = colour.to_array().map(|c| {
                let c = f32::from(c) / 255.0;
                if c <= 0.040_45 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_boxes_stand_out_in_both_looks() {
        for theme in [Theme::dark(), Theme::light()] {
            for ink in [
                theme.text,
                theme.strong,
                theme.weak,
                theme.accent,
                theme.good,
                theme.warn,
                theme.bad,
            ] {
                for ground in [theme.panel, theme.base] {
                    let found = contrast(ink, ground);
                    assert!(
                        found >= 4.5,
                        "{ink:?} on {ground:?}: {found}, dark: {}",
                        theme.dark
                    );
                }
            }
            assert!(contrast(theme.text, theme.selected) >= 4.5);
            assert!(contrast(theme.on_badge(), theme.badge) >= 4.5);
            assert!(contrast(theme.edge, theme.panel) >= 2.8);
        }
    }
}
