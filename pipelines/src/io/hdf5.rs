//! HDF5 arrays, read in blocks: what h5py writes, MATLAB's version 7.3, and the betas of large studies.
//!
//! The container is read by `hdf5-reader`, which needs no C library; its sizes are held against the
//! length of the file here, before memory is asked for. Compression by deflate, with shuffling and
//! checksums, is understood. Format: <https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>.

use std::fs::File as Disk;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5_reader::group::Group;
use hdf5_reader::{
    Datatype as Stored, FileStorage, Hdf5File, OpenOptions, SliceInfo, SliceInfoElem,
};

use crate::io::array::{Array, ArrayInfo, Order, no_such_array, times};
use crate::io::bytes::Bytes;
use crate::{Error, Result};

const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Deflate makes at best 258 bytes of 2 bits: no array is larger than this many times its file,
/// unless most of it was never written.
const MOST_INFLATION: u64 = 1032;

/// The most a compressed block of values may take.
const MOST_CHUNK: u64 = 1 << 30;

/// Values turned into `f32` at a time.
const BLOCK: usize = 1 << 22;

/// Groups in groups beyond this depth are not listed.
const MOST_DEPTH: usize = 8;

/// Whether the file begins like HDF5, at byte 0 or behind a block of the writer's own (MATLAB).
///
/// # Errors
/// When it cannot be read.
pub fn is_hdf5(path: &Path) -> Result<bool> {
    // Opened once as bytes, for the errors about files that are not there.
    drop(Bytes::open(path)?);
    let io = |e| Error::io(path, e);
    let mut file = Disk::open(path).map_err(io)?;
    for start in [0, 512, 1024, 2048] {
        let mut found = Vec::with_capacity(8);
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        (&mut file).take(8).read_to_end(&mut found).map_err(io)?;
        if found == SIGNATURE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An open HDF5 file.
pub struct File {
    path: PathBuf,
    inner: Hdf5File,
    from_matlab: bool,
    most_bytes: u64,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Opens a file; nothing but its head is read.
///
/// # Errors
/// When it is not HDF5 or damaged.
pub fn open(path: &Path) -> Result<File> {
    let mut start = Bytes::open(path)?;
    let from_matlab = start.up_to(19)? == b"MATLAB 7.3 MAT-file";
    let len = std::fs::metadata(path)
        .map_err(|e| Error::io(path, e))?
        .len();
    let most_bytes = len.saturating_mul(MOST_INFLATION);
    let inner = FileStorage::open(path)
        .and_then(|storage| {
            let options =
                OpenOptions::default().with_max_chunk_bytes(most_bytes.min(MOST_CHUNK) as usize);
            Hdf5File::from_storage_with_options(Arc::new(storage), options)
        })
        .map_err(|problem| damaged(path, &problem))?;
    Ok(File {
        path: path.to_path_buf(),
        inner,
        from_matlab,
        most_bytes,
    })
}

fn damaged(path: &Path, problem: &hdf5_reader::error::Error) -> Error {
    let problem = problem.to_string().replace('\n', " ");
    Error::file(
        path,
        format!(
            "cannot be read as HDF5 ({problem}): copy it again, or save it with gzip or no compression"
        ),
    )
}

impl File {
    /// Whether MATLAB wrote it: then dimensions stand in reverse in the file, and are turned back by
    /// [`Dataset::read`] and [`File::list`].
    pub fn from_matlab(&self) -> bool {
        self.from_matlab
    }

    /// Every array, those in groups as `group/array`.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn list(&self) -> Result<Vec<ArrayInfo>> {
        let root = self
            .inner
            .root_group()
            .map_err(|e| damaged(&self.path, &e))?;
        let mut all = Vec::new();
        self.list_group(&root, "", 0, &mut all)?;
        Ok(all)
    }

    fn list_group(
        &self,
        group: &Group,
        prefix: &str,
        depth: usize,
        all: &mut Vec<ArrayInfo>,
    ) -> Result<()> {
        let (groups, datasets) = group.members().map_err(|e| damaged(&self.path, &e))?;
        for dataset in datasets {
            let mut shape: Vec<usize> = dataset.shape().iter().map(|&n| n as usize).collect();
            if self.from_matlab {
                shape.reverse();
            }
            all.push(ArrayInfo {
                name: format!("{prefix}{}", dataset.name().trim_start_matches('/')),
                shape,
                datatype: type_name(dataset.dtype()),
            });
        }
        // MATLAB keeps what references lead to in a group of its own.
        let shown = |group: &&Group| !(self.from_matlab && group.name().starts_with('#'));
        for inner in groups.iter().filter(shown) {
            if depth < MOST_DEPTH {
                let name = inner.name().trim_start_matches('/').to_owned();
                self.list_group(inner, &format!("{prefix}{name}/"), depth + 1, all)?;
            }
        }
        Ok(())
    }

    /// An array by its name.
    ///
    /// # Errors
    /// When there is none of that name (the text lists those there are) or it holds no numbers.
    pub fn array(&self, name: &str) -> Result<Dataset<'_>> {
        let inner = match self.inner.dataset(name) {
            Ok(dataset) => dataset,
            Err(problem) => {
                let all = self.list()?;
                let there = all
                    .iter()
                    .any(|info| info.name == name.trim_start_matches('/'));
                return Err(if there {
                    damaged(&self.path, &problem)
                } else {
                    no_such_array(&self.path, name, &all)
                });
            }
        };
        let refused =
            |problem: String| Error::file(&self.path, format!("its array “{name}” {problem}"));
        if number_type(inner.dtype()).is_none() {
            return Err(refused(format!(
                "holds {} and not plain numbers: save it as float32",
                type_name(inner.dtype())
            )));
        }
        let size = inner
            .raw_element_size()
            .map_err(|e| damaged(&self.path, &e))?;
        let n_bytes = inner
            .shape()
            .iter()
            .try_fold(size as u64, |n, &s| n.checked_mul(s));
        if n_bytes.is_none_or(|n| n > self.most_bytes) {
            return Err(refused(
                "is larger than its file can hold: it was never filled, or the file is damaged"
                    .to_owned(),
            ));
        }
        let dims = inner.shape().iter().map(|&n| n as usize).collect();
        Ok(Dataset {
            file: self,
            inner,
            name: name.to_owned(),
            dims,
        })
    }
}

/// An array of numbers in an open file.
pub struct Dataset<'a> {
    file: &'a File,
    inner: hdf5_reader::Dataset,
    name: String,
    dims: Vec<usize>,
}

impl std::fmt::Debug for Dataset<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("dims", &self.dims)
            .finish_non_exhaustive()
    }
}

impl Dataset<'_> {
    /// Sizes along the dimensions as they stand in the file, the last running fastest. In a file of
    /// MATLAB's they are in reverse.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// How values are stored.
    pub fn datatype(&self) -> String {
        type_name(self.inner.dtype())
    }

    /// The values of a block, one range for each of [`Self::dims`], the last index running fastest.
    ///
    /// # Errors
    /// When a range lies outside, or the block is damaged or compressed in another way than deflate.
    pub fn block(&self, ranges: &[Range<usize>]) -> Result<Vec<f32>> {
        let inside =
            |(range, &n): (&Range<usize>, &usize)| range.start <= range.end && range.end <= n;
        if ranges.len() != self.dims.len() || !ranges.iter().zip(&self.dims).all(inside) {
            let problem = format!(
                "its array “{}” has {} values: a block outside was asked for",
                self.name,
                times(&self.dims)
            );
            return Err(Error::file(&self.file.path, problem));
        }
        if ranges.iter().any(Range::is_empty) {
            return Ok(Vec::new());
        }
        let selection = SliceInfo {
            selections: ranges
                .iter()
                .map(|r| SliceInfoElem::Slice {
                    start: r.start as u64,
                    end: r.end as u64,
                    step: 1,
                })
                .collect(),
        };
        macro_rules! each {
            ($number:ty) => {{
                let block = self
                    .inner
                    .read_slice::<$number>(&selection)
                    .map_err(|e| damaged(&self.file.path, &e))?;
                block.iter().map(|&v| v as f32).collect()
            }};
        }
        let values: Vec<f32> = match number_type(self.inner.dtype()) {
            Some(Number::Int(1, false)) => each!(u8),
            Some(Number::Int(1, true)) => each!(i8),
            Some(Number::Int(2, false)) => each!(u16),
            Some(Number::Int(2, true)) => each!(i16),
            Some(Number::Int(4, false)) => each!(u32),
            Some(Number::Int(4, true)) => each!(i32),
            Some(Number::Int(_, false)) => each!(u64),
            Some(Number::Int(_, true)) => each!(i64),
            Some(Number::Float(4)) => each!(f32),
            Some(Number::Float(_)) => each!(f64),
            None => Vec::new(),
        };
        if values.len() != ranges.iter().map(ExactSizeIterator::len).product::<usize>() {
            let problem = format!("its array “{}” is damaged: copy the file again", self.name);
            return Err(Error::file(&self.file.path, problem));
        }
        Ok(values)
    }

    /// All of it, block by block, as the program that wrote it shows it.
    ///
    /// # Errors
    /// As [`Self::block`].
    pub fn read(&self) -> Result<Array> {
        let n_values: usize = self.dims.iter().product();
        let mut values = Vec::with_capacity(n_values.min(BLOCK));
        match self.dims.split_first() {
            None => {
                let scalar = self.block(&[])?;
                values.extend(scalar);
            }
            Some((&n_rows, others)) => {
                let n_row: usize = others.iter().product();
                let step = (BLOCK / n_row.max(1)).max(1);
                for start in (0..n_rows).step_by(step) {
                    let rows = start..(start + step).min(n_rows);
                    let whole = others.iter().map(|&n| 0..n);
                    values.extend(
                        self.block(&std::iter::once(rows).chain(whole).collect::<Vec<_>>())?,
                    );
                }
            }
        }
        let mut shape = self.dims.clone();
        let order = if self.file.from_matlab {
            shape.reverse();
            Order::FirstFastest
        } else {
            Order::LastFastest
        };
        Ok(Array {
            shape,
            order,
            values,
        })
    }
}

/// A number type that can be read, by bytes and sign.
enum Number {
    Int(u32, bool),
    Float(u32),
}

fn number_type(stored: &Stored) -> Option<Number> {
    match stored {
        Stored::FixedPoint {
            size: size @ (1 | 2 | 4 | 8),
            signed,
            ..
        } => Some(Number::Int(u32::from(*size), *signed)),
        Stored::FloatingPoint {
            size: size @ (4 | 8),
            ..
        } => Some(Number::Float(u32::from(*size))),
        _ => None,
    }
}

fn type_name(stored: &Stored) -> String {
    match number_type(stored) {
        Some(Number::Int(size, true)) => format!("int{}", 8 * size),
        Some(Number::Int(size, false)) => format!("uint{}", 8 * size),
        Some(Number::Float(size)) => format!("float{}", 8 * size),
        None => match stored {
            Stored::String { .. } => "text",
            Stored::Compound { .. } => "records",
            Stored::Reference { .. } => "references",
            _ => "values of another kind",
        }
        .to_owned(),
    }
}
