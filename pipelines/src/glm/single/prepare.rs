//! Runs read and detrended, with a regressor for each trial and each response of the library.

use faer::Mat;

use super::{CANONICAL, Prepared, PreparedRun};
use crate::glm::readout::{Regressors, regressors};
use crate::glm::response::{LIBRARY_SIZE, library_at, library_length_secs};
use crate::glm::{
    BetasPlan, clean, count_repeats, courses, events_of, hrf, label_of, region, report_voxels,
    require_grid, tr_of, trial,
};
use crate::mask::Mask;
use crate::run::{Run, Stop};
use crate::study::events::EventRow;
use crate::study::select::Selection;
use crate::{Error, Result};

/// Reads the runs of a selection and makes a regressor for each trial and each response of the library.
pub fn prepare(
    selection: &Selection<'_>,
    plan: &BetasPlan,
    run: &Run<'_>,
) -> Result<Prepared, Stop> {
    let Some(first) = selection.runs.first() else {
        return Err(Error::Choice(format!(
            "subject {} has no BOLD runs, and responses of single trials need them: loosen the options",
            selection.subject.id
        ))
        .into());
    };
    run.stage("reading the mask");
    let chosen = region::mask(selection, run)?;
    let mut mask = chosen.as_ref().map(|region| region.mask.clone());
    let mut prepared = Vec::new();
    let mut trials = Vec::new();
    for (done, bold) in selection.runs.iter().enumerate() {
        run.check()?;
        run.stage(format!(
            "reading {} ({} of {})",
            label_of(bold),
            done + 1,
            selection.runs.len()
        ));
        run.progress(done, selection.runs.len());
        let open = courses::open(bold, run)?;
        let mask = mask.get_or_insert_with(|| {
            run.warn("no mask was named: all voxels of the volume are used");
            Mask::new(open.grid.clone(), |_| true)
        });
        require_grid(mask, chosen.as_ref(), first, bold, &open.grid)?;
        let tr_secs = tr_of(bold, open.tr_secs)?;
        let mut rows = events_of(bold, plan, run)?;
        let end = open.n_times as f64 * tr_secs;
        let n_rows = rows.len();
        rows.retain(|row| row.onset_secs < end);
        if rows.len() < n_rows {
            run.warn(format!(
                "{}: {} of {n_rows} events begin after its last volume and are left out",
                label_of(bold),
                n_rows - rows.len()
            ));
        }
        let mut shifted = rows.clone();
        shifted
            .iter_mut()
            .for_each(|row| row.onset_secs -= plan.slice_time_ref * tr_secs);
        let drifts = clean::drifts(open.n_times, plan.detrend_order);
        let of_response = |index: usize| -> Result<Regressors> {
            let sums = hrf::Sums::of(
                |t| library_at(index, t),
                library_length_secs(index),
                tr_secs,
            );
            let time = (open.n_times, tr_secs);
            regressors(
                &shifted,
                &drifts,
                time,
                &label_of(bold),
                |onset, duration, n| sums.regressor(onset, duration, n),
            )
        };
        // The same trials for every response: those that the canonical one can read.
        let kept = of_response(CANONICAL)?.kept;
        if kept.len() < rows.len() {
            run.warn(format!(
                "{}: {} of {} events are left out because their response lies outside the run",
                label_of(bold),
                rows.len() - kept.len(),
                rows.len()
            ));
        }
        shifted = kept.iter().map(|&r| shifted[r].clone()).collect();
        let designs = (0..LIBRARY_SIZE)
            .map(|index| {
                let sums = hrf::Sums::of(
                    |t| library_at(index, t),
                    library_length_secs(index),
                    tr_secs,
                );
                let column = |row: &EventRow| {
                    let mut x = sums.regressor(row.onset_secs, row.duration_secs, open.n_times);
                    clean::without(&mut x, &drifts);
                    x
                };
                let columns: Vec<Vec<f64>> = shifted.iter().map(column).collect();
                Mat::from_fn(open.n_times, columns.len(), |t, i| columns[i][t])
            })
            .collect::<Vec<_>>();
        let cleaned = clean::flattened(&open.courses(mask, run)?, plan.detrend_order, run)?;
        report_voxels(&cleaned, mask, bold, chosen.is_some(), run)?;
        let first = trials.len();
        trials.extend(
            kept.iter()
                .map(|&r| trial(&rows[r], bold, &selection.subject.id)),
        );
        prepared.push(PreparedRun {
            label: bold.label.clone(),
            courses: cleaned.values,
            percent: cleaned.percent,
            designs,
            first,
        });
    }
    run.progress(selection.runs.len(), selection.runs.len());
    let Some(mask) = mask.filter(|_| !trials.is_empty()) else {
        return Err(Error::data(format!(
            "the events of subject {} name no trial besides rest: check the trial_type column",
            selection.subject.id
        ))
        .into());
    };
    count_repeats(&mut trials);
    Ok(Prepared {
        plan: plan.clone(),
        mask,
        runs: prepared,
        trials,
    })
}
