//! Which processor the dense arithmetic runs on.

use std::str::FromStr;

use burn::tensor::Device;

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, through wgpu (a software driver counts).
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "wgpu" => Ok(Self::Wgpu),
            other => Err(format!("unknown device “{other}”: use auto, cpu or wgpu")),
        }
    }
}

/// A device and its name for reports.
#[derive(Clone, Debug)]
pub struct Compute {
    /// Where tensors live.
    pub device: Device,
    /// `cpu` or `wgpu`.
    pub name: String,
}

impl Compute {
    /// The CPU.
    pub fn cpu() -> Self {
        Self { device: Device::flex(), name: "cpu".into() }
    }
}
