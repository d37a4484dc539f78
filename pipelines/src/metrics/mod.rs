//! Scores of reconstructions, as the field computes them.
//!
//! | score | definition | chance |
//! |---|---|---|
//! | [`correlation::pearson`] | correlation of all pixels | 0 (see the shuffled control) |
//! | [`ssim::ssim`] | structural similarity of grey pictures | 0 (see the shuffled control) |
//! | [`identify::two_way`] | share of other candidates that correlate less | 0.5 |
//! | [`identify::rank`] | place of the truth among candidates | first: 1 / candidates |

pub mod correlation;
pub mod identify;
pub mod ssim;
