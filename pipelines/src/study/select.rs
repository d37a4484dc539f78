//! Which part of a study a command works on.

use crate::study::{BoldRun, Study, Subject};
use crate::study::Named;
use crate::volume::{Atlas, Volume};
use crate::{Error, Result};

/// The options every study command shares; `None` is "not said".
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// `--subject`
    pub subject: Option<String>,
    /// `--session`
    pub session: Option<String>,
    /// `--task`
    pub task: Option<String>,
    /// `--space`
    pub space: Option<String>,
    /// `--desc`
    pub desc: Option<String>,
    /// `--runs`: labels; empty is all.
    pub runs: Vec<String>,
    /// `--mask`: the name of a mask of the study, or a file.
    pub mask: Option<String>,
    /// `--roi`: region names of the study's atlases; empty is no restriction.
    pub rois: Vec<String>,
}

/// The answer: one subject, comparable runs, and the mask and atlas that go with them.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The subject.
    pub subject: &'a Subject,
    /// Its runs, one space and one desc.
    pub runs: Vec<&'a BoldRun>,
    /// The mask, when one was named, shares the runs' `desc`, or is the only one.
    pub mask: Option<Named<Volume>>,
    /// The atlas in the same space, when there is one.
    pub atlas: Option<Named<Atlas>>,
    /// Regions to keep.
    pub rois: Vec<String>,
    /// What was chosen without being asked for, in sentences for the user.
    pub assumptions: Vec<String>,
}

/// Resolves `query`. When several things could be meant and nothing chooses, the error lists them.
pub fn select<'a>(study: &'a Study, query: &Query) -> Result<Selection<'a>> {
    let _ = (study, query);
    Err(Error::data("not written yet"))
}
