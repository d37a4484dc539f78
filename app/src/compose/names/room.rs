//! Which names have room on a picture, so that a saved picture and the window leave out the same ones.

use glam::Vec2;

use super::Name;
use crate::figure::{Ink, Sheet, text_width};

/// The size of names on sheets, points.
const LETTER_PT: f32 = 7.0;
/// Free room beside a name on a sheet, and above and below it, points.
const MARGIN_PT: Vec2 = Vec2::new(2.5, 1.0);

/// A box: its upper left and its lower right corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left and top.
    pub low: Vec2,
    /// Right and bottom.
    pub high: Vec2,
}

impl Area {
    /// Of that extent around a point.
    pub fn around(middle: Vec2, extent: Vec2) -> Self {
        Self {
            low: middle - extent / 2.0,
            high: middle + extent / 2.0,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.low.cmple(other.high).all() && other.low.cmple(self.high).all()
    }

    fn holds(&self, other: &Self) -> bool {
        self.low.cmple(other.low).all() && other.high.cmple(self.high).all()
    }
}

/// The names that have room and the middle of each: none covers one before it, what is `taken`, or the edge of `page`. One
/// that would is moved a little, but never off the point it stands for. All in one unit, of which `scale` make a pixel of
/// the names; `extent` tells how large a name is, with its margins.
pub fn with_room<'a>(
    names: &'a [Name],
    scale: f32,
    page: Area,
    taken: &[Area],
    extent: impl Fn(&str) -> Vec2,
) -> Vec<(&'a str, Vec2)> {
    let mut taken = taken.to_vec();
    let mut written = Vec::new();
    for name in names {
        let at = page.low + name.at * scale;
        let size = extent(&name.text);
        let free = MOVES.iter().find_map(|steps| {
            let half = size / 2.0;
            // A little within, for rounding.
            let (low, high) = (page.low + half + 1e-3, page.high - half - 1e-3);
            let wanted = at + Vec2::from_array(*steps) * size;
            let middle = wanted.max(low).min(high);
            let place = Area::around(middle, size);
            // At most beside its point, or it would name what is there.
            let stays = (middle - at).abs().cmple(half * Vec2::new(0.9, 1.25)).all();
            let fits = stays && page.holds(&place) && !taken.iter().any(|t| t.meets(&place));
            fits.then_some((middle, place))
        });
        if let Some((middle, place)) = free {
            taken.push(place);
            written.push((name.text.as_str(), middle));
        }
    }
    written
}

/// Where a name is tried, in its own widths and heights from its point: there, below, above, to the sides.
const MOVES: [[f32; 2]; 5] = [[0.0, 0.0], [0.0, 0.6], [0.0, -0.6], [0.3, 0.0], [-0.3, 0.0]];

/// Writes the names that have room on a part of a sheet, in points; `scale` points make a pixel of the names.
pub fn write(sheet: &mut Sheet, names: &[Name], scale: f32, part: Area, taken: &[Area], ink: Ink) {
    let extent = |text: &str| {
        // What has no width for want of a font has no room.
        let width = text_width(text, LETTER_PT).unwrap_or(f32::INFINITY);
        Vec2::new(width, LETTER_PT) + 2.0 * MARGIN_PT
    };
    for (text, at) in with_room(names, scale, part, taken, extent) {
        sheet.name(text, at.to_array(), LETTER_PT, ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_touch_nor_leave_the_picture() {
        let name = |text: &str, x: f32, y: f32| Name {
            text: text.into(),
            at: Vec2::new(x, y),
            size: 9,
        };
        let names = [
            name("V1", 50.0, 50.0),
            name("V2", 55.0, 52.0),
            name("hMT", 80.0, 50.0),
            name("at the edge", 3.0, 90.0),
            name("on the letter", 50.0, 5.5),
        ];
        let page = Area {
            low: Vec2::new(10.0, 0.0),
            high: Vec2::new(210.0, 200.0),
        };
        let letter = Area::around(Vec2::new(110.0, 5.0), Vec2::splat(12.0));
        let extent = |text: &str| Vec2::new(text.len() as f32 * 5.0, 9.0);
        let written = with_room(&names, 2.0, page, &[letter], extent);
        let places: Vec<(&str, [f32; 2])> = written
            .iter()
            .map(|(text, at)| (*text, at.to_array().map(|x| (x * 10.0).round() / 10.0)))
            .collect();
        assert_eq!(
            places,
            [
                ("V1", [110.0, 100.0]),
                // Moved down, off the other.
                ("V2", [120.0, 109.4]),
                ("hMT", [170.0, 100.0]),
                // Moved in.
                ("at the edge", [37.5, 180.0]),
                // Moved off what was there.
                ("on the letter", [110.0, 16.4]),
            ]
        );
        // One that stands where two others do has no room: moved off both it would name another place.
        let crowd = [
            name("a", 50.0, 50.0),
            name("b", 50.0, 50.0),
            name("c", 50.0, 50.0),
            name("d", 50.0, 50.0),
        ];
        let tall = |_: &str| Vec2::new(60.0, 30.0);
        assert!(with_room(&crowd, 2.0, page, &[], tall).len() < 4);
    }
}
