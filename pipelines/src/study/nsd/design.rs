//! Who saw which picture when: `nsd_expdesign.mat`.
//!
//! All numbers in it count from 1: `masterordering` (trials) points into the columns of `subjectim`
//! (subjects × pictures of each), whose values are numbers among all 73 000 pictures; `sharedix`
//! lists those that every subject saw.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::betas::Trial;
use crate::io::array::{self, Address};
use crate::{Error, Result};

/// A picture is on for three seconds of each four (Allen et al. 2022).
const SHOWN_SECS: f64 = 3.0;

/// The design of the experiment.
pub(super) struct Design {
    path: PathBuf,
    /// Per trial of a subject, the position of its picture in a row of `pictures`.
    order: Vec<usize>,
    /// Per subject, picture numbers from 1.
    pictures: Vec<Vec<u32>>,
    shared: BTreeSet<u32>,
}

impl Design {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let matrix = |name: &str| {
            let address = Address {
                path: path.to_path_buf(),
                name: Some(name.to_owned()),
            };
            array::read(&address, &mut Vec::new())
        };
        let whole = |name: &str, values: &[f32]| {
            let number = |&v: &f32| (v >= 1.0 && v.fract() == 0.0 && v < 1e7).then_some(v as u32);
            let numbers: Option<Vec<u32>> = values.iter().map(number).collect();
            numbers.ok_or_else(|| {
                Error::file(
                    path,
                    format!("{name} holds other than whole numbers from 1: download it again"),
                )
            })
        };
        let order = whole("masterordering", &matrix("masterordering")?.values)?;
        let order: Vec<usize> = order.iter().map(|&n| n as usize - 1).collect();
        let subjects = matrix("subjectim")?;
        let rows: Result<Vec<Vec<u32>>> =
            subjects.rows().map(|row| whole("subjectim", row)).collect();
        if order.iter().any(|&n| n >= subjects.n_cols) {
            let problem = format!(
                "masterordering names more pictures than the {} of subjectim: download it again",
                subjects.n_cols
            );
            return Err(Error::file(path, problem));
        }
        let shared = whole("sharedix", &matrix("sharedix")?.values)?
            .into_iter()
            .collect();
        Ok(Self {
            path: path.to_path_buf(),
            order,
            pictures: rows?,
            shared,
        })
    }

    /// The trials of some sessions, each of `n_trials`, of a subject counted from 1.
    pub(super) fn trials(
        &self,
        subject: &str,
        number: usize,
        sessions: &[usize],
        n_trials: usize,
    ) -> Result<Vec<Trial>> {
        let row = number
            .checked_sub(1)
            .and_then(|n| self.pictures.get(n))
            .ok_or_else(|| {
                let problem = format!(
                    "has no {subject}: subjectim has {} rows",
                    self.pictures.len()
                );
                Error::file(&self.path, problem)
            })?;
        let mut repeats: BTreeMap<u32, usize> = BTreeMap::new();
        let mut trials = Vec::with_capacity(sessions.len() * n_trials);
        let last = sessions.iter().max().copied().unwrap_or(0);
        // All sessions are counted through, so that repeats are right where one is missing.
        for session in 1..=last {
            let of_session = self.order.get((session - 1) * n_trials..session * n_trials);
            let of_session = of_session.ok_or_else(|| {
                let problem = format!(
                    "masterordering ends at trial {}, before session {session} of {subject} with {n_trials} trials each: check that the files belong together",
                    self.order.len()
                );
                Error::file(&self.path, problem)
            })?;
            for &position in of_session {
                let picture = row[position];
                let repeat = repeats.entry(picture).or_default();
                if sessions.contains(&session) {
                    let is_shared = self.shared.contains(&picture);
                    trials.push(Trial {
                        subject: subject.to_owned(),
                        session: format!("{session:02}"),
                        run: format!("ses-{session:02}"),
                        onset_secs: 0.0,
                        duration_secs: SHOWN_SECS,
                        condition: if is_shared { "shared1000" } else { "own" }.to_owned(),
                        stimulus: Some(format!("nsd{picture:05}")),
                        repeat: *repeat,
                    });
                }
                *repeat += 1;
            }
        }
        Ok(trials)
    }
}

/// Where the picture of a stimulus is among all, from 0.
pub(super) fn picture_index(id: &str) -> Option<usize> {
    id.strip_prefix("nsd")?
        .parse::<usize>()
        .ok()?
        .checked_sub(1)
}
