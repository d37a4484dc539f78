//! Tests of the program through its public face: the house's rules, the command line, the window.

#![allow(
    clippy::print_stdout,
    reason = "a test that is skipped says so in a line"
)]

mod architecture;
mod bad_input;
mod cli;
mod drops;
mod encode;
mod figures;
mod glm;
mod golden;
mod layers;
mod linked;
mod lost;
mod models;
mod preset_pictures;
mod real_maps;
mod regions;
mod roi;
mod scene_file;
mod select;
mod select_bad;
mod select_kinds;
mod select_panel;
mod window;
