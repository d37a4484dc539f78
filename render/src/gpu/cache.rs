//! Uploaded values by key, forgotten when they are no longer drawn.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::RenderError;
use crate::scene::Key;

/// Draws after which a value that no draw used is dropped.
const LIFETIME: u64 = 240;
/// The same for a value of which a newer revision exists: scrubbing through a series must not pile up volumes.
const SUPERSEDED_LIFETIME: u64 = 16;

#[derive(Debug)]
pub(super) struct Cache<T> {
    entries: BTreeMap<Key, (T, u64)>,
}

impl<T: Clone> Cache<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }

    /// The value of a key at draw `now`, made if it is not there. GPU handles are cheap to clone.
    pub(super) fn get(
        &mut self,
        key: Key,
        now: u64,
        make: impl FnOnce() -> Result<T, RenderError>,
    ) -> Result<T, RenderError> {
        if let Some((value, used)) = self.entries.get_mut(&key) {
            *used = now;
            return Ok(value.clone());
        }
        let value = make()?;
        self.entries.insert(key, (value.clone(), now));
        Ok(value)
    }

    /// Drops what has not been drawn for long.
    pub(super) fn evict(&mut self, now: u64) {
        let mut newest: BTreeMap<u64, u64> = BTreeMap::new();
        for (key, (_, used)) in &self.entries {
            let latest = newest.entry(key.id).or_default();
            *latest = (*latest).max(*used);
        }
        self.entries.retain(|key, (_, used)| {
            let idle = now.saturating_sub(*used);
            let superseded = newest.get(&key.id).is_some_and(|latest| latest > used);
            idle <= if superseded {
                SUPERSEDED_LIFETIME
            } else {
                LIFETIME
            }
        });
    }
}

/// The key of what is made from several values and something else.
pub(super) fn folded<const N: usize>(keys: [Key; N], other: &impl Hash) -> Key {
    let mut id = DefaultHasher::new();
    keys.map(|key| key.id).hash(&mut id);
    let mut revision = DefaultHasher::new();
    (keys, other).hash(&mut revision);
    Key {
        id: id.finish(),
        revision: revision.finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_revisions_go_first() {
        let mut cache = Cache::new();
        let key = |id, revision| Key { id, revision };
        let mut made = 0;
        let mut get = |cache: &mut Cache<u32>, k, now| {
            cache
                .get(k, now, || {
                    made += 1;
                    Ok(made)
                })
                .unwrap()
        };
        get(&mut cache, key(1, 0), 1);
        get(&mut cache, key(2, 0), 1);
        for now in 2..100 {
            get(&mut cache, key(1, now), now);
            cache.evict(now);
        }
        let kept: Vec<Key> = cache.entries.keys().copied().collect();
        assert!(kept.contains(&key(2, 0)) && !kept.contains(&key(1, 0)));
        assert_eq!(kept.len(), 1 + 1 + SUPERSEDED_LIFETIME as usize);
        assert_eq!(
            get(&mut cache, key(2, 0), 100),
            2,
            "still the value made first"
        );
        cache.evict(100 + LIFETIME + 1);
        assert!(cache.entries.is_empty());
    }
}
