//! Which files hold a checkpoint, and what each of them holds, by its content rather than its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::store::burn_pack::Tensor as Stored;
use burn::store::pytorch_reader::PytorchReader;
use burn::store::{ModuleStore, SafetensorsStore, bridge};
use serde::Deserialize;

use crate::{Error, Result};

/// File names as published, in the order of preference.
const STEMS: [&str; 10] = [
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "open_clip_model.safetensors",
    "model.fp16.safetensors",
    "diffusion_pytorch_model.fp16.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
    "open_clip_pytorch_model.bin",
    "pytorch_model.fp16.bin",
    "diffusion_pytorch_model.fp16.bin",
];
/// Where trainers nest the weights inside a PyTorch file.
const NESTS: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files of a checkpoint: `path` itself, or those a folder holds.
pub(super) fn of(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return if path.extension().is_some_and(|e| e == "json") {
            shards(path)
        } else {
            Ok(vec![path.to_path_buf()])
        };
    }
    for stem in STEMS {
        let index = path.join(format!("{stem}.index.json"));
        if index.exists() {
            return shards(&index);
        }
        let file = path.join(stem);
        if file.exists() {
            return Ok(vec![file]);
        }
    }
    let found = weights_in(path)?;
    match found.as_slice() {
        [one] => Ok(vec![one.clone()]),
        [] => Err(Error::file(
            path,
            "there are no weights in this folder: it should hold model.safetensors or another published file of weights",
        )),
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|p| p.file_name())
                .map(|n| n.to_string_lossy())
                .collect();
            Err(Error::file(
                path,
                format!("several files of weights: name one of {}", names.join(", ")),
            ))
        }
    }
}

fn weights_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        let ending = path.extension().and_then(|e| e.to_str());
        if matches!(ending, Some("safetensors" | "bin" | "pt" | "pth" | "ckpt")) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The files an index names, each of which must be there.
fn shards(index: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(index).map_err(|e| Error::io(index, e))?;
    let Index { weight_map } = serde_json::from_str(&text).map_err(|e| {
        Error::file(
            index,
            format!("not an index of weights ({e}): download it again"),
        )
    })?;
    let folder = index.parent().unwrap_or(Path::new("."));
    let names: BTreeSet<&String> = weight_map.values().collect();
    let absent: Vec<&str> = names
        .iter()
        .filter(|name| !folder.join(name).exists())
        .map(|name| name.as_str())
        .collect();
    if !absent.is_empty() {
        return Err(Error::file(
            index,
            format!(
                "{} of {} files it lists are absent ({}): download them into the same folder",
                absent.len(),
                names.len(),
                absent.join(", ")
            ),
        ));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// What a file is, by its first bytes.
enum Kind {
    Safetensors,
    Pytorch,
}

fn kind(path: &Path) -> Result<Kind> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let length = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let mut head = Vec::new();
    file.by_ref()
        .take(64)
        .read_to_end(&mut head)
        .map_err(|e| Error::io(path, e))?;
    let refuse = |problem: &str| Err(Error::file(path, problem));
    if head.is_empty() {
        return refuse("the file is empty: download it again");
    }
    if head.starts_with(b"version https://git-lfs") {
        return refuse(
            "this is a note of where the weights are (Git LFS), not the weights: fetch the file itself (git lfs pull)",
        );
    }
    if head.trim_ascii_start().starts_with(b"<") {
        return refuse(
            "this is a web page saved under the name of weights: download the file itself (the page may ask for a login or a licence)",
        );
    }
    // The length of a list of tensors, in eight bytes, may begin as a pickle does; below 4 GB its upper half is zero.
    let is_list = head.get(4..9) == Some(b"\0\0\0\0{");
    if !is_list && (head.starts_with(b"PK") || head.starts_with(&[0x80])) {
        return Ok(Kind::Pytorch);
    }
    let Some((&size, rest)) = head.split_first_chunk::<8>() else {
        return refuse("neither safetensors nor a PyTorch file: download it again");
    };
    if !rest.starts_with(b"{") {
        return refuse(
            "neither safetensors nor a PyTorch file: download it again, or convert it to safetensors",
        );
    }
    if u64::from_le_bytes(size).saturating_add(8) > length {
        return refuse(
            "the file ends inside its own list of tensors: it was cut short, download it again",
        );
    }
    Ok(Kind::Safetensors)
}

/// The tensors of one file.
pub(super) fn tensors(path: &Path) -> Result<BTreeMap<String, Stored>> {
    match kind(path)? {
        Kind::Safetensors => safetensors(path),
        Kind::Pytorch => pytorch(path),
    }
}

fn safetensors(path: &Path) -> Result<BTreeMap<String, Stored>> {
    let mut store = SafetensorsStore::from_file(path);
    let all = store.get_all_tensors().map_err(|e| {
        Error::file(
            path,
            format!("cut short or damaged, for its list of tensors doesn't match its length ({e}): download it again"),
        )
    })?;
    Ok(all.clone())
}

fn pytorch(path: &Path) -> Result<BTreeMap<String, Stored>> {
    let flat = PytorchReader::new(path);
    let reader = match flat {
        Ok(reader) if !reader.is_empty() => Ok(reader),
        first => NESTS
            .iter()
            .filter_map(|key| PytorchReader::with_top_level_key(path, key).ok())
            .find(|reader| !reader.is_empty())
            .ok_or(first.err()),
    };
    let reader = reader.map_err(|why| {
        let why = why.map_or_else(|| "no tensors found".to_owned(), |e| e.to_string());
        Error::file(
            path,
            format!(
                "this PyTorch file can't be read ({why}): if it is whole, convert it in Python with \
                 safetensors.torch.save_file(torch.load(path, map_location=\"cpu\"), \"model.safetensors\")"
            ),
        )
    })?;
    // Nested dictionaries come out as dotted names: take the nest off where everything lies in one.
    let mut tensors: BTreeMap<String, Stored> = reader
        .into_tensors()
        .into_iter()
        .map(|(name, tensor)| (name, bridge::from_pytorch(tensor)))
        .collect();
    for nest in NESTS {
        let prefix = format!("{nest}.");
        if tensors.keys().all(|name| name.starts_with(&prefix)) {
            tensors = tensors
                .into_iter()
                .map(|(name, t)| (name[prefix.len()..].to_owned(), t))
                .collect();
        }
    }
    Ok(tensors)
}
