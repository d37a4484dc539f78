//! Colour bars: strips of colour, a frame, numbers that don't touch; swatches for classes.

use fusiform_render::scene::Look;

use super::{Align, Sheet, box_line, text_width};

/// What a colour bar says.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// The colours and their numbers.
    pub look: &'a Look,
    /// Name and unit of the numbers.
    pub label: &'a str,
    /// The numbers that colours of classes stand for, and what each is called; none is all of the colours' numbers.
    pub classes: &'a [(i32, String)],
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
    ///
    /// Colours that stand for classes are boxes apart from each other, each with the numbers it stands for.
    pub fn colour_bar(&mut self, bar: &Bar<'_>, x: f32, y: f32, width: f32) -> anyhow::Result<()> {
        self.text(bar.label, [x, y + NAME_PT], NAME_PT, Align::Centre, bar.ink);
        let top = y + NAME_PT + 4.0;
        let left = x - width / 2.0;
        if let Some(swatches) = swatches(bar.look, bar.classes) {
            // Names may be long: they have the sheet.
            let room = 2.0 * (x.min(self.size_pt[0] - x) - 6.0);
            return self.swatches(&swatches, [x, top], room, bar.ink);
        }
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

    /// Boxes with their words in one row or two around `x`; words that have no room are left out.
    fn swatches(
        &mut self,
        swatches: &[([u8; 3], String)],
        [x, top]: [f32; 2],
        room: f32,
        ink: [u8; 3],
    ) -> anyhow::Result<()> {
        const GAP_PT: f32 = 2.5;
        const APART_PT: f32 = 9.0;
        let mut widths = Vec::with_capacity(swatches.len());
        for (_, words) in swatches {
            widths.push(STRIP_PT + GAP_PT + text_width(words, NUMBER_PT)? + APART_PT);
        }
        let whole: f32 = widths.iter().sum();
        let n_rows = if whole <= room { 1 } else { 2 };
        let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0.0;
        for (n, width) in widths.iter().enumerate() {
            if used + width > (whole / n_rows as f32 + width).min(room) && rows.len() < n_rows {
                rows.push(Vec::new());
                used = 0.0;
            }
            used += width;
            if used <= room
                && let Some(row) = rows.last_mut()
            {
                row.push(n);
            }
        }
        for (row, line) in rows.iter().zip(0u8..) {
            let wide: f32 = row.iter().map(|&n| widths[n]).sum::<f32>() - APART_PT;
            let mut left = x - wide / 2.0;
            let y = top + f32::from(line) * (NUMBER_PT + 2.5);
            for &n in row {
                let (colour, words) = &swatches[n];
                self.fill_box([left, y], [STRIP_PT, STRIP_PT], *colour);
                let frame = box_line([left, y], [STRIP_PT, STRIP_PT]);
                self.stroke(vec![frame], true, ink, 0.5);
                let base = [left + STRIP_PT + GAP_PT, y + STRIP_PT - 1.0];
                self.text(words, base, NUMBER_PT, Align::Left, ink);
                left += widths[n];
            }
        }
        Ok(())
    }
}

/// The boxes of colours that stand for classes, each with what these are called, else with the whole numbers it is the
/// colour of; nothing of colours that flow. What the threshold hides is left out.
pub fn swatches(look: &Look, classes: &[(i32, String)]) -> Option<Vec<([u8; 3], String)>> {
    let n = look.colormap.n_classes()?;
    let (low, high) = ends(look);
    let edge = |class: usize| low + (high - low) * class as f32 / n as f32;
    let full = Look {
        opacity: 1.0,
        ..look.clone()
    };
    let swatch = |class: usize| {
        let (from, to) = (edge(class), edge(class + 1));
        // What lies beyond the last edge has the last colour.
        let last = if class + 1 == n { to } else { to - 1e-4 };
        // No −0.
        let (first, last) = (from.ceil() + 0.0, last.floor());
        let within = |key: i32| (first..=last).contains(&(key as f32));
        let named: Vec<&(i32, String)> = classes.iter().filter(|(key, _)| within(*key)).collect();
        let words = match (named.as_slice(), last - first) {
            (_, ..0.0) => return None,
            ([], _) if !classes.is_empty() => return None,
            ([(_, name)], _) => name.clone(),
            (_, 0.0) => short(first),
            _ => format!("{}–{}", short(first), short(last)),
        };
        let [r, g, b, _] = full.colour((first + last) / 2.0)?;
        Some(([r, g, b], words))
    };
    Some((0..n).filter_map(swatch).collect())
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

/// Round numbers between two others, evenly apart: about three.
fn steps(low: f32, high: f32) -> Vec<f32> {
    let rough = (high - low) / 4.0;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let unit = 10f32.powf(rough.log10().floor());
    let sizes = [1.0, 2.0, 2.5, 5.0, 10.0].map(|size| size * unit);
    let off = |step: f32| (rough / step).ln().abs();
    let step = sizes
        .into_iter()
        .min_by(|a, b| off(*a).total_cmp(&off(*b)))
        .unwrap_or(unit);
    let first = (low / step).floor() + 1.0;
    (0..10)
        .map(|n| (first + n as f32) * step)
        .take_while(|value| *value < high)
        .collect()
}

/// The numbers under a colour bar of that width in points: where (0 left to 1 right) and what. Ends come first, then the
/// threshold, then zero and round numbers between; those that would touch another are left out.
pub fn ticks(look: &Look, width_pt: f32) -> anyhow::Result<Vec<(f32, String)>> {
    let (low, high) = ends(look);
    let span = (high - low).max(f32::MIN_POSITIVE);
    let hidden = look.threshold > 0.0 && look.threshold > look.range.0;
    let threshold = match (hidden, look.two_sided) {
        (false, _) => Vec::new(),
        (true, false) => vec![look.threshold],
        // Both or none.
        (true, true) => vec![-look.threshold, look.threshold],
    };
    // Between the ends of one side; of two sides half way, where no threshold says enough.
    let between: Vec<Vec<f32>> = match (look.two_sided, hidden) {
        (true, true) => Vec::new(),
        (true, false) => vec![vec![-high / 2.0, high / 2.0]],
        (false, _) => steps(low, high).into_iter().map(|v| vec![v]).collect(),
    };
    let first = if look.two_sided {
        vec![vec![0.0]]
    } else {
        Vec::new()
    };
    let mut kept: Vec<(f32, String, f32)> = Vec::new();
    let groups = [vec![vec![low, high], threshold], first, between].concat();
    for group in groups {
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
        v if v >= 0.001 => 4,
        _ => return format!("{value:.1e}").replace('-', "−"),
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    text.replace('-', "−")
}
