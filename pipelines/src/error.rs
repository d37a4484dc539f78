//! What can go wrong with data, said once: which file, what is the matter, what to do.

use std::path::{Path, PathBuf};

/// The result of anything that reads, checks or writes data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure a user can act on. `Display` is one sentence that names the file
/// (when there is one) and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should. `problem` says what is wrong and what to do.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// Data or a plan that cannot be worked with, not tied to one file.
    #[error("{0}")]
    Data(String),
    /// The request leaves something open or names something absent; the text lists the choices.
    #[error("{0}")]
    Choice(String),
}

impl Error {
    /// A problem with the content of `path`; `problem` should end with the remedy.
    pub fn file(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::File {
            path: path.as_ref().to_path_buf(),
            problem: problem.into(),
        }
    }

    /// A refusal of the operating system on `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            source,
        }
    }

    /// A problem with data in memory.
    pub fn data(problem: impl Into<String>) -> Self {
        Self::Data(problem.into())
    }
}
