//! The networks that reconstructions are scored with: AlexNet, Inception v3, EfficientNet-B1 and ResNet-50 (SwAV).
//!
//! Weights are those of torchvision and of the SwAV authors; only what the scores need is kept of each.

mod alexnet;
mod efficientnet;
mod inception;
mod layers;
mod resnet;

pub use alexnet::{AlexNet, load_alexnet};
pub use efficientnet::{EfficientNet, load_efficientnet_b1};
pub use inception::{Inception, load_inception};
pub use resnet::{ResNet50, load_resnet50};
