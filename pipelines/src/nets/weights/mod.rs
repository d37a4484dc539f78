//! Published weights: tensors by name, checked against a network before anything of it runs.
//!
//! A checkpoint is a list of names, shapes and sources; values are read only when a network takes them. The names
//! are those of the library that wrote the file, and each architecture says how they map to its own fields.

mod files;
mod fit;
mod save;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::store::bridge;
use burn::store::burn_pack::Tensor as Stored;
use burn::tensor::{Shape, TensorData};
use serde::de::DeserializeOwned;

use crate::{Error, Result};

pub use fit::{bytes, parameters};
pub use save::save;

/// Tensors of one checkpoint by name, in the layout of PyTorch. Nothing is read until a network asks for it.
#[derive(Clone)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, Stored>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("path", &self.path)
            .field("n_tensors", &self.tensors.len())
            .finish()
    }
}

impl Checkpoint {
    /// Opens a file of weights, or a folder in the layout of Hugging Face: one file or several with an index,
    /// safetensors before PyTorch's own format.
    pub fn open(path: &Path) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        for file in files::of(path)? {
            for (name, tensor) in files::tensors(&file)? {
                tensors.insert(name, tensor);
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            tensors,
        })
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a tensor has this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Whether any name begins so.
    pub fn has_below(&self, prefix: &str) -> bool {
        self.tensors.keys().any(|name| name.starts_with(prefix))
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor in PyTorch's order, where there is one.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|t| t.shape.to_vec())
    }

    /// The tensors below a prefix, with the prefix taken off.
    pub fn within(&self, prefix: &str) -> Self {
        let tensors = self
            .tensors
            .iter()
            .filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_owned(), t.clone())))
            .collect();
        self.with(tensors)
    }

    /// Other names; tensors for which `name` gives none are left out.
    pub fn renamed(self, name: impl Fn(&str) -> Option<String>) -> Self {
        let tensors = self
            .tensors
            .iter()
            .filter_map(|(old, t)| Some((name(old)?, t.clone())))
            .collect();
        self.with(tensors)
    }

    /// Splits every tensor whose name contains `fused` along its first axis into as many equal parts as there are
    /// `parts`; each takes its part's text in place of `fused`. Tensors whose first axis doesn't divide stay as they
    /// are, and are then named as misshapen.
    pub fn split_rows(self, fused: &str, parts: &[&str]) -> Self {
        let mut tensors = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            let n_rows = tensor.shape.first().copied().unwrap_or(0);
            if !name.contains(fused) || n_rows % parts.len() != 0 {
                tensors.insert(name.clone(), tensor.clone());
                continue;
            }
            for (at, part) in parts.iter().enumerate() {
                let mut shape = tensor.shape.to_vec();
                shape[0] = n_rows / parts.len();
                let (of, shape) = (parts.len(), Shape::from(shape));
                let to = shape.clone();
                let name = name.replace(fused, part);
                let piece = bridge::map_data(
                    tensor.clone(),
                    name.clone(),
                    tensor.dtype,
                    shape,
                    move |data| rows(data, at, of, &to),
                );
                tensors.insert(name, piece);
            }
        }
        self.with(tensors)
    }

    /// Transposes every matrix whose name `wanted` accepts.
    pub fn transposed(self, wanted: impl Fn(&str) -> bool) -> Self {
        let tensors = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let &[n_rows, n_cols] = tensor.shape.as_slice() else {
                    return (name.clone(), tensor.clone());
                };
                if !wanted(name) {
                    return (name.clone(), tensor.clone());
                }
                let shape = Shape::from(vec![n_cols, n_rows]);
                let turned =
                    bridge::map_data(tensor.clone(), name.clone(), tensor.dtype, shape, transpose);
                (name.clone(), turned)
            })
            .collect();
        self.with(tensors)
    }

    /// Gives tensors whose name `wanted` accepts another shape with as many elements; `shape` gets the old one.
    pub fn reshaped(
        self,
        wanted: impl Fn(&str) -> bool,
        shape: impl Fn(&[usize]) -> Vec<usize>,
    ) -> Self {
        let tensors = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let new = shape(tensor.shape.as_slice());
                let as_many = new.iter().product::<usize>() == tensor.shape.num_elements();
                if !wanted(name) || !as_many {
                    return (name.clone(), tensor.clone());
                }
                let to = Shape::from(new);
                let into = to.clone();
                let reshaped = bridge::map_data(
                    tensor.clone(),
                    name.clone(),
                    tensor.dtype,
                    to,
                    move |data| {
                        let (bytes, _, dtype) = data.into_parts();
                        TensorData::from_bytes(bytes, into.clone(), dtype)
                    },
                );
                (name.clone(), reshaped)
            })
            .collect();
        self.with(tensors)
    }

    /// The tensors of both.
    pub fn joined(mut self, other: Self) -> Self {
        self.tensors.extend(other.tensors);
        self
    }

    pub(super) fn stored(&self, name: &str) -> Option<&Stored> {
        self.tensors.get(name)
    }

    fn with(&self, tensors: BTreeMap<String, Stored>) -> Self {
        Self {
            path: self.path.clone(),
            tensors,
        }
    }
}

/// Part `at` of `of` equal parts along the first axis.
fn rows(data: TensorData, at: usize, of: usize, shape: &Shape) -> TensorData {
    let (bytes, _, dtype) = data.into_parts();
    let n = bytes.len() / of;
    let part = bytes[at * n..(at + 1) * n].to_vec();
    TensorData::from_bytes_vec(part, shape.clone(), dtype)
}

fn transpose(data: TensorData) -> TensorData {
    let (bytes, shape, dtype) = data.into_parts();
    let (n_rows, n_cols) = (shape[0], shape[1]);
    let size = bytes.len() / (n_rows * n_cols).max(1);
    let mut turned = Vec::with_capacity(bytes.len());
    for col in 0..n_cols {
        for row in 0..n_rows {
            let at = (row * n_cols + col) * size;
            turned.extend_from_slice(&bytes[at..at + size]);
        }
    }
    TensorData::from_bytes_vec(turned, vec![n_cols, n_rows], dtype)
}

/// Reads a configuration beside the weights (`config.json`, `scheduler_config.json`).
pub fn config<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::file(
            folder,
            format!("there is no {name} in this folder: give the folder of a model as published, with its configuration"),
        ),
        _ => Error::io(&path, e),
    })?;
    serde_json::from_str(&text).map_err(|e| {
        Error::file(
            &path,
            format!("not the configuration of such a network ({e}): take the file published with the weights"),
        )
    })
}
