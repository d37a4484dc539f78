//! What job threads do for the Select panel: trials, features, maps of exchanged labels, scores.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use fusiform_pipelines::select::extract;
use fusiform_pipelines::select::extraction::{self, Extraction};
use fusiform_pipelines::select::history::{Entry, History, Outcome, Recipe};
use fusiform_pipelines::select::map::{self, MapSource};
use fusiform_pipelines::select::null::null;
use fusiform_pipelines::select::{
    Basket, Candidate, Contrast, EvaluationPlan, FeatureKind, Source, Statistic, Table, evaluate,
    families,
};
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::Query;
use fusiform_pipelines::{Run, Stop};

use crate::clock;
use crate::layout::View;
use crate::session::News;
use crate::session::selected::{Extracted, Family, Offer, Purpose, ScoredParts};

/// Labellings of which maps are made.
const N_NULL: usize = 100;

/// What there is to choose from, as events tell it.
pub(crate) fn offer(study: &Study, query: &Query, run: &Run<'_>) -> Result<News, Stop> {
    let usual = Extraction::usual(study, query, run)?;
    let trials = extraction::trials_of(study, query, &usual.betas, run)?;
    Ok(News::Offer(Arc::new(Offer {
        names: trials.names(),
        trials,
        usual,
    })))
}

/// Reads responses, unless those at hand are the wanted ones, and makes features of them.
pub(crate) fn extracted(
    study: &Study,
    wanted: &Extraction,
    contrast: Contrast,
    kind: &FeatureKind,
    at_hand: Option<Arc<Source>>,
    run: &Run<'_>,
) -> Result<News, Stop> {
    let source = match at_hand.filter(|source| source.extraction == *wanted) {
        Some(source) => source,
        None => Arc::new(extraction::load(study, wanted, run)?),
    };
    let (table, maps) = features(study, &source, &contrast, kind, run)?;
    Ok(News::Extracted(Arc::new(Extracted {
        contrast,
        source,
        table: Arc::new(table),
        maps,
    })))
}

fn features(
    study: &Study,
    source: &Source,
    contrast: &Contrast,
    kind: &FeatureKind,
    run: &Run<'_>,
) -> Result<(Table, MapSource), Stop> {
    let labels = contrast.label(&source.trials)?;
    let table = extract::table(study, source, kind, &labels, run)?;
    run.stage("summing up runs");
    let maps = map::prepare(&table, true, run)?;
    Ok((table, maps))
}

/// What the map would be without a difference.
pub(crate) fn exchanged(
    table: &Table,
    statistic: Statistic,
    ticked: &[bool],
    seed: u64,
    run: &Run<'_>,
) -> Result<News, Stop> {
    let runs = table.runs();
    let is_ticked = |name: &String| {
        let place = runs.iter().position(|run| run == name);
        place.is_some_and(|place| ticked.get(place).copied().unwrap_or(false))
    };
    let rows: Vec<usize> = (0..table.n_rows())
        .filter(|&row| is_ticked(&table.rows[row].run))
        .collect();
    let found = null(&table.of_rows(&rows), statistic, N_NULL, seed, run)?;
    Ok(News::Null(Arc::new(found)))
}

/// What is to be scored, and how.
#[derive(Debug)]
pub(crate) struct Scoring {
    pub(crate) extracted: Arc<Extracted>,
    /// The rows that are scored; none is all of them.
    pub(crate) rows: Option<Vec<usize>>,
    /// None lets the plan pick.
    pub(crate) basket: Option<Basket>,
    pub(crate) plan: EvaluationPlan,
    pub(crate) purpose: Purpose,
    pub(crate) recipe: Recipe,
    /// What the window shows: kept with the attempt.
    pub(crate) view: View,
    /// The attempt it goes on from.
    pub(crate) parent: Option<u64>,
    /// Where attempts are kept; none keeps them while the window is open.
    pub(crate) history: History,
}

/// Scores, and writes the attempt down.
pub(crate) fn scored(scoring: Scoring, run: &Run<'_>) -> Result<News, Stop> {
    let start = Instant::now();
    let whole = &scoring.extracted.table;
    let part = scoring.rows.as_ref().map(|rows| whole.of_rows(rows));
    let table = part.as_ref().unwrap_or(whole);
    let name = table.kind.word();
    let candidate = Candidate { name: &name, table };
    let evaluation = evaluate(&[candidate], scoring.basket.as_ref(), &scoring.plan, run)?;
    let outcome = Outcome::from(&evaluation);
    let mut look = scoring.view.select.clone();
    look.basket.clone_from(&evaluation.basket);
    let mut view = scoring.view;
    view.select.clone_from(&look);
    let mut history = scoring.history.reopened()?;
    let entry = Entry {
        time: clock::now(),
        seconds: start.elapsed().as_secs_f64(),
        note: String::new(),
        parent: scoring.parent,
        recipe: scoring.recipe,
        outcome: outcome.clone(),
    };
    let shown = serde_json::to_value(&view).ok();
    let number = history.append_shown(entry, shown, true)?;
    let parts = ScoredParts {
        look,
        purpose: scoring.purpose,
        outcome,
        evaluation: Some(evaluation),
        n_features: table.n_features(),
        number,
    };
    Ok(News::Scored(Arc::new(parts), history))
}

/// Kinds of features, each picked anew in every fold and held against the first.
pub(crate) fn compared(
    study: &Study,
    extracted: &Extracted,
    kinds: &[FeatureKind],
    plan: &EvaluationPlan,
    run: &Run<'_>,
    publish: &dyn Fn(News),
) -> Result<News, Stop> {
    let mut found: Vec<Family> = Vec::new();
    for kind in kinds {
        run.check()?;
        let evaluation = (|| {
            if *kind == extracted.table.kind {
                return score_one(&extracted.table, plan, run);
            }
            let labels = extracted.contrast.label(&extracted.source.trials)?;
            let table = extract::table(study, &extracted.source, kind, &labels, run)?;
            score_one(&table, plan, run)
        })();
        let evaluation = match evaluation {
            Ok(evaluation) => Ok(evaluation),
            Err(Stop::Failed(error)) => Err(error.to_string()),
            Err(Stop::Cancelled) => return Err(Stop::Cancelled),
        };
        let first = found.iter().find_map(|f| f.evaluation.as_ref().ok());
        let difference = match (first, &evaluation) {
            (Some(first), Ok(this)) => families::difference(this, first).ok(),
            _ => None,
        };
        found.push(Family {
            kind: *kind,
            evaluation,
            difference,
        });
        publish(News::Compared(Arc::new(found.clone())));
    }
    Ok(News::Compared(Arc::new(found)))
}

fn score_one(
    table: &Table,
    plan: &EvaluationPlan,
    run: &Run<'_>,
) -> Result<fusiform_pipelines::select::Evaluation, Stop> {
    let name = table.kind.word();
    evaluate(&[Candidate { name: &name, table }], None, plan, run)
}

/// Reads the attempts on a study.
pub(crate) fn history(file: Option<PathBuf>) -> Result<News, Stop> {
    let history = match file {
        Some(file) => History::open(&file)?,
        None => History::in_memory(),
    };
    Ok(News::History(history))
}
