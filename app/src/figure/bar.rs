//! Colour bars: strips of colour, a frame, numbers that don't touch.

use fusiform_render::scene::Look;

use super::{Align, Sheet, box_line, text_width};

/// What a colour bar says.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// The colours and their numbers.
    pub look: &'a Look,
    /// Name and unit of the numbers.
    pub label: &'a str,
    /// Colour of the text.
    pub ink: [u8; 3],
}

/// The height of a colour bar with its name above and its numbers below.
pub const BAR_PT: f32 = 30.0;

const NAME_PT: f32 = 8.0;
const NUMBER_PT: f32 = 7.0;
const STRIP_PT: f32 = 7.0;
/// Where the threshold hides what the map holds.
const HIDDEN: [u8; 3] = [190; 3];
const N_STRIPS: usize = 192;

impl Sheet {
    /// A horizontal colour bar, its name above and its numbers below, centred on `x`; `y` is the top of the name.
    pub fn colour_bar(&mut self, bar: &Bar<'_>, x: f32, y: f32, width: f32) -> anyhow::Result<()> {
        self.text(bar.label, [x, y + NAME_PT], NAME_PT, Align::Centre, bar.ink);
        let top = y + NAME_PT + 4.0;
        let left = x - width / 2.0;
        let (low, high) = ends(bar.look);
        let mut before = None;
        for strip in 0..N_STRIPS {
            let part = |i: f32| i / N_STRIPS as f32;
            let value = low + (high - low) * part(strip as f32 + 0.5);
            let colour = shown(bar.look, value);
            if before != Some(colour) {
                // Each strip reaches to the end: the next covers it, and no seam shows between them.
                let from = left + width * part(strip as f32);
                self.fill_box([from, top], [left + width - from, STRIP_PT], colour);
            }
            before = Some(colour);
        }
        let frame = box_line([left, top], [width, STRIP_PT]);
        self.stroke(vec![frame], true, bar.ink, 0.5);
        let bottom = top + STRIP_PT;
        for (part, number) in ticks(bar.look, width)? {
            let at = left + part * width;
            self.stroke(
                vec![vec![[at, bottom], [at, bottom + 2.0]]],
                false,
                bar.ink,
                0.5,
            );
            let base = bottom + 2.8 + NUMBER_PT * 0.8;
            self.text(&number, [at, base], NUMBER_PT, Align::Centre, bar.ink);
        }
        Ok(())
    }
}

fn ends(look: &Look) -> (f32, f32) {
    if look.two_sided {
        (-look.range.1, look.range.1)
    } else {
        look.range
    }
}

/// The colour of a number on the bar: what a threshold hides is grey.
fn shown(look: &Look, value: f32) -> [u8; 3] {
    let full = Look {
        opacity: 1.0,
        ..look.clone()
    };
    let Some([r, g, b, alpha]) = full.colour(value) else {
        return HIDDEN;
    };
    let mix = |colour: u8, grey: u8| {
        let part = f32::from(alpha) / 255.0;
        (f32::from(grey) + (f32::from(colour) - f32::from(grey)) * part).round() as u8
    };
    [mix(r, HIDDEN[0]), mix(g, HIDDEN[1]), mix(b, HIDDEN[2])]
}

/// The numbers under a colour bar of that width in points: where (0 left to 1 right) and what. Ends come first, then the
/// threshold, then zero or the middle; those that would touch another are left out.
pub fn ticks(look: &Look, width_pt: f32) -> anyhow::Result<Vec<(f32, String)>> {
    let (low, high) = ends(look);
    let span = (high - low).max(f32::MIN_POSITIVE);
    let middle = (low + high) / 2.0;
    let hidden = look.threshold > 0.0 && look.threshold > look.range.0;
    let threshold = match (hidden, look.two_sided) {
        (false, _) => Vec::new(),
        (true, false) => vec![look.threshold],
        // Both or none.
        (true, true) => vec![-look.threshold, look.threshold],
    };
    let zero = if low <= 0.0 && high >= 0.0 {
        0.0
    } else {
        middle
    };
    let mut kept: Vec<(f32, String, f32)> = Vec::new();
    for group in [vec![low, high], threshold, vec![zero], vec![middle]] {
        let before = kept.len();
        for value in group {
            let part = (value - low) / span;
            let number = short(value);
            let half = text_width(&number, NUMBER_PT)? / 2.0;
            let free = kept
                .iter()
                .all(|(p, _, h)| (p - part).abs() * width_pt > h + half + 3.0);
            if !free || !(0.0..=1.0).contains(&part) {
                kept.truncate(before);
                break;
            }
            kept.push((part, number, half));
        }
    }
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(kept.into_iter().map(|(p, number, _)| (p, number)).collect())
}

/// A number with about three digits, a true minus sign and no needless zeros.
pub fn short(value: f32) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 0.1 || v == 0.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    text.replace('-', "−")
}
