//! The command line: what each command takes, and how every one of them ends.
//!
//! Results go to stdout (one JSON object with `--json`), progress and log to
//! stderr. Exit code 0 is success, 1 a failure told in one line, 2 wrong usage.

mod allocator;
mod args;
mod bench;
mod clusters;
mod decode;
mod demo;
mod demo_data;
mod encode;
mod glm;
mod info;
mod models;
mod progress;
mod render;
mod roi;
mod select;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fusiform_pipelines::Stop;

const EXAMPLES: &str = "\
Examples:
  fusiform                    the window, on a subject made from a seed
  fusiform study/             the window, on a BIDS folder or a study.toml
  fusiform demo               the whole road without a display
  fusiform decode study/ --out results

Exit codes: 0 success, 1 failure (one line that says what to do), 2 wrong usage.";

/// A workbench for decoding the brain from fMRI.
///
/// Without a command the window opens: on the study or files named, or on the
/// built-in demo study.
#[derive(Debug, Parser)]
#[command(name = "fusiform", version, subcommand_precedence_over_arg = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// A study folder, a study.toml, or volumes and surfaces to open in the window
    paths: Vec<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the demo subject, decode it, and write a report: no display needed
    Demo(demo::Args),
    /// Write the demo study to disk, as BIDS
    DemoData(demo_data::Args),
    /// Say what a file or a study holds, and what was assumed about it
    Info(info::Args),
    /// Decode pictures and categories from BOLD, each run from the others
    Decode(decode::Args),
    /// Model every voxel's time course: maps of contrasts
    Glm(glm::Args),
    /// Which features tell two conditions (or many) apart: maps, picks, and scores that do not flatter
    Select(select::Args),
    /// Predict every voxel from features of what was shown, and hold it against its noise ceiling
    Encode(encode::Args),
    /// Draw the window's views off screen
    Render(render::Args),
    /// List the clusters of a map above a threshold, or what it holds in each region
    Clusters(clusters::Args),
    /// List the regions of atlases and maps, combine them, bring them onto a surface, write them
    Roi(roi::Args),
    /// Published weights: what there is, what is here, is a file sound, fetch one
    Models(models::Args),
    /// Measure one kernel on named input against a physical limit
    Bench(bench::Args),
}

/// Runs the program on the process's own arguments.
pub fn main() -> ExitCode {
    // clap ends the process itself for --help (0) and wrong usage (2).
    let cli = Cli::parse();
    crate::gpu::hush_lost_devices();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let output = Output {
        json: cli.json,
        quiet: cli.quiet,
    };
    match cli.command {
        None => crate::workbench::window::run(&cli.paths),
        Some(Command::Demo(args)) => demo::run(&args, output),
        Some(Command::DemoData(args)) => demo_data::run(&args, output),
        Some(Command::Info(args)) => info::run(&args, output),
        Some(Command::Decode(args)) => decode::run(&args, output),
        Some(Command::Glm(args)) => glm::run(&args, output),
        Some(Command::Select(args)) => select::run(&args, output),
        Some(Command::Encode(args)) => encode::run(&args, output),
        Some(Command::Render(args)) => render::run(&args, output),
        Some(Command::Clusters(args)) => clusters::run(&args, output),
        Some(Command::Roi(args)) => roi::run(&args, output),
        Some(Command::Models(args)) => models::run(&args, output),
        Some(Command::Bench(args)) => bench::run(&args, output),
    }
}

/// How a command speaks.
#[derive(Clone, Copy, Debug)]
struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// Prints a result: `json` as one object, or `text`.
    fn result(self, json: &serde_json::Value, text: &str) -> anyhow::Result<()> {
        use std::io::Write;
        let mut stdout = std::io::stdout().lock();
        let written = if self.json {
            writeln!(stdout, "{json}")
        } else {
            writeln!(stdout, "{}", text.trim_end())
        };
        match written {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

fn one_line(error: &anyhow::Error) -> String {
    if matches!(error.downcast_ref::<Stop>(), Some(Stop::Cancelled)) {
        return "cancelled".to_owned();
    }
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_is_one_line() {
        let error = anyhow::anyhow!("first\n  second").context("outer");
        assert_eq!(one_line(&error), "outer: first second");
    }
}
