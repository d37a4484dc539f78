//! The courses of the sulci every brain has, in lateral coordinates (mm).
//!
//! They only draw the folding pattern; where exactly a sulcus comes to lie follows from the seed.

use glam::Vec3;

use super::hull;
use super::stream::Stream;

const FISSURE: [[f32; 3]; 5] = [
    [40.0, 16.0, -12.0],
    [52.0, 6.0, -2.0],
    [61.0, -12.0, 6.0],
    [61.0, -30.0, 14.0],
    [57.0, -42.0, 24.0],
];

const CALCARINE: [[f32; 3]; 4] = [
    [2.0, -54.0, 6.0],
    [2.0, -70.0, 5.0],
    [3.0, -86.0, 3.0],
    [9.0, -100.0, 2.0],
];

const PRIMARY: [&[[f32; 3]]; 15] = [
    // Central.
    &[
        [3.0, -32.0, 76.0],
        [22.0, -28.0, 72.0],
        [38.0, -20.0, 60.0],
        [50.0, -12.0, 44.0],
        [60.0, -6.0, 22.0],
    ],
    // Precentral.
    &[[24.0, -10.0, 70.0], [42.0, 2.0, 50.0], [55.0, 10.0, 24.0]],
    // Postcentral and intraparietal.
    &[
        [60.0, -24.0, 36.0],
        [48.0, -36.0, 52.0],
        [34.0, -52.0, 56.0],
        [26.0, -70.0, 46.0],
    ],
    // Superior and inferior frontal.
    &[[24.0, 2.0, 66.0], [24.0, 26.0, 56.0], [20.0, 48.0, 36.0]],
    &[[50.0, 14.0, 32.0], [46.0, 32.0, 20.0], [36.0, 50.0, 6.0]],
    // Superior and inferior temporal.
    &[
        [50.0, 12.0, -26.0],
        [62.0, -14.0, -10.0],
        [63.0, -36.0, 2.0],
        [57.0, -54.0, 14.0],
        [48.0, -66.0, 28.0],
    ],
    &[
        [52.0, -4.0, -36.0],
        [60.0, -34.0, -18.0],
        [54.0, -60.0, -8.0],
    ],
    // Lateral occipital.
    &[[48.0, -72.0, 8.0], [34.0, -90.0, 4.0]],
    // Cingulate with its marginal branch.
    &[
        [2.0, 44.0, -6.0],
        [2.0, 46.0, 18.0],
        [2.0, 28.0, 36.0],
        [2.0, 0.0, 44.0],
        [2.0, -26.0, 46.0],
        [2.0, -40.0, 62.0],
    ],
    // Parieto-occipital.
    &[[2.0, -58.0, 10.0], [2.0, -70.0, 26.0], [4.0, -78.0, 42.0]],
    // Calcarine.
    &CALCARINE,
    // Collateral.
    &[
        [24.0, -8.0, -36.0],
        [28.0, -34.0, -20.0],
        [28.0, -56.0, -14.0],
        [24.0, -78.0, -12.0],
    ],
    // Occipito-temporal.
    &[
        [43.0, -14.0, -42.0],
        [45.0, -40.0, -26.0],
        [42.0, -62.0, -16.0],
    ],
    // Olfactory and orbital.
    &[[12.0, 22.0, -22.0], [12.0, 48.0, -18.0]],
    &[[30.0, 26.0, -20.0], [28.0, 46.0, -14.0]],
];

/// The courses of one hemisphere, on its hull.
#[derive(Debug)]
pub(super) struct Courses {
    fissure: Vec<Vec3>,
    primary: Vec<Vec<Vec3>>,
}

impl Courses {
    /// The common courses, each point a few millimetres astray.
    pub(super) fn new(stream: &mut Stream) -> Self {
        let mut lay = |course: &[[f32; 3]], astray: f32| {
            let wander = |p: &[f32; 3]| {
                let mut off = || stream.between(-astray, astray);
                Vec3::from_array(*p) + Vec3::new(0.0, off(), off())
            };
            on_hull(&course.iter().map(wander).collect::<Vec<_>>())
        };
        Self {
            fissure: lay(&FISSURE, 1.5),
            primary: PRIMARY.iter().map(|course| lay(course, 3.0)).collect(),
        }
    }

    /// Distance of every hull point from the lateral fissure and from the nearest primary sulcus, mm.
    pub(super) fn distances(&self, points: &[Vec3]) -> Vec<(f32, f32)> {
        points
            .iter()
            .map(|&p| {
                let primary = self.primary.iter().map(|c| distance(p, c));
                (
                    distance(p, &self.fissure),
                    primary.fold(f32::INFINITY, f32::min),
                )
            })
            .collect()
    }
}

/// The calcarine sulcus on the hull: the axis of the early visual areas.
pub(super) fn calcarine() -> Vec<Vec3> {
    on_hull(&CALCARINE.map(Vec3::from_array))
}

/// Distance from a polyline, mm.
pub(super) fn distance(p: Vec3, course: &[Vec3]) -> f32 {
    course
        .windows(2)
        .map(|ends| hull::capsule(p, ends[0], ends[1], 0.0))
        .fold(f32::INFINITY, f32::min)
}

/// A course laid on the hull in short steps.
fn on_hull(course: &[Vec3]) -> Vec<Vec3> {
    let mut laid = Vec::new();
    for ends in course.windows(2) {
        for step in 0..4 {
            laid.push(hull::onto_hemisphere(
                ends[0].lerp(ends[1], step as f32 / 4.0),
            ));
        }
    }
    laid.extend(course.last().map(|&p| hull::onto_hemisphere(p)));
    laid
}
