//! Files in and out. Formats are told by their first bytes, not by their names.
//!
//! | format | read | written |
//! |---|---|---|
//! | NIfTI-1, NIfTI-2, pairs, gzip | [`nifti`] | NIfTI-1 |
//! | volume atlas with its look-up table | [`atlas`] | [`nifti::write_labels`] |
//! | GIFTI surfaces, maps, labels | [`gifti`] | yes |
//! | FreeSurfer surfaces, maps, annotations, labels, patches, MGH | [`freesurfer`] | no |
//! | CIFTI-2 | [`cifti`] | no |
//! | NumPy arrays | [`npy`], [`npz`] | `.npy` |
//! | MATLAB arrays, versions 5 to 7.3; HDF5 arrays | [`mat`], [`hdf5`] | no |
//! | any of these arrays, by file and name | [`mod@array`] | no |
//! | TSV, CSV | [`table`] | TSV |
//! | PNG, JPEG | [`picture`] | PNG |
//!
//! No reader trusts a size it has read: what a header promises is held against the
//! length of the file before memory is asked for. What had to be guessed is said in
//! the `assumptions` of the value; what cannot be guessed is one sentence of error.

pub mod array;
pub mod atlas;
mod bytes;
pub mod cifti;
pub mod detect;
mod dtype;
pub mod freesurfer;
pub mod gifti;
pub mod hdf5;
pub mod inspect;
mod load;
pub mod mat;
pub mod nifti;
pub mod npy;
pub mod npz;
pub mod picture;
pub mod table;
pub mod write;

pub use dtype::{ByteOrder, Datatype};
