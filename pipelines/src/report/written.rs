//! The files of a report, as they are written.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::io::picture::write_png;
use crate::io::table::{self, Table};
use crate::io::write::{make_folder, write_text};
use crate::report::draw::Figure;
use crate::{Error, Result};

/// Files written into a folder so far, each whole or not at all.
pub(super) struct Written<'a> {
    out: &'a Path,
    /// Their paths, in order.
    pub(super) files: Vec<PathBuf>,
}

impl<'a> Written<'a> {
    /// Nothing yet, into a folder that is made when it is not there.
    pub(super) fn into(out: &'a Path) -> Result<Self> {
        make_folder(out)?;
        Ok(Self {
            out,
            files: Vec::new(),
        })
    }

    /// The path of the next file.
    pub(super) fn at(&mut self, name: &str) -> PathBuf {
        let path = self.out.join(name);
        self.files.push(path.clone());
        path
    }

    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        write_text(&self.at(name), text)
    }

    pub(super) fn table(&mut self, name: &str, rows: &Table) -> Result<()> {
        table::write(&self.at(name), rows)
    }

    pub(super) fn json(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| Error::data(format!("{name} cannot be written as JSON: {e}")))?;
        self.text(name, &(text + "\n"))
    }

    /// As PNG and as SVG.
    pub(super) fn figure(&mut self, name: &str, figure: &Figure) -> Result<()> {
        write_png(&self.at(&format!("{name}.png")), &figure.png)?;
        self.text(&format!("{name}.svg"), &figure.svg)
    }
}
