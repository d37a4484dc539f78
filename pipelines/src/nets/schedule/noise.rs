//! How much noise there is at each step of training, and which of them a walk visits.

use super::{ScheduleConfig, Solver, Spacing};
use crate::Result;

/// Product of the alphas at each training step.
pub(super) fn alphas(config: &ScheduleConfig, solver: Solver) -> Vec<f64> {
    let n = config.num_train_timesteps;
    let line = |from: f64, to: f64| {
        move |at: usize| from + (to - from) * at as f64 / (n.max(2) - 1) as f64
    };
    let betas: Vec<f64> = match config.beta_schedule.as_str() {
        "scaled_linear" => {
            let root = line(config.beta_start.sqrt(), config.beta_end.sqrt());
            (0..n).map(|at| root(at).powi(2)).collect()
        }
        "squaredcos_cap_v2" => {
            let bar = |t: f64| {
                ((t + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2)
                    .cos()
                    .powi(2)
            };
            (0..n)
                .map(|at| {
                    let (from, to) = (at as f64 / n as f64, (at + 1) as f64 / n as f64);
                    (1.0 - bar(to) / bar(from)).min(0.999)
                })
                .collect()
        }
        _ => (0..n)
            .map(line(config.beta_start, config.beta_end))
            .collect(),
    };
    let mut product = 1.0;
    let mut alphas: Vec<f64> = betas
        .into_iter()
        .map(|beta| {
            product *= 1.0 - beta;
            product
        })
        .collect();
    if config.rescale_betas_zero_snr {
        let (first, last) = (alphas[0].sqrt(), alphas[n - 1].sqrt());
        for alpha in &mut alphas {
            *alpha = ((alpha.sqrt() - last) * first / (first - last)).powi(2);
        }
        if !matches!(solver, Solver::Ddpm | Solver::Ddim) {
            // As near to none as the solvers in noise over signal can bear; the value is diffusers'.
            alphas[n - 1] = 2f64.powi(-24);
        }
    }
    alphas
}

/// Signal and noise in a latent of variance one whose noise over signal is `sigma`.
pub(super) fn split(sigma: f64) -> (f64, f64) {
    let alpha = 1.0 / sigma.hypot(1.0);
    (alpha, sigma * alpha)
}

/// Half the logarithm of signal over noise.
pub(super) fn lambda(sigma: f64) -> f64 {
    -sigma.ln()
}

/// Times, falling, and noise over signal at each and after the last.
pub(super) fn steps(
    solver: Solver,
    config: &ScheduleConfig,
    alphas: &[f64],
    n_steps: usize,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let n = config.num_train_timesteps;
    let training: Vec<f64> = alphas.iter().map(|a| ((1.0 - a) / a).sqrt()).collect();
    let multistep = matches!(solver, Solver::DpmPlusPlus | Solver::UniPc);
    // Those that end at no noise leave the last of one more step away.
    let among = n_steps + usize::from(multistep);
    let offset = config.steps_offset as f64;
    let mut times: Vec<f64> = match config.spacing(solver) {
        Spacing::Linspace => (0..among)
            .map(|at| {
                let time = (n - 1) as f64 * at as f64 / (among.max(2) - 1) as f64;
                if solver == Solver::Euler {
                    f64::from(time as f32)
                } else {
                    time.round_ties_even()
                }
            })
            .collect(),
        Spacing::Leading => {
            let stretch = n / among;
            (0..among)
                .map(|at| (at * stretch) as f64 + offset)
                .collect()
        }
        Spacing::Trailing => {
            let stretch = n as f64 / n_steps as f64;
            let mut times: Vec<f64> = (0..n_steps)
                .map(|at| (n as f64 - at as f64 * stretch).round_ties_even() - 1.0)
                .collect();
            times.reverse();
            times
        }
    };
    times.reverse();
    times.truncate(n_steps);
    for time in &mut times {
        *time = time.clamp(0.0, (n - 1) as f64);
    }
    let mut sigmas: Vec<f64>;
    if config.use_karras_sigmas.unwrap_or(false) && (multistep || solver == Solver::Euler) {
        sigmas = karras(&training, &times, solver, n_steps);
        times = sigmas
            .iter()
            .map(|&sigma| {
                let time = time_of(sigma, &training);
                if solver == Solver::Euler {
                    time
                } else {
                    time.round_ties_even()
                }
            })
            .collect();
    } else {
        sigmas = times.iter().map(|&t| between(&training, t)).collect();
    }
    let last = if multistep && config.final_sigmas_type.as_deref() == Some("sigma_min") {
        training[0]
    } else {
        0.0
    };
    sigmas.push(last);
    Ok((times, sigmas))
}

/// A value between those of whole training steps.
fn between(training: &[f64], time: f64) -> f64 {
    let low = time.floor() as usize;
    let high = (low + 1).min(training.len() - 1);
    let part = time - low as f64;
    training[low] * (1.0 - part) + training[high] * part
}

/// Noise levels after Karras et al. 2022, equation 5 with ρ = 7.
fn karras(training: &[f64], times: &[f64], solver: Solver, n_steps: usize) -> Vec<f64> {
    const RHO: f64 = 7.0;
    // Euler spans the noise of its steps, the others that of training.
    let (least, most) = match (solver, times) {
        (Solver::Euler, [first, .., last]) => (between(training, *last), between(training, *first)),
        _ => (training[0], training[training.len() - 1]),
    };
    let (least, most) = (least.powf(1.0 / RHO), most.powf(1.0 / RHO));
    (0..n_steps)
        .map(|at| {
            let part = at as f64 / (n_steps.max(2) - 1) as f64;
            (most + part * (least - most)).powf(RHO)
        })
        .collect()
}

/// The training step, fractions included, with this noise.
fn time_of(sigma: f64, training: &[f64]) -> f64 {
    let low = training
        .partition_point(|&s| s <= sigma)
        .saturating_sub(1)
        .min(training.len() - 2);
    let (from, to) = (training[low].ln(), training[low + 1].ln());
    let part = ((from - sigma.ln()) / (from - to)).clamp(0.0, 1.0);
    low as f64 + part
}
