//! A network beside the library that published it: the same weights and inputs, how far apart the outputs are.
//!
//! A folder holds the model as published and `io.safetensors` with inputs and outputs under the names used here.

use std::path::Path;
use std::str::FromStr;

use burn::module::Module;
use burn::store::bridge;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::clip::{ImageTower, load_image_tower};
use super::diffusion::{Autoencoder, Condition, Unet, load_autoencoder, load_unet};
use super::dino::{Dino, load_dino};
use super::language::{Gpt2, Past, load_gpt2};
use super::metric::{
    AlexNet, EfficientNet, Inception, ResNet50, load_alexnet, load_efficientnet_b1, load_inception,
    load_resnet50,
};
use super::weights::{Checkpoint, parameters};
use crate::device::Compute;
use crate::{Error, Result};

/// Which network a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `pixels` to `tokens` and `image_embeds`.
    ClipImage,
    /// `latents`, `tokens` (and `vector`) at time `time` to `out`.
    Unet,
    /// `pictures` to `mean`, `latents` to `decoded`.
    Autoencoder,
    /// `ids` to `logits`.
    Gpt2,
    /// `pixels` to `last`.
    Dino,
    /// `pixels` to `second` and `fifth`.
    AlexNet,
    /// `pixels` to `features`.
    Inception,
    /// `pixels` to `features`.
    EfficientNetB1,
    /// `pixels` to `features`.
    ResNet50,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "clip-image" => Ok(Self::ClipImage),
            "unet" => Ok(Self::Unet),
            "autoencoder" => Ok(Self::Autoencoder),
            "gpt2" => Ok(Self::Gpt2),
            "dino" => Ok(Self::Dino),
            "alexnet" => Ok(Self::AlexNet),
            "inception" => Ok(Self::Inception),
            "efficientnet-b1" => Ok(Self::EfficientNetB1),
            "resnet50" => Ok(Self::ResNet50),
            other => Err(format!(
                "unknown network “{other}”: use clip-image, unet, autoencoder, gpt2, dino, alexnet, inception, \
                 efficientnet-b1 or resnet50"
            )),
        }
    }
}

/// A loaded network with what another library made of the same inputs.
#[derive(Debug)]
pub struct Witness {
    network: Network,
    io: Checkpoint,
    device: Device,
    n_parameters: u64,
}

#[derive(Debug)]
enum Network {
    ClipImage(Box<ImageTower>),
    Unet(Box<Unet>),
    Autoencoder(Box<Autoencoder>),
    Gpt2(Box<Gpt2>),
    Dino(Box<Dino>),
    AlexNet(Box<AlexNet>),
    Inception(Box<Inception>),
    EfficientNetB1(Box<EfficientNet>),
    ResNet50(Box<ResNet50>),
}

/// One output, on the host.
#[derive(Clone, Debug)]
pub struct Output {
    name: &'static str,
    values: TensorData,
}

/// How far an output is from the other library's.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The output.
    pub name: &'static str,
    /// The largest difference of a number.
    pub largest: f64,
    /// The largest number there is.
    pub of: f64,
}

impl Witness {
    /// Loads the network of a folder, in f32.
    pub fn open(kind: Kind, folder: &Path, compute: &Compute) -> Result<Self> {
        fn boxed<M: Module>(network: M, n: &mut u64) -> Box<M> {
            *n = parameters(&network);
            Box::new(network)
        }
        let (device, mut n) = (compute.device.clone(), 0);
        let float = DType::F32;
        let network = match kind {
            Kind::ClipImage => {
                Network::ClipImage(boxed(load_image_tower(folder, float, &device)?, &mut n))
            }
            Kind::Unet => Network::Unet(boxed(load_unet(folder, float, &device)?, &mut n)),
            Kind::Autoencoder => {
                Network::Autoencoder(boxed(load_autoencoder(folder, float, &device)?, &mut n))
            }
            Kind::Gpt2 => Network::Gpt2(boxed(load_gpt2(folder, float, &device)?, &mut n)),
            Kind::Dino => Network::Dino(boxed(load_dino(folder, float, &device)?, &mut n)),
            Kind::AlexNet => Network::AlexNet(boxed(load_alexnet(folder, &device)?, &mut n)),
            Kind::Inception => Network::Inception(boxed(load_inception(folder, &device)?, &mut n)),
            Kind::EfficientNetB1 => {
                Network::EfficientNetB1(boxed(load_efficientnet_b1(folder, &device)?, &mut n))
            }
            Kind::ResNet50 => Network::ResNet50(boxed(load_resnet50(folder, &device)?, &mut n)),
        };
        Ok(Self {
            network,
            io: Checkpoint::open(&folder.join("io.safetensors"))?,
            device,
            n_parameters: n,
        })
    }

    /// Numbers the network holds.
    pub fn n_parameters(&self) -> u64 {
        self.n_parameters
    }

    /// Runs the network on the inputs. The outputs are on the host when this returns.
    pub fn run(&self) -> Result<Vec<Output>> {
        match &self.network {
            Network::ClipImage(tower) => {
                let views = tower.forward(self.tensor("pixels")?);
                Ok(vec![
                    output("tokens", views.tokens),
                    output("image_embeds", views.embedding),
                ])
            }
            Network::Unet(unet) => {
                let condition = Condition {
                    tokens: self.tensor("tokens")?,
                    vector: self
                        .io
                        .has("vector")
                        .then(|| self.tensor("vector"))
                        .transpose()?,
                    sizes: None,
                };
                let time = self.data("time")?.iter::<f64>().next().unwrap_or(0.0);
                let out = unet.forward(self.tensor("latents")?, time, &condition)?;
                Ok(vec![output("out", out)])
            }
            Network::Autoencoder(network) => {
                let moments = network.encode(self.tensor("pictures")?);
                let decoded = network.decode(self.tensor("latents")?);
                Ok(vec![
                    output("mean", moments.mean),
                    output("decoded", decoded),
                ])
            }
            Network::Gpt2(network) => {
                let ids = self.data("ids")?;
                let width = ids.shape().last().copied().unwrap_or(1);
                let ids: Vec<u32> = ids.iter::<i64>().map(|id| id as u32).collect();
                let rows: Vec<Vec<u32>> = ids.chunks(width.max(1)).map(<[u32]>::to_vec).collect();
                let logits = network.forward(network.embed(&rows)?, &mut Past::default())?;
                Ok(vec![output("logits", logits)])
            }
            Network::Dino(network) => {
                let (_, last) = network.forward(self.tensor("pixels")?, &[])?;
                Ok(vec![output("last", last)])
            }
            Network::AlexNet(network) => {
                let [second, fifth] = network.forward(self.tensor("pixels")?);
                Ok(vec![output("second", second), output("fifth", fifth)])
            }
            Network::Inception(network) => {
                let pixels = self.tensor("pixels")?;
                Ok(vec![output("features", network.forward(&pixels))])
            }
            Network::EfficientNetB1(network) => {
                let pixels = self.tensor("pixels")?;
                Ok(vec![output("features", network.forward(pixels))])
            }
            Network::ResNet50(network) => {
                let pixels = self.tensor("pixels")?;
                Ok(vec![output("features", network.forward(pixels))])
            }
        }
    }

    /// How far outputs are from the other library's.
    pub fn differences(&self, outputs: &[Output]) -> Result<Vec<Difference>> {
        outputs
            .iter()
            .map(|ours| {
                let theirs = self.data(ours.name)?;
                if theirs.shape() != ours.values.shape() {
                    return Err(Error::file(
                        self.io.path(),
                        format!(
                            "{} has shape {:?} there and {:?} here: make the folder again",
                            ours.name,
                            theirs.shape(),
                            ours.values.shape()
                        ),
                    ));
                }
                let (mut largest, mut of) = (0.0f64, 0.0f64);
                for (a, b) in ours.values.iter::<f64>().zip(theirs.iter::<f64>()) {
                    let apart = (a - b).abs();
                    if apart > largest || apart.is_nan() {
                        largest = apart;
                    }
                    of = of.max(b.abs());
                }
                Ok(Difference {
                    name: ours.name,
                    largest,
                    of,
                })
            })
            .collect()
    }

    fn data(&self, name: &str) -> Result<TensorData> {
        self.io.data(name)
    }

    fn tensor<const D: usize>(&self, name: &str) -> Result<Tensor<D>> {
        let data = self.data(name)?.convert_dtype(DType::F32);
        if data.shape().len() != D {
            return Err(Error::file(
                self.io.path(),
                format!(
                    "{name} has {} axes instead of {D}: make the folder again",
                    data.shape().len()
                ),
            ));
        }
        Ok(Tensor::from_data(data, &self.device))
    }
}

fn output<const D: usize>(name: &'static str, values: Tensor<D>) -> Output {
    Output {
        name,
        values: values.into_data(),
    }
}

impl Checkpoint {
    /// The values of one tensor.
    pub fn data(&self, name: &str) -> Result<TensorData> {
        let stored = self
            .stored(name)
            .ok_or_else(|| Error::file(self.path(), format!("there is no tensor {name} here")))?;
        bridge::to_data(stored).map_err(|e| {
            Error::file(
                self.path(),
                format!("{name} can't be read ({e}): download it again"),
            )
        })
    }
}
