//! Principal components of pictures.

use crate::device::Compute;
use crate::linear::{kernel, product, ridge};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// Components whose variance is below this share of the first are rounding (f32 products).
const RANK: f64 = 1e-6;

/// A mean and orthonormal directions around it.
#[derive(Clone, Debug)]
pub struct Pca {
    /// The mean picture.
    pub mean: Vec<f32>,
    /// Components × pixels, orthonormal rows, by falling variance; the largest entry of each is
    /// positive.
    pub components: Matrix,
}

/// The first `n` components of the rows of `pictures`, fewer when they span fewer.
///
/// From the eigenvectors of the smaller of the two Gram matrices.
pub fn fit(pictures: &Matrix, n: usize, compute: &Compute, run: &Run<'_>) -> Result<Pca, Stop> {
    let mean = kernel::column_means(pictures, &(0..pictures.n_rows).collect::<Vec<_>>());
    let centred = kernel::minus(pictures, &mean);
    let by_rows = pictures.n_rows <= pictures.n_cols;
    let gram = if by_rows {
        product::times_transposed(&centred, &centred, compute, run)?
    } else {
        let columns = centred.transposed();
        product::times_transposed(&columns, &columns, compute, run)?
    };
    run.check()?;
    let (values, vectors) = kernel::eigen(&ridge::wide(&gram))?;
    let first = values.last().copied().unwrap_or(0.0);
    let order: Vec<usize> = (0..values.len())
        .rev()
        .take_while(|&i| values[i] > RANK * first)
        .take(n)
        .collect();
    let mut chosen = Matrix::zeros(order.len(), vectors.nrows());
    for (k, &i) in order.iter().enumerate() {
        for (r, value) in chosen.row_mut(k).iter_mut().enumerate() {
            *value = vectors[(r, i)] as f32;
        }
    }
    let mut components = if by_rows {
        product::times(&chosen, &centred, compute, run)?
    } else {
        chosen
    };
    for k in 0..components.n_rows {
        normalise(components.row_mut(k));
    }
    Ok(Pca { mean, components })
}

/// Unit length, largest entry positive.
fn normalise(row: &mut [f32]) {
    let norm = row
        .iter()
        .map(|x| f64::from(*x).powi(2))
        .sum::<f64>()
        .sqrt();
    let largest = row
        .iter()
        .copied()
        .fold(0.0f32, |a, b| if b.abs() > a.abs() { b } else { a });
    if norm > 0.0 {
        let by = norm.copysign(f64::from(largest));
        for x in row {
            *x = (f64::from(*x) / by) as f32;
        }
    }
}

/// Pictures → codes, `rows × components`.
pub fn encode(
    pca: &Pca,
    pictures: &Matrix,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    product::times_transposed(
        &kernel::minus(pictures, &pca.mean),
        &pca.components,
        compute,
        run,
    )
}

/// Codes → pictures, `rows × pixels`.
pub fn decode(pca: &Pca, codes: &Matrix, compute: &Compute, run: &Run<'_>) -> Result<Matrix, Stop> {
    let mut pictures = product::times(codes, &pca.components, compute, run)?;
    for r in 0..pictures.n_rows {
        for (value, mean) in pictures.row_mut(r).iter_mut().zip(&pca.mean) {
            *value += mean;
        }
    }
    Ok(pictures)
}
