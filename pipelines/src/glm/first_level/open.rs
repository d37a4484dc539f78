//! Runs of which everything but the volumes is known.

use super::FirstLevelPlan;
use crate::Result;
use crate::glm::courses::{self, OpenRun};
use crate::glm::design::{Design, DesignPlan, design};
use crate::glm::response::{LIBRARY_SIZE, Response};
use crate::glm::{label_of, tr_of};
use crate::run::{Run, Stop};
use crate::study::BoldRun;
use crate::study::select::Selection;

/// A run whose header, events and designs are known.
pub(super) struct Opened<'a> {
    pub(super) open: OpenRun<'a>,
    pub(super) label: String,
    pub(super) short: String,
    pub(super) tr_secs: f64,
    /// One, or one for each response of the library.
    pub(super) designs: Vec<Design>,
}

impl Opened<'_> {
    /// The one, or the middle one.
    pub(super) fn design(&self) -> &Design {
        &self.designs[self.designs.len() / 2]
    }
}

/// Opens the runs of a selection and makes their designs.
pub(super) fn open<'a>(
    selection: &Selection<'a>,
    plan: &FirstLevelPlan,
    run: &Run<'_>,
) -> Result<Vec<Opened<'a>>, Stop> {
    let one = |bold: &&'a BoldRun| -> Result<Opened<'a>, Stop> {
        run.check()?;
        let open = courses::open(bold, run)?;
        let label = label_of(bold);
        let tr_secs = tr_of(bold, open.tr_secs)?;
        let events = bold.load_events(run)?;
        let confounds = match (&bold.confounds, plan.design.confounds.is_empty()) {
            (Some(source), false) => Some(source.load(run)?),
            _ => None,
        };
        let make = |plan: &DesignPlan, run: &Run<'_>| {
            let time = (open.n_times, tr_secs);
            design(&events.rows, confounds.as_deref(), plan, time, &label, run)
        };
        let designs = match plan.library {
            false => vec![make(&plan.design, run)?],
            true => {
                // Warnings once, not twenty times.
                let silent = crate::run::CancelToken::default();
                let nobody = Run::new(&|_| {}, &silent);
                (0..LIBRARY_SIZE)
                    .map(|index| {
                        let plan = DesignPlan {
                            response: Response::Library(index),
                            ..plan.design.clone()
                        };
                        make(&plan, if index == 0 { run } else { &nobody })
                    })
                    .collect::<Result<_>>()?
            }
        };
        let opened = Opened {
            short: bold.label.clone(),
            label,
            tr_secs,
            designs,
            open,
        };
        opened.design().warn_of_dependent(&opened.label, run);
        Ok(opened)
    };
    selection.runs.iter().map(one).collect()
}
