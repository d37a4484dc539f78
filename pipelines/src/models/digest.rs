//! The two fingerprints that model servers give: SHA-256 of a file, and git's name for its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use crate::run::Run;
use crate::{Error, Stop};

/// What a file's content must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256, 64 hexadecimal digits.
    Sha256(String),
    /// The first digits of the SHA-256, as file names of PyTorch's own weights carry them.
    Sha256Prefix(String),
    /// The SHA-1 that git gives a file: of `blob LENGTH\0` and the content. 40 hexadecimal digits.
    GitBlob(String),
}

impl Digest {
    /// Whether `path` has this content; reads all of it.
    ///
    /// # Errors
    /// When it cannot be read, and when cancelled.
    pub fn fits(&self, path: &Path, run: &Run<'_>) -> Result<bool, Stop> {
        Ok(match self {
            Self::Sha256(wanted) => sha256_of(path, run)?.eq_ignore_ascii_case(wanted),
            Self::Sha256Prefix(wanted) => {
                sha256_of(path, run)?.starts_with(&wanted.to_ascii_lowercase())
            }
            Self::GitBlob(wanted) => git_blob_of(path, run)?.eq_ignore_ascii_case(wanted),
        })
    }
}

/// SHA-256 of bytes, as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    hex(context.finish().as_ref())
}

/// Git's name for these bytes as a file, 40 hexadecimal digits.
pub fn git_blob(bytes: &[u8]) -> String {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {}\0", bytes.len()).as_bytes());
    context.update(bytes);
    hex(context.finish().as_ref())
}

/// SHA-256 of a file, as 64 hexadecimal digits.
///
/// # Errors
/// When it cannot be read, and when cancelled.
pub fn sha256_of(path: &Path, run: &Run<'_>) -> Result<String, Stop> {
    digest(path, Context::new(&SHA256), run)
}

fn git_blob_of(path: &Path, run: &Run<'_>) -> Result<String, Stop> {
    let len = path.metadata().map_err(|e| Error::io(path, e))?.len();
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {len}\0").as_bytes());
    digest(path, context, run)
}

fn digest(path: &Path, mut context: Context, run: &Run<'_>) -> Result<String, Stop> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let total = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        run.check()?;
        let n = file.read(&mut buffer).map_err(|e| Error::io(path, e))?;
        if n == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(buffer.get(..n).unwrap_or_default());
        done += n;
        run.progress(done, total as usize);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
