//! The bytes of a file, inflated when its first two say that it is gzip.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result};

/// Deflate makes at best 258 bytes of 2 bits: no honest file inflates further than this.
const MOST_INFLATION: u64 = 1032;

/// The most a text format is read into memory at once.
const MOST_TEXT: u64 = 4 << 30;

/// An open file. All its errors name it.
pub(crate) struct Bytes {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    file_len: u64,
    gzip: bool,
}

impl Bytes {
    /// Opens `path` at its first byte.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let (file, file_len, gzip) = open(path)?;
        let buffered = BufReader::with_capacity(1 << 18, file);
        Ok(Self {
            path: path.to_path_buf(),
            reader: if gzip {
                Box::new(MultiGzDecoder::new(buffered))
            } else {
                Box::new(buffered)
            },
            file_len,
            gzip,
        })
    }

    /// Bytes that are in memory already; errors call them `path`.
    pub(crate) fn in_memory(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_path_buf(),
            file_len: bytes.len() as u64,
            reader: Box::new(io::Cursor::new(bytes)),
            gzip: false,
        }
    }

    /// The most bytes that can come out, the ones already read included.
    pub(crate) fn at_most(&self) -> u64 {
        if self.gzip {
            self.file_len.saturating_mul(MOST_INFLATION)
        } else {
            self.file_len
        }
    }

    /// The next `out.len()` bytes.
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.reader
            .read_exact(out)
            .map_err(|e| cannot_read(&self.path, e))
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: u64) -> Result<()> {
        let passed = io::copy(&mut (&mut self.reader).take(count), &mut io::sink())
            .map_err(|e| cannot_read(&self.path, e))?;
        if passed < count {
            return Err(cannot_read(&self.path, ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    /// After the last byte that was wanted: holds a gzip stream against its checksum. What follows
    /// (padding, for instance) is nobody's business.
    pub(crate) fn finish(mut self) -> Result<()> {
        match self.reader.read(&mut [0; 64]) {
            Err(e) if e.to_string().contains("checksum") => Err(cannot_read(&self.path, e)),
            _ => Ok(()),
        }
    }

    /// At most `limit` bytes from here to the end.
    pub(crate) fn up_to(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.reader)
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| cannot_read(&self.path, e))?;
        Ok(bytes)
    }

    /// Everything to the end, as text: UTF-8, with bytes that are none replaced.
    pub(crate) fn text(mut self) -> Result<String> {
        let bytes = self.up_to(MOST_TEXT + 1)?;
        if bytes.len() as u64 > MOST_TEXT {
            return Err(Error::file(
                &self.path,
                "holds more than 4 GiB of text: split it",
            ));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(Error::file(
                &self.path,
                "is written in UTF-16: save it again as UTF-8",
            ));
        }
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
        })
    }
}

/// An open file that is not compressed, so that any part of it can be had without the rest.
pub(crate) struct Parts {
    path: PathBuf,
    file: File,
}

impl Parts {
    /// Opens `path`; `None` when it is gzip.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        let (file, _, gzip) = open(path)?;
        Ok((!gzip).then(|| Self {
            path: path.to_path_buf(),
            file,
        }))
    }

    /// The `out.len()` bytes at `offset`.
    pub(crate) fn fill_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset);
        #[cfg(not(unix))]
        let read = (&self.file)
            .seek(std::io::SeekFrom::Start(offset))
            .and_then(|_at| (&self.file).read_exact(out));
        read.map_err(|e| cannot_read(&self.path, e))
    }
}

/// The file at its first byte, its length, and whether it is gzip.
fn open(path: &Path) -> Result<(File, u64, bool)> {
    let mut file = File::open(path).map_err(|e| cannot_open(path, e))?;
    let meta = file.metadata().map_err(|e| Error::io(path, e))?;
    if meta.is_dir() {
        return Err(Error::file(
            path,
            "is a folder: name one of the files in it",
        ));
    }
    let mut magic = Vec::with_capacity(2);
    (&mut file)
        .take(2)
        .read_to_end(&mut magic)
        .map_err(|e| Error::io(path, e))?;
    file.rewind().map_err(|e| Error::io(path, e))?;
    Ok((file, meta.len(), magic == [0x1f, 0x8b]))
}

fn cannot_open(path: &Path, error: io::Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return Error::io(path, error);
    }
    if fs::symlink_metadata(path).is_ok() {
        return Error::file(
            path,
            "is a link to a file that is not here: fetch its content (`datalad get`, for instance)",
        );
    }
    Error::file(path, "there is no such file: check the name and the folder")
}

fn cannot_read(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Error::file(path, "ends before its data do: copy or download it again")
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Error::file(
            path,
            format!("is damaged ({error}): copy or download it again"),
        ),
        _ => Error::io(path, error),
    }
}
