//! Tests of the program through its public face: the house's rules, the command line, the window.

mod architecture;
mod bad_input;
mod cli;
mod window;
