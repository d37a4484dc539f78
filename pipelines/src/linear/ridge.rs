//! Ridge regression, dual or primal by size, factored so that many penalties and many targets
//! cost one eigendecomposition.
//!
//! W = argmin ‖X W − Y‖² + λ‖W‖² with X and Y centred on the training rows:
//! dual W = Xᵀ U (Λ + λ)⁻¹ Uᵀ Y with X Xᵀ = U Λ Uᵀ, primal W = V (Λ + λ)⁻¹ Vᵀ Xᵀ Y with
//! Xᵀ X = V Λ Vᵀ (Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 3.4.1).
//! Penalties are given as multiples `alpha` of the mean diagonal of the centred kernel:
//! λ = alpha · tr(X Xᵀ) / n. Each target has its own: what the brain says nothing about is shrunk
//! away without dimming the rest.

use faer::{Mat, Scale};

use crate::device::Compute;
use crate::linear::{kernel, product};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// The brain side of a ridge: data, and the kernel of all its trials.
#[derive(Debug)]
pub struct Design<'a> {
    /// Trials × voxels.
    pub x: &'a Matrix,
    /// `x xᵀ`, [`kernel::linear_kernel`].
    pub kernel: Mat<f64>,
}

impl<'a> Design<'a> {
    /// Computes the kernel.
    pub fn new(x: &'a Matrix, compute: &Compute, run: &Run<'_>) -> Result<Self, Stop> {
        Ok(Self {
            x,
            kernel: kernel::linear_kernel(x, compute, run)?,
        })
    }
}

/// Which side the eigenvectors live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A kernel of trials: cheap when trials are fewer than voxels.
    Dual,
    /// A covariance of voxels: cheap when voxels are fewer.
    Primal,
}

/// Everything of a ridge on some training rows that knows no targets.
#[derive(Clone, Debug)]
pub struct Factor {
    train: Vec<usize>,
    form: Form,
    eigenvalues: Vec<f64>,
    /// Eigenvectors, columns.
    vectors: Mat<f64>,
    /// Maps centred training targets onto eigenvectors: Uᵀ (dual) or Vᵀ Xᵀ (primal).
    onto: Mat<f64>,
    mean_diagonal: f64,
    x_mean: Vec<f32>,
}

impl Factor {
    /// Factors in the cheaper form.
    pub fn new(
        design: &Design<'_>,
        train: &[usize],
        compute: &Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let form = if train.len() <= design.x.n_cols {
            Form::Dual
        } else {
            Form::Primal
        };
        Self::with_form(design, train, form, compute, run)
    }

    /// Factors in the given form; both give the same predictions.
    pub fn with_form(
        design: &Design<'_>,
        train: &[usize],
        form: Form,
        compute: &Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        run.check()?;
        if train.len() < 2 {
            return Err(
                Error::data("a ridge regression needs at least two training trials").into(),
            );
        }
        let x_mean = kernel::column_means(design.x, train);
        match form {
            Form::Dual => {
                let centred = kernel::centred(&design.kernel, train, train);
                let mean_diagonal = trace(&centred) / train.len() as f64;
                let (eigenvalues, vectors) = kernel::eigen(&centred)?;
                let onto = vectors.transpose().to_owned();
                Ok(Self {
                    train: train.to_vec(),
                    form,
                    eigenvalues,
                    vectors,
                    onto,
                    mean_diagonal,
                    x_mean,
                })
            }
            Form::Primal => {
                let x = kernel::minus(&design.x.select_rows(train), &x_mean);
                let xt = x.transposed();
                let covariance = wide(&product::times_transposed(&xt, &xt, compute, run)?);
                let covariance = Scale(0.5) * (&covariance + covariance.transpose());
                let mean_diagonal = trace(&covariance) / train.len() as f64;
                let (eigenvalues, vectors) = kernel::eigen(&covariance)?;
                let onto = vectors.transpose() * wide(&x).transpose();
                Ok(Self {
                    train: train.to_vec(),
                    form,
                    eigenvalues,
                    vectors,
                    onto,
                    mean_diagonal,
                    x_mean,
                })
            }
        }
    }

    /// The training rows.
    pub fn train(&self) -> &[usize] {
        &self.train
    }

    /// How rows of the design stand to the eigenvectors: `rows × eigenvalues`.
    pub fn project(&self, design: &Design<'_>, rows: &[usize]) -> Mat<f64> {
        match self.form {
            Form::Dual => kernel::centred(&design.kernel, rows, &self.train) * &self.vectors,
            Form::Primal => {
                wide(&kernel::minus(&design.x.select_rows(rows), &self.x_mean)) * &self.vectors
            }
        }
    }

    /// Brings targets (all rows of the study, `n × k`) onto the eigenvectors.
    pub fn targets(&self, y: &Mat<f64>) -> Targets {
        let k = y.ncols();
        let n = self.train.len() as f64;
        let mean: Vec<f64> = (0..k)
            .map(|c| self.train.iter().map(|&r| y[(r, c)]).sum::<f64>() / n)
            .collect();
        let centred = Mat::from_fn(self.train.len(), k, |r, c| y[(self.train[r], c)] - mean[c]);
        Targets {
            mean,
            along: &self.onto * centred,
        }
    }

    /// (Λ + λ)⁻¹ · targets, λ by target.
    fn shrunk(&self, targets: &Targets, alpha: impl Fn(usize) -> f64) -> Mat<f64> {
        Mat::from_fn(targets.along.nrows(), targets.along.ncols(), |i, c| {
            let by = self.eigenvalues[i] + alpha(c) * self.mean_diagonal;
            if by > 0.0 {
                targets.along[(i, c)] / by
            } else {
                0.0
            }
        })
    }

    /// Predictions for rows that were [`project`](Self::project)ed: `rows × k`. `alpha` gives the
    /// penalty of each target.
    pub fn predict(
        &self,
        projected: &Mat<f64>,
        targets: &Targets,
        alpha: impl Fn(usize) -> f64,
    ) -> Mat<f64> {
        let mut out = projected * self.shrunk(targets, alpha);
        for c in 0..out.ncols() {
            for r in 0..out.nrows() {
                out[(r, c)] += targets.mean[c];
            }
        }
        out
    }

    /// The fitted model as data. `alpha` gives the penalty of each target.
    pub fn model(
        &self,
        design: &Design<'_>,
        targets: &Targets,
        alpha: impl Fn(usize) -> f64,
    ) -> RidgeModel {
        let coefficients = narrow(&(&self.vectors * self.shrunk(targets, alpha)));
        let weights = match self.form {
            Form::Dual => Weights::Trials {
                x: kernel::minus(&design.x.select_rows(&self.train), &self.x_mean),
                coefficients,
            },
            Form::Primal => Weights::Voxels(coefficients),
        };
        RidgeModel {
            x_mean: self.x_mean.clone(),
            y_mean: targets.mean.iter().map(|m| *m as f32).collect(),
            weights,
        }
    }
}

/// Centred training targets in the coordinates of a [`Factor`].
#[derive(Clone, Debug)]
pub struct Targets {
    mean: Vec<f64>,
    along: Mat<f64>,
}

/// One inner fold: a factor of the inner training rows, and its held-out rows.
#[derive(Clone, Debug)]
pub struct Inner {
    factor: Factor,
    test: Vec<usize>,
    projected: Mat<f64>,
}

impl Inner {
    /// Factors `train` and projects `test`.
    pub fn new(
        design: &Design<'_>,
        train: &[usize],
        test: &[usize],
        compute: &Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let factor = Factor::new(design, train, compute, run)?;
        let projected = factor.project(design, test);
        Ok(Self {
            factor,
            test: test.to_vec(),
            projected,
        })
    }
}

/// For each target the penalty with the least squared error over the inner folds; of equals the
/// largest. The middle of `alphas` when there is no inner fold.
pub fn choose_alphas(
    inner: &[Inner],
    y: &Mat<f64>,
    alphas: &[f64],
    run: &Run<'_>,
) -> Result<Vec<f64>, Stop> {
    let Some(&middle) = alphas.get(alphas.len() / 2) else {
        return Err(Error::data("no ridge penalty to choose from: name at least one alpha").into());
    };
    if inner.is_empty() {
        return Ok(vec![middle; y.ncols()]);
    }
    // losses[penalty][target]
    let mut losses = vec![vec![0.0; y.ncols()]; alphas.len()];
    for fold in inner {
        run.check()?;
        let targets = fold.factor.targets(y);
        for (losses, &alpha) in losses.iter_mut().zip(alphas) {
            let predicted = fold.factor.predict(&fold.projected, &targets, |_| alpha);
            for (c, loss) in losses.iter_mut().enumerate() {
                for (r, &row) in fold.test.iter().enumerate() {
                    *loss += (predicted[(r, c)] - y[(row, c)]).powi(2);
                }
            }
        }
    }
    (0..y.ncols())
        .map(|target| {
            let loss = |penalty: usize| losses[penalty][target];
            let best = (0..alphas.len()).map(loss).fold(f64::INFINITY, f64::min);
            let among_best = (0..alphas.len()).filter(|&p| loss(p) <= best * (1.0 + 1e-10));
            let largest = among_best
                .map(|p| alphas[p])
                .fold(f64::NEG_INFINITY, f64::max);
            if largest.is_finite() {
                return Ok(largest);
            }
            Err(
                Error::data("no ridge penalty gives finite predictions: check the betas for NaN")
                    .into(),
            )
        })
        .collect()
}

/// Weights, never spelled out over voxels unless that is the smaller side.
#[derive(Clone, Debug)]
pub enum Weights {
    /// W = xᵀ · coefficients.
    Trials {
        /// Centred training data, trials × voxels.
        x: Matrix,
        /// Trials × targets.
        coefficients: Matrix,
    },
    /// W itself, voxels × targets.
    Voxels(Matrix),
}

/// A fitted ridge regression.
#[derive(Clone, Debug)]
pub struct RidgeModel {
    /// Mean of the training data, a voxel.
    pub x_mean: Vec<f32>,
    /// Mean of the training targets.
    pub y_mean: Vec<f32>,
    /// The weights.
    pub weights: Weights,
}

/// Predictions of a model: `rows of x × targets`, in f32 on the device.
pub fn predict(
    model: &RidgeModel,
    x: &Matrix,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    if x.n_cols != model.x_mean.len() {
        return Err(Error::data(format!(
            "the model was fitted on {} voxels but the data have {}",
            model.x_mean.len(),
            x.n_cols
        ))
        .into());
    }
    let centred = kernel::minus(x, &model.x_mean);
    let mut out = match &model.weights {
        Weights::Trials {
            x: trials,
            coefficients,
        } => {
            let kernel = product::times_transposed(&centred, trials, compute, run)?;
            product::times(&kernel, coefficients, compute, run)?
        }
        Weights::Voxels(weights) => product::times(&centred, weights, compute, run)?,
    };
    for r in 0..out.n_rows {
        for (value, mean) in out.row_mut(r).iter_mut().zip(&model.y_mean) {
            *value += mean;
        }
    }
    Ok(out)
}

/// The L2 norm over targets of every voxel's weights; voxel batches bound the memory.
pub fn voxel_norms(model: &RidgeModel, compute: &Compute, run: &Run<'_>) -> Result<Vec<f32>, Stop> {
    const BATCH: usize = 4096;
    let norm = |row: &[f32]| {
        row.iter()
            .map(|w| f64::from(*w).powi(2))
            .sum::<f64>()
            .sqrt() as f32
    };
    match &model.weights {
        Weights::Voxels(weights) => Ok(weights.rows().map(norm).collect()),
        Weights::Trials { x, coefficients } => {
            let mut norms = Vec::with_capacity(x.n_cols);
            for start in (0..x.n_cols).step_by(BATCH) {
                let columns: Vec<usize> = (start..(start + BATCH).min(x.n_cols)).collect();
                let part = x.select_columns(&columns).transposed();
                norms.extend(
                    product::times(&part, coefficients, compute, run)?
                        .rows()
                        .map(norm),
                );
            }
            Ok(norms)
        }
    }
}

fn trace(m: &Mat<f64>) -> f64 {
    (0..m.nrows().min(m.ncols())).map(|i| m[(i, i)]).sum()
}

/// f32 row-major → f64.
pub fn wide(m: &Matrix) -> Mat<f64> {
    Mat::from_fn(m.n_rows, m.n_cols, |r, c| {
        f64::from(m.values[r * m.n_cols + c])
    })
}

/// f64 → f32 row-major.
pub fn narrow(m: &Mat<f64>) -> Matrix {
    let mut out = Matrix::zeros(m.nrows(), m.ncols());
    for r in 0..m.nrows() {
        for (c, value) in out.row_mut(r).iter_mut().enumerate() {
            *value = m[(r, c)] as f32;
        }
    }
    out
}
