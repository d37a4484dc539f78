//! Writing a file so that nobody ever sees half of it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Error, Result};

/// Lets `fill` write to a temporary file in the folder of `path`, then renames it to `path`. When
/// `fill` fails, whatever was at `path` before is still there.
///
/// # Errors
/// When the folder does not exist or cannot be written to, and what `fill` returns.
pub fn atomically(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(Error::file(path, "is no file name: name a file to write")),
    };
    if !folder.is_dir() {
        return Err(Error::file(
            path,
            format!(
                "cannot be written, for there is no folder {}: make it first",
                folder.display()
            ),
        ));
    }
    if path.is_dir() {
        return Err(Error::file(path, "is a folder: name a file to write"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fusiform-");
    // A temporary file is private by default; a result should be as readable as any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder
        .tempfile_in(folder)
        .map_err(|e| Error::io(path, e))?;
    let (file, temporary) = temporary.into_parts();
    let mut file = BufWriter::with_capacity(1 << 16, file);
    fill(&mut file)?;
    file.flush().map_err(|e| Error::io(path, e))?;
    drop(file);
    temporary
        .persist(path)
        .map_err(|e| Error::io(path, e.error))
}

/// Writes a text file.
///
/// # Errors
/// As [`atomically`].
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    atomically(path, |file| {
        file.write_all(text.as_bytes())
            .map_err(|e| Error::io(path, e))
    })
}

/// Makes a folder and those above it.
///
/// # Errors
/// When the system refuses.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| Error::io(path, e))
}
