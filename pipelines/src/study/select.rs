//! Which part of a study a command works on.

use crate::study::companions::{
    choose_atlas, choose_mask, grid_of, place, require_same, series_grid,
};
use crate::study::names::{natural_order, unknown};
use crate::study::{BoldRun, Named, Study, Subject};
use crate::volume::{Atlas, Volume};
use crate::{Error, Result};

/// The options every study command shares; `None` is "not said".
///
/// For `task`, `space` and `desc` the word `none` means files without that entity.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
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
    /// `--mask`: the name or `desc` of a mask of the study, a file, or `none`.
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

/// Resolves `query`. Reads headers (and an atlas when regions are named), no series.
///
/// # Errors
/// [`Error::Choice`] with the list when something named does not exist, or when several subjects,
/// tasks, spaces, descs or masks could be meant and nothing chooses; [`Error::File`] when a header
/// cannot be read or the mask lies on another grid than the runs.
pub fn select<'a>(study: &'a Study, query: &Query) -> Result<Selection<'a>> {
    let mut assumptions = Vec::new();
    let subject = choose_subject(study, query.subject.as_deref())?;
    let runs = choose_runs(subject, query)?;
    let mask = choose_mask(subject, &runs, query.mask.as_deref(), &mut assumptions)?;
    let atlas = choose_atlas(subject, &runs, &query.rois, &mut assumptions)?;
    let selection = Selection {
        subject,
        runs,
        mask,
        atlas,
        rois: query.rois.clone(),
        assumptions,
    };
    check_grids(&selection)?;
    Ok(selection)
}

/// Checks from headers that the runs, the mask and (when regions are named) the atlas lie on one
/// grid. [`select`] has done it.
///
/// # Errors
/// Names both files of the first pair that does not fit.
pub fn check_grids(selection: &Selection<'_>) -> Result<()> {
    let Some((first, others)) = selection.runs.split_first() else {
        return Ok(());
    };
    let grid = series_grid(first)?;
    let first_name = place(&first.bold, &format!("run {}", first.label));
    for other in others {
        let name = place(&other.bold, &format!("run {}", other.label));
        let remedy = "leave one of them out with --runs, or resample it";
        require_same(&name, &series_grid(other)?, &first_name, &grid, remedy)?;
    }
    if let Some(mask) = &selection.mask {
        let name = place(&mask.source, &format!("mask {}", mask.name));
        let remedy = "choose a mask made for these runs (or none) with --mask, or resample it";
        let mask_grid = grid_of(&mask.source, |volume| &volume.grid)?;
        require_same(&name, &mask_grid, &first_name, &grid, remedy)?;
    }
    if let Some(atlas) = selection
        .atlas
        .as_ref()
        .filter(|_| !selection.rois.is_empty())
    {
        let name = place(&atlas.source, &format!("atlas {}", atlas.name));
        let remedy = "resample the atlas onto the runs, or leave --roi out";
        let atlas_grid = grid_of(&atlas.source, |atlas| &atlas.grid)?;
        require_same(&name, &atlas_grid, &first_name, &grid, remedy)?;
    }
    Ok(())
}

/// The subject of that id, or the only one; else the error lists them.
pub fn choose_subject<'a>(study: &'a Study, wanted: Option<&str>) -> Result<&'a Subject> {
    let ids: Vec<&str> = study
        .subjects
        .iter()
        .map(|subject| subject.id.as_str())
        .collect();
    match (wanted, study.subjects.as_slice()) {
        (Some(wanted), _) => {
            let id = wanted.strip_prefix("sub-").unwrap_or(wanted);
            study
                .subject(id)
                .ok_or_else(|| unknown("subject", id, "the study", &ids))
        }
        (None, [subject]) => Ok(subject),
        (None, []) => Err(Error::Choice(
            "the study has no subjects: open another one".into(),
        )),
        (None, _) => Err(Error::Choice(format!(
            "several subjects ({}): choose one with --subject",
            ids.join(", ")
        ))),
    }
}

/// The runs that every given entity allows; one task, space and desc must be left.
fn choose_runs<'a>(subject: &'a Subject, query: &Query) -> Result<Vec<&'a BoldRun>> {
    if subject.runs.is_empty() {
        return no_runs_to_choose(subject, query);
    }
    let mut runs: Vec<&BoldRun> = subject.runs.iter().collect();
    let given = [
        ("session", "ses", &query.session),
        ("task", "task", &query.task),
        ("space", "space", &query.space),
        ("desc", "desc", &query.desc),
    ];
    for (option, key, wanted) in given {
        let Some(wanted) = wanted else { continue };
        let wanted = wanted.strip_prefix(&format!("{key}-")).unwrap_or(wanted);
        let before = values_of(&runs, key);
        runs.retain(|run| value_of(run, key) == wanted);
        if runs.is_empty() {
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            let place = format!("the runs of subject {}", subject.id);
            return Err(unknown(option, wanted, &place, &before));
        }
    }
    for (option, key, wanted) in given.into_iter().skip(1) {
        let values = values_of(&runs, key);
        if wanted.is_none() && values.len() > 1 {
            let what = if option == "task" {
                "tasks"
            } else {
                "versions of each run"
            };
            return Err(Error::Choice(format!(
                "several {what} ({option}: {}): choose one with --{option}",
                values.join(", ")
            )));
        }
    }
    choose_labels(runs, &query.runs)
}

/// Keeps the runs with these labels ("1" and "run-01" also mean "01"), in the study's order.
fn choose_labels<'a>(runs: Vec<&'a BoldRun>, wanted: &[String]) -> Result<Vec<&'a BoldRun>> {
    if wanted.is_empty() {
        return Ok(runs);
    }
    let same = |label: &str, wanted: &str| {
        let plain = wanted.strip_prefix("run-").unwrap_or(wanted);
        let numbers = (label.parse::<u64>(), plain.parse::<u64>());
        label == wanted || label == plain || matches!(numbers, (Ok(a), Ok(b)) if a == b)
    };
    for wanted in wanted {
        if !runs.iter().any(|run| same(&run.label, wanted)) {
            let labels: Vec<&str> = runs.iter().map(|run| run.label.as_str()).collect();
            return Err(unknown("run", wanted, "the selection", &labels));
        }
    }
    Ok(runs
        .into_iter()
        .filter(|run| wanted.iter().any(|w| same(&run.label, w)))
        .collect())
}

/// A subject without BOLD has nothing that these options could choose between.
fn no_runs_to_choose<'a>(subject: &'a Subject, query: &Query) -> Result<Vec<&'a BoldRun>> {
    let options = [
        ("--session", query.session.is_some()),
        ("--task", query.task.is_some()),
        ("--space", query.space.is_some()),
        ("--desc", query.desc.is_some()),
        ("--runs", !query.runs.is_empty()),
        ("--mask", query.mask.is_some() && subject.masks.is_empty()),
    ];
    match options.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Error::Choice(format!(
            "subject {} has no BOLD runs, so {option} has nothing to choose from: leave it out",
            subject.id
        ))),
        None => Ok(Vec::new()),
    }
}

/// The value of an entity of a run, `none` without it. The session counts outside BIDS too.
fn value_of<'a>(run: &'a BoldRun, key: &str) -> &'a str {
    let value = match key {
        "ses" if !run.session.is_empty() => Some(&run.session),
        _ => run.entities.get(key),
    };
    value.map_or("none", String::as_str)
}

fn values_of(runs: &[&BoldRun], key: &str) -> Vec<String> {
    let mut values: Vec<String> = runs
        .iter()
        .map(|run| value_of(run, key).to_owned())
        .collect();
    values.sort_by(|a, b| natural_order(a, b));
    values.dedup();
    values
}
