//! Which features tell two conditions (or many) apart: maps, baskets, classifiers, and scores that do not flatter.
//!
//! | stretch | where |
//! |---|---|
//! | text → classes of trials | [`filter`], [`contrast`] |
//! | study + settings → responses of trials, regions | [`extraction`] |
//! | responses → rows × typed features | [`table`], [`feature`], [`extract`] |
//! | table → maps, run by run; what chance makes of them | [`sums`], [`map`], [`null`] |
//! | map → picked features, a basket | [`pick`] |
//! | features → classes | [`classify`] |
//! | table + plan → two scores side by side | [`split`], [`evaluate`], [`search`], [`score`] |
//! | scores of feature families → their difference | [`families`] |
//! | attempts → an append-only file | [`history`] |
//!
//! HappyFeat (Desbois et al. 2023, arXiv 2310.02948) made this way of working usual for EEG: look at a map of R², click
//! features together, train, compare. There the map and the score come from the same trials, which on pure noise of the
//! size of fMRI gives accuracies of 0.8 to 0.9. Here that score stands beside the one of features that were picked anew
//! in every fold, and says of itself that it is optimistic.

pub mod classify;
pub mod cluster;
pub mod contrast;
pub mod evaluate;
pub mod extract;
pub mod extraction;
pub mod families;
pub mod feature;
pub mod filter;
mod fitting;
pub mod history;
pub(crate) mod id;
pub mod map;
pub mod null;
pub mod pick;
mod procedure;
pub mod score;
pub mod search;
mod shuffle;
pub mod split;
pub mod sums;
pub mod table;
mod told;

pub use classify::Model;
pub use contrast::{Contrast, Labels, RunCount};
pub use evaluate::{Candidate, Evaluation, EvaluationPlan, evaluate};
pub use extraction::{Averaging, Extraction, Scale, Source};
pub use feature::{Column, FeatureKind, FeatureRef, Mix, Windows};
pub use filter::{Filter, TrialTable};
pub use map::{Map, MapSource, Statistic};
pub use pick::{Basket, PickPlan, Sign};
pub use score::{FoldScore, Scored};
pub use search::Search;
pub use split::SplitRule;
pub use table::{Row, Table};
