//! The flat map, and noise that neighbours share.

use fusiform_pipelines::surface::Shape;

use super::{HALVES, shape, subject, value};

/// Areas of the inflated sheet stay what they are up to a common factor, and nothing is turned over.
#[test]
fn the_flat_map_keeps_areas_and_sides() {
    for hemisphere in HALVES {
        let (flat, inflated) = (
            shape(hemisphere, Shape::Flat),
            shape(hemisphere, Shape::Inflated),
        );
        assert_eq!(
            flat.vertices.len(),
            inflated.vertices.len(),
            "maps fit both"
        );
        let cut = inflated.triangles.len() - flat.triangles.len();
        assert!(
            cut > 200 && cut < inflated.triangles.len() / 8,
            "{cut} triangles of the medial wall"
        );
        let areas = |of: &fusiform_pipelines::surface::Surface| -> Vec<f32> {
            let area = |t: &[u32; 3]| {
                let [a, b, c] = t.map(|v| of.vertices[v as usize]);
                let normal = (b - a).cross(c - a) / 2.0;
                if of.vertices[t[0] as usize].z == 0.0 && normal.z < 0.0 {
                    -normal.length()
                } else {
                    normal.length()
                }
            };
            flat.triangles.iter().map(area).collect()
        };
        let (laid, before) = (areas(&flat), areas(&inflated));
        assert!(laid.iter().all(|a| *a > 0.0), "a triangle is turned over");
        let mut ratios: Vec<f32> = laid.iter().zip(&before).map(|(a, b)| a / b).collect();
        ratios.sort_by(f32::total_cmp);
        let at = |share: f64| ratios[(ratios.len() as f64 * share) as usize];
        assert!(
            at(0.05) > 0.5 && at(0.95) < 2.0,
            "{} to {}",
            at(0.05),
            at(0.95)
        );
        // Behind is in the middle of the pair, superior is up.
        let side = hemisphere.side();
        let white = shape(hemisphere, Shape::White);
        let end = |pick: fn(f32, f32) -> bool, axis: usize| {
            let inside = flat.triangles.iter().flatten().map(|&v| v as usize);
            inside
                .reduce(|a, b| {
                    if pick(white.vertices[b][axis], white.vertices[a][axis]) {
                        b
                    } else {
                        a
                    }
                })
                .unwrap()
        };
        let (front, back) = (end(|a, b| a > b, 1), end(|a, b| a < b, 1));
        assert!(side * (flat.vertices[front].x - flat.vertices[back].x) > 60.0);
        let (top, bottom) = (end(|a, b| a > b, 2), end(|a, b| a < b, 2));
        assert!(flat.vertices[top].y - flat.vertices[bottom].y > 40.0);
    }
}

/// Half of the noise is the body's and smooth, half the scanner's and white: neighbours share about a third, voxels far
/// apart the global part alone.
#[test]
fn neighbours_share_noise() {
    let run = value(&subject().runs[0].bold);
    let [ni, nj, _] = run.grid.shape;
    let n = run.grid.n_voxels();
    let grey = value(
        &subject()
            .masks
            .iter()
            .find(|m| m.name == "brain")
            .unwrap()
            .source,
    );
    let visual = value(&subject().masks[0].source);
    // Differences of neighbouring times hold no drift; brain outside of visual areas holds no response.
    let course = |v: usize| -> Vec<f64> {
        let at = |t: usize| f64::from(run.values_at(t)[v]);
        (1..run.n_times).map(|t| at(t) - at(t - 1)).collect()
    };
    let quiet = |v: usize| grey.data[v] > 0.5 && visual.data[v] < 0.5;
    let correlation = |a: usize, b: usize| {
        let (a, b) = (course(a), course(b));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    };
    let mean = |offset: usize| {
        let pairs: Vec<usize> = (0..n - offset)
            .filter(|&v| quiet(v) && quiet(v + offset))
            .step_by(37)
            .take(150)
            .collect();
        pairs
            .iter()
            .map(|&v| correlation(v, v + offset))
            .sum::<f64>()
            / pairs.len() as f64
    };
    let (near, far) = (mean(1), mean(8 + 5 * ni + 3 * ni * nj));
    // Half of the noise is smooth; of what differs from one time to the next, its AR(1) makes it a share of 0.35.
    assert!((0.18..0.34).contains(&near), "neighbours: {near}");
    assert!((0.005..0.09).contains(&far), "far apart: {far}");
}
