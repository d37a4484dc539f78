//! Short names for content: the same bytes have the same id on every machine.
//!
//! They tell whether something changed, not whether somebody meddled: 128 bits of FNV-1a (Fowler, Noll & Vo), fed
//! with whole words of eight bytes, are no cryptographic hash.

use crate::{Error, Result};

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// An id in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(u128);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self(OFFSET)
    }

    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ u128::from(word)).wrapping_mul(PRIME);
        // High bits come back down, so that every bit of a word reaches every bit of the id.
        self.0 ^= self.0 >> 67;
    }

    /// Takes text in, with its length.
    pub(crate) fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for bytes in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.word(u64::from_le_bytes(word));
        }
    }

    /// Takes numbers in, bit by bit, with their count.
    pub(crate) fn numbers(&mut self, values: &[f32]) {
        self.word(values.len() as u64);
        for pair in values.chunks(2) {
            let high = pair.get(1).map_or(0, |v| v.to_bits());
            self.word(u64::from(high) << 32 | u64::from(pair[0].to_bits()));
        }
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn finish(mut self) -> String {
        self.word(0x5eed);
        format!("{:016x}", (self.0 ^ (self.0 >> 64)) as u64)
    }
}

/// The id of a value that can be written as JSON: of equal values it is equal.
pub(crate) fn of(value: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string(value)
        .map_err(|e| Error::data(format!("these settings cannot be written down: {e}")))?;
    let mut hasher = Hasher::new();
    hasher.text(&text);
    Ok(hasher.finish())
}
