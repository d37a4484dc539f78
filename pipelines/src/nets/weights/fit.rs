//! A checkpoint put into a network: names and shapes are compared first, all of them, and only then values are read.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{FloatCastAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter};
use burn::tensor::{DType, Tensor};

use super::Checkpoint;
use crate::{Error, Result};

/// How many names a message lists of each kind.
const LISTED: usize = 6;

impl Checkpoint {
    /// Puts the tensors into `network`, as numbers of `dtype`. The names must be exactly those of the network: what
    /// is missing, extra or of another shape is listed in the error, and nothing is read then.
    pub fn fill<M: Module>(self, mut network: M, dtype: DType) -> Result<M> {
        let wanted = wanted(&network);
        let problem = self.difference(&wanted);
        if let Some(problem) = problem {
            return Err(Error::file(&self.path, problem));
        }
        let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(dtype));
        let mut tensors: Vec<_> = self
            .tensors
            .into_iter()
            .map(|(name, mut tensor)| {
                tensor.name = name;
                tensor
            })
            .collect();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let result = network.apply(tensors, None, Some(Box::new(adapter)), true);
        if let Some(error) = result.errors.first() {
            return Err(Error::file(
                &self.path,
                format!("a tensor can't be read ({error}): the file is damaged, download it again"),
            ));
        }
        if !result.missing.is_empty() || !result.unused.is_empty() {
            return Err(Error::file(
                &self.path,
                format!(
                    "{} tensors found no place and {} places no tensor: this network can't take these weights",
                    result.unused.len(),
                    result.missing.len()
                ),
            ));
        }
        Ok(network)
    }

    /// What keeps these tensors from filling places of these names and shapes, in one sentence.
    fn difference(&self, wanted: &BTreeMap<String, Vec<usize>>) -> Option<String> {
        let missing: Vec<String> = wanted
            .keys()
            .filter(|name| !self.tensors.contains_key(*name))
            .cloned()
            .collect();
        let extra: Vec<String> = self
            .tensors
            .keys()
            .filter(|name| !wanted.contains_key(*name))
            .cloned()
            .collect();
        let misshapen: Vec<String> = wanted
            .iter()
            .filter_map(|(name, want)| {
                let have = self.tensors.get(name)?.shape.to_vec();
                (have != *want).then(|| format!("{name} {have:?} instead of {want:?}"))
            })
            .collect();
        if missing.is_empty() && extra.is_empty() && misshapen.is_empty() {
            return None;
        }
        let other = missing.len() * 2 > wanted.len();
        let parts: Vec<String> = [
            ("missing", missing),
            ("extra", extra),
            ("of another shape", misshapen),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{} {what}: {}", names.len(), list(&names)))
        .collect();
        let lead = if other {
            "these are the weights of another network"
        } else {
            "the weights don't fit the configuration"
        };
        Some(format!(
            "{lead} ({}): take the weights and the config.json that belong together",
            parts.join("; ")
        ))
    }
}

fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED {
        format!("{shown} and {} more", names.len() - LISTED)
    } else {
        shown
    }
}

/// How many numbers a network holds. Nothing is allocated for parameters not yet made.
pub fn parameters<M: Module>(network: &M) -> u64 {
    wanted(network)
        .values()
        .map(|shape| shape.iter().product::<usize>() as u64)
        .sum()
}

/// Bytes the weights of a network take as numbers of `dtype`. A network just made from its configuration has no
/// values yet, so this is the estimate before loading.
pub fn bytes<M: Module>(network: &M, dtype: DType) -> u64 {
    parameters(network) * dtype.size() as u64
}

/// Names and shapes of a network's parameters, in PyTorch's words.
fn wanted<M: Module>(network: &M) -> BTreeMap<String, Vec<usize>> {
    let mut places = Places::default();
    network.visit(&mut places);
    places.wanted
}

#[derive(Default)]
struct Places {
    path: Vec<String>,
    containers: Vec<String>,
    wanted: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Places {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.containers.push(container.to_owned());
        if !container.starts_with("Enum:") {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.containers.pop();
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let container = self
            .containers
            .iter()
            .rev()
            .find(|c| c.starts_with("Struct:"))
            .map_or("", String::as_str);
        let mut path = self.path.clone();
        let mut shape = param.lazy_shape().to_vec();
        if let Some(last) = path.last_mut() {
            match (container, last.as_str()) {
                ("Struct:Linear", "weight") => shape.reverse(),
                ("Struct:LayerNorm" | "Struct:GroupNorm", "gamma") => *last = "weight".into(),
                ("Struct:LayerNorm" | "Struct:GroupNorm", "beta") => *last = "bias".into(),
                _ => {}
            }
        }
        self.wanted.insert(path.join("."), shape);
    }
}
