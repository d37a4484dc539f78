//! What the settings of the Select panel lead to, as far as it is computed.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::betas::Columns;
use fusiform_pipelines::select::families::Difference;
use fusiform_pipelines::select::history::{History, Outcome};
use fusiform_pipelines::select::map::{self, Map, MapSource};
use fusiform_pipelines::select::null::Null;
use fusiform_pipelines::select::{
    Contrast, Evaluation, Extraction, FeatureKind, FeatureRef, Source, Statistic, Table, TrialTable,
};
use fusiform_pipelines::space::Grid;

use super::SubjectData;
use crate::layout::{SelectLook, Shown};

mod member;

use member::on_cortex;
pub use member::{Member, OnCortex};

/// Everything of the Select panel that is not a setting.
#[derive(Debug, Default)]
pub struct Selected {
    /// What there is to choose from.
    pub offer: Option<Arc<Offer>>,
    /// Whether they were asked for: what failed is not tried again by itself.
    pub(crate) asked_offer: bool,
    /// The newest features, with the responses they were made from: another contrast needs no file.
    pub extracted: Option<Arc<Extracted>>,
    /// What the map would be without a difference between classes.
    pub null: Option<Arc<Null>>,
    /// Of which statistic and runs it is, or will be.
    pub(crate) null_of: Option<(Statistic, Vec<String>)>,
    /// The map of the ticked runs.
    pub map: Option<MapNow>,
    /// Why there is none, in a sentence.
    pub problem: Option<String>,
    /// The features of the basket, where they are.
    pub members: Vec<Member>,
    /// The newest scores.
    pub scored: Option<Arc<ScoredParts>>,
    /// The newest comparison of kinds of features.
    pub compared: Option<Arc<Vec<Family>>>,
    /// Earlier attempts on this study.
    pub history: Option<History>,
    /// The attempt that would be run again, and what for, until the user says so.
    pub duplicate: Option<(u64, Purpose)>,
    /// Whether a map was asked for while events are read still.
    pub(crate) wants_map: bool,
    /// What is to be done with the map that is being made, as soon as it is there.
    pub(crate) then: Then,
    /// The classes and kind of features that were last made without being asked for.
    pub(crate) tried: Option<(String, String, bool, FeatureKind)>,
    members_of: Vec<FeatureRef>,
    n_maps: u64,
}

/// What waits for a map: keys that are pressed while it is made are not lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Then {
    /// Its strongest features are to be picked.
    pub(crate) pick: bool,
    /// Then they are to be scored; with `true` although the same was tried before.
    pub(crate) score: Option<(Purpose, bool)>,
}

/// What a scoring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The basket as it is.
    Basket,
    /// The best combination of features, which then is the basket.
    BestCombination,
}

/// The trials of the chosen part of the study, as its events name them.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The trials.
    pub trials: TrialTable,
    /// The distinct conditions and categories.
    pub names: Vec<String>,
    /// How responses are read unless somebody wants them otherwise.
    pub usual: Extraction,
}

/// Features, and what maps are made of.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// The classes.
    pub contrast: Contrast,
    /// The responses they were made from.
    pub source: Arc<Source>,
    /// Rows × features.
    pub table: Arc<Table>,
    /// Sums by run.
    pub maps: MapSource,
}

/// The map over the ticked runs, and which of it is shown.
#[derive(Clone, Debug)]
pub struct MapNow {
    /// The numbers.
    pub map: Map,
    /// Columns, the strongest first; those without a value are left out.
    pub order: Vec<usize>,
    /// Whether each column is shown.
    pub shown: Vec<bool>,
    /// How many are.
    pub n_shown: usize,
    /// Tells it from all others.
    pub revision: u64,
    made_of: MadeOf,
    rule: Shown,
}

/// What a map was made of: equal things give equal maps.
#[derive(Clone, Debug, PartialEq)]
struct MadeOf {
    table: usize,
    statistic: Statistic,
    ticked: Vec<bool>,
}

/// Scores with the settings they are of.
#[derive(Clone, Debug)]
pub struct ScoredParts {
    /// The settings, with the basket that was scored.
    pub look: SelectLook,
    /// What they were computed for.
    pub purpose: Purpose,
    /// The scores.
    pub outcome: Outcome,
    /// All there is to know of them; none of an attempt that was brought back.
    pub evaluation: Option<Evaluation>,
    /// Features there were to choose from; 0 when nobody knows.
    pub n_features: usize,
    /// The number of the attempt in the history.
    pub number: u64,
}

/// How one kind of features does.
#[derive(Clone, Debug)]
pub struct Family {
    /// Which.
    pub kind: FeatureKind,
    /// Its scores, or why there are none.
    pub evaluation: Result<Evaluation, String>,
    /// Against the first kind, fold by fold.
    pub difference: Option<Difference>,
}

impl Extracted {
    /// The grid that voxels are of.
    pub fn grid(&self) -> Option<&Grid> {
        match &self.source.betas.columns {
            Columns::Voxels(mask) => Some(mask.grid()),
            Columns::Points(_) => None,
        }
    }
}

impl ScoredParts {
    /// Whether these are the scores of the settings.
    pub fn is_of(&self, look: &SelectLook) -> bool {
        let shown = SelectLook {
            shown: look.shown,
            click_adds: look.click_adds,
            unticked: look.unticked.clone(),
            ..self.look.clone()
        };
        let same_rows = !look.unseen_only || self.look.unticked == look.unticked;
        same_rows && shown == *look
    }
}

impl Selected {
    /// Forgets everything but earlier attempts: another part of the study is meant.
    pub(crate) fn clear(&mut self) {
        let fresh = Self {
            history: std::mem::take(&mut self.history),
            n_maps: self.n_maps,
            ..Self::default()
        };
        *self = fresh;
    }

    /// Whether somebody must ask what there is to choose from.
    pub fn wants_offer(&self) -> bool {
        self.offer.is_none() && !self.asked_offer
    }

    /// Whether a map will be there in a moment, though no work on it has begun.
    pub(crate) fn awaits_map(&self) -> bool {
        self.wants_map && self.offer.is_none()
    }

    /// Whether the features at hand are those of the settings.
    pub fn is_current(&self, look: &SelectLook) -> bool {
        let (Some(extracted), Some(offer)) = (&self.extracted, &self.offer) else {
            return false;
        };
        let contrast = look.contrast(&offer.trials);
        extracted.table.kind == look.kind
            && extracted.source.extraction == look.extraction(&offer.usual)
            && contrast.is_ok_and(|c| c == extracted.contrast)
    }

    /// Makes the map of the ticked runs, if it is another one. Says whether it is.
    pub(crate) fn follow_map(&mut self, look: &SelectLook) -> bool {
        let Some(extracted) = self.extracted.clone() else {
            return self.map.take().is_some();
        };
        let runs = &extracted.maps.runs;
        let made_of = MadeOf {
            table: Arc::as_ptr(&extracted.table).addr(),
            statistic: look.statistic,
            ticked: runs.iter().map(|run| look.is_ticked(run)).collect(),
        };
        let same = self.map.as_ref().is_some_and(|now| now.made_of == made_of);
        if same && self.map.as_ref().is_some_and(|now| now.rule == look.shown) {
            return false;
        }
        let map = match self.map.take().filter(|_| same) {
            Some(now) => now.map,
            None => match map::map(&extracted.maps, look.statistic, &made_of.ticked) {
                Ok(map) => map,
                Err(error) => {
                    self.problem = Some(error.to_string());
                    return true;
                }
            },
        };
        self.problem = None;
        self.n_maps += 1;
        self.map = Some(MapNow::new(map, look.shown, made_of, self.n_maps));
        true
    }

    /// Finds the features of the basket, if they are others.
    pub(crate) fn follow_basket(&mut self, look: &SelectLook, subject: &SubjectData, anew: bool) {
        let features = &look.basket.features;
        if !anew && self.members_of == *features {
            return;
        }
        self.members_of.clone_from(features);
        let table = self.extracted.as_ref().map(|e| &e.table);
        self.members = features
            .iter()
            .map(|feature| {
                let column = table.and_then(|t| t.column_of(feature));
                let world_mm = column.and_then(|c| table?.columns.get(c)?.world_mm);
                Member {
                    feature: feature.clone(),
                    column,
                    world_mm,
                    on_cortex: on_cortex(feature, world_mm, &subject.cortex),
                }
            })
            .collect();
    }
}

impl MapNow {
    fn new(map: Map, rule: Shown, made_of: MadeOf, revision: u64) -> Self {
        let none = map.statistic.none();
        let strength = |c: usize| (map.values[c] - none).abs();
        let mut order: Vec<usize> = (0..map.values.len())
            .filter(|&c| map.values[c].is_finite())
            .collect();
        order.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
        let mut shown = vec![false; map.values.len()];
        match rule {
            Shown::All => order.iter().for_each(|&c| shown[c] = true),
            Shown::Strongest(n) => order.iter().take(n).for_each(|&c| shown[c] = true),
            Shown::Q(q) => order
                .iter()
                .filter(|&&c| map.q[c] <= q)
                .for_each(|&c| shown[c] = true),
        }
        Self {
            n_shown: shown.iter().filter(|s| **s).count(),
            map,
            order,
            shown,
            revision,
            made_of,
            rule,
        }
    }

    /// Which of it is shown.
    pub fn rule(&self) -> Shown {
        self.rule
    }

    /// The smallest q there is.
    pub fn smallest_q(&self) -> Option<f64> {
        let finite = self.map.q.iter().copied().filter(|q| q.is_finite());
        finite.min_by(f64::total_cmp)
    }

    /// The smallest distance from nothing among those that are shown.
    pub fn threshold(&self) -> Option<f32> {
        let last = self.order.iter().rev().find(|&&c| self.shown[c])?;
        Some((self.map.values[*last] - self.map.statistic.none()).abs())
    }

    /// The largest distance from nothing; at least a little.
    pub fn reach(&self) -> f32 {
        let first = self.order.first();
        let value = first.map_or(0.0, |&c| self.map.values[c] - self.map.statistic.none());
        value.abs().max(1e-6)
    }
}

/// How features of a kind can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// On slices and on the cortex.
    Volume,
    /// On the cortex.
    Sheet,
    /// As a list, and as regions on slices and the cortex.
    List,
    /// As a matrix.
    Matrix,
}

/// How features of a kind can be seen.
pub fn seen(kind: &FeatureKind) -> Seen {
    match kind {
        FeatureKind::Voxels => Seen::Volume,
        FeatureKind::Vertices => Seen::Sheet,
        FeatureKind::FcEdges(_) => Seen::Matrix,
        FeatureKind::RoiMeans
        | FeatureKind::RoiPatterns { .. }
        | FeatureKind::FcNodeStrengths(_)
        | FeatureKind::BandPower
        | FeatureKind::Mixed(_) => Seen::List,
    }
}

/// The file that keeps the attempts on a study: one a study, named after where it is.
pub(crate) fn history_file(folder: &std::path::Path, study: &str, opened: &[PathBuf]) -> PathBuf {
    let place: Vec<String> = opened.iter().map(|p| p.display().to_string()).collect();
    let text = format!("{study}|{}", place.join("|"));
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = study.chars().map(kept).take(40).collect();
    folder.join(format!("{name}-{:016x}.jsonl", fnv(text.as_bytes())))
}

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
