//! `fusiform models`: published weights, listed, checked and fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use fusiform_pipelines::models::cache::{Present, present};
use fusiform_pipelines::models::check::{Part, Report};
use fusiform_pipelines::models::{Hub, Model, check, find, human, pull, registry};
use serde_json::{Value, json};

use super::Output;
use super::progress::shown;

const EXAMPLES: &str = "\
Examples:
  fusiform models list
  fusiform models pull clip-vit-l-14
  fusiform models check clip-vit-l-14
  fusiform models check ~/weights/unet/diffusion_pytorch_model.safetensors

Files lie in the cache that Python's tools use (by default ~/.cache/huggingface), so what one
fetched the other finds. Environment:
  HF_HOME, HF_HUB_CACHE  another disk
  HF_ENDPOINT            another server
  HF_HUB_OFFLINE=1       never ask the network
  HF_TOKEN               who you are, for models behind a licence
  TORCH_HOME             where files of PyTorch's own go
  HTTPS_PROXY, SSL_CERT_FILE";

/// What `models` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say which published models there are, what each is good for, and which are on this machine
    List,
    /// Say what a file or folder of weights is and whether it is whole, without loading it
    Check {
        /// A file, a folder, or the name of a model that was pulled
        path: PathBuf,
    },
    /// Fetch a model. Ctrl-C at any time: the same command goes on where it was left
    Pull {
        /// A name of `fusiform models list`, or its repository
        name: String,
        /// A branch, tag or commit of the repository
        #[arg(long)]
        revision: Option<String>,
    },
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let hub = Hub::from_env(&|name| std::env::var_os(name));
    match &args.action {
        Action::List => list(&hub, output),
        Action::Check { path } => look(path, &hub, output),
        Action::Pull { name, revision } => fetch(name, revision.as_deref(), &hub, output),
    }
}

fn list(hub: &Hub, output: Output) -> anyhow::Result<()> {
    let models = registry()?;
    let here: Vec<(&Model, Present)> = models.iter().map(|m| (m, present(hub, m))).collect();
    let rows: Vec<Value> = here.iter().map(|(model, here)| row(model, here)).collect();
    let width = models.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (model, here) in &here {
        let licence = format!(
            "licence: {}{}",
            model.licence,
            if model.gated { ", to be accepted" } else { "" }
        );
        text += &format!(
            "{:<width$}  {:<11}  {:>8}  {}; {licence}\n{:<width$}  {}\n{:<width$}  used by {}\n",
            model.name,
            state(here),
            size(model, here),
            model.title,
            "",
            model.good_for,
            "",
            model.used_by.join(", "),
        );
    }
    text += &format!(
        "\nkept in {}\n     and {}\n",
        hub.cache.display(),
        hub.checkpoints.display()
    );
    let json = json!({ "cache": hub.cache, "checkpoints": hub.checkpoints, "models": rows });
    output.result(&json, &text)
}

fn row(model: &Model, here: &Present) -> Value {
    json!({
        "name": model.name,
        "title": model.title,
        "repository": model.repo,
        "urls": model.urls,
        "revision": model.repo.as_ref().map(|_| &model.revision),
        "files": model.files,
        "licence": model.licence,
        "gated": model.gated,
        "gigabytes": model.gigabytes,
        "used_by": model.used_by,
        "good_for": model.good_for,
        "state": state(here),
        "here": here,
    })
}

/// How much of a model is on this machine, in a word or two.
fn state(here: &Present) -> &'static str {
    match (here.missing.is_empty(), here.files.is_empty()) {
        (true, _) => "here",
        (false, false) => "in part",
        (false, true) if here.incomplete_bytes > 0 => "interrupted",
        (false, true) => "not here",
    }
}

/// What it takes on the disk, or will, where that is known.
fn size(model: &Model, here: &Present) -> String {
    if here.missing.is_empty() {
        return human(here.bytes);
    }
    let known = model.gigabytes.map(|gb| human((gb * 1e9) as u64));
    known.unwrap_or_else(|| "?".to_owned())
}

fn fetch(name: &str, revision: Option<&str>, hub: &Hub, output: Output) -> anyhow::Result<()> {
    let mut model = find(&registry()?, name)?;
    if let Some(revision) = revision {
        if model.repo.is_none() {
            bail!(
                "{} is in no repository and has no revisions: leave --revision out",
                model.name
            );
        }
        revision.clone_into(&mut model.revision);
    }
    let pulled = shown(output.quiet, |run| pull(&model, hub, run))?;
    let what = match pulled.fetched_bytes {
        0 => "was here already".to_owned(),
        bytes => format!("{} fetched", human(bytes)),
    };
    let text = format!(
        "{}: {what}, {} in {} files\n{}\nlicence: {}",
        pulled.name,
        human(pulled.bytes),
        pulled.files.len(),
        pulled.folder.display(),
        model.licence,
    );
    output.result(&serde_json::to_value(&pulled)?, &text)
}

fn look(path: &Path, hub: &Hub, output: Output) -> anyhow::Result<()> {
    let report = match by_name(path, hub)? {
        Some(paths) => checked(&paths)?,
        None => check(path)?,
    };
    output.result(&as_json(&report), &as_text(&report))?;
    match report.problems.as_slice() {
        [] => Ok(()),
        [only] => bail!("{only}"),
        [first, rest @ ..] => bail!("{first} (and {} more problems)", rest.len()),
    }
}

/// Where a model of the registry lies, when a name and no path was given.
fn by_name(path: &Path, hub: &Hub) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let name = path.to_string_lossy();
    if path.exists() {
        return Ok(None);
    }
    let models = registry()?;
    let Some(model) = models
        .iter()
        .find(|m| m.name == name || m.repo.as_deref() == Some(&name))
    else {
        return Ok(None);
    };
    let here = present(hub, model);
    if !here.missing.is_empty() {
        bail!(
            "{name} is not whole on this machine (missing: {}): run `fusiform models pull {name}`",
            here.missing.join(", ")
        );
    }
    Ok(Some(match model.repo {
        Some(_) => vec![here.folder],
        None => here.files,
    }))
}

/// The reports on several paths as one.
fn checked(paths: &[PathBuf]) -> anyhow::Result<Report> {
    let mut whole: Option<Report> = None;
    for path in paths {
        let report = check(path)?;
        match &mut whole {
            None => whole = Some(report),
            Some(whole) => {
                whole.parts.extend(report.parts);
                whole.notes.extend(report.notes);
                whole.problems.extend(report.problems);
            }
        }
    }
    whole.ok_or_else(|| anyhow::anyhow!("there is nothing to check: name a file or folder"))
}

fn as_json(report: &Report) -> Value {
    let parts: Vec<Value> = report
        .parts
        .iter()
        .map(|part| {
            let tensors = part
                .tensors
                .iter()
                .map(|t| json!({ "name": t.name, "dtype": t.dtype, "shape": t.shape }));
            json!({
                "path": part.path,
                "architecture": part.architecture,
                "files": part.files,
                "n_tensors": part.tensors.len(),
                "n_values": part.values_by_dtype.values().sum::<u64>(),
                "values_by_dtype": part.values_by_dtype,
                "tensors": tensors.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "path": report.path,
        "sound": report.problems.is_empty(),
        "parts": parts,
        "notes": report.notes,
        "problems": report.problems,
    })
}

fn as_text(report: &Report) -> String {
    let mut text = format!("{}\n", report.path.display());
    for part in &report.parts {
        text += &part_text(part, &report.path);
    }
    for note in &report.notes {
        text += &format!("  note: {note}\n");
    }
    for problem in &report.problems {
        text += &format!("  problem: {problem}\n");
    }
    if report.problems.is_empty() {
        text += "  whole\n";
    }
    text
}

fn part_text(part: &Part, root: &Path) -> String {
    let inside = |path: &Path| {
        let inside = path
            .strip_prefix(root)
            .ok()
            .filter(|p| !p.as_os_str().is_empty());
        inside.map_or_else(|| ".".to_owned(), |p| p.display().to_string())
    };
    let bytes: u64 = part.files.iter().map(|file| file.bytes).sum();
    let mut formats: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &part.files {
        *formats.entry(file.format.as_str()).or_default() += 1;
    }
    let formats: Vec<String> = formats
        .iter()
        .map(|(format, n)| {
            if *n == 1 {
                (*format).to_owned()
            } else {
                format!("{n} × {format}")
            }
        })
        .collect();
    let mut text = format!(
        "  {}: {}, {}, {}\n",
        inside(&part.path),
        part.architecture
            .as_deref()
            .unwrap_or("architecture not stated (no config.json)"),
        formats.join(", "),
        human(bytes),
    );
    if !part.tensors.is_empty() {
        let types: Vec<String> = part
            .values_by_dtype
            .iter()
            .map(|(dtype, n)| format!("{} in {dtype}", count(*n)))
            .collect();
        text += &format!("    {} tensors: {}\n", part.tensors.len(), types.join(", "));
    } else if !part.files.is_empty() {
        text += "    names and shapes are inside a pickle and known only when it is read\n";
    }
    text
}

/// Numbers for people.
fn count(n: u64) -> String {
    match n as f64 {
        n if n >= 1e9 => format!("{:.2} G numbers", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M numbers", n / 1e6),
        _ => format!("{n} numbers"),
    }
}
