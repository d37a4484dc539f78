//! How a map looks before somebody says otherwise: from its numbers alone, with ends that are easy to read.

use std::collections::BTreeSet;

use fusiform_render::colormap::Colormap;
use fusiform_render::scene::Look;

/// Smaller than this share of the largest numbers, negative ones are what interpolation leaves beside zero.
const MATTERS: f32 = 0.05;
/// Fewer of a thousand numbers than this do not make a map two-sided.
const FEW: usize = 1;
/// A map on vertices whose numbers begin above this share of the largest does not begin at zero.
const BEGINS: f32 = 0.2;

/// What is told by a map's numbers that are finite and not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Told {
    /// Whether the negative ones say something.
    pub(crate) two_sided: bool,
    /// How many are negative.
    pub(crate) n_negative: usize,
    /// How many there are.
    pub(crate) n: usize,
    /// The lowest.
    pub(crate) lowest: f32,
    /// The magnitude that one in 200 exceeds.
    top: f32,
    /// The numbers that one in 50 and one in 20 fall short of.
    bottom: [f32; 2],
}

impl Told {
    /// Up to where numbers are what interpolation leaves beside zero: of a one-sided map that does not begin at zero.
    pub(crate) fn residue(&self) -> f32 {
        if self.begins() {
            MATTERS * self.top
        } else {
            0.0
        }
    }

    fn begins(&self) -> bool {
        !self.two_sided && self.bottom[1] > BEGINS * self.top
    }
}

/// Looks through a map. `signed`: it says of itself that it is a statistic with a sign, and every negative number counts.
/// Else as many as one in a thousand must be larger than what interpolation leaves: thickness has a few of −0.003.
pub(crate) fn told(values: impl Iterator<Item = f32>, signed: bool) -> Told {
    let mut known: Vec<f32> = values.filter(|v| v.is_finite() && *v != 0.0).collect();
    known.sort_unstable_by(f32::total_cmp);
    let n = known.len();
    let mut sizes: Vec<f32> = known.iter().map(|v| v.abs()).collect();
    let at = (n.saturating_sub(1) * 995 + 500) / 1000;
    let top = if n == 0 {
        1.0
    } else {
        *sizes.select_nth_unstable_by(at, f32::total_cmp).1
    };
    let n_negative = known.partition_point(|v| *v < 0.0);
    let n_matter = known.partition_point(|v| *v < -MATTERS * top);
    let enough = n_matter > 0 && n_matter * 1000 >= FEW * n;
    Told {
        two_sided: enough || (signed && n_negative > 0),
        n_negative,
        n,
        lowest: known.first().copied().unwrap_or(0.0),
        top,
        bottom: [50, 20].map(|part| known.get(n / part).copied().unwrap_or(0.0)),
    }
}

/// The first look: both sides or one, up to about the number that one in 200 exceeds. The smallest tenth of what is on a
/// grid is hidden, as a brain is mostly noise.
pub(crate) fn first_look(told: &Told, on_grid: bool) -> Look {
    let high = round_up(told.top);
    let begins = !on_grid && told.begins() && told.bottom[0] > 0.5 * BEGINS * told.top;
    let low = if begins {
        round_down(told.bottom[0])
    } else {
        0.0
    };
    Look {
        soft: false,
        colormap: colours(told.two_sided, on_grid),
        range: (if low < high { low } else { 0.0 }, high),
        threshold: if on_grid { 0.1 * high } else { 0.0 },
        two_sided: told.two_sided,
        opacity: 1.0,
    }
}

/// Lets each whole number have a colour of its own where there are as many colours that stand for classes; zero is
/// background.
pub(crate) fn suit_classes(present: &[i32], look: &mut Look) {
    let n = look.colormap.n_classes().unwrap_or(1) as f32;
    let (Some(&low), Some(&high)) = (present.first(), present.last()) else {
        return;
    };
    let (low, high) = (low as f32 - 0.5, high as f32 + 0.5);
    look.two_sided = false;
    look.range = (low, (low + n).max(high));
    look.threshold = if low > 0.0 { low.min(0.5) } else { 0.0 };
}

/// The whole numbers of a map but zero, ascending; nothing of a map that has others, or of one that has hundreds.
pub(crate) fn whole_numbers(values: impl Iterator<Item = f32>) -> Vec<i32> {
    let mut present = BTreeSet::new();
    for value in values.filter(|v| v.is_finite() && *v != 0.0) {
        present.insert(value as i32);
        if value.fract() != 0.0 || present.len() > 512 {
            return Vec::new();
        }
    }
    present.into_iter().collect()
}

/// The colours of a map of two sides or one.
pub(crate) fn colours(two_sided: bool, on_grid: bool) -> Colormap {
    match (two_sided, on_grid) {
        (true, true) => Colormap::ColdHot,
        (true, false) => Colormap::BlueRed,
        (false, true) => Colormap::Hot,
        (false, false) => Colormap::Viridis,
    }
}

/// Numbers that are easy to read and to halve.
const ROUND: [f32; 14] = [
    1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0,
];
/// The end of a bar may be that much short of the number that one in 200 exceeds.
const SHORT_OF: f32 = 0.98;

/// The next round number that is not smaller, or hardly; 1 for what is no size.
fn round_up(value: f32) -> f32 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let unit = 10f32.powf(value.log10().floor());
    let above = ROUND
        .into_iter()
        .find(|round| round * unit >= value * SHORT_OF);
    above.unwrap_or(10.0) * unit
}

/// The next round number that is not larger.
fn round_down(value: f32) -> f32 {
    let unit = 10f32.powf(value.log10().floor());
    let below = ROUND
        .into_iter()
        .rfind(|round| round * unit <= value * 1.0001);
    below.unwrap_or(1.0) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(values: &[f32], on_grid: bool) -> (f32, f32) {
        first_look(&told(values.iter().copied(), false), on_grid).range
    }

    #[test]
    fn a_few_small_negative_numbers_are_no_second_side() {
        let thickness = |v: usize| 1.5 + (v % 200) as f32 / 100.0;
        let mut values: Vec<f32> = (0..10_000).map(thickness).collect();
        values[..6].fill(-0.003);
        let of_thickness = told(values.iter().copied(), false);
        assert!(!of_thickness.two_sided);
        assert_eq!((of_thickness.n_negative, of_thickness.lowest), (6, -0.003));
        // A file that says it holds t has a sign, however small.
        assert!(told(values.iter().copied(), true).two_sided);
        // One in a thousand that is larger counts; fewer do not.
        values[..10].fill(-2.0);
        assert!(told(values.iter().copied(), false).two_sided);
        values[5..10].fill(2.0);
        assert!(!told(values.iter().copied(), false).two_sided);
    }

    #[test]
    fn ends_are_round() {
        assert_eq!(range(&[0.93, 0.2], true), (0.0, 1.0));
        assert_eq!(range(&[7.94, -7.9], true), (0.0, 8.0));
        assert_eq!(range(&[3.84, 1.4], false), (1.2, 4.0));
        assert_eq!(range(&[3.84, 0.4], false), (0.0, 4.0));
        assert_eq!(range(&[99.0, 1.0], false), (0.0, 100.0));
        assert_eq!(range(&[], false), (0.0, 1.0));
        assert_eq!(range(&[2.0, 2.0], false), (0.0, 2.0));
        assert_eq!(range(&[f32::NAN, 0.0], true), (0.0, 1.0));
    }
}
