//! Tables of text: TSV as BIDS writes it, CSV as spreadsheets do.

use std::path::Path;

use crate::io::bytes::Bytes;
use crate::io::write;
use crate::{Error, Result};

/// A heading and rows of cells, each row as long as the heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The heading.
    pub columns: Vec<String>,
    /// The cells, row after row, as written (`n/a` stays `n/a`).
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Where a column is.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }

    /// The numbers of a column; `None` for `n/a` and empty cells. `path` is named in errors.
    ///
    /// # Errors
    /// When there is no such column, or a cell is no number: the text names file, line and column.
    pub fn numbers(&self, path: &Path, name: &str) -> Result<Vec<Option<f64>>> {
        let column = self.column(name).ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "has no column {name} (it has {}): add it",
                    self.columns.join(", ")
                ),
            )
        })?;
        let parse = |(row, cells): (usize, &Vec<String>)| {
            let Some(text) = cells.get(column).and_then(|cell| said(cell)) else {
                return Ok(None);
            };
            text.parse().map(Some).map_err(|_not_a_number: std::num::ParseFloatError| {
                Error::file(
                    path,
                    format!(
                        "line {}, column {name}: “{text}” is not a number: correct it, or write n/a",
                        row + 2
                    ),
                )
            })
        };
        self.rows.iter().enumerate().map(parse).collect()
    }
}

/// A cell's text without surrounding space; `None` when it is empty or `n/a`.
pub fn said(cell: &str) -> Option<&str> {
    let text = cell.trim();
    (!text.is_empty() && text != "n/a").then_some(text)
}

/// Reads a table with a heading. It is TSV when the heading holds a tab, else CSV, where cells may
/// be quoted. Row r of the table is line r + 2 of the file, unless quoted cells hold line ends.
///
/// # Errors
/// When the file is empty, is not text, has a row that is longer or shorter than the heading, or
/// names a column twice.
pub fn read(path: &Path) -> Result<Table> {
    let text = Bytes::open(path)?.text()?;
    if text.contains('\0') {
        return Err(Error::file(
            path,
            "is not a text file: save the table as tab-separated text",
        ));
    }
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(&text)
        .trim_end_matches(['\n', '\r']);
    let heading = text.lines().next().unwrap_or_default();
    // A TSV of one column has no tab either.
    let one_column = path.extension().is_some_and(|e| e == "tsv") && !heading.contains(',');
    let mut rows = if heading.contains('\t') || one_column {
        split_tsv(text)
    } else {
        split_csv(path, text)?
    };
    if rows.is_empty() || heading.trim().is_empty() {
        return Err(Error::file(
            path,
            "is an empty table: its first line must name the columns",
        ));
    }
    let mut columns: Vec<String> = rows.remove(0).iter().map(|c| c.trim().to_owned()).collect();
    // A heading that ends in a separator names one column too many.
    while columns.len() > 1 && columns.last().is_some_and(String::is_empty) {
        columns.pop();
    }
    for (c, name) in columns.iter().enumerate() {
        if columns[..c].contains(name) {
            return Err(Error::file(
                path,
                format!("has two columns named “{name}”: rename one"),
            ));
        }
    }
    for (r, row) in rows.iter_mut().enumerate() {
        while row.len() > columns.len() && row.last().is_some_and(String::is_empty) {
            row.pop();
        }
        if row.len() != columns.len() {
            return Err(Error::file(
                path,
                format!(
                    "line {} has {} cells where the heading has {}: give each column one cell (n/a for none)",
                    r + 2,
                    row.len(),
                    columns.len()
                ),
            ));
        }
    }
    Ok(Table { columns, rows })
}

/// Writes a TSV. Tabs and line ends inside cells become spaces, for the format has no way to
/// hold them, and empty cells become `n/a`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, table: &Table) -> Result<()> {
    let mut text = String::new();
    for row in std::iter::once(&table.columns).chain(&table.rows) {
        for (c, cell) in row.iter().enumerate() {
            if c > 0 {
                text.push('\t');
            }
            text.push_str(if cell.is_empty() { "n/a" } else { "" });
            text.extend(cell.chars().map(|c| {
                if matches!(c, '\t' | '\n' | '\r') {
                    ' '
                } else {
                    c
                }
            }));
        }
        text.push('\n');
    }
    write::write_text(path, &text)
}

fn split_tsv(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// RFC 4180: a cell in quotes may hold commas, line ends, and quotes written twice.
fn split_csv(path: &Path, text: &str) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            (true, '"') => quoted = false,
            (true, c) => cell.push(c),
            (false, '"') if cell.is_empty() => quoted = true,
            (false, ',') => row.push(std::mem::take(&mut cell)),
            (false, '\r') if chars.peek() == Some(&'\n') => {}
            (false, '\n') => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (false, c) => cell.push(c),
        }
    }
    if quoted {
        return Err(Error::file(
            path,
            "has a quoted cell that never ends: close its quotation mark",
        ));
    }
    if !text.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}
