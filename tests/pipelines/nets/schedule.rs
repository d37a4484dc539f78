//! Every solver, step by step, against diffusers.

use burn::tensor::{Device, Tensor};
use fusiform_pipelines::nets::schedule::{Sampler, ScheduleConfig, Solver, seeded_noise};
use serde::Deserialize;

use super::{Io, fixture, largest_difference};

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    config: ScheduleConfig,
    n: usize,
    times: Vec<f64>,
}

fn solver(kind: &str) -> Solver {
    match kind {
        "DDPMScheduler" => Solver::Ddpm,
        "DDIMScheduler" => Solver::Ddim,
        "DPMSolverMultistepScheduler" => Solver::DpmPlusPlus,
        "UniPCMultistepScheduler" => Solver::UniPc,
        "EulerDiscreteScheduler" => Solver::Euler,
        other => panic!("no solver {other}"),
    }
}

/// Stands for a network: the same in the script that made the fixtures.
fn predict(scaled: Tensor<4>, time: f64) -> Tensor<4> {
    let waves = scaled
        .clone()
        .mul_scalar(7.0)
        .add_scalar(time / 300.0)
        .sin();
    scaled.mul_scalar(1.3).tanh() + waves.mul_scalar(0.1)
}

#[test]
fn as_diffusers_step_by_step() {
    let device = Device::flex();
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(fixture("schedules").join("cases.json")).unwrap())
            .unwrap();
    assert!(cases.len() >= 18);
    let mut io = Io::open("schedules");
    for case in cases {
        let solver = solver(&case.kind);
        let mut sampler = Sampler::new(solver, &case.config, case.n).unwrap();
        assert_eq!(sampler.times().len(), case.times.len(), "{}", case.name);
        for (ours, theirs) in sampler.times().iter().zip(&case.times) {
            assert!(
                (ours - theirs).abs() < 2e-3,
                "{}: time {ours}, {theirs}",
                case.name
            );
        }
        let latents: Tensor<5> = io.tensor(&case.name, &device);
        let at = |step: usize| -> Tensor<4> { latents.clone().narrow(0, step, 1).squeeze_dim(0) };
        let mut worst: f64 = 0.0;
        for step in 0..case.n {
            // Each step begins where the original's did, so that an error shows at the step that makes it.
            let latent = at(step);
            let prediction = predict(sampler.scaled(latent.clone()), case.times[step]);
            let noise = (solver == Solver::Ddpm).then(|| {
                let all: Tensor<5> = io.tensor(&format!("{}.noise", case.name), &device);
                all.narrow(0, step, 1).squeeze_dim::<4>(0)
            });
            let next = sampler.step(prediction, latent, noise).unwrap();
            let size = at(step + 1).abs().max().into_scalar::<f32>().max(1.0);
            let error = largest_difference(&next.into_data(), &at(step + 1).into_data());
            assert!(error.is_finite(), "{} step {step}", case.name);
            worst = worst.max(error / f64::from(size));
        }
        println!(
            "{}: largest difference {worst:.1e} of the largest number",
            case.name
        );
        assert!(worst <= 1e-4, "{} is {worst:.2e} off", case.name);
        assert!(sampler.time().is_none());
        assert!(sampler.step(at(0), at(0), None).is_err());
    }
}

/// The walk from the first noise to the end, on our own latents.
#[test]
fn whole_walks_end_where_the_originals_do() {
    let device = Device::flex();
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(fixture("schedules").join("cases.json")).unwrap())
            .unwrap();
    let mut io = Io::open("schedules");
    for case in cases.iter().filter(|case| case.kind != "DDPMScheduler") {
        let mut sampler = Sampler::new(solver(&case.kind), &case.config, case.n).unwrap();
        let latents: Tensor<5> = io.tensor(&case.name, &device);
        let mut latent: Tensor<4> = latents.clone().narrow(0, 0, 1).squeeze_dim(0);
        let scale = sampler.initial_scale() as f32;
        let first = latent.clone().div_scalar(scale).powi_scalar(2).mean();
        assert!(
            (0.3..3.0).contains(&first.into_scalar::<f32>()),
            "{}",
            case.name
        );
        while let Some(time) = sampler.time() {
            let prediction = predict(sampler.scaled(latent.clone()), time);
            latent = sampler.step(prediction, latent, None).unwrap();
        }
        let end: Tensor<4> = latents.narrow(0, case.n, 1).squeeze_dim(0);
        let error = largest_difference(&latent.into_data(), &end.into_data());
        println!("{}: the end differs by {error:.1e}", case.name);
        assert!(error <= 2e-3, "{} ends {error:.2e} off", case.name);
    }
}

#[test]
fn what_cannot_be_walked() {
    let config = ScheduleConfig::default();
    for n in [0, 1001] {
        assert!(Sampler::new(Solver::Ddim, &config, n).is_err());
    }
    let changed = |change: fn(&mut ScheduleConfig)| {
        let mut config = ScheduleConfig::default();
        change(&mut config);
        config
    };
    for (solver, config) in [
        (
            Solver::Ddpm,
            changed(|c| c.variance_type = "learned".into()),
        ),
        (Solver::Ddim, changed(|c| c.thresholding = true)),
        (Solver::DpmPlusPlus, changed(|c| c.solver_order = 3)),
        (
            Solver::UniPc,
            changed(|c| c.solver_type = Some("bh3".into())),
        ),
        (
            Solver::Euler,
            changed(|c| c.beta_schedule = "sigmoid".into()),
        ),
    ] {
        let error = Sampler::new(solver, &config, 5).unwrap_err().to_string();
        assert!(error.contains("can't be walked"), "{error}");
    }
    let device = Device::flex();
    let x = seeded_noise(1, [1, 4, 2, 2], &device);
    let mut sampler = Sampler::new(Solver::Ddpm, &config, 5).unwrap();
    assert!(sampler.step(x.clone(), x.clone(), None).is_err());
    assert!(sampler.step(x.clone(), x.narrow(1, 0, 2), None).is_err());
}

/// A walk begun from a picture carries the noise of its first step.
#[test]
fn a_picture_to_begin_with() {
    let device = Device::flex();
    let clean = Tensor::<4>::ones([1, 4, 32, 32], &device);
    let noise = seeded_noise(3, [1, 4, 32, 32], &device);
    for solver in [
        Solver::Ddim,
        Solver::DpmPlusPlus,
        Solver::UniPc,
        Solver::Euler,
    ] {
        let mut sampler = Sampler::new(solver, &ScheduleConfig::default(), 10).unwrap();
        let start = sampler.start_at(9, clean.clone(), noise.clone());
        assert_eq!(sampler.taken(), 9);
        let mean = start.clone().mean().into_scalar::<f32>();
        assert!((mean - 1.0).abs() < 0.1, "{solver:?} {mean}");
        // A network that knows the noise brings the picture back.
        let end = sampler.step(noise.clone(), start, None).unwrap();
        let error = (end - clean.clone()).abs().max().into_scalar::<f32>();
        assert!(error < 0.06, "{solver:?} {error}");
    }
}
