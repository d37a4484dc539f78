//! Draws brains: a [`scene::Scene`] (a plain value) goes in, pixels come out.
//!
//! The window and the figure export make the same call. Scalars stay scalars
//! until the fragment shader colours them, so moving a threshold costs one
//! uniform. [`cpu`] draws the same scenes slowly and obviously: it is the witness
//! of the shaders and the fallback where there is no Vulkan driver.

pub mod camera;
pub mod colorbar;
pub mod colormap;
pub mod cpu;
pub mod gpu;
pub mod mesh;
pub mod renderer;
pub mod scene;

mod check;
mod coarse;
mod field;
mod leap;
mod light;
mod look;
mod sampling;
mod solid;
mod surface;
