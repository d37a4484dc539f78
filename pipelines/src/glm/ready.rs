//! Betas that a study brings along instead of BOLD.

use crate::betas::{Betas, Columns};
use crate::glm::{MIN_TRIALS_TO_SCALE, clean, region};
use crate::mask::Mask;
use crate::run::{Run, Stop};
use crate::study::ReadyBetas;
use crate::study::nsd::Sessions;
use crate::study::select::Selection;
use crate::{Error, Result};

/// The ready-made betas of the selection's subject, restricted to its regions when it names any and,
/// with `z_score`, z-scored per voxel within each run.
///
/// Runs of fewer than four trials keep their scale and are only centred; single trials are
/// left as they are. Fails when the subject has no betas or most of their voxels are not finite.
pub fn betas_of(selection: &Selection<'_>, z_score: bool, run: &Run<'_>) -> Result<Betas, Stop> {
    let id = &selection.subject.id;
    let Some(ready) = &selection.subject.betas else {
        return Err(Error::Choice(format!(
            "subject {id} has neither BOLD runs that fit the options nor ready-made betas: loosen the options, or add betas to study.toml"
        ))
        .into());
    };
    let mut betas = match ready {
        ReadyBetas::Memory(betas) => Betas::clone(betas),
        ReadyBetas::Sessions(sessions) => {
            sessions.gather(&mask_of(sessions, selection, run)?, run)?
        }
    };
    if betas.trials.len() != betas.n_trials() {
        return Err(Error::data(format!(
            "the betas of subject {id} have {} rows but the trial table has {}: they must agree",
            betas.n_trials(),
            betas.trials.len()
        ))
        .into());
    }
    let in_memory = matches!(ready, ReadyBetas::Memory(_));
    if in_memory && !selection.rois.is_empty() {
        restrict(&mut betas, selection, run)?;
    }
    zero_not_finite(&mut betas, id, run)?;
    run.check()?;
    if !z_score {
        return Ok(betas);
    }
    let mut scaled = true;
    for label in betas.runs() {
        let rows: Vec<usize> = (0..betas.n_trials())
            .filter(|&t| betas.trials[t].run == label)
            .collect();
        if rows.len() >= MIN_TRIALS_TO_SCALE {
            clean::z_score_rows(&mut betas.values, &rows);
        } else {
            scaled = false;
            clean::centre_rows(&mut betas.values, &rows);
        }
    }
    let how = if scaled {
        "z-scored"
    } else {
        "centred (runs of under four trials) or z-scored"
    };
    betas.method = format!("{}; {how} per voxel within each run", betas.method);
    Ok(betas)
}

/// The voxels to read of betas that are kept a file a session: the named regions, inside the mask
/// where one is named; else the mask, else the one that is usual for such data.
fn mask_of(sessions: &Sessions, selection: &Selection<'_>, run: &Run<'_>) -> Result<Mask, Stop> {
    let named = match &selection.mask {
        Some(mask) => Some(Mask::from_volume(&*mask.source.load(run)?)),
        None => None,
    };
    let mask = match (&selection.atlas, named) {
        (Some(atlas), named) if !selection.rois.is_empty() => {
            let regions = region::in_regions(&*atlas.source.load(run)?, &selection.rois)?;
            match named {
                Some(mask) => mask.and(&regions)?,
                None => regions,
            }
        }
        (_, Some(mask)) => mask,
        (_, None) => sessions.load_usual_mask(run)?.ok_or_else(|| {
            Error::Choice(
                "the whole brain is too much to decode from: choose voxels with --roi or --mask"
                    .into(),
            )
        })?,
    };
    if mask.is_empty() {
        return Err(
            Error::Choice("no voxel is left to read: loosen --mask or --roi".into()).into(),
        );
    }
    Ok(mask)
}

fn restrict(betas: &mut Betas, selection: &Selection<'_>, run: &Run<'_>) -> Result<(), Stop> {
    let Columns::Voxels(mask) = &betas.columns else {
        return Err(Error::Choice(
            "these betas lie on no voxel grid, so regions cannot be cut out: drop --roi".into(),
        )
        .into());
    };
    let Some(named) = &selection.atlas else {
        return Err(Error::Choice(
            "regions were named but the study has no atlas: drop --roi".into(),
        )
        .into());
    };
    let regions = region::in_regions(&*named.source.load(run)?, &selection.rois)?;
    let both = mask.and(&regions)?;
    let keep: Vec<usize> = (0..mask.len())
        .filter(|&c| both.voxels().binary_search(&mask.voxels()[c]).is_ok())
        .collect();
    if keep.is_empty() {
        return Err(Error::Choice(format!(
            "no voxel of the betas lies in {}",
            selection.rois.join(", ")
        ))
        .into());
    }
    betas.values = betas.values.select_columns(&keep);
    betas.columns = Columns::Voxels(both);
    Ok(())
}

fn zero_not_finite(betas: &mut Betas, id: &str, run: &Run<'_>) -> Result<()> {
    let n_cols = betas.n_voxels();
    let mut bad = vec![false; n_cols];
    for row in betas.values.rows() {
        for (bad, value) in bad.iter_mut().zip(row) {
            *bad |= !value.is_finite();
        }
    }
    let n_bad = bad.iter().filter(|b| **b).count();
    if n_bad * 2 > n_cols {
        return Err(Error::data(format!(
            "{n_bad} of the {n_cols} voxels of the betas of subject {id} hold NaN or infinity: recompute them or leave those voxels out"
        )));
    }
    if n_bad > 0 {
        run.warn(format!(
            "{n_bad} of {n_cols} voxels of the betas hold NaN or infinity and are set to 0"
        ));
        for t in 0..betas.n_trials() {
            for (value, bad) in betas.values.row_mut(t).iter_mut().zip(&bad) {
                if *bad {
                    *value = 0.0;
                }
            }
        }
    }
    Ok(())
}
