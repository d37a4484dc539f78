//! The user's own regions, and how all regions are shown: part of the view, so that every edit can be undone and is
//! saved with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fusiform_pipelines::roi::Roi;
use serde::{Deserialize, Serialize};

/// Regions that were drawn, and how those of the atlas are shown. A region is known by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Regions {
    /// Those that were drawn, in their order.
    #[serde(with = "shared")]
    pub own: Vec<Arc<Roi>>,
    /// Those that are not shown.
    pub hidden: BTreeSet<String>,
    /// The one that alone is shown.
    pub only: Option<String>,
    /// Colours that were chosen.
    pub colours: BTreeMap<String, [u8; 3]>,
    /// Whether names are written on slices and surfaces.
    pub names: bool,
}

impl Default for Regions {
    fn default() -> Self {
        Self {
            own: Vec::new(),
            hidden: BTreeSet::new(),
            only: None,
            colours: BTreeMap::new(),
            names: true,
        }
    }
}

/// An edit of regions.
#[derive(Clone, Debug)]
pub enum RegionChange {
    /// A region is added; its name gets a number when it is taken.
    Add(Arc<Roi>),
    /// Another stands in the place of the drawn one of that name, and keeps its name and colour.
    Replace(String, Arc<Roi>),
    /// Drawn ones are taken away.
    Remove(Vec<String>),
    /// A drawn one gets another name.
    Rename {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
    },
    /// Some are shown, or not.
    Show(Vec<String>, bool),
    /// One alone is shown, or all that are not hidden.
    Only(Option<String>),
    /// One gets another colour.
    Colour(String, [u8; 3]),
    /// Names are written, or not.
    Names(bool),
}

impl Regions {
    /// Whether a region is shown.
    pub fn shows(&self, name: &str) -> bool {
        match &self.only {
            Some(only) => only == name,
            None => !self.hidden.contains(name),
        }
    }

    /// The colour of a region whose own is `first`.
    pub fn colour(&self, name: &str, first: [u8; 3]) -> [u8; 3] {
        self.colours.get(name).copied().unwrap_or(first)
    }

    /// A drawn region.
    pub fn own(&self, name: &str) -> Option<&Arc<Roi>> {
        self.own.iter().find(|roi| roi.name == name)
    }

    /// Whether nothing was done to regions.
    pub fn is_untouched(&self) -> bool {
        let names = self.names;
        *self
            == Self {
                names,
                ..Self::default()
            }
    }

    /// Carries an edit out. `taken`: names that are not free beside those of the drawn regions.
    pub fn change(&mut self, change: RegionChange, taken: &dyn Fn(&str) -> bool) {
        match change {
            RegionChange::Add(roi) => {
                let name = self.free(&roi.name, taken);
                self.hidden.remove(&name);
                if self.only.is_some() {
                    self.only = Some(name.clone());
                }
                self.own.push(named(roi, name));
            }
            RegionChange::Replace(name, roi) => {
                if let Some(own) = self.own.iter_mut().find(|own| own.name == name) {
                    *own = named(roi, name);
                }
            }
            RegionChange::Remove(names) => {
                self.own.retain(|own| !names.contains(&own.name));
                for name in &names {
                    self.hidden.remove(name);
                    self.colours.remove(name);
                }
                self.only.take_if(|only| names.contains(only));
            }
            RegionChange::Rename { from, to } => {
                let to = to.trim();
                if to.is_empty() || to == from || self.own(&from).is_none() {
                    return;
                }
                let to = self.free(to, taken);
                if let Some(own) = self.own.iter_mut().find(|own| own.name == from) {
                    *own = named(Arc::clone(own), to.clone());
                }
                if self.hidden.remove(&from) {
                    self.hidden.insert(to.clone());
                }
                if let Some(colour) = self.colours.remove(&from) {
                    self.colours.insert(to.clone(), colour);
                }
                if self.only.as_ref() == Some(&from) {
                    self.only = Some(to);
                }
            }
            RegionChange::Show(names, shown) => {
                for name in names {
                    if shown {
                        self.hidden.remove(&name);
                    } else {
                        self.hidden.insert(name);
                    }
                }
                self.only = None;
            }
            RegionChange::Only(only) => self.only = only,
            RegionChange::Colour(name, colour) => {
                self.colours.insert(name, colour);
            }
            RegionChange::Names(on) => self.names = on,
        }
    }

    /// The name, with a number when it is taken.
    fn free(&self, wanted: &str, taken: &dyn Fn(&str) -> bool) -> String {
        let is_free = |name: &str| self.own(name).is_none() && !taken(name);
        if is_free(wanted) {
            return wanted.to_owned();
        }
        let numbered = (2..).map(|n| format!("{wanted} {n}"));
        numbered
            .into_iter()
            .find(|name| is_free(name))
            .unwrap_or_default()
    }

    /// Takes in, hidden, what `other` has drawn and these lack, so that nothing is lost when a saved view comes.
    pub fn keep(&mut self, other: &Self) {
        for roi in &other.own {
            if self.own(&roi.name).is_none() {
                self.hidden.insert(roi.name.clone());
                self.own.push(Arc::clone(roi));
            }
        }
    }
}

fn named(roi: Arc<Roi>, name: String) -> Arc<Roi> {
    if roi.name == name {
        return roi;
    }
    Arc::new(Roi {
        name,
        ..Roi::clone(&roi)
    })
}

/// Shared regions are saved as what they are.
mod shared {
    use std::sync::Arc;

    use fusiform_pipelines::roi::Roi;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(own: &[Arc<Roi>], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(own.iter().map(|roi| &**roi))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Arc<Roi>>, D::Error> {
        let own = Vec::<Roi>::deserialize(from)?;
        Ok(own.into_iter().map(Arc::new).collect())
    }
}
