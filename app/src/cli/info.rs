//! `fusiform info`: what a file or a study holds, and what was assumed.

use std::path::PathBuf;

use fusiform_pipelines::io::inspect::inspect;
use fusiform_pipelines::study::describe;

use super::Output;
use super::args::open;
use super::progress::shown;

/// What `info` takes.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A volume, a surface, a study, or the word `demo`
    path: PathBuf,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let path = &args.path;
    let is_manifest = path.extension().is_some_and(|e| e == "toml");
    let (json, text) = shown(output.quiet, |run| -> anyhow::Result<_> {
        if path.is_file() && !is_manifest {
            let file = inspect(path)?;
            return Ok((serde_json::to_value(&file)?, file.to_text()));
        }
        let summary = describe::describe(&open(path, run)?, run)?;
        Ok((serde_json::to_value(&summary)?, describe::to_text(&summary)))
    })?;
    output.result(&json, &text)
}
