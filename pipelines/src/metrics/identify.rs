//! Telling the true stimulus from other candidates by its likeness to the reconstruction.

/// The share of the other candidates that are strictly less like the reconstruction than the
/// true one is; ties count against it. Chance is 0.5. `None` without another candidate.
///
/// (1/(N−1)) · #{i ≠ true : likeness_i < likeness_true}, the two-way identification of
/// the reconstruction literature.
pub fn two_way(likeness: &[f64], truth: usize) -> Option<f64> {
    let own = *likeness.get(truth)?;
    if likeness.len() < 2 {
        return None;
    }
    let beaten = likeness
        .iter()
        .enumerate()
        .filter(|(i, l)| *i != truth && **l < own)
        .count();
    Some(beaten as f64 / (likeness.len() - 1) as f64)
}

/// The place of the true candidate by likeness, 1 is first; ties count against it.
pub fn rank(likeness: &[f64], truth: usize) -> Option<usize> {
    let own = *likeness.get(truth)?;
    Some(
        1 + likeness
            .iter()
            .enumerate()
            .filter(|(i, l)| *i != truth && **l >= own)
            .count(),
    )
}
