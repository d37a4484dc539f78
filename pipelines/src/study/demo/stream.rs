//! Random streams and elementary functions whose every bit is the same on every machine.
//!
//! The system's `exp`, `sin` and `cos` may differ in the last bit from one machine to the
//! next; the four operations and the square root do not. So the demo uses only the latter.

use std::f64::consts::{FRAC_PI_2, LN_2};

/// A stream of random numbers (SplitMix64; Steele, Lea & Flood 2014), named by a seed and a path.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of `seed` at `path`; different paths give independent streams.
    pub(super) fn new(seed: u64, path: &[u64]) -> Self {
        let mut stream = Self {
            state: seed ^ 0x5851_f42d_4c95_7f2d,
        };
        for &step in path {
            let mixed = stream.bits();
            stream.state = mixed ^ step.wrapping_mul(0xd134_2543_de82_ef95);
        }
        stream.bits();
        stream
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub(super) fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `low..high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    /// One of `choices`.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.below(N)]
    }

    /// Nearly normal, mean 0, variance 1: the sum of twelve uniforms less six.
    pub(super) fn normal(&mut self) -> f32 {
        let mut sum = 0u64;
        for _ in 0..3 {
            let bits = self.bits();
            sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        }
        // Twelve numbers of mean 32767.5 and variance (65536² − 1) / 12.
        (sum as f32 - 393_210.0) * (1.0 / 65_536.0)
    }

    /// Puts `items` in random order (Fisher–Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// e to the x.
pub(super) fn exp(x: f32) -> f32 {
    let x = f64::from(x).clamp(-80.0, 80.0);
    let twos = (x / LN_2 + 0.5).floor();
    let rest = x - twos * LN_2;
    let mut sum = 1.0;
    for n in (1..=11).rev() {
        sum = 1.0 + sum * rest / f64::from(n);
    }
    (sum * f64::from_bits(((twos as i64 + 1023) as u64) << 52)) as f32
}

/// Sine and cosine.
pub(super) fn sin_cos(x: f32) -> (f32, f32) {
    let x = f64::from(x);
    let quarters = (x / FRAC_PI_2 + 0.5).floor();
    let r = x - quarters * FRAC_PI_2;
    let (mut sine, mut cosine) = (1.0, 1.0);
    for n in (1..=6).rev() {
        let n = f64::from(n);
        sine = 1.0 - sine * r * r / (2.0 * n * (2.0 * n + 1.0));
        cosine = 1.0 - cosine * r * r / (2.0 * n * (2.0 * n - 1.0));
    }
    sine *= r;
    let (sine, cosine) = match (quarters as i64).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    };
    (sine as f32, cosine as f32)
}

/// The bell exp(−x² / 2).
pub(super) fn bell(x: f32) -> f32 {
    exp(-0.5 * x * x)
}

/// Rises smoothly from 0 at `low` to 1 at `high`.
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions_agree_with_the_systems() {
        for step in -400..400 {
            let x = step as f32 * 0.0371;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-5, "exp {x}");
            let (s, c) = sin_cos(x);
            assert!(
                (s - x.sin()).abs() < 1e-6 && (c - x.cos()).abs() < 1e-6,
                "sin_cos {x}"
            );
        }
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut stream = Stream::new(3, &[1, 2]);
        let draws: Vec<f64> = (0..40_000).map(|_| f64::from(stream.normal())).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03,
            "{mean} {variance}"
        );
    }
}
