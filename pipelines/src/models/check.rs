//! What a file or folder of weights is, and what is wrong with it, without loading a tensor.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::cache::INCOMPLETE;
use super::pytorch;
use super::safetensors::{self, Tensor};
use crate::{Error, Result};

/// The most of a JSON file that is read: indices of the largest models have a few MB.
const MOST_JSON: u64 = 64 << 20;

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The path that was looked at, links to snapshots followed.
    pub path: PathBuf,
    /// The networks found there, each in a folder of its own or a single file.
    pub parts: Vec<Part>,
    /// What is worth knowing and no fault.
    pub notes: Vec<String>,
    /// What makes the weights unusable, each a sentence with its file and a remedy.
    pub problems: Vec<String>,
}

/// One network: a configuration and its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Part {
    /// Its folder or file.
    pub path: PathBuf,
    /// The class that `config.json` names, as in `CLIPModel` or `UNet2DConditionModel`.
    pub architecture: Option<String>,
    /// Its files of weights.
    pub files: Vec<WeightFile>,
    /// Numbers by type, over all safetensors files: `F16` → how many.
    pub values_by_dtype: BTreeMap<String, u64>,
    /// The tensors of all safetensors files, in the order of the files.
    pub tensors: Vec<Tensor>,
}

/// A file of weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightFile {
    /// Its path.
    pub path: PathBuf,
    /// Its format in words.
    pub format: String,
    /// Its length.
    pub bytes: u64,
}

/// Says what `path` is.
///
/// # Errors
/// When there is nothing at `path`, or it is no folder or file of weights at all. What is wrong with
/// weights that are recognised is in [`Report::problems`].
pub fn check(path: &Path) -> Result<Report> {
    let meta = path.metadata().map_err(|_gone| absent(path))?;
    let mut report = Report {
        path: path.to_path_buf(),
        parts: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
    };
    if meta.is_file() {
        let mut part = Part {
            path: path.to_path_buf(),
            ..Part::default()
        };
        if read_weights(path, &mut part, &mut report).is_none() && report.problems.is_empty() {
            return Err(Error::file(
                path,
                "is no file of weights: name a .safetensors, .bin, .pt, .pth or .ckpt file, or a \
                 folder of them",
            ));
        }
        report.parts.push(part);
        return Ok(report);
    }
    report.path = snapshot_in(path).unwrap_or_else(|| path.to_path_buf());
    let root = report.path.clone();
    look_into(&root, &mut report)?;
    for folder in listing(&root)?.into_iter().filter(|path| path.is_dir()) {
        look_into(&folder, &mut report)?;
    }
    of_pipeline(&root, &mut report);
    if report.parts.is_empty() && report.problems.is_empty() {
        return Err(Error::file(
            path,
            "holds no weights: name the folder with config.json and .safetensors files, a \
             snapshot of the cache, or one file",
        ));
    }
    Ok(report)
}

fn absent(path: &Path) -> Error {
    if fs::symlink_metadata(path).is_ok() {
        return Error::file(
            path,
            "is a link to a file that is not here: download it again",
        );
    }
    Error::file(
        path,
        "there is no such file or folder: check the name (`fusiform models list`)",
    )
}

/// The newest snapshot of a `models--owner--name` folder of the cache.
fn snapshot_in(path: &Path) -> Option<PathBuf> {
    let snapshots = path.join("snapshots");
    if !snapshots.is_dir() {
        return None;
    }
    let commit = fs::read_to_string(path.join("refs").join("main")).ok();
    let named = commit.map(|commit| snapshots.join(commit.trim()));
    named.filter(|path| path.is_dir()).or_else(|| {
        let newest = |path: &PathBuf| path.metadata().and_then(|m| m.modified()).ok();
        listing(&snapshots).ok()?.into_iter().max_by_key(newest)
    })
}

/// The entries of a folder, sorted.
fn listing(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Adds the network of one folder, where it has one.
fn look_into(folder: &Path, report: &mut Report) -> Result<()> {
    let mut part = Part {
        path: folder.to_path_buf(),
        ..Part::default()
    };
    let files = listing(folder)?;
    let mut kept = Vec::new();
    for path in &files {
        let name = name_of(path);
        if name.ends_with(INCOMPLETE) {
            report.notes.push(format!(
                "{}: an interrupted download, not used",
                path.display()
            ));
        } else if is_weights(&name) {
            if path.exists() {
                kept.push(path.clone());
            } else {
                report.problems.push(absent(path).to_string());
            }
        }
    }
    // Where a folder has both, the safetensors are the ones that are read.
    let is_safe = |path: &PathBuf| name_of(path).ends_with(".safetensors");
    if kept.iter().any(is_safe) {
        kept.retain(is_safe);
    }
    let indices: Vec<&PathBuf> = files
        .iter()
        .filter(|path| name_of(path).ends_with(".index.json"))
        .collect();
    if kept.is_empty() && indices.is_empty() {
        return Ok(());
    }
    let config = folder.join("config.json");
    if config.is_file() {
        match json(&config) {
            Ok(config) => part.architecture = architecture(&config),
            Err(e) => report.problems.push(e.to_string()),
        }
    }
    let mut held = BTreeMap::new();
    for path in &kept {
        if let Some(tensors) = read_weights(path, &mut part, report) {
            held.insert(name_of(path), tensors);
        }
    }
    for index in indices {
        of_index(folder, index, &held, report);
    }
    of_numbers(folder, &kept, report);
    // When networks are read from such a folder, this is the place to hold `part.tensors` against
    // the names and shapes that `part.architecture` asks for, and to list what differs.
    report.parts.push(part);
    Ok(())
}

fn is_weights(name: &str) -> bool {
    let endings = [
        ".safetensors",
        ".bin",
        ".pt",
        ".pth",
        ".ckpt",
        ".th",
        ".pth.tar",
    ];
    // What trainers leave beside the weights.
    let others = [
        "training_args.bin",
        "optimizer.bin",
        "scheduler.bin",
        "optimizer.pt",
        "scheduler.pt",
    ];
    endings.iter().any(|ending| name.ends_with(ending)) && !others.contains(&name)
}

/// Adds one file of weights; the names of its tensors where they can be read, `None` where it is none.
fn read_weights(path: &Path, part: &mut Part, report: &mut Report) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let format = match weights(path) {
        Ok(Weights::Safetensors(header)) => {
            for tensor in header.tensors {
                *part
                    .values_by_dtype
                    .entry(tensor.dtype.clone())
                    .or_default() += tensor.n_values();
                names.insert(tensor.name.clone());
                part.tensors.push(tensor);
            }
            "safetensors".to_owned()
        }
        Ok(Weights::Pytorch(pytorch::Kind::Zip { n_entries })) => {
            format!("PyTorch, {n_entries} entries")
        }
        Ok(Weights::Pytorch(pytorch::Kind::Legacy)) => "PyTorch before 1.6".to_owned(),
        Ok(Weights::Neither) => {
            if is_weights(&name_of(path)) {
                let problem = "is neither safetensors nor PyTorch: download it again";
                report.problems.push(Error::file(path, problem).to_string());
            }
            return None;
        }
        Err(e) => {
            report.problems.push(e.to_string());
            return None;
        }
    };
    part.files.push(WeightFile {
        path: path.to_path_buf(),
        format,
        bytes: path.metadata().map_or(0, |meta| meta.len()),
    });
    Some(names)
}

enum Weights {
    Safetensors(safetensors::Header),
    Pytorch(pytorch::Kind),
    Neither,
}

fn weights(path: &Path) -> Result<Weights> {
    if let Some(what) = foreign(path)? {
        return Err(Error::file(
            path,
            format!("is {what}, not weights: download it again"),
        ));
    }
    if name_of(path).ends_with(".safetensors") {
        return safetensors::header(path).map(Weights::Safetensors);
    }
    if let Some(kind) = pytorch::kind(path)? {
        return Ok(Weights::Pytorch(kind));
    }
    // Blobs of the cache have no ending: a file that starts as safetensors do is told by its start.
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|e| Error::io(path, e))?;
    file.take(9)
        .read_to_end(&mut start)
        .map_err(|e| Error::io(path, e))?;
    if start.get(8) == Some(&b'{') && start.get(4..8) == Some(&[0; 4]) {
        return safetensors::header(path).map(Weights::Safetensors);
    }
    Ok(Weights::Neither)
}

/// Holds the shards against the list of what they should hold.
fn of_index(
    folder: &Path,
    index: &Path,
    held: &BTreeMap<String, BTreeSet<String>>,
    report: &mut Report,
) {
    let map = match json(index) {
        Ok(value) => value.get("weight_map").and_then(Value::as_object).cloned(),
        Err(e) => return report.problems.push(e.to_string()),
    };
    let Some(map) = map else {
        let problem = "names no “weight_map”: download it again";
        return report
            .problems
            .push(Error::file(index, problem).to_string());
    };
    let mut by_shard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, shard) in map {
        let shard = shard.as_str().unwrap_or_default().to_owned();
        by_shard.entry(shard).or_default().push(tensor);
    }
    for (shard, tensors) in by_shard {
        let path = folder.join(&shard);
        match held.get(&shard) {
            // Names inside PyTorch files are not known.
            Some(names) if names.is_empty() => {}
            Some(names) => {
                let missing: Vec<String> = tensors
                    .into_iter()
                    .filter(|tensor| !names.contains(tensor))
                    .collect();
                if !missing.is_empty() {
                    let problem = format!(
                        "lacks {} that {} promises: download both again",
                        first_of(&missing),
                        name_of(index)
                    );
                    report
                        .problems
                        .push(Error::file(&path, problem).to_string());
                }
            }
            // A file that is there and damaged has been told already.
            None if path.exists() => {}
            None => {
                let problem = format!(
                    "is missing; {} keeps {} in it: download it",
                    name_of(index),
                    first_of(&tensors)
                );
                report
                    .problems
                    .push(Error::file(&path, problem).to_string());
            }
        }
    }
}

/// “a, b, c and 12 more”.
fn first_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Shards say their number themselves: `model-00002-of-00003.safetensors`.
fn of_numbers(folder: &Path, files: &[PathBuf], report: &mut Report) {
    let mut seen: BTreeMap<(String, u32, String), BTreeSet<u32>> = BTreeMap::new();
    for path in files {
        if let Some((stem, number, total, ending)) = shard_of(&name_of(path)) {
            seen.entry((stem, total, ending))
                .or_default()
                .insert(number);
        }
    }
    for ((stem, total, ending), numbers) in seen {
        // A name may promise billions: what is missing is counted, not listed to its end.
        let missing = (1..=total).filter(|number| !numbers.contains(number));
        let first: Vec<u32> = missing.take(4).collect();
        if first.is_empty() {
            continue;
        }
        let names: Vec<String> = first
            .iter()
            .map(|number| format!("{stem}-{number:05}-of-{total:05}{ending}"))
            .collect();
        let n_missing = u64::from(total).saturating_sub(numbers.len() as u64);
        let told = report
            .problems
            .iter()
            .any(|problem| problem.contains(&names[0]));
        if !told {
            let problem = format!(
                "{n_missing} of {total} parts are missing, the first of them {}: download them",
                names[0]
            );
            report
                .problems
                .push(Error::file(folder, problem).to_string());
        }
    }
}

fn shard_of(name: &str) -> Option<(String, u32, u32, String)> {
    let (stem, ending) = name.split_at(name.rfind('.')?);
    let (front, total) = stem.rsplit_once("-of-")?;
    let (front, number) = front.rsplit_once('-')?;
    Some((
        front.to_owned(),
        number.parse().ok()?,
        total.parse().ok()?,
        ending.to_owned(),
    ))
}

/// A diffusers folder names its parts; those that are not here may not be needed, so they are a note.
fn of_pipeline(folder: &Path, report: &mut Report) {
    let path = folder.join("model_index.json");
    if !path.is_file() {
        return;
    }
    let value = match json(&path) {
        Ok(value) => value,
        Err(e) => return report.problems.push(e.to_string()),
    };
    if let Some(class) = value.get("_class_name").and_then(Value::as_str) {
        report.notes.push(format!("a diffusers pipeline, {class}"));
    }
    let parts = value.as_object().into_iter().flatten();
    let absent: Vec<String> = parts
        .filter(|(_, value)| value.get(0).is_some_and(Value::is_string))
        .map(|(name, _)| name.clone())
        .filter(|name| !folder.join(name).is_dir())
        .collect();
    if !absent.is_empty() {
        report
            .notes
            .push(format!("not here: {}", absent.join(", ")));
    }
}

/// The class that a configuration names, in any of the ways it is named.
fn architecture(config: &Value) -> Option<String> {
    let first = config.get("architectures").and_then(|list| list.get(0));
    first
        .or_else(|| config.get("_class_name"))
        .or_else(|| config.get("model_type"))
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn json(path: &Path) -> Result<Value> {
    let file = fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut text = Vec::new();
    file.take(MOST_JSON)
        .read_to_end(&mut text)
        .map_err(|e| Error::io(path, e))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::file(path, format!("is no JSON ({e}): download it again")))
}

/// What a file is that was saved in place of weights, as far as its first bytes tell.
///
/// # Errors
/// When it cannot be read.
pub fn foreign(path: &Path) -> Result<Option<&'static str>> {
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|e| Error::io(path, e))?;
    file.take(512)
        .read_to_end(&mut start)
        .map_err(|e| Error::io(path, e))?;
    let text = String::from_utf8_lossy(&start).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    Ok(
        if text.starts_with("<!doctype html") || text.starts_with("<html") {
            Some("a web page")
        } else if text.starts_with("<?xml") {
            Some("an XML message")
        } else if text.starts_with("version https://git-lfs") {
            Some("a pointer of git-lfs (the content was not fetched: `git lfs pull`)")
        } else if text.starts_with("{\"error\"") {
            Some("an error message of a server")
        } else {
            None
        },
    )
}
