//! The published models that decoders use: `assets/models.toml`, read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const TEXT: &str = include_str!("../../../assets/models.toml");

/// A published model: where it is, what it costs, who needs it. It has files of a repository, or addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What `pull` calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The repository of the hub, `owner/name`.
    pub repo: Option<String>,
    /// Whether the repository is filed as a data set.
    #[serde(default)]
    pub dataset: bool,
    /// Branch, tag or commit of the repository.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// Paths in the repository. `a | b` is the first of them that the server has.
    #[serde(default)]
    pub files: Vec<String>,
    /// Addresses of files that are in no repository; they are kept where `torch.hub` keeps them.
    #[serde(default)]
    pub urls: Vec<String>,
    /// SHA-256 of files by path, for servers that give none.
    #[serde(default)]
    pub sha256: BTreeMap<String, String>,
    /// The licence by its usual short name; `not stated` where the publisher says nothing.
    pub licence: String,
    /// Whether the publisher wants terms accepted before the first download.
    #[serde(default)]
    pub gated: bool,
    /// The files together, in 10⁹ bytes, where that is known.
    pub gigabytes: Option<f64>,
    /// The methods that need it.
    pub used_by: Vec<String>,
    /// What it does, in a line.
    pub good_for: String,
}

fn main_branch() -> String {
    "main".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Model>,
}

/// All models, in the order of the file.
///
/// # Errors
/// When the file that was built in does not say what it should.
pub fn registry() -> Result<Vec<Model>> {
    parse(TEXT)
}

/// The models that a text in the form of `assets/models.toml` lists.
///
/// # Errors
/// When it has another form, a name twice, or a path that leaves its folder.
pub fn parse(text: &str) -> Result<Vec<Model>> {
    let wrong = |problem: String| Error::file("models.toml", format!("{problem}: correct it"));
    let file: File = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
    for (i, model) in file.model.iter().enumerate() {
        let name = &model.name;
        if file.model.iter().take(i).any(|other| other.name == *name) {
            return Err(wrong(format!("“{name}” is listed twice")));
        }
        if model.repo.is_some() != model.urls.is_empty()
            || model.repo.is_some() == model.files.is_empty()
        {
            return Err(wrong(format!(
                "“{name}” needs a repository with files, or addresses"
            )));
        }
        let paths = model.files.iter().flat_map(|file| choices(file));
        let names = model.urls.iter().map(|url| file_name(url));
        if let Some(path) = paths.chain(names).find(|path| !is_inside(path)) {
            return Err(wrong(format!("“{name}” has the path “{path}”")));
        }
        if let Some(repo) = &model.repo
            && (repo.split('/').count() > 2 || !is_inside(repo) || repo.contains("--"))
        {
            return Err(wrong(format!("“{name}” has the repository “{repo}”")));
        }
    }
    Ok(file.model)
}

/// The model called `name`.
///
/// # Errors
/// When there is none; the text lists those that sound alike, or all.
pub fn find(models: &[Model], name: &str) -> Result<Model> {
    let wanted = name.to_ascii_lowercase();
    let is_it = |model: &&Model| model.name == wanted || model.repo.as_deref() == Some(name);
    if let Some(model) = models.iter().find(is_it) {
        return Ok(model.clone());
    }
    let like: Vec<&str> = models
        .iter()
        .filter(|model| wanted.len() > 1 && model.name.contains(wanted.as_str()))
        .map(|model| model.name.as_str())
        .collect();
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    let choices = if like.is_empty() { names } else { like };
    Err(Error::Choice(format!(
        "there is no model “{name}”: choose among {}",
        choices.join(", ")
    )))
}

/// The paths that an entry of `files` leaves open, best first.
pub fn choices(file: &str) -> impl Iterator<Item = &str> {
    file.split('|').map(str::trim)
}

/// The last part of an address: the name its file gets.
pub fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path stays within the folder it is joined to.
fn is_inside(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(plain) && !path.contains(['\\', ':', '\0'])
}
