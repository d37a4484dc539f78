//! Which words a caption holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shown, Space};
use crate::matrix::Matrix;
use crate::{Error, Result};

/// Words that fewer captions hold are left out: their weight could not be learned.
const LEAST: usize = 5;
/// Words that say nothing of what is seen.
const EMPTY: [&str; 22] = [
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "has", "in", "is", "it", "its", "of",
    "on", "or", "that", "the", "to", "with", "there",
];

/// A column a word, 1 where the caption holds it.
pub(super) fn space(shown: &Shown<'_>) -> Result<Space> {
    let captions: Vec<Option<BTreeSet<String>>> = shown
        .items
        .iter()
        .map(|item| Some(words(item.stimulus?.caption.as_deref()?)))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in captions.iter().flatten().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    let n_captions = captions.iter().flatten().count();
    let kept: Vec<&str> = counts
        .into_iter()
        .filter(|(_, n)| (LEAST..n_captions).contains(n))
        .map(|(word, _)| word)
        .collect();
    if kept.is_empty() {
        return Err(Error::data(format!(
            "no word is in {LEAST} captions or more but not in all ({n_captions} stimuli have captions): choose other features"
        )));
    }
    let mut values = Matrix::zeros(captions.len(), kept.len());
    for (row, caption) in captions.iter().enumerate() {
        for word in caption.iter().flatten() {
            if let Ok(column) = kept.binary_search(&word.as_str()) {
                values.row_mut(row)[column] = 1.0;
            }
        }
    }
    let has: Vec<bool> = captions.iter().map(Option::is_some).collect();
    Ok(shown.space("words", values, Vec::new(), false, &has))
}

/// The words of a caption in small letters.
pub fn words(caption: &str) -> BTreeSet<String> {
    caption
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .filter(|word| !EMPTY.contains(&word.as_str()))
        .collect()
}
