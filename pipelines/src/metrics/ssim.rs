//! Structural similarity of two grey pictures.
//!
//! Wang, Bovik, Sheikh & Simoncelli (2004), *IEEE Trans. Image Processing* 13, 600–612, with a
//! Gaussian window of σ = 1.5 cut off at 3.5 σ, population covariances, K₁ = 0.01, K₂ = 0.03 and
//! a data range of 1; the border that the window does not fill is left out of the mean. These are
//! the settings of scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
//! use_sample_covariance=False, data_range=1)`.

/// Half a window: 3.5 σ, rounded.
const RADIUS: usize = 5;

/// The mean structural similarity of two pictures of `width × height` grey values in [0, 1], rows
/// first. `None` when a side is shorter than the window (11 pixels) or the lengths do not fit.
pub fn ssim(a: &[f32], b: &[f32], width: usize, height: usize) -> Option<f64> {
    let n = width * height;
    if width.min(height) <= 2 * RADIUS || a.len() != n || b.len() != n {
        return None;
    }
    let a: Vec<f64> = a.iter().map(|v| f64::from(*v)).collect();
    let b: Vec<f64> = b.iter().map(|v| f64::from(*v)).collect();
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<f64>>();
    let blur = |x: &[f64]| blurred(x, width, height);
    let (mean_a, mean_b) = (blur(&a), blur(&b));
    let (aa, bb, ab) = (
        blur(&product(&a, &a)),
        blur(&product(&b, &b)),
        blur(&product(&a, &b)),
    );
    let (c1, c2) = (0.01f64.powi(2), 0.03f64.powi(2));
    let mut sum = 0.0;
    for y in RADIUS..height - RADIUS {
        for x in RADIUS..width - RADIUS {
            let i = y * width + x;
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (va, vb, vab) = (aa[i] - ma * ma, bb[i] - mb * mb, ab[i] - ma * mb);
            sum += (2.0 * ma * mb + c1) * (2.0 * vab + c2)
                / ((ma * ma + mb * mb + c1) * (va + vb + c2));
        }
    }
    Some(sum / ((width - 2 * RADIUS) * (height - 2 * RADIUS)) as f64)
}

/// Gaussian blur of the part that the window fills; the border stays 0, nobody reads it.
fn blurred(values: &[f64], width: usize, height: usize) -> Vec<f64> {
    let mut window = [0.0; 2 * RADIUS + 1];
    for (i, w) in window.iter_mut().enumerate() {
        let distance = i as f64 - RADIUS as f64;
        *w = (-0.5 * (distance / 1.5).powi(2)).exp();
    }
    let total: f64 = window.iter().sum();
    let mut rows = vec![0.0; values.len()];
    for y in 0..height {
        for x in RADIUS..width - RADIUS {
            let from = y * width + x - RADIUS;
            rows[y * width + x] = window
                .iter()
                .zip(&values[from..])
                .map(|(w, v)| w * v)
                .sum::<f64>()
                / total;
        }
    }
    let mut out = vec![0.0; values.len()];
    for y in RADIUS..height - RADIUS {
        for x in RADIUS..width - RADIUS {
            out[y * width + x] = window
                .iter()
                .enumerate()
                .map(|(i, w)| w * rows[(y + i - RADIUS) * width + x])
                .sum::<f64>()
                / total;
        }
    }
    out
}
