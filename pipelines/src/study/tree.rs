//! The files of a BIDS folder by name and place, and which of them speak for which others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::run::{Run, Stop};
use crate::study::Entities;
use crate::study::names::{BidsName, applies_to, file_name, natural_order};

/// A file whose name is a BIDS name.
#[derive(Clone, Debug)]
pub(super) struct BidsFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What its name says.
    pub(super) name: BidsName,
}

impl BidsFile {
    /// The value of one entity.
    pub(super) fn entity(&self, key: &str) -> Option<&str> {
        self.name.entities.get(key).map(String::as_str)
    }

    /// Whether it is a NIfTI file with this suffix.
    pub(super) fn is_nifti(&self, suffix: &str) -> bool {
        self.name.suffix == suffix && matches!(self.name.extension.as_str(), "nii" | "nii.gz")
    }
}

/// A BIDS folder, walked.
#[derive(Debug)]
pub(super) struct Tree {
    /// The study's folder.
    pub(super) root: PathBuf,
    /// Raw files first, then derivatives, each in natural order.
    pub(super) files: Vec<BidsFile>,
    /// Which of them a folder holds.
    by_folder: BTreeMap<PathBuf, Vec<usize>>,
    /// Links that lead nowhere: data that was never fetched.
    pub(super) n_dangling: usize,
}

impl Tree {
    /// Walks `sub-*` (or the folders of a lone subject) and `derivatives`; hidden files,
    /// `sourcedata` and `code` are left out, and a folder reached twice through links is read once.
    pub(super) fn walk(root: &Path, run: &Run<'_>) -> Result<Self, Stop> {
        let mut tree = Self {
            root: root.to_path_buf(),
            files: Vec::new(),
            by_folder: BTreeMap::new(),
            n_dangling: 0,
        };
        let mut seen = BTreeSet::from([real_path(root)?]);
        let mut derivatives = None;
        for entry in tree.list(root)? {
            let name = file_name(&entry);
            let is_subject = ["sub-", "ses-"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || matches!(name.as_str(), "func" | "anat");
            if !entry.is_dir() {
                tree.add(entry);
            } else if name == "derivatives" {
                derivatives = Some(entry);
            } else if is_subject {
                tree.descend(&entry, &mut seen, run)?;
            }
        }
        if let Some(folder) = derivatives {
            tree.descend(&folder, &mut seen, run)?;
        }
        Ok(tree)
    }

    fn descend(
        &mut self,
        folder: &Path,
        seen: &mut BTreeSet<PathBuf>,
        run: &Run<'_>,
    ) -> Result<(), Stop> {
        run.check()?;
        if !seen.insert(real_path(folder)?) {
            return Ok(());
        }
        for entry in self.list(folder)? {
            if !entry.is_dir() {
                self.add(entry);
            } else if !matches!(file_name(&entry).as_str(), "sourcedata" | "code") {
                self.descend(&entry, seen, run)?;
            }
        }
        Ok(())
    }

    /// What a folder holds, in natural order, without hidden entries and dangling links.
    fn list(&mut self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let entries = list_folder(folder)?;
        let n_all = entries.len();
        let kept: Vec<PathBuf> = entries.into_iter().filter(|path| path.exists()).collect();
        self.n_dangling += n_all - kept.len();
        Ok(kept)
    }

    fn add(&mut self, path: PathBuf) {
        if let Some(name) = BidsName::parse(&file_name(&path)) {
            let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
            self.by_folder
                .entry(folder)
                .or_default()
                .push(self.files.len());
            self.files.push(BidsFile { path, name });
        }
    }

    /// The files with this suffix and extension that speak for `file` by the inheritance rule, the
    /// most special first: they stand in its folder or above it (for a derivative also where its
    /// raw twin stands), and all their entities are its own.
    pub(super) fn inherited(
        &self,
        file: &BidsFile,
        suffix: &str,
        extension: &str,
    ) -> Vec<&BidsFile> {
        let mut folders = self.folders_up_from(file.path.parent());
        for folder in self.folders_up_from(Some(&self.raw_folder(&file.name.entities))) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        let mut found = Vec::new();
        for folder in folders {
            let indices = self.by_folder.get(&folder).into_iter().flatten();
            let mut here: Vec<&BidsFile> = indices
                .filter_map(|index| self.files.get(*index))
                .filter(|other| other.name.suffix == suffix && other.name.extension == extension)
                .filter(|other| applies_to(&other.name.entities, &file.name.entities))
                .collect();
            here.sort_by_key(|other| std::cmp::Reverse(other.name.entities.len()));
            found.extend(here);
        }
        found
    }

    /// The files beside `file` with this suffix and extension that are of its run: what both names
    /// state of it is the same. Unlike sidecars they have a `desc` of their own.
    pub(super) fn of_same_run(
        &self,
        file: &BidsFile,
        suffix: &str,
        extension: &str,
    ) -> Vec<&BidsFile> {
        let is_version = |key: &str| matches!(key, "space" | "desc" | "res" | "den");
        let of_run = |other: &BidsFile| {
            let own = file
                .name
                .entities
                .iter()
                .filter(|(key, _)| !is_version(key));
            let others = other
                .name
                .entities
                .iter()
                .filter(|(key, _)| !is_version(key));
            own.eq(others)
        };
        self.files
            .iter()
            .filter(|other| other.name.suffix == suffix && other.name.extension == extension)
            .filter(|other| of_run(other))
            .collect()
    }

    /// `folder` and what is above it, up to the root.
    fn folders_up_from(&self, folder: Option<&Path>) -> Vec<PathBuf> {
        let inside = |folder: &&Path| folder.starts_with(&self.root);
        let folders = folder.into_iter().flat_map(Path::ancestors);
        folders.take_while(inside).map(Path::to_path_buf).collect()
    }

    /// Where the raw functional files with these entities stand.
    fn raw_folder(&self, entities: &Entities) -> PathBuf {
        let mut folder = self.root.clone();
        for key in ["sub", "ses"] {
            if let Some(value) = entities.get(key) {
                folder.push(format!("{key}-{value}"));
            }
        }
        folder.join("func")
    }
}

/// Where a folder is when all links are followed.
fn real_path(folder: &Path) -> Result<PathBuf, Error> {
    folder
        .canonicalize()
        .map_err(|source| Error::io(folder, source))
}

/// What a folder holds, in natural order, without hidden entries.
pub(super) fn list_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let refused = |source| Error::io(folder, source);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if !file_name(&path).starts_with('.') {
            entries.push(path);
        }
    }
    entries.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    Ok(entries)
}
