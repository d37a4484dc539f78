//! The program: the window and the command line over `fusiform-pipelines` and `fusiform-render`.

pub mod bridge;
pub mod cli;
pub mod workbench;
pub mod figure;
pub mod presets;
