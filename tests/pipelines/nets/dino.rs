//! DINOv2 against transformers, at the size of training and at another.

use burn::tensor::{DType, Device, Tensor};
use fusiform_pipelines::nets::dino::{Dino, DinoConfig, load_dino};
use fusiform_pipelines::nets::weights::parameters;

use super::{Io, fixture};

#[test]
fn as_transformers() {
    let device = Device::flex();
    for name in ["dino", "dino_registers"] {
        let mut io = Io::open(name);
        let network = load_dino(&fixture(name), DType::F32, &device).unwrap();
        for kind in ["own", "other"] {
            let pixels = io.tensor(&format!("{kind}_pixels"), &device);
            let (taps, last) = network.forward(pixels, &[1]).unwrap();
            io.demand(&format!("{kind}_first"), taps[0].clone(), 1e-4);
            io.demand(&format!("{kind}_last"), last, 1e-4);
        }
        assert!(
            network
                .forward(Tensor::zeros([1, 3, 7, 40], &device), &[])
                .is_err()
        );
    }
}

/// Base and large as transformers counts them, less the token that only masks use.
#[test]
fn published_sizes() {
    let device = Device::flex();
    let base = Dino::new(&DinoConfig::default(), &device).unwrap();
    assert_eq!(parameters(&base) + 768, 86_580_480);
    let large = DinoConfig {
        hidden_size: 1024,
        num_hidden_layers: 24,
        num_attention_heads: 16,
        ..DinoConfig::default()
    };
    assert_eq!(
        parameters(&Dino::new(&large, &device).unwrap()) + 1024,
        304_368_640
    );
}
