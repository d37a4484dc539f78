//! One `DataArray` of a GIFTI file: from text, base64 or a file beside it to numbers.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use base64::Engine;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use roxmltree::{Document, Node};

use super::meta;
use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::{Error, Result};

/// An array whose numbers are still as the file has them.
pub(super) struct Array<'a> {
    /// Without `NIFTI_INTENT_`.
    pub(super) intent: String,
    /// From its meta data.
    pub(super) name: Option<String>,
    /// The space its coordinates are in, as the file names it.
    pub(super) data_space: String,
    datatype: Datatype,
    order: ByteOrder,
    column_major: bool,
    dims: Vec<usize>,
    encoding: Encoding,
    text: Cow<'a, str>,
    external: Option<(String, u64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Ascii,
    Base64,
    GzipBase64,
    External,
}

/// FreeSurfer writes the whole path of its own file as the name of an array.
fn plain_name(name: &str) -> String {
    let file = if name.starts_with('/') {
        name.rsplit('/').next()
    } else {
        None
    };
    file.unwrap_or(name).to_owned()
}

/// All arrays of the file, none of them decoded yet.
pub(super) fn all<'a>(path: &Path, document: &'a Document<'a>) -> Result<Vec<Array<'a>>> {
    let root = document.root_element();
    root.children()
        .filter(|n| n.has_tag_name("DataArray"))
        .map(|n| array(path, n))
        .collect()
}

fn array<'a>(path: &Path, node: Node<'a, 'a>) -> Result<Array<'a>> {
    let attribute = |name: &str| node.attribute(name).unwrap_or_default().trim();
    let unknown = |name: &str| {
        Error::file(
            path,
            format!(
                "has an array whose {name} is “{}”, which is not known: write it again",
                attribute(name)
            ),
        )
    };
    let intent = attribute("Intent")
        .trim_start_matches("NIFTI_INTENT_")
        .to_owned();
    let datatype = match attribute("DataType").trim_start_matches("NIFTI_TYPE_") {
        "UINT8" => Datatype::U8,
        "INT8" => Datatype::I8,
        "UINT16" => Datatype::U16,
        "INT16" => Datatype::I16,
        "UINT32" => Datatype::U32,
        "INT32" => Datatype::I32,
        "UINT64" => Datatype::U64,
        "INT64" => Datatype::I64,
        "FLOAT32" => Datatype::F32,
        "FLOAT64" => Datatype::F64,
        _ => return Err(unknown("DataType")),
    };
    let encoding = match attribute("Encoding").trim_start_matches("GIFTI_ENCODING_") {
        "ASCII" => Encoding::Ascii,
        "Base64Binary" | "B64BIN" => Encoding::Base64,
        "GZipBase64Binary" | "B64GZ" => Encoding::GzipBase64,
        "ExternalFileBinary" | "EXTBIN" => Encoding::External,
        _ => return Err(unknown("Encoding")),
    };
    let order = match attribute("Endian").trim_start_matches("GIFTI_ENDIAN_") {
        "BigEndian" | "BIG" => ByteOrder::Big,
        "LittleEndian" | "LITTLE" | "" => ByteOrder::Little,
        _ => return Err(unknown("Endian")),
    };
    let n_dims = attribute("Dimensionality")
        .parse()
        .ok()
        .filter(|n| (1..=6usize).contains(n));
    let n_dims = n_dims.ok_or_else(|| unknown("Dimensionality"))?;
    let dims = (0..n_dims)
        .map(|d| {
            let name = format!("Dim{d}");
            let size = attribute(&name).parse().ok().filter(|&size| size > 0);
            size.ok_or_else(|| unknown(&name))
        })
        .collect::<Result<Vec<usize>>>()?;
    let external = (encoding == Encoding::External).then(|| {
        (
            attribute("ExternalFileName").to_owned(),
            attribute("ExternalFileOffset").parse().unwrap_or(0),
        )
    });
    let space = node
        .descendants()
        .find(|n| n.has_tag_name("DataSpace"))
        .and_then(|n| n.text());
    let data = node.children().find(|n| n.has_tag_name("Data"));
    let texts = || {
        data.iter()
            .flat_map(Node::children)
            .filter_map(|n| n.text())
    };
    // Text with comments or entities in it comes in several pieces.
    let text = match texts().count() {
        0 | 1 => Cow::Borrowed(texts().next().unwrap_or_default()),
        _ => Cow::Owned(texts().collect()),
    };
    Ok(Array {
        name: meta(node, "Name").map(plain_name),
        data_space: space.unwrap_or_default().trim().to_owned(),
        column_major: attribute("ArrayIndexingOrder").starts_with("ColumnMajor"),
        intent,
        datatype,
        order,
        dims,
        encoding,
        text,
        external,
    })
}

impl Array<'_> {
    /// The first dimension, and the product of the others.
    pub(super) fn rows_and_columns(&self) -> (usize, usize) {
        (self.dims[0], self.dims[1..].iter().product())
    }

    /// The numbers, row after row.
    pub(super) fn values<T: Copy + Default>(
        &self,
        path: &Path,
        convert: impl Fn(f64) -> T,
    ) -> Result<Vec<T>> {
        let n = self.dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let values = match n.and_then(|n| Some((n, n.checked_mul(self.datatype.size())?))) {
            Some((n, _)) if self.encoding == Encoding::Ascii => {
                self.ascii_values(path, n, convert)?
            }
            Some((n, n_bytes)) => {
                let bytes = self.bytes(path, n_bytes)?;
                let mut values = vec![T::default(); n];
                decode(self.datatype, self.order, &bytes, &mut values, convert);
                values
            }
            None => return Err(self.too_short(path)),
        };
        let (rows, columns) = self.rows_and_columns();
        if !self.column_major || self.dims.len() < 2 {
            return Ok(values);
        }
        if self.dims.len() > 2 {
            return Err(Error::file(
                path,
                "has a column-major array of three or more dimensions: write it in row-major order",
            ));
        }
        Ok((0..rows * columns)
            .map(|i| values[i % columns * rows + i / columns])
            .collect())
    }

    /// The numbers of an array of n × 3.
    pub(super) fn triples<T: Copy + Default>(
        &self,
        path: &Path,
        convert: impl Fn(f64) -> T,
    ) -> Result<Vec<[T; 3]>> {
        if self.dims.len() != 2 || self.dims[1] != 3 {
            return Err(Error::file(
                path,
                format!(
                    "its {} array is of size {:?} and not n × 3: write the surface again",
                    self.intent, self.dims
                ),
            ));
        }
        Ok(self.values(path, convert)?.as_chunks::<3>().0.to_vec())
    }

    fn ascii_values<T>(&self, path: &Path, n: usize, convert: impl Fn(f64) -> T) -> Result<Vec<T>> {
        let mut values = Vec::new();
        for word in self.text.split_ascii_whitespace().take(n) {
            let value = word
                .parse()
                .map_err(|_no_number: std::num::ParseFloatError| {
                    Error::file(
                        path,
                        format!("has “{word}” where a number should be: write it again"),
                    )
                })?;
            values.push(convert(value));
        }
        if values.len() < n {
            Err(self.too_short(path))
        } else {
            Ok(values)
        }
    }

    /// Exactly `n_bytes` bytes of numbers. Memory grows with what is there, not with what is promised.
    fn bytes(&self, path: &Path, n_bytes: usize) -> Result<Vec<u8>> {
        let mut bytes = match &self.external {
            Some((name, offset)) => self.beside(path, name, *offset, n_bytes)?,
            None => self.base64_bytes(path, n_bytes)?,
        };
        if bytes.len() < n_bytes {
            return Err(self.too_short(path));
        }
        bytes.truncate(n_bytes);
        Ok(bytes)
    }

    fn base64_bytes(&self, path: &Path, n_bytes: usize) -> Result<Vec<u8>> {
        let packed: Vec<u8> = self
            .text
            .bytes()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        let config = base64::engine::general_purpose::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
        let base64 = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config);
        let damaged = |why: String| {
            Error::file(
                path,
                format!(
                    "its {} array is damaged ({why}): copy or download it again",
                    self.intent
                ),
            )
        };
        let bytes = base64.decode(packed).map_err(|e| damaged(e.to_string()))?;
        if self.encoding == Encoding::Base64 {
            return Ok(bytes);
        }
        // One byte more than needed, so that the stream's checksum is reached and held.
        let wanted = (n_bytes as u64).saturating_add(1);
        // Despite the name the standard's stream is zlib; both occur.
        let mut out = Vec::new();
        let read = if bytes.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(bytes.as_slice())
                .take(wanted)
                .read_to_end(&mut out)
        } else {
            ZlibDecoder::new(bytes.as_slice())
                .take(wanted)
                .read_to_end(&mut out)
        };
        read.map_err(|e| damaged(e.to_string()))?;
        Ok(out)
    }

    /// Reads the data file, which must lie in the folder of the GIFTI file or below it.
    fn beside(&self, path: &Path, name: &str, offset: u64, n_bytes: usize) -> Result<Vec<u8>> {
        let plain = Path::new(name).components().all(|c| {
            matches!(
                c,
                std::path::Component::Normal(_) | std::path::Component::CurDir
            )
        });
        if name.is_empty() || !plain {
            return Err(Error::file(
                path,
                format!(
                    "keeps its data in “{name}”, which is not in its own folder: put the two together"
                ),
            ));
        }
        let file = path.parent().unwrap_or(Path::new("")).join(name);
        if !file.is_file() {
            return Err(Error::file(
                path,
                format!(
                    "keeps its data in {}, which is not there: put the two into one folder",
                    file.display()
                ),
            ));
        }
        let mut bytes = Bytes::open(&file)?;
        bytes.skip(offset)?;
        bytes.up_to(n_bytes as u64)
    }

    fn too_short(&self, path: &Path) -> Error {
        Error::file(
            path,
            format!(
                "its {} array holds fewer numbers than the {:?} it promises: copy or download it again",
                self.intent, self.dims
            ),
        )
    }
}
