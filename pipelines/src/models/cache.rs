//! The folders that hold downloaded repositories, laid out as Python's `huggingface_hub` lays them out.
//!
//! ```text
//! models--owner--name/
//!   refs/main               the commit that the branch was at
//!   blobs/FINGERPRINT       the content of a file, under what the server calls it
//!   snapshots/COMMIT/path   a link to it, under its own name
//! .locks/models--owner--name/FINGERPRINT.lock
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::hub::Hub;
use super::registry::{Model, choices, file_name};
use crate::io::write::{make_folder, write_text};
use crate::{Error, Result};

/// The end of the name of a file that is not whole yet.
pub const INCOMPLETE: &str = ".incomplete";

/// The folder name of a repository in the cache.
pub fn folder_name(repo: &str, dataset: bool) -> String {
    let kind = if dataset { "datasets" } else { "models" };
    format!("{kind}--{}", repo.replace('/', "--"))
}

/// One repository's folder in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// `…/models--owner--name`.
    pub root: PathBuf,
    locks: PathBuf,
}

impl Folder {
    /// Where `hub` keeps the repository, whether it is there or not.
    pub fn of(hub: &Hub, repo: &str, dataset: bool) -> Self {
        let name = folder_name(repo, dataset);
        Self {
            root: hub.cache.join(&name),
            locks: hub.cache.join(".locks").join(name),
        }
    }

    /// Where a content lies, or will.
    pub fn blob(&self, fingerprint: &str) -> PathBuf {
        self.root.join("blobs").join(fingerprint)
    }

    /// The file that a process holds locked while it fetches a content.
    pub fn lock(&self, fingerprint: &str) -> PathBuf {
        self.locks.join(format!("{fingerprint}.lock"))
    }

    /// The files of a commit, under their own names.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    /// The commit that a revision was at when it was last fetched.
    pub fn commit(&self, revision: &str) -> Option<String> {
        let named = fs::read_to_string(self.reference(revision)).ok();
        named
            .map(|commit| commit.trim().to_owned())
            .or_else(|| {
                self.snapshot(revision)
                    .is_dir()
                    .then(|| revision.to_owned())
            })
            .filter(|commit| !commit.is_empty() && !commit.contains(['/', '\\', '.']))
    }

    /// Says that a revision is at a commit.
    pub(super) fn set_commit(&self, revision: &str, commit: &str) -> Result<()> {
        // A commit names itself.
        if revision == commit {
            return Ok(());
        }
        let path = self.reference(revision);
        make_folder(path.parent().unwrap_or(&path))?;
        write_text(&path, commit)
    }

    /// Puts a content into a commit's folder under its own name: as a link, or moved there where the
    /// system makes none.
    pub(super) fn link(&self, commit: &str, file: &str, fingerprint: &str) -> Result<()> {
        let path = self.snapshot(commit).join(file);
        let folder = path.parent().unwrap_or(&path);
        make_folder(folder)?;
        let up = "../".repeat(2 + file.split('/').count() - 1);
        let target = PathBuf::from(format!("{up}blobs/{fingerprint}"));
        if fs::read_link(&path).is_ok_and(|there| there == target) {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path, e)),
            _ => {}
        }
        if symlink(&target, &path).is_err() {
            let blob = self.blob(fingerprint);
            fs::rename(&blob, &path).map_err(|e| Error::io(&path, e))?;
        }
        Ok(())
    }

    /// Bytes of files that are not whole yet.
    pub fn incomplete_bytes(&self) -> u64 {
        let Ok(entries) = fs::read_dir(self.root.join("blobs")) else {
            return 0;
        };
        let unfinished = |entry: &fs::DirEntry| {
            let name = entry.file_name();
            name.to_string_lossy().ends_with(INCOMPLETE)
        };
        let len = |entry: fs::DirEntry| entry.metadata().map_or(0, |meta| meta.len());
        entries.flatten().filter(unfinished).map(len).sum()
    }
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

/// What of a model is on this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Present {
    /// The folder that holds its files, whether it is there or not.
    pub folder: PathBuf,
    /// The files that are there.
    pub files: Vec<PathBuf>,
    /// What is not, as the registry names it.
    pub missing: Vec<String>,
    /// Bytes of the files that are there.
    pub bytes: u64,
    /// Bytes of downloads that were interrupted.
    pub incomplete_bytes: u64,
}

/// What of `model` is on this machine, at the revision of the registry.
pub fn present(hub: &Hub, model: &Model) -> Present {
    let (folder, incomplete_bytes) = match &model.repo {
        Some(repo) => {
            let folder = Folder::of(hub, repo, model.dataset);
            let commit = folder.commit(&model.revision);
            let bytes = folder.incomplete_bytes();
            (
                commit.map_or_else(|| folder.root.clone(), |c| folder.snapshot(&c)),
                bytes,
            )
        }
        None => (hub.checkpoints.clone(), 0),
    };
    let mut present = Present {
        folder,
        files: Vec::new(),
        missing: Vec::new(),
        bytes: 0,
        incomplete_bytes,
    };
    let names = model.files.iter().map(String::as_str);
    for wanted in names.chain(model.urls.iter().map(|url| file_name(url))) {
        let there = choices(wanted).find_map(|name| {
            let path = present.folder.join(name);
            let meta = path.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((path, meta.len()))
        });
        match there {
            Some((path, len)) => {
                present.files.push(path);
                present.bytes += len;
            }
            None => present.missing.push(wanted.to_owned()),
        }
    }
    for url in &model.urls {
        let partial = present
            .folder
            .join(format!("{}{INCOMPLETE}", file_name(url)));
        present.incomplete_bytes += partial.metadata().map_or(0, |meta| meta.len());
    }
    present
}
