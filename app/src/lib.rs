//! The program: the window and the command line over `fusiform-pipelines` and `fusiform-render`.

pub mod brain;
pub mod bridge;
pub mod cli;
pub mod command;
pub mod compose;
pub mod figure;
pub mod figure_file;
pub mod gpu;
pub mod jobs;
pub mod layout;
pub mod log;
pub mod map_files;
pub mod panels;
pub mod presets;
pub mod scene_file;
pub mod scene_sheet;
pub mod session;
pub mod sources;
pub mod theme;
pub mod workbench;
