//! Sets of whole numbers as ascending lists.

use std::cmp::Ordering;

/// In either.
pub fn union(a: &[u32], b: &[u32]) -> Vec<u32> {
    merge(a, b, [true, true, true])
}

/// In both.
pub fn intersection(a: &[u32], b: &[u32]) -> Vec<u32> {
    merge(a, b, [false, true, false])
}

/// In the first and not in the second.
pub fn difference(a: &[u32], b: &[u32]) -> Vec<u32> {
    merge(a, b, [true, false, false])
}

/// Keeps what is only in `a`, in both, only in `b`.
fn merge(mut a: &[u32], mut b: &[u32], [only_a, both, only_b]: [bool; 3]) -> Vec<u32> {
    let mut kept = Vec::new();
    while let (Some((&x, a_rest)), Some((&y, b_rest))) = (a.split_first(), b.split_first()) {
        let (keeps, value) = match x.cmp(&y) {
            Ordering::Less => (only_a, x),
            Ordering::Equal => (both, x),
            Ordering::Greater => (only_b, y),
        };
        if keeps {
            kept.push(value);
        }
        if x <= y {
            a = a_rest;
        }
        if y <= x {
            b = b_rest;
        }
    }
    if only_a {
        kept.extend_from_slice(a);
    }
    if only_b {
        kept.extend_from_slice(b);
    }
    kept
}

/// A list put in order, each number once.
pub fn ascending(mut all: Vec<u32>) -> Vec<u32> {
    all.sort_unstable();
    all.dedup();
    all
}

/// An ascending list as stretches: first number and length, one after the other.
pub fn stretches(all: &[u32]) -> Vec<u32> {
    let mut stretches: Vec<u32> = Vec::new();
    for &v in all {
        match stretches.last_chunk_mut::<2>() {
            Some([first, n]) if *first + *n == v => *n += 1,
            _ => stretches.extend([v, 1]),
        }
    }
    stretches
}

/// The list of [`stretches`] of numbers below `end`; nothing when they are not ascending, or go beyond.
pub fn from_stretches(stretches: &[u32], end: usize) -> Option<Vec<u32>> {
    let (pairs, rest) = stretches.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    let mut least = 0;
    for &[first, n] in pairs {
        let after = first.checked_add(n)?;
        if n == 0 || first < least || after as usize > end {
            return None;
        }
        all.extend(first..after);
        least = after;
    }
    Some(all)
}

/// A set that answers in one look.
#[derive(Clone, Debug)]
pub struct Dense(Vec<u64>);

impl Dense {
    /// The members of a list that are below `n`.
    pub fn new(n: usize, members: &[u32]) -> Self {
        let mut bits = vec![0; n.div_ceil(64)];
        for &v in members {
            if let Some(word) = bits.get_mut(v as usize / 64) {
                *word |= 1 << (v % 64);
            }
        }
        Self(bits)
    }

    /// Whether a number is a member.
    pub fn has(&self, v: usize) -> bool {
        self.0
            .get(v / 64)
            .is_some_and(|word| word >> (v % 64) & 1 == 1)
    }
}
