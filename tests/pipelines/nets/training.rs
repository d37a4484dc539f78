//! The same modules learn: gradients reach every parameter, and a few steps fit a picture.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};
use fusiform_pipelines::nets::clip::{ImageConfig, ImageTower};
use fusiform_pipelines::nets::diffusion::{
    Autoencoder, AutoencoderConfig, Condition, PerLevel, Unet, UnetConfig,
};
use fusiform_pipelines::nets::schedule::seeded_noise;

struct Reached<'a> {
    gradients: &'a Gradients,
    n: usize,
    without: usize,
}

impl ModuleVisitor for Reached<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.n += 1;
        self.without += usize::from(param.val().grad(self.gradients).is_none());
    }
}

fn all_reached<M: Module>(network: &M, loss: &Tensor<1>) {
    let gradients = loss.backward();
    let mut reached = Reached {
        gradients: &gradients,
        n: 0,
        without: 0,
    };
    network.visit(&mut reached);
    assert!(reached.n > 10);
    assert_eq!(reached.without, 0, "of {} parameters", reached.n);
}

#[test]
fn gradients_reach_every_parameter() {
    let device = Device::flex().autodiff();
    let config = ImageConfig {
        hidden_size: 16,
        intermediate_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        image_size: 16,
        patch_size: 8,
        projection_dim: 6,
        ..ImageConfig::default()
    };
    let tower = ImageTower::new(&config, true, &device).train();
    let views = tower.forward(seeded_noise(1, [2, 3, 16, 16], &device));
    all_reached(&tower, &views.embedding.square().sum());

    let config = UnetConfig {
        block_out_channels: vec![8, 16],
        down_block_types: vec!["CrossAttnDownBlock2D".into(), "DownBlock2D".into()],
        up_block_types: vec!["UpBlock2D".into(), "CrossAttnUpBlock2D".into()],
        layers_per_block: PerLevel::All(1),
        norm_num_groups: 4,
        cross_attention_dim: PerLevel::All(6),
        attention_head_dim: PerLevel::All(2),
        ..UnetConfig::default()
    };
    let unet = Unet::new(&config, &device).expect("a UNet").train();
    let tokens = Tensor::ones([1, 1, 6], &device);
    let two = Tensor::cat(vec![tokens.clone(), tokens.mul_scalar(0.3)], 1);
    let noise = seeded_noise(2, [1, 4, 8, 8], &device);
    let out = unet
        .forward(noise, 500.0, &Condition::tokens(two))
        .expect("a pass");
    all_reached(&unet, &out.square().sum());
}

/// An autoencoder of demo size halves its error on one picture in 30 steps.
#[test]
fn an_autoencoder_learns() {
    let device = Device::flex().autodiff();
    device.seed(3);
    let config = AutoencoderConfig {
        block_out_channels: vec![8, 16],
        norm_num_groups: 4,
        ..AutoencoderConfig::default()
    };
    let mut network = Autoencoder::new(&config, &device)
        .expect("an autoencoder")
        .train();
    let picture = seeded_noise(4, [1, 3, 8, 8], &device).tanh();
    let mut optimizer = AdamConfig::new().init();
    let mut losses = Vec::new();
    for _ in 0..30 {
        let mean = network.encode(picture.clone()).mean;
        let loss = (network.decode(mean) - picture.clone()).square().mean();
        losses.push(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(3e-3, network, gradients);
    }
    println!("{losses:?}");
    assert!(losses[29] < losses[0] / 2.0, "{losses:?}");
}
