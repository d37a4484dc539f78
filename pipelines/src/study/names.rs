//! What file names and labels say: BIDS entities, natural order, near misses.

use std::cmp::Ordering;
use std::path::Path;

use crate::Error;
use crate::study::Entities;

/// The order in which BIDS writes the entities that this program meets.
const ENTITY_ORDER: [&str; 18] = [
    "sub", "ses", "task", "acq", "ce", "rec", "dir", "run", "echo", "part", "hemi", "space", "res",
    "den", "label", "contrast", "stat", "desc",
];

/// A file name taken apart: `sub-01_run-2_bold.nii.gz` has the entities `sub` and `run`, the
/// suffix `bold` and the extension `nii.gz`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BidsName {
    /// Values by key.
    pub(super) entities: Entities,
    /// What kind of data it is.
    pub(super) suffix: String,
    /// Everything after the suffix's dot: `nii.gz`, `surf.gii`.
    pub(super) extension: String,
}

impl BidsName {
    /// `None` when a part is neither `key-value` nor, as the last one, `suffix.extension`.
    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let (front, last) = file_name.rsplit_once('_').unwrap_or(("", file_name));
        let (suffix, extension) = last.split_once('.')?;
        if suffix.is_empty() || suffix.contains('-') {
            return None;
        }
        let mut entities = Entities::new();
        for part in front.split('_').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('-')?;
            entities.insert(key.to_owned(), value.to_owned());
        }
        Some(Self {
            entities,
            suffix: suffix.to_owned(),
            extension: extension.to_owned(),
        })
    }
}

/// Whether every entity of `general` has the same value in `special`: the BIDS inheritance rule.
pub(super) fn applies_to(general: &Entities, special: &Entities) -> bool {
    general
        .iter()
        .all(|(key, value)| special.get(key) == Some(value))
}

/// `task-x_run-01`, the entities that `keep` names, in the order of BIDS.
pub(super) fn entity_text(entities: &Entities, keep: impl Fn(&str) -> bool) -> String {
    let mut pairs: Vec<_> = entities.iter().filter(|(key, _)| keep(key)).collect();
    pairs.sort_by_key(|(key, _)| entity_rank(key));
    let texts: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key}-{value}"))
        .collect();
    texts.join("_")
}

/// Where an entity stands in a file name; unknown ones come before the description.
fn entity_rank(key: &str) -> usize {
    ENTITY_ORDER
        .iter()
        .position(|known| *known == key)
        .unwrap_or(ENTITY_ORDER.len() - 2)
}

/// Compares as people count: `run-2` before `run-10`.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (number_a, tail_a) = split_number(rest_a);
        let (number_b, tail_b) = split_number(rest_b);
        let order = if number_a.is_empty() || number_b.is_empty() {
            let (mut chars_a, mut chars_b) = (rest_a.chars(), rest_b.chars());
            let (next_a, next_b) = (chars_a.next(), chars_b.next());
            if next_a.is_none() && next_b.is_none() {
                return a.cmp(b);
            }
            (rest_a, rest_b) = (chars_a.as_str(), chars_b.as_str());
            next_a.cmp(&next_b)
        } else {
            let (digits_a, digits_b) = (
                number_a.trim_start_matches('0'),
                number_b.trim_start_matches('0'),
            );
            (rest_a, rest_b) = (tail_a, tail_b);
            digits_a
                .len()
                .cmp(&digits_b.len())
                .then_with(|| digits_a.cmp(digits_b))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The digits a text begins with, and the rest.
fn split_number(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// The choice that `wanted` is probably a slip of, if one is near enough.
pub(crate) fn did_you_mean<'a>(wanted: &str, choices: &[&'a str]) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let limit = wanted.chars().count().div_ceil(3);
    choices
        .iter()
        .map(|&choice| (edit_distance(&wanted, &choice.to_lowercase()), choice))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}

/// Letters to insert, delete or replace (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter_a) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (letter_b, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(letter_a != *letter_b);
            diagonal = *above;
            left = replaced.min(*above + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// "there is no subject “S3” in …: choose among S1, S2 (did you mean “S1”?)".
pub(super) fn unknown(what: &str, wanted: &str, place: &str, choices: &[&str]) -> Error {
    if choices.is_empty() {
        return Error::Choice(format!("there is no {what} “{wanted}”: {place} has none"));
    }
    let hint = did_you_mean(wanted, choices)
        .map_or_else(String::new, |near| format!(" (did you mean “{near}”?)"));
    Error::Choice(format!(
        "there is no {what} “{wanted}” in {place}: choose among {}{hint}",
        choices.join(", ")
    ))
}

/// The file's own name, without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The file's own name up to its extensions: `lh.pial` of `lh.pial.surf.gii.gz`.
pub(super) fn file_stem(path: &Path) -> String {
    const EXTENSIONS: [&str; 9] = [
        ".gz", ".nii", ".gii", ".surf", ".shape", ".label", ".func", ".img", ".hdr",
    ];
    let name = file_name(path);
    let mut stem = name.as_str();
    for extension in EXTENSIONS {
        stem = stem.strip_suffix(extension).unwrap_or(stem);
    }
    stem.to_owned()
}
