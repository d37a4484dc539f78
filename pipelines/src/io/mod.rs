//! Files in and out. Formats are told by their first bytes, not by their names.

pub mod gifti;
pub mod nifti;
pub mod npy;
pub mod picture;
pub mod table;
pub mod write;
