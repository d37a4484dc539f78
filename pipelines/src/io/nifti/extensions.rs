//! The blocks that other programs put between the header and the values.

use crate::Result;
use crate::io::bytes::Bytes;
use crate::io::dtype::ByteOrder;

/// A block of another program's data. It is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Whose it is, by the register of the standard: 2 DICOM, 4 AFNI, 6 a comment, 32 CIFTI, …
    pub code: i32,
    /// Its length, the 8 bytes of code and length included.
    pub n_bytes: usize,
}

/// What follows the header in `file`, up to byte `end` of it (where the values begin) or to the
/// end of the file. The chain is followed no further than it makes sense; whether it does not is
/// the second value.
///
/// `at` is the length of the header, behind which four bytes tell whether there is anything.
pub(super) fn list(
    file: &mut Bytes,
    order: ByteOrder,
    at: u64,
    end: u64,
) -> Result<(Vec<Extension>, bool)> {
    let mut found = Vec::new();
    let announced = file.up_to(4)?;
    if announced.first().is_none_or(|&b| b == 0) {
        return Ok((found, false));
    }
    let mut at = at + 4;
    while at + 8 <= end {
        let head = file.up_to(8)?;
        let (Some(n_bytes), Some(code)) = (int(&head, 0, order), int(&head, 4, order)) else {
            return Ok((found, end != u64::MAX || !head.is_empty()));
        };
        let next = u64::try_from(n_bytes).ok().filter(|&n| n >= 8);
        let Some(next) = next.map(|n| at + n).filter(|&next| next <= end) else {
            return Ok((found, true));
        };
        if file.skip(next - at - 8).is_err() {
            return Ok((found, true));
        }
        found.push(Extension {
            code,
            n_bytes: n_bytes as usize,
        });
        at = next;
    }
    Ok((found, false))
}

fn int(bytes: &[u8], at: usize, order: ByteOrder) -> Option<i32> {
    let four = *bytes.get(at..)?.first_chunk::<4>()?;
    Some(match order {
        ByteOrder::Little => i32::from_le_bytes(four),
        ByteOrder::Big => i32::from_be_bytes(four),
    })
}
