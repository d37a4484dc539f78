//! How responses are read off a study before anything is told apart; everything below hangs on its id.

use std::collections::BTreeMap;

use glam::DVec3;

use crate::betas::{Betas, Columns};
use crate::glm::{self, BetasPlan, TrialUnits, clean};
use crate::run::{Run, Stop};
use crate::select::filter::TrialTable;
use crate::select::id;
use crate::stats::roi;
use crate::study::Study;
use crate::study::select::{Query, Selection, select};
use crate::{Error, Result};

mod smooth;

/// Over what each voxel gets mean 0 and standard deviation 1. It knows no labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The trials of a run, where it has four or more: what differs from run to run is no difference of conditions.
    #[default]
    Run,
    /// The trials of a session.
    Session,
    /// Nothing: as the trial model gives it.
    None,
}

/// Which trials are averaged. Never over runs: a row belongs to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// None.
    #[default]
    None,
    /// Those of one stimulus in one run.
    Stimuli,
    /// Those of one class in one run.
    Classes,
}

/// How responses are read off a study.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Extraction {
    /// Which subject, runs, mask and regions.
    pub query: Query,
    /// How trials are read off runs.
    pub betas: BetasPlan,
    /// Over what voxels are z-scored.
    pub scale: Scale,
    /// Which trials are averaged.
    pub averaging: Averaging,
    /// Full width at half maximum of a Gaussian within the mask, mm; 0 for none.
    pub smoothing_fwhm_mm: f64,
}

impl Extraction {
    /// What the query asks for, read as the events suggest ([`glm::plan_for`]).
    ///
    /// # Errors
    /// Those of [`select`] and [`glm::plan_for`].
    pub fn usual(study: &Study, query: &Query, run: &Run<'_>) -> Result<Self, Stop> {
        let selection = select(study, query)?;
        Ok(Self {
            query: query.clone(),
            betas: glm::plan_for(&selection, run)?,
            ..Self::default()
        })
    }

    /// The id of these settings: equal settings have equal ids.
    ///
    /// # Errors
    /// When a number among them is not finite.
    pub fn id(&self) -> Result<String> {
        id::of(self)
    }
}

/// A region of the atlas within the mask.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiColumns {
    /// Its name.
    pub name: String,
    /// Its columns of the betas.
    pub columns: Vec<usize>,
    /// The mean of its voxel centres, world mm.
    pub centre_mm: Option<DVec3>,
}

/// Responses of trials, read once: tables of all kinds are made from it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The settings.
    pub extraction: Extraction,
    /// Their id.
    pub id: String,
    /// The id of the values and trials that came out.
    pub data: String,
    /// Trials with what is known of their stimuli; a row of the betas each.
    pub trials: TrialTable,
    /// Trials × voxels, scaled and smoothed.
    pub betas: Betas,
    /// The atlas's regions that have voxels in the mask.
    pub regions: Vec<RoiColumns>,
    /// What was assumed or left out, in sentences for the user.
    pub notes: Vec<String>,
}

/// Reads the responses.
///
/// # Errors
/// Those of [`select`] and [`glm::betas`], and smoothing without a grid.
pub fn load(study: &Study, extraction: &Extraction, run: &Run<'_>) -> Result<Source, Stop> {
    let selection = select(study, &extraction.query)?;
    let mut notes = selection.assumptions.clone();
    // Scaled here and not there, so that smoothing and scaling come in one order for all scopes.
    let plan = BetasPlan {
        units: TrialUnits::OfCourse,
        ..extraction.betas.clone()
    };
    let mut betas = glm::betas(&selection, &plan, run)?;
    if extraction.smoothing_fwhm_mm > 0.0 {
        run.stage("smoothing within the mask");
        smooth::within_mask(&mut betas, extraction.smoothing_fwhm_mm, run)?;
    }
    scale(&mut betas, extraction.scale, &mut notes);
    run.check()?;
    let regions = regions(&selection, &betas, &mut notes, run)?;
    let trials = TrialTable::new(&betas.trials, &study.stimuli);
    let mut hasher = id::Hasher::new();
    hasher.numbers(&betas.values.values);
    for trial in &betas.trials {
        hasher.text(&trial.run);
        hasher.text(&trial.condition);
        hasher.text(trial.stimulus.as_deref().unwrap_or_default());
    }
    Ok(Source {
        id: extraction.id()?,
        extraction: extraction.clone(),
        data: hasher.finish(),
        trials,
        betas,
        regions,
        notes,
    })
}

/// z-scores every voxel over the rows of each run or session.
fn scale(betas: &mut Betas, scale: Scale, notes: &mut Vec<String>) {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, trial) in betas.trials.iter().enumerate() {
        let group = match scale {
            Scale::None => return,
            Scale::Run => &trial.run,
            Scale::Session => &trial.session,
        };
        groups.entry(group).or_default().push(row);
    }
    let mut few = 0;
    for rows in groups.values() {
        if rows.len() >= glm::MIN_TRIALS_TO_SCALE {
            clean::z_score_rows(&mut betas.values, rows);
        } else {
            few += 1;
            clean::centre_rows(&mut betas.values, rows);
        }
    }
    let what = if scale == Scale::Run {
        "run"
    } else {
        "session"
    };
    if few > 0 {
        notes.push(format!(
            "{few} {what}(s) have fewer than {} trials and are centred, not z-scored.",
            glm::MIN_TRIALS_TO_SCALE
        ));
    }
    betas.method = format!(
        "{}; trials z-scored per voxel within each {what}",
        betas.method
    );
}

fn regions(
    selection: &Selection<'_>,
    betas: &Betas,
    notes: &mut Vec<String>,
    run: &Run<'_>,
) -> Result<Vec<RoiColumns>, Stop> {
    let (Some(named), Columns::Voxels(mask)) = (&selection.atlas, &betas.columns) else {
        return Ok(Vec::new());
    };
    let atlas = named.source.load(run)?;
    if !atlas.grid.same_as(mask.grid()) {
        notes.push(format!(
            "Atlas {} lies on another grid than the responses, so there are no regions: resample it.",
            named.name
        ));
        return Ok(Vec::new());
    }
    let centre = |columns: &[usize]| {
        let world = |&c: &usize| {
            let voxel = mask.voxels()[c] as usize;
            mask.grid().world(mask.grid().ijk(voxel))
        };
        columns.iter().map(world).sum::<DVec3>() / columns.len().max(1) as f64
    };
    let found = roi::columns_of(mask, &atlas)?;
    Ok(found
        .into_iter()
        .map(|(region, columns)| RoiColumns {
            name: region.name,
            centre_mm: Some(centre(&columns)),
            columns,
        })
        .collect())
}

/// The classes of a contrast need trials before anything heavy is read: the events of a selection as trials.
///
/// Events whose response lies outside their run are among them here, and not among those of [`load`].
///
/// # Errors
/// Those of [`select`] and of reading events.
pub fn trials_of(
    study: &Study,
    query: &Query,
    plan: &BetasPlan,
    run: &Run<'_>,
) -> Result<TrialTable, Stop> {
    let selection = select(study, query)?;
    let trials = match (&selection.subject.betas, selection.runs.is_empty()) {
        (Some(ready), true) => ready.trials().to_vec(),
        (None, true) => {
            return Err(Error::Choice(format!(
                "subject {} has neither BOLD runs that fit the options nor ready-made betas: loosen the options",
                selection.subject.id
            ))
            .into());
        }
        _ => glm::trials(&selection, plan, run)?,
    };
    Ok(TrialTable::new(&trials, &study.stimuli))
}
