//! Scores and what is kept of them: an attempt is refused when it was made before, brought back as it was, written out.

use std::sync::Arc;

use fusiform_pipelines::select::history::{Attempt, Recipe};
use fusiform_pipelines::select::{Extraction, FeatureKind, Search, TrialTable};
use fusiform_pipelines::study::select::Query;

use super::{FINDING, TITLE, extract, offer, study_name};
use crate::command::{Change, Command, apply};
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, SelectLook, View};
use crate::session::selected::{Extracted, Purpose, ScoredParts};
use crate::session::{Grade, Session};
use crate::workbench::select as work;

/// What an attempt is repeated from.
fn recipe(session: &Session, extracted: &Extracted, look: &SelectLook, purpose: Purpose) -> Recipe {
    let mut extraction: Extraction = extracted.source.extraction.clone();
    if look.unseen_only {
        extraction.query.runs.clone_from(&look.unticked);
    }
    let study = match session.opened.as_slice() {
        [] => study_name(session),
        paths => {
            let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            paths.join(" ")
        }
    };
    Recipe {
        study,
        extractions: vec![extraction],
        contrast: extracted.contrast.clone(),
        kind: extracted.table.kind,
        plan: look.evaluation(search(look, purpose)),
        basket: (purpose == Purpose::Basket).then(|| look.basket.clone()),
        data: extracted.table.data.clone(),
    }
}

/// What the folds choose beside features.
fn search(look: &SelectLook, purpose: Purpose) -> Search {
    match (purpose, look.plan.search) {
        (Purpose::Basket, _) => Search::None,
        (Purpose::BestCombination, Search::None) => Search::Prefixes,
        (Purpose::BestCombination, chosen) => chosen,
    }
}

pub(super) fn score(
    session: &mut Session,
    layout: &Layout,
    jobs: &mut Jobs,
    purpose: Purpose,
    anyway: bool,
) {
    let Some(extracted) = session.selected.extracted.clone() else {
        return;
    };
    let look = &layout.view.select;
    if !session.selected.is_current(look) {
        let words =
            "The contrast or the features have changed since the map was made: press E first.";
        session.say(Grade::Warning, TITLE, words);
        return;
    }
    if purpose == Purpose::Basket && look.basket.features.is_empty() {
        let words = "The basket is empty: press N for the strongest features, or add some.";
        session.say(Grade::Warning, TITLE, words);
        return;
    }
    let history = session.selected.history.clone().unwrap_or_default();
    let recipe = recipe(session, &extracted, look, purpose);
    let before = history.same_as(&recipe).ok().flatten().map(|a| a.id);
    if let Some(number) = before.filter(|_| !anyway) {
        session.selected.duplicate = Some((number, purpose));
        return;
    }
    session.selected.duplicate = None;
    let rows = look.unseen_only.then(|| {
        let rows = extracted.table.rows.iter().enumerate();
        let unseen = rows.filter(|(_, row)| !look.is_ticked(&row.run));
        unseen.map(|(at, _)| at).collect()
    });
    let scoring = work::Scoring {
        rows,
        basket: recipe.basket.clone(),
        plan: recipe.plan.clone(),
        purpose,
        recipe,
        view: layout.view.clone(),
        parent: session.selected.scored.as_ref().map(|s| s.number),
        history,
        extracted,
    };
    let name = match purpose {
        Purpose::Basket => "Training and testing",
        Purpose::BestCombination => FINDING,
    };
    jobs.start(Kind::Score, name, move |run, _| work::scored(scoring, run));
}

pub(super) fn compare(
    session: &mut Session,
    layout: &Layout,
    jobs: &mut Jobs,
    kinds: Vec<FeatureKind>,
) {
    let (Some(study), Some(extracted)) =
        (session.study.clone(), session.selected.extracted.clone())
    else {
        return;
    };
    session.selected.compared = None;
    let plan = layout.view.select.evaluation(Search::None);
    jobs.start(
        Kind::Compare,
        "Comparing kinds of features",
        move |run, publish| work::compared(&study, &extracted, &kinds, &plan, run, publish),
    );
}

/// Brings back what an attempt was made with, and its scores.
pub(super) fn restore(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs, number: u64) {
    let found = session
        .selected
        .history
        .as_ref()
        .and_then(|h| h.attempt(number).ok().cloned());
    let Some(attempt) = found else {
        return;
    };
    let trials = session.selected.offer.as_ref().map(|o| &o.trials);
    let view = view_of(&attempt, &layout.view, trials);
    let asked = attempt.recipe.extractions.first().map(|e| Query {
        runs: session.query.runs.clone(),
        ..e.query.clone()
    });
    if let Some(query) = asked.filter(|query| *query != session.resolved_query()) {
        // Of another subject or task: that is read first, and then the features by what the settings say.
        apply(session, layout, jobs, Command::Query(query));
        offer(session, jobs);
    }
    session.selected.duplicate = None;
    let change = Change::Whole(Box::new(view));
    let merge = false;
    apply(session, layout, jobs, Command::Change { change, merge });
    session.selected.scored = Some(Arc::new(ScoredParts {
        look: layout.view.select.clone(),
        purpose: match attempt.recipe.basket {
            Some(_) => Purpose::Basket,
            None => Purpose::BestCombination,
        },
        outcome: attempt.outcome,
        evaluation: None,
        n_features: 0,
        number,
    }));
    if session.selected.offer.is_some() && !session.selected.is_current(&layout.view.select) {
        extract(session, layout, jobs);
    }
}

/// The view an attempt was made in; of one that was made without a window, the present one with its settings.
fn view_of(attempt: &Attempt, now: &View, trials: Option<&TrialTable>) -> View {
    let kept = attempt.view.clone();
    let whole = kept.and_then(|view| serde_json::from_value::<View>(view).ok());
    if let Some(view) = whole.filter(View::is_sane) {
        return view;
    }
    let recipe = &attempt.recipe;
    let mut look = now.select.clone();
    let all = |trials: &TrialTable| fusiform_pipelines::select::Contrast::all(trials).ok();
    look.every = trials.and_then(all).as_ref() == Some(&recipe.contrast);
    if let [a, b] = recipe.contrast.classes.as_slice() {
        (look.a, look.b) = (a.to_string(), b.to_string());
        look.every = false;
    }
    if let Some(extraction) = recipe.extractions.first() {
        look.model = Some(extraction.betas.model.clone());
        look.scale = extraction.scale;
        look.averaging = extraction.averaging;
        look.smoothing_fwhm_mm = extraction.smoothing_fwhm_mm;
    }
    look.kind = recipe.kind;
    look.statistic = recipe.plan.pick.statistic;
    look.plan.clone_from(&recipe.plan);
    look.basket.clone_from(&attempt.outcome.basket);
    look.unticked.clear();
    look.unseen_only = false;
    View {
        select: look,
        ..now.clone()
    }
}

pub(super) fn export(session: &mut Session, path: &std::path::Path) {
    let Some(history) = &session.selected.history else {
        return;
    };
    let is_json = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let written = if is_json {
        history.export_json(path)
    } else {
        history.export_table(path)
    };
    let n = history.attempts.len();
    match written {
        Ok(()) => session.say(
            Grade::Note,
            "The history is saved",
            format!("{n} attempts in {}", path.display()),
        ),
        Err(error) => session.say(Grade::Failure, "Saving the history", error.to_string()),
    }
}
