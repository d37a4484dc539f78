//! The NIfTI-2 file around a CIFTI-2 matrix: sizes and types from the header, the description from
//! the extension of code 32.

use std::path::Path;

use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype};
use crate::io::nifti::fields;
use crate::{Error, Result};

/// The header, and the four bytes that tell of extensions.
const HEADER: u64 = 544;

const CIFTI_EXTENSION: i32 = 32;

/// A file opened up to the first byte of its matrix.
pub(super) struct Container {
    pub(super) file: Bytes,
    pub(super) xml: String,
    /// Dimensions 0 and 1 of the matrix, as the description numbers them. The first runs fastest.
    pub(super) dims: [usize; 2],
    pub(super) datatype: Datatype,
    pub(super) order: ByteOrder,
    pub(super) scaling: Option<(f64, f64)>,
}

pub(super) fn open(path: &Path) -> Result<Container> {
    let fields = fields::read(path)?;
    if fields.version != 2 || !(3000..3100).contains(&fields.intent_code) {
        return Err(Error::file(
            path,
            "is a NIfTI and not a CIFTI file: open it as a volume",
        ));
    }
    let datatype = fields.datatype()?;
    let data_offset = fields.data_offset()?;
    let size = |i: usize| usize::try_from(fields.dim[i]).ok().filter(|&n| n > 0);
    let flat = (1..5).all(|i| fields.dim[i] == 1) && (fields.dim[0] < 7 || fields.dim[7] <= 1);
    let (Some(n_first), Some(n_second), 6.., true) = (size(5), size(6), fields.dim[0], flat) else {
        return Err(Error::file(
            path,
            format!(
                "says it has dimensions {:?}, and a CIFTI matrix is 1 × 1 × 1 × 1 × n × m: write it again",
                &fields.dim[1..]
            ),
        ));
    };

    let mut file = Bytes::open(path)?;
    let available = file.at_most();
    let needed = n_first
        .checked_mul(n_second)
        .and_then(|n| n.checked_mul(datatype.size()))
        .and_then(|n| (n as u64).checked_add(data_offset));
    if needed.is_none_or(|n| n > available) {
        return Err(Error::file(
            path,
            format!(
                "promises {n_first} × {n_second} values of {} but is only {available} bytes long at most: it is cut short, so copy or download it again",
                datatype.name()
            ),
        ));
    }
    file.skip(HEADER)?;
    let (xml, at) = read_extensions(path, &mut file, fields.order, data_offset)?;
    file.skip(data_offset - at)?;
    Ok(Container {
        file,
        xml,
        dims: [n_first, n_second],
        datatype,
        order: fields.order,
        scaling: fields.scaling(),
    })
}

/// The description, and the byte after it.
fn read_extensions(
    path: &Path,
    file: &mut Bytes,
    order: ByteOrder,
    data_offset: u64,
) -> Result<(String, u64)> {
    let int = |bytes: [u8; 4]| match order {
        ByteOrder::Little => i32::from_le_bytes(bytes),
        ByteOrder::Big => i32::from_be_bytes(bytes),
    };
    let mut at = HEADER;
    while at + 8 <= data_offset {
        let (mut size, mut code) = ([0; 4], [0; 4]);
        file.fill(&mut size)?;
        file.fill(&mut code)?;
        let size = u64::try_from(int(size)).unwrap_or(0);
        if size < 8 || size > data_offset - at {
            break;
        }
        at += size;
        if int(code) != CIFTI_EXTENSION {
            file.skip(size - 8)?;
            continue;
        }
        let bytes = file.up_to(size - 8)?;
        // Padded to a multiple of 16 bytes with NUL or blanks.
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace() || c == '\u{feff}');
        return Ok((text.to_owned(), at));
    }
    Err(Error::file(
        path,
        "is a CIFTI file without its description (the XML extension is missing or damaged): copy it again, or write it again with wb_command",
    ))
}
