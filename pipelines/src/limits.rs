//! What no program can beat on the same machine in the same run: plain matrix products, one pass over memory.
//!
//! `fusiform bench` prints them beside what it measures.

use std::hint::black_box;
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::matrix::Matrix;

/// Seconds of the f32 product `left · right`, on all of rayon's threads, into memory that is there already.
pub fn product_secs(left: &Matrix, right: &Matrix) -> f64 {
    let mut out = vec![0.0f32; left.n_rows * right.n_cols];
    // Row-major matrices are column-major ones transposed: outᵀ = rightᵀ leftᵀ.
    let start = Instant::now();
    matmul(
        MatMut::from_column_major_slice_mut(&mut out, right.n_cols, left.n_rows),
        Accum::Replace,
        MatRef::from_column_major_slice(&right.values, right.n_cols, right.n_rows),
        MatRef::from_column_major_slice(&left.values, left.n_cols, left.n_rows),
        1.0,
        Par::rayon(0),
    );
    let secs = start.elapsed().as_secs_f64();
    black_box(&out);
    secs
}

/// Seconds of reading every number once, on all of rayon's threads.
pub fn pass_secs(values: &[f32]) -> f64 {
    let start = Instant::now();
    let sum = values
        .par_chunks(1 << 16)
        .map(|chunk| {
            chunk
                .iter()
                .map(|v| v.to_bits())
                .fold(0u32, u32::wrapping_add)
        })
        .reduce(|| 0, u32::wrapping_add);
    black_box(sum);
    start.elapsed().as_secs_f64()
}
