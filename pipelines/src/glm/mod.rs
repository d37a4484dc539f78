//! From BOLD runs to maps of contrasts, and to responses of single trials.
//!
//! **Contrasts**: a [`design`] for each run, a [`fit`] of every voxel, questions to the fits of all runs ([`contrast`]);
//! [`first_level`] is the road from a selection to maps.
//!
//! **Trials**: each run is detrended and z-scored in time, voxel by voxel ([`clean`]); a trial is then a
//! weighted sum over that run's volumes ([`readout`]), whichever model is asked for; at last the
//! trials are z-scored within their run. Everything happens inside one run and knows no
//! labels, so that no fold of a later cross-validation can leak into another.

mod basis;
pub mod clean;
pub mod contrast;
mod convolve;
pub(crate) mod courses;
pub mod design;
pub mod drift;
pub mod first_level;
pub mod fit;
pub mod hrf;
pub mod plan;
pub mod readout;
pub mod ready;
mod region;
pub mod response;
pub mod single;

use std::collections::HashMap;

pub use plan::{BetasPlan, TrialModel, TrialUnits, default_plan, drift_order, plan_for};
pub use ready::betas_of;

use crate::betas::{Betas, Columns, Trial};
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::study::BoldRun;
use crate::study::events::EventRow;
use crate::study::select::Selection;
use crate::{Error, Result};

/// Runs with fewer trials than this keep the scale of their time course: a standard deviation
/// over two or three trials says more about noise than about gain.
pub(crate) const MIN_TRIALS_TO_SCALE: usize = 4;

/// Reads the runs of a selection one after another and gives trials × voxels of the mask.
///
/// The voxels are those of the selection's mask that lie in its regions, when it names any;
/// without a mask, those that vary in every run. A selection without BOLD runs gives its
/// subject's ready-made betas ([`betas_of`]). Fails when a run has no events or no TR, lies on
/// another grid than the mask, holds no numbers inside it, or when its events do not fit.
pub fn betas(selection: &Selection<'_>, plan: &BetasPlan, run: &Run<'_>) -> Result<Betas, Stop> {
    let Some(first) = selection.runs.first() else {
        return betas_of(selection, plan.units == TrialUnits::ZScored, run);
    };
    if plan.model == TrialModel::Ridge {
        let prepared = single::prepare(selection, plan, run)?;
        return prepared.betas(&prepared.choose(&prepared.runs(), run)?, run);
    }
    run.stage("reading the mask");
    let chosen = region::mask(selection, run)?;
    let mut mask: Option<Mask> = chosen.as_ref().map(|m| m.mask.clone());
    let mut blocks: Vec<(Matrix, Vec<bool>)> = Vec::new();
    let mut trials = Vec::new();
    let mut percents = Vec::new();

    for (done, bold) in selection.runs.iter().enumerate() {
        run.check()?;
        run.stage(format!(
            "reading trials off run {} ({} of {})",
            bold.label,
            done + 1,
            selection.runs.len()
        ));
        run.progress(done, selection.runs.len());
        let open = courses::open(bold, run)?;
        let mask = match &mask {
            Some(mask) => mask,
            None => mask.insert(Mask::new(open.grid.clone(), |_| true)),
        };
        require_grid(mask, chosen.as_ref(), first, bold, &open.grid)?;
        let tr_secs = tr_of(bold, open.tr_secs)?;
        let rows = events_of(bold, plan, run)?;
        let readout = readout::readout(&rows, plan, open.n_times, tr_secs, &label_of(bold), run)?;
        let cleaned = clean::read(
            &open.courses(mask, run)?,
            plan.detrend_order,
            &readout.weights,
            run,
        )?;
        report_voxels(&cleaned, mask, bold, chosen.is_some(), run)?;
        trials.extend(
            readout
                .kept
                .iter()
                .map(|&r| trial(&rows[r], bold, &selection.subject.id)),
        );
        percents.push(cleaned.percent);
        blocks.push((cleaned.values, cleaned.varies));
    }
    run.progress(selection.runs.len(), selection.runs.len());

    let Some(mask) = mask else {
        return Err(Error::data("no run of the selection could be read").into());
    };
    if trials.is_empty() {
        return Err(Error::data(format!(
            "the events of subject {} name no trial besides rest: check the trial_type column",
            selection.subject.id
        ))
        .into());
    }
    let units = units_of(plan.units, &percents, run);
    let mut scaled = true;
    for ((values, _), percent) in blocks.iter_mut().zip(&percents) {
        scaled &= scale(values, units, percent);
    }
    let (values, mask) = stack(blocks, mask, chosen.is_none(), run)?;
    count_repeats(&mut trials);
    Ok(Betas {
        values,
        trials,
        columns: Columns::Voxels(mask),
        method: plan.words(units, scaled),
    })
}

/// The events of a selection's runs as trials, without reading BOLD.
pub(crate) fn trials(
    selection: &Selection<'_>,
    plan: &BetasPlan,
    run: &Run<'_>,
) -> Result<Vec<Trial>, Stop> {
    let mut trials = Vec::new();
    for bold in &selection.runs {
        let rows = events_of(bold, plan, run)?;
        trials.extend(
            rows.iter()
                .map(|row| trial(row, bold, &selection.subject.id)),
        );
    }
    count_repeats(&mut trials);
    Ok(trials)
}

/// The cleaned time courses of a run.
#[derive(Debug)]
pub struct Courses {
    /// Volumes × voxels: detrended and z-scored over the run, 0 where a voxel does not vary or is not finite.
    pub values: Matrix,
    /// Seconds from one volume to the next.
    pub tr_secs: f64,
}

/// Detrends and z-scores the time courses of the voxels of `columns` in one run.
///
/// # Errors
/// Those of reading it; when the columns are not voxels of its grid.
pub fn time_courses(
    bold: &BoldRun,
    columns: &Columns,
    plan: &BetasPlan,
    run: &Run<'_>,
) -> Result<Courses, Stop> {
    run.stage(format!("reading the volumes of run {}", bold.label));
    let Columns::Voxels(mask) = columns else {
        return Err(Error::data("points without a grid have no volumes to read").into());
    };
    let open = courses::open(bold, run)?;
    mask.require_grid(&open.grid, &label_of(bold))?;
    let tr_secs = tr_of(bold, open.tr_secs)?;
    let every = faer::Mat::<f64>::identity(open.n_times, open.n_times);
    let cleaned = clean::read(&open.courses(mask, run)?, plan.detrend_order, &every, run)?;
    Ok(Courses {
        values: cleaned.values,
        tr_secs,
    })
}

/// The units that trials can be given in: per cent of the mean only where every run has a mean to speak of.
fn units_of(asked: TrialUnits, percents: &[Vec<f32>], run: &Run<'_>) -> TrialUnits {
    // Where the mean is small against the spread, data are centred already, and per cent of it would be nonsense.
    let has_mean = |percent: &Vec<f32>| {
        let mut sorted: Vec<f32> = percent.iter().copied().filter(|p| *p > 0.0).collect();
        sorted.sort_by(f32::total_cmp);
        let middle = sorted.get(sorted.len() / 2);
        middle.is_some_and(|middle| *middle < 20.0)
    };
    if asked == TrialUnits::Percent && !percents.iter().all(has_mean) {
        run.warn("the volumes have no mean to speak of, as if centred: trials are in standard deviations of each voxel's time course instead of per cent");
        return TrialUnits::OfCourse;
    }
    asked
}

/// Brings the trials of a run into their units; whether they were z-scored if that was asked for.
fn scale(trials: &mut Matrix, units: TrialUnits, percent: &[f32]) -> bool {
    let rows: Vec<usize> = (0..trials.n_rows).collect();
    match units {
        TrialUnits::OfCourse => {}
        TrialUnits::ZScored if rows.len() < MIN_TRIALS_TO_SCALE => return false,
        TrialUnits::ZScored => clean::z_score_rows(trials, &rows),
        TrialUnits::Percent => {
            for row in rows {
                let values = trials.row_mut(row).iter_mut().zip(percent);
                values.for_each(|(value, percent)| *value *= percent);
            }
        }
    }
    true
}

/// One matrix over all runs; with `varying_only`, of the voxels that vary in each of them.
fn stack(
    blocks: Vec<(Matrix, Vec<bool>)>,
    mask: Mask,
    varying_only: bool,
    run: &Run<'_>,
) -> Result<(Matrix, Mask), Stop> {
    let keep: Vec<usize> = (0..mask.len())
        .filter(|&v| !varying_only || blocks.iter().all(|(_, varies)| varies[v]))
        .collect();
    if keep.is_empty() {
        return Err(Error::data(
            "no voxel varies over time in every run: name a mask with --mask, or check the BOLD files",
        )
        .into());
    }
    if varying_only {
        run.warn(format!(
            "no mask was named: the {} of {} voxels that vary over time in every run are used",
            keep.len(),
            mask.len()
        ));
    }
    let mut values = Matrix::default();
    let whole = keep.len() == mask.len();
    for (block, _) in blocks {
        values = values.stacked(&if whole {
            block
        } else {
            block.select_columns(&keep)
        })?;
    }
    let mask = if whole { mask } else { mask.subset(&keep) };
    Ok((values, mask))
}

/// Says what is the matter with the voxels of a run, or refuses it.
fn report_voxels(
    cleaned: &clean::Cleaned,
    mask: &Mask,
    bold: &BoldRun,
    masked: bool,
    run: &Run<'_>,
) -> Result<()> {
    let n = mask.len();
    if cleaned.n_not_finite * 2 > n {
        let problem = format!(
            "{} of the {n} voxels of the mask hold NaN or infinity: repair or recompute this file, or leave the run out with --runs",
            cleaned.n_not_finite
        );
        return Err(match bold.bold.path() {
            Some(path) => Error::file(path, problem),
            None => Error::data(format!("{}: {problem}", label_of(bold))),
        });
    }
    if cleaned.n_not_finite > 0 {
        run.warn(format!(
            "{}: {} of {n} voxels hold NaN or infinity and are set to 0 in this run",
            label_of(bold),
            cleaned.n_not_finite
        ));
    }
    if masked && cleaned.n_constant > 0 {
        run.warn(format!(
            "{}: {} of {n} voxels do not vary over time and are set to 0 in this run",
            label_of(bold),
            cleaned.n_constant
        ));
    }
    Ok(())
}

/// Refuses a run on another grid than the mask, which was chosen or else is the first run's.
fn require_grid(
    mask: &Mask,
    chosen: Option<&region::Region>,
    first: &BoldRun,
    bold: &BoldRun,
    grid: &Grid,
) -> Result<()> {
    if mask.grid().same_as(grid) {
        return Ok(());
    }
    let (what, path) = match chosen {
        Some(region) => (region.name.as_str(), region.path.as_deref()),
        None => ("the first run", first.bold.path()),
    };
    let problem = format!(
        "{what} has {:?} voxels ({}) but {} has {:?} ({}): resample one onto the other, or choose a mask of the same space",
        mask.grid().shape,
        mask.grid().orientation(),
        bold.bold
            .path()
            .map_or_else(|| label_of(bold), |p| p.display().to_string()),
        grid.shape,
        grid.orientation()
    );
    Err(match path {
        Some(path) => Error::file(path, problem),
        None => Error::data(problem),
    })
}

fn label_of(bold: &BoldRun) -> String {
    format!("run {}", bold.label)
}

/// Seconds from volume to volume that a scanner can have: what lies outside is another unit.
pub(crate) fn is_tr(secs: f64) -> bool {
    (0.01..=60.0).contains(&secs)
}

/// Seconds from volume to volume: the sidecar's word, else the header's.
pub(crate) fn tr_of(bold: &BoldRun, in_header: Option<f64>) -> Result<f64> {
    let said = bold.tr_secs.or(in_header).filter(|tr| *tr != 0.0);
    if let Some(tr) = said.filter(|tr| is_tr(*tr)) {
        return Ok(tr);
    }
    let said = said.map_or_else(
        || "says no repetition time".to_owned(),
        |tr| format!("says a repetition time of {tr} s, which cannot be"),
    );
    let problem = format!("{said}: write RepetitionTime in seconds into its .json sidecar");
    Err(match bold.bold.path() {
        Some(path) => Error::file(path, problem),
        None => Error::data(format!("{} {problem}", label_of(bold))),
    })
}

fn events_of(bold: &BoldRun, plan: &BetasPlan, run: &Run<'_>) -> Result<Vec<EventRow>, Stop> {
    let events = bold.load_events(run)?;
    Ok(events
        .rows
        .iter()
        .filter(|row| !plan.is_rest(row))
        .cloned()
        .collect())
}

fn trial(row: &EventRow, bold: &BoldRun, subject: &str) -> Trial {
    Trial {
        subject: subject.to_owned(),
        session: bold.session.clone(),
        run: bold.label.clone(),
        onset_secs: row.onset_secs,
        duration_secs: row.duration_secs,
        condition: row.trial_type.clone(),
        stimulus: row.stim_file.clone(),
        repeat: 0,
    }
}

/// Numbers the presentations of each stimulus (of each condition, where there is none).
fn count_repeats(trials: &mut [Trial]) {
    let mut met: HashMap<(bool, String), usize> = HashMap::new();
    for trial in trials {
        let key = match &trial.stimulus {
            Some(id) => (true, id.clone()),
            None => (false, trial.condition.clone()),
        };
        let count = met.entry(key).or_default();
        trial.repeat = *count;
        *count += 1;
    }
}
