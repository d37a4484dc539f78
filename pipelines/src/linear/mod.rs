//! Linear models between trials and pictures or categories.
//!
//! Dense f32 products run on the [`Compute`](crate::device::Compute) that is handed in
//! ([`product`]); every factorisation and solve is f64 on the CPU, because f32
//! eigenvalues of an ill-conditioned kernel are not to be trusted. What depends on the brain alone
//! (kernel, eigenvectors) is kept apart from what depends on pictures or labels, so that shuffled
//! controls reuse it.

pub mod cholesky;
pub mod folds;
pub mod kernel;
pub mod lda;
pub mod pca;
pub mod penalties;
pub mod product;
pub mod ridge;
pub mod search;
pub mod single;
