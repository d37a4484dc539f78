//! One door to numbers in files: NumPy, MATLAB and HDF5 arrays by file and name.

use std::path::{Path, PathBuf};

use crate::io::{hdf5, mat, npy, npz};
use crate::matrix::Matrix;
use crate::{Error, Result};

/// An array, as the program that wrote it shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes along its dimensions.
    pub shape: Vec<usize>,
    /// Which index runs fastest in `values`.
    pub order: Order,
    /// The numbers. As `f32`, whole numbers are exact up to 2²⁴.
    pub values: Vec<f32>,
}

/// Which index of an array runs fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first: MATLAB.
    FirstFastest,
    /// The last: C, NumPy, HDF5.
    LastFastest,
}

/// What a file says of one of its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayInfo {
    /// The name that [`read`] takes: `x`, or `group/x` inside HDF5, or `s.x` inside a MATLAB struct.
    pub name: String,
    /// Sizes along its dimensions, as the program that wrote it shows them.
    pub shape: Vec<usize>,
    /// How values are stored: `int16`, or a word for what is no numbers.
    pub datatype: String,
}

impl Array {
    /// As rows × columns: dimensions of size 1 beyond the second are dropped, a vector is a column.
    ///
    /// # Errors
    /// When it has three or more dimensions; the text does not name the file.
    pub fn into_matrix(self) -> Result<Matrix> {
        let mut shape = self.shape;
        while shape.len() > 2 && shape.last() == Some(&1) {
            shape.pop();
        }
        let (n_rows, n_cols) = match *shape.as_slice() {
            [] => (1, 1),
            [n] => (n, 1),
            [rows, cols] => (rows, cols),
            _ => {
                return Err(Error::data(format!(
                    "the array has {} dimensions ({}) where a table needs two: reshape it to rows × columns",
                    shape.len(),
                    times(&shape)
                )));
            }
        };
        match self.order {
            Order::LastFastest => Matrix::from_values(n_rows, n_cols, self.values),
            Order::FirstFastest => {
                Ok(Matrix::from_values(n_cols, n_rows, self.values)?.transposed())
            }
        }
    }
}

/// Where an array is: a file, and its name in it where the file holds several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The file.
    pub path: PathBuf,
    /// The array in it.
    pub name: Option<String>,
}

impl Address {
    /// Takes `betas.npy`, `x.npz:betas`, `x.mat:betas`, `x.h5:group/betas` apart. A colon counts
    /// only after an ending of a format that holds several arrays, so `C:\betas.npy` is one file.
    pub fn parse(text: &str) -> Self {
        let named = text.rsplit_once(':').filter(|(path, name)| {
            let path = path.to_ascii_lowercase();
            let holds_several = [".npz", ".mat", ".h5", ".hdf5", ".he5"];
            !name.is_empty() && holds_several.iter().any(|ending| path.ends_with(ending))
        });
        match named {
            Some((path, name)) => Self {
                path: path.into(),
                name: Some(name.to_owned()),
            },
            None => Self {
                path: text.into(),
                name: None,
            },
        }
    }
}

/// What a file holds: `.npy` and `.npz`, MATLAB 5 to 7.3, HDF5, told by their first bytes.
///
/// # Errors
/// When it is none of these or damaged.
pub fn list(path: &Path) -> Result<Vec<ArrayInfo>> {
    if hdf5::is_hdf5(path)? {
        return hdf5::open(path)?.list();
    }
    if mat::is_mat(path)? {
        return mat::list(path);
    }
    if is_npz(path) {
        let unread = |name| ArrayInfo {
            name,
            shape: Vec::new(),
            datatype: "array".to_owned(),
        };
        return Ok(npz::names(path)?.into_iter().map(unread).collect());
    }
    let matrix = npy::read(path)?;
    Ok(vec![ArrayInfo {
        name: String::new(),
        shape: vec![matrix.n_rows, matrix.n_cols],
        datatype: "array".to_owned(),
    }])
}

/// Reads a matrix. Without a name the file must hold a single array of numbers. What was assumed
/// is added to `assumptions`.
///
/// # Errors
/// When the file cannot be read, has no array of that name (the text lists those there are), or the
/// array is not of two dimensions.
pub fn read(address: &Address, assumptions: &mut Vec<String>) -> Result<Matrix> {
    let path = &address.path;
    let several = is_npz(path) || hdf5::is_hdf5(path)? || mat::is_mat(path)?;
    if !several {
        return match &address.name {
            Some(name) => Err(Error::file(
                path,
                format!("holds one array without a name: leave :{name} out"),
            )),
            None => npy::read(path),
        };
    }
    let name = match &address.name {
        Some(name) => name.clone(),
        None => only_name(path)?,
    };
    if is_npz(path) {
        return npz::read(path, &name);
    }
    let array = if hdf5::is_hdf5(path)? {
        let file = hdf5::open(path)?;
        if file.from_matlab() {
            assumptions.push(format!(
                "{}: MATLAB writes dimensions into HDF5 in reverse, so they are turned back",
                path.file_name().unwrap_or_default().display()
            ));
        }
        file.array(&name)?.read()?
    } else {
        mat::read(path, &name)?
    };
    array
        .into_matrix()
        .map_err(|problem| Error::file(path, format!("{name}: {problem}")))
}

/// The error for a name that a file does not have.
pub(crate) fn no_such_array(path: &Path, name: &str, all: &[ArrayInfo]) -> Error {
    if all.is_empty() {
        return Error::file(path, "holds no arrays: save the numbers into it");
    }
    Error::file(
        path,
        format!("has no array “{name}”: choose among {}", listing(all)),
    )
}

/// `betas (10 × 40 float64), xyz (40 × 3 float32)`.
pub(crate) fn listing(all: &[ArrayInfo]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|info| {
            if info.shape.is_empty() {
                info.name.clone()
            } else {
                format!("{} ({} {})", info.name, times(&info.shape), info.datatype)
            }
        })
        .collect();
    if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    names.join(", ")
}

/// `81 × 104 × 83`.
pub(crate) fn times(shape: &[usize]) -> String {
    shape
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" × ")
}

fn only_name(path: &Path) -> Result<String> {
    let mut all = list(path)?;
    match all.len() {
        1 => Ok(all.remove(0).name),
        0 => Err(no_such_array(path, "", &all)),
        _ => Err(Error::file(
            path,
            format!(
                "holds several arrays: add :NAME to its name, one of {}",
                listing(&all)
            ),
        )),
    }
}

fn is_npz(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npz"))
}
