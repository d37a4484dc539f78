//! Leaping over what is clear: how far a ray may go through a volume before it can meet anything.
//!
//! A volume is cut into bricks whose least and largest number are known. For a look, each brick is given its distance to
//! the nearest one that may show, so that a ray leaves everything nearer than that in one leap (D. Cohen and Z. Sheffer,
//! 1994, “Proximity clouds”). Only steps that show nothing are left out: the reference renderer does without.

use rayon::prelude::*;

use crate::scene::{Cast, Look};
use crate::solid::FAINT;

/// Voxels along each side of a brick; as in `solid.wgsl`.
const SIDE: usize = 8;

/// The least and the largest number of each brick of a volume.
#[derive(Debug)]
pub(crate) struct Bricks {
    /// Bricks along i, j, k.
    pub(crate) shape: [usize; 3],
    /// i fastest; the least is above the largest where all are NaN.
    ranges: Vec<[f32; 2]>,
}

impl Bricks {
    /// Of numbers on a grid of that shape, i fastest.
    pub(crate) fn new(data: &[f32], shape: [usize; 3]) -> Self {
        let bricks = shape.map(|n| n.div_ceil(SIDE));
        let [ni, nj, _] = shape;
        // Between voxels a number comes of the neighbours too.
        let span = |brick: usize, n: usize| {
            (brick * SIDE).saturating_sub(1)..(brick * SIDE + SIDE + 1).min(n)
        };
        let ranges = (0..bricks[1] * bricks[2])
            .into_par_iter()
            .flat_map_iter(|row| {
                let (bj, bk) = (row % bricks[1], row / bricks[1]);
                (0..bricks[0]).map(move |bi| {
                    let mut range = [f32::INFINITY, f32::NEG_INFINITY];
                    for k in span(bk, shape[2]) {
                        for j in span(bj, nj) {
                            let start = (k * nj + j) * ni;
                            for x in &data[start..][span(bi, ni)] {
                                // NaN is passed over by both.
                                range = [range[0].min(*x), range[1].max(*x)];
                            }
                        }
                    }
                    range
                })
            })
            .collect();
        Self {
            shape: bricks,
            ranges,
        }
    }

    /// The distance of each brick to the nearest that may show, in bricks along the longest axis: 0 of one that may show
    /// itself, 255 of one as far or farther. `step_mm` is that of the rays.
    pub(crate) fn distances(&self, look: &Look, cast: Cast, step_mm: f32) -> Vec<u8> {
        let shows = |[low, high]: [f32; 2]| {
            let strongest = if look.two_sided { high.max(-low) } else { high };
            let cover = if low > high {
                0.0
            } else {
                look.alpha() * look.coverage(strongest)
            };
            let alpha = match cast {
                Cast::Shaded => 1.0 - (1.0 - cover).powf(step_mm),
                Cast::Maximum => cover,
            };
            // With room for what rounding does to either side.
            alpha > 0.5 * FAINT
        };
        let seed = |range: &[f32; 2]| if shows(*range) { 0 } else { u8::MAX };
        let mut distances: Vec<u8> = self.ranges.iter().map(seed).collect();
        // Two sweeps over all 26 neighbours are exact when each is one step away.
        self.sweep(&mut distances, false);
        self.sweep(&mut distances, true);
        distances
    }

    /// Forwards or backwards through the bricks, each from the neighbours that came before it.
    fn sweep(&self, distances: &mut [u8], backwards: bool) {
        let [ni, nj, nk] = self.shape;
        let n = ni * nj * nk;
        for step in 0..n {
            let at = if backwards { n - 1 - step } else { step };
            let (i, j, k) = (at % ni, at / ni % nj, at / (ni * nj));
            let mut least = distances[at];
            let near = |x: usize, n: usize| x.saturating_sub(1)..(x + 2).min(n);
            for kk in near(k, nk) {
                for jj in near(j, nj) {
                    for ii in near(i, ni) {
                        let other = (kk * nj + jj) * ni + ii;
                        if (other < at) != backwards && other != at {
                            least = least.min(distances[other].saturating_add(1));
                        }
                    }
                }
            }
            distances[at] = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colormap::Colormap;

    fn look(threshold: f32) -> Look {
        Look {
            colormap: Colormap::Grey,
            range: (0.0, 10.0),
            threshold,
            soft: false,
            two_sided: false,
            opacity: 0.5,
        }
    }

    #[test]
    fn distances_are_those_of_a_search() {
        let shape = [61, 43, 30];
        let mut data = vec![0.0f32; shape.iter().product()];
        let mut set = |i: usize, j: usize, k: usize, x: f32| {
            data[(k * shape[1] + j) * shape[0] + i] = x;
        };
        set(3, 3, 3, 5.0);
        set(50, 40, 20, 7.0);
        set(30, 20, 10, f32::NAN);
        let bricks = Bricks::new(&data, shape);
        assert_eq!(bricks.shape, [8, 6, 4]);
        for (threshold, full) in [(4.0, vec![[0, 0, 0], [6, 5, 2]]), (6.0, vec![[6, 5, 2]])] {
            // Voxel 50, 40, 20 lies one from no other brick but that of 40 − 1 along j: bricks know their neighbours.
            let distances = bricks.distances(&look(threshold), Cast::Shaded, 1.0);
            for (at, distance) in distances.iter().enumerate() {
                let here = [at % 8, at / 8 % 6, at / 48];
                let to = |other: &[usize; 3]| (0..3).map(|a| here[a].abs_diff(other[a])).max();
                let mut nearest = full.iter().filter_map(to).min().unwrap();
                // Voxel j = 40 is the first of its brick, so the brick before reaches it.
                nearest = nearest.min(to(&[6, 4, 2]).unwrap());
                assert_eq!(usize::from(*distance), nearest, "{here:?}");
            }
        }
        let none = bricks.distances(&look(20.0), Cast::Shaded, 1.0);
        assert!(none.iter().all(|d| *d == u8::MAX));
    }

    #[test]
    fn nothing_but_nan_shows_nothing_and_no_threshold_shows_all() {
        let bricks = Bricks::new(&[f32::NAN; 27], [3; 3]);
        assert_eq!(bricks.distances(&look(0.0), Cast::Maximum, 1.0), [255]);
        let bricks = Bricks::new(&[-3.0; 27], [3; 3]);
        assert_eq!(bricks.distances(&look(0.0), Cast::Maximum, 1.0), [0]);
        assert_eq!(bricks.distances(&look(1.0), Cast::Maximum, 1.0), [255]);
        let two_sided = Look {
            two_sided: true,
            ..look(1.0)
        };
        assert_eq!(bricks.distances(&two_sided, Cast::Maximum, 1.0), [0]);
    }
}
