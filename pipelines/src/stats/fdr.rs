//! The false discovery rate: how many of the voxels shown are there by chance.

/// The q of every test: the smallest false discovery rate at which it is among the discoveries.
///
/// Benjamini & Hochberg (1995), *J. Royal Statistical Society B* 57, 289–300: with p in ascending order, q of the i-th
/// is min over j ≥ i of p_j · m / j. NaN is no test: it stays NaN and does not count among the m.
pub fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&i| !p[i].is_nan()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let m = order.len() as f64;
    let mut q = vec![f64::NAN; p.len()];
    let mut least = 1.0f64;
    for (place, &test) in order.iter().enumerate().rev() {
        least = least.min(p[test] * m / (place + 1) as f64);
        q[test] = least;
    }
    q
}

/// Which tests are discoveries at a false discovery rate of `rate`.
pub fn discoveries(p: &[f64], rate: f64) -> Vec<bool> {
    q_values(p).iter().map(|q| *q <= rate).collect()
}
