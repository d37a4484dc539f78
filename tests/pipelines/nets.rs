//! Networks against the libraries that published them, on random weights: `tests/fixtures/nets.py` made the files.

mod clip;
mod diffusion;
mod dino;
mod host;
mod language;
mod metric;
mod pixels;
mod schedule;
mod tokens;
mod training;
mod weights;

use std::path::PathBuf;

use burn::store::{ModuleStore, SafetensorsStore, bridge};
use burn::tensor::{DType, Device, Tensor, TensorData};

/// A folder of fixtures.
fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/nets"
    ))
    .join(name)
}

/// Inputs and outputs that the original library gave.
struct Io(SafetensorsStore);

impl Io {
    fn open(name: &str) -> Self {
        Self(SafetensorsStore::from_file(
            fixture(name).join("io.safetensors"),
        ))
    }

    fn data(&mut self, name: &str) -> TensorData {
        let stored = self
            .0
            .get_tensor(name)
            .expect("a readable fixture")
            .unwrap_or_else(|| panic!("no {name}"));
        bridge::to_data(stored).expect("data")
    }

    fn tensor<const D: usize>(&mut self, name: &str, device: &Device) -> Tensor<D> {
        Tensor::from_data(self.data(name).convert_dtype(DType::F32), device)
    }

    /// Rows of ids.
    fn ids(&mut self, name: &str) -> Vec<Vec<u32>> {
        let data = self.data(name);
        let width = *data.shape().last().expect("rows");
        data.iter::<i64>()
            .map(|id| id as u32)
            .collect::<Vec<_>>()
            .chunks(width)
            .map(<[u32]>::to_vec)
            .collect()
    }

    /// Demands that `ours` is what the original gave, within `limit` at most, and says how near it is.
    fn demand<const D: usize>(&mut self, name: &str, ours: Tensor<D>, limit: f64) {
        let theirs = self.data(name);
        let shape = ours.dims();
        assert_eq!(
            theirs.shape().as_slice(),
            shape.as_slice(),
            "shape of {name}"
        );
        let error = largest_difference(&ours.into_data(), &theirs);
        println!("{name}: largest difference {error:.1e}");
        assert!(
            error <= limit,
            "{name} is {error:.2e} off, more than {limit:.0e}"
        );
    }
}

fn largest_difference(a: &TensorData, b: &TensorData) -> f64 {
    a.iter::<f64>()
        .zip(b.iter::<f64>())
        .map(|(a, b)| (a - b).abs())
        .fold(
            0.0,
            |worst, d| if d > worst || d.is_nan() { d } else { worst },
        )
}
