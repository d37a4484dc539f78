//! `fusiform select`: which features tell conditions apart, and what that is worth on trials nobody looked at.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use fusiform_pipelines::betas::Columns;
use fusiform_pipelines::glm::TrialModel;
use fusiform_pipelines::report::{self, Selected};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::select::families::{self, Difference};
use fusiform_pipelines::select::history::{Entry, History, Outcome, Recipe};
use fusiform_pipelines::select::{
    Basket, Candidate, Contrast, Evaluation, EvaluationPlan, Extraction, FeatureKind, Source,
    Table, evaluate, extract, extraction, map, null,
};
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{choose_subject, select};
use fusiform_pipelines::surface::Hemisphere;
use serde_json::{Map, Value, json};

use super::Output;
use super::args::{StudyArgs, TrialArgs, in_common, prepare_folder};
use super::progress::shown;
use crate::clock;

mod options;
mod text;

use options::Choices;

const EXAMPLES: &str = "\
Examples:
  fusiform select demo --a face --b scene --out results
  fusiform select study/ --desc oneslice --a face --b house --out results
  fusiform select study/ --classes all --features rois
  fusiform select study/ --a 'caption~dog' --b 'category=animal & caption!~dog' --model svm
  fusiform select study/ --split known --try lag:0,lag:1,lag:2,lag:3,glm --out results
  fusiform select study/ --a face --b house --features rois --compare voxels,rois+voxels
  fusiform select study/ --repeat 3 --out results      attempt 3 again, exactly

A condition is a word (face: a condition or a category) or clauses joined by &:
  column test value, columns category condition stimulus caption session run repeat,
  tests = != ~ (contains) !~ <= >=, several values separated by commas (any of them).

Two scores are printed. “re-picked” picks the features anew in every fold, from its
training runs alone: what new runs would give, with p by permuting labels within runs.
“fixed” keeps one basket; where it was picked by looking at the scored runs it is marked
optimistic, for on pure noise it reaches 0.8 to 0.9. docs/guide/selection.md says more.";

/// What `select` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    trials: TrialArgs,
    /// First condition: a word, or a filter (see below)
    #[arg(long, requires = "b", value_name = "FILTER")]
    a: Option<String>,
    /// Second condition
    #[arg(long, requires = "a", value_name = "FILTER")]
    b: Option<String>,
    /// Many classes: `all` conditions (the default without --a and --b), or names separated by commas
    #[arg(long, conflicts_with = "a", value_delimiter = ',')]
    classes: Vec<String>,
    /// voxels, vertices, rois, patterns (components of regions), fc (edges), strength (of nodes), power (in bands); several joined by +, as in voxels+fc
    #[arg(long, default_value = "voxels")]
    features: String,
    #[command(flatten)]
    choices: Choices,
    /// A basket.json to score as it is, instead of the strongest of the map
    #[arg(long, value_name = "FILE")]
    basket: Option<PathBuf>,
    /// Score other kinds of features too, and compare fold by fold (separated by commas)
    #[arg(long, value_delimiter = ',', value_name = "FEATURES")]
    compare: Vec<String>,
    /// Ways to read trials, of which the training runs of each fold choose: lag:N and glm, separated by commas
    #[arg(long = "try", value_delimiter = ',', value_name = "WAYS", conflicts_with_all = ["glm", "lag_volumes"])]
    ways: Vec<String>,
    /// Permutations of labels within runs, for p and the map's threshold
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    permutations: u32,
    /// Everything random follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for maps, tables, figures and history.jsonl
    #[arg(long)]
    out: Option<PathBuf>,
    /// A note to keep with the attempt
    #[arg(long, default_value = "")]
    note: String,
    /// The attempt this one was made from
    #[arg(long, value_name = "ATTEMPT")]
    parent: Option<u64>,
    /// Do an attempt of the history again with all its settings; other options than --out are left aside
    #[arg(long, value_name = "ATTEMPT", requires = "out", conflicts_with_all = ["a", "classes", "compare", "ways"])]
    repeat: Option<u64>,
    /// Do again what was done before
    #[arg(long)]
    force: bool,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let kinds = args.kinds()?;
    if let Some(out) = &args.out {
        prepare_folder(out)?;
    }
    let (metrics, text) = shown(output.quiet, |run| done(args, &kinds, run))?;
    output.result(&Value::Object(metrics), &text)
}

impl Args {
    /// The kind of features, and those it is compared with.
    fn kinds(&self) -> anyhow::Result<Vec<FeatureKind>> {
        std::iter::once(&self.features)
            .chain(&self.compare)
            .map(|word| self.choices.kind(word))
            .collect()
    }

    /// What is told apart: by the options or, repeated, by an attempt.
    fn recipe(&self, study: &Study, kind: FeatureKind, run: &Run<'_>) -> anyhow::Result<Recipe> {
        let usual = Extraction::usual(study, &self.study.query(), run)?;
        let usual = Extraction {
            betas: self.trials.apply_before_folds(usual.betas)?,
            scale: self.choices.scale.into(),
            averaging: self.choices.average.into(),
            smoothing_fwhm_mm: self.choices.smoothing,
            ..usual
        };
        let extractions = match self.ways.as_slice() {
            [] => vec![usual.clone()],
            ways => ways
                .iter()
                .map(|way| options::way(&usual, way))
                .collect::<anyhow::Result<_>>()?,
        };
        let trials = extraction::trials_of(study, &usual.query, &usual.betas, run)?;
        let contrast = match (&self.a, &self.b, self.classes.as_slice()) {
            (Some(a), Some(b), _) => Contrast::two(a, b)?,
            (_, _, []) => Contrast::all(&trials)?,
            (_, _, [all]) if all.eq_ignore_ascii_case("all") => Contrast::all(&trials)?,
            (_, _, classes) => {
                let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
                Contrast::of(&classes)?
            }
        };
        // Names are checked before anything heavy is read.
        contrast.label(&trials)?;
        let basket = self.basket.as_deref().map(read_basket).transpose()?;
        Ok(Recipe {
            study: self.study.study.display().to_string(),
            extractions,
            contrast,
            kind,
            plan: EvaluationPlan {
                pick: self.choices.pick(),
                search: self.choices.search.into(),
                model: self.choices.model(),
                split: self.choices.split(),
                n_permutations: self.permutations as usize,
                seed: self.seed,
            },
            basket,
            data: String::new(),
        })
    }
}

fn read_basket(path: &Path) -> anyhow::Result<Basket> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{}: is no basket; give the basket.json of an earlier --out",
            path.display()
        )
    })
}

/// One way of reading the trials, with its table.
struct Read {
    name: String,
    source: Source,
    table: Table,
}

fn read(study: &Study, recipe: &Recipe, run: &Run<'_>) -> anyhow::Result<Vec<Read>> {
    let mut reads = Vec::new();
    for extraction in &recipe.extractions {
        let source = extraction::load(study, extraction, run)?;
        let labels = recipe.contrast.label(&source.trials)?;
        let table = extract::table(study, &source, &recipe.kind, &labels, run)?;
        reads.push(Read {
            name: options::name_of(&extraction.betas.model),
            source,
            table,
        });
    }
    Ok(reads)
}

fn done(
    args: &Args,
    kinds: &[FeatureKind],
    run: &Run<'_>,
) -> anyhow::Result<(Map<String, Value>, String)> {
    let started = Instant::now();
    let study = args.study.open(run)?;
    let mut history = opened(args, run)?;
    let mut recipe = match (args.repeat, &history) {
        (Some(id), Some(history)) => history.attempt(id)?.recipe.clone(),
        _ => args.recipe(&study, kinds[0], run)?,
    };
    let reads = read(&study, &recipe, run)?;
    check_data(args, &mut recipe, &reads, history.as_ref(), run)?;
    let evaluation = scored(&reads, &recipe, run)?;
    for note in &evaluation.notes {
        run.warn(note.clone());
    }

    let best = &reads[evaluation.basket_candidate];
    let plan = &recipe.plan;
    let statistic = plan.pick.statistic;
    let maps = map::prepare(&best.table, statistic.is_of_ranks(), run)?;
    let values = map::map(&maps, statistic, &vec![true; maps.runs.len()])?;
    let by_chance = null::null(&best.table, statistic, plan.n_permutations, plan.seed, run)?;
    let comparisons = compared(kinds, &study, &recipe, &reads, &evaluation, run)?;

    let selection = select(&study, &recipe.extractions[0].query)?;
    let entities = in_common(&selection.runs);
    let n_vertices = vertices(&study, &recipe, run)?;
    let selected = Selected {
        study: &study.name,
        subject: &selection.subject.id,
        entities: &entities,
        table: &best.table,
        mask: match &best.source.betas.columns {
            Columns::Voxels(mask) => Some(mask),
            Columns::Points(_) => None,
        },
        n_vertices: &n_vertices,
        map: &values,
        null: &by_chance,
        plan,
        evaluation: &evaluation,
        seconds: started.elapsed().as_secs_f64(),
    };
    let mut metrics = report::select_metrics(&selected);
    for (name, accuracy, difference) in &comparisons {
        metrics.insert(format!("{name}_accuracy_repicked"), json!(accuracy));
        metrics.insert(format!("{name}_difference"), json!(difference.mean));
        if difference.p.is_finite() {
            metrics.insert(format!("{name}_difference_p"), json!(difference.p));
        }
    }
    let labels = recipe.contrast.label(&best.source.trials)?;
    let counts = labels.counts(&best.source.trials);
    let mut text = text::summary(&selected, &counts, &comparisons);
    if let Some(out) = &args.out {
        run.stage(format!("writing {}", out.display()));
        report::write_select(out, &selected, run)?;
    }
    if let (Some(history), Some(out)) = (&mut history, &args.out) {
        let entry = Entry {
            time: clock::now(),
            seconds: started.elapsed().as_secs_f64(),
            note: args.note.clone(),
            parent: args.parent.or(args.repeat),
            outcome: Outcome::from(&evaluation),
            recipe,
        };
        let id = history.append(entry, args.force || args.repeat.is_some())?;
        history.export_table(&out.join("history.tsv"))?;
        metrics.insert("attempt".to_owned(), json!(id));
        text += &format!("\nattempt {id} of {}", out.join("history.jsonl").display());
    }
    Ok((metrics, text))
}

/// The history of the folder, when there is one.
fn opened(args: &Args, run: &Run<'_>) -> anyhow::Result<Option<History>> {
    let Some(out) = &args.out else {
        return Ok(None);
    };
    let history = History::open(&out.join("history.jsonl"))?;
    for line in &history.damaged {
        run.warn(format!("history.jsonl: {line}; it is left as it is"));
    }
    Ok(Some(history))
}

/// Writes the id of the data into the recipe, refuses what was tried before, and says when a repeated attempt was made
/// from other data.
fn check_data(
    args: &Args,
    recipe: &mut Recipe,
    reads: &[Read],
    history: Option<&History>,
    run: &Run<'_>,
) -> anyhow::Result<()> {
    let data: Vec<&str> = reads.iter().map(|r| r.source.data.as_str()).collect();
    let data = data.join("+");
    if args.repeat.is_some() && recipe.data != data {
        run.warn("the data are not those of the attempt: files have changed since, and so may the scores");
    }
    recipe.data = data;
    match history {
        Some(history) if args.repeat.is_none() && !args.force => Ok(history.refuse_repeat(recipe)?),
        _ => Ok(()),
    }
}

fn scored(reads: &[Read], recipe: &Recipe, run: &Run<'_>) -> anyhow::Result<Evaluation> {
    let candidates: Vec<Candidate<'_>> = reads
        .iter()
        .map(|read| Candidate {
            name: &read.name,
            table: &read.table,
        })
        .collect();
    Ok(evaluate(
        &candidates,
        recipe.basket.as_ref(),
        &recipe.plan,
        run,
    )?)
}

/// The name of another kind of features, its re-picked accuracy, and how much better the first kind is.
type Comparison = (String, f64, Difference);

fn compared(
    kinds: &[FeatureKind],
    study: &Study,
    recipe: &Recipe,
    reads: &[Read],
    first: &Evaluation,
    run: &Run<'_>,
) -> anyhow::Result<Vec<Comparison>> {
    let mut out = Vec::new();
    for kind in kinds.iter().skip(1) {
        run.stage(format!("comparing with {}", kind.word()));
        let mut tables = Vec::new();
        for read in reads {
            let labels = recipe.contrast.label(&read.source.trials)?;
            let table = extract::table(study, &read.source, kind, &labels, run)?;
            tables.push((read.name.as_str(), table));
        }
        let candidates: Vec<Candidate<'_>> = tables
            .iter()
            .map(|(name, table)| Candidate { name, table })
            .collect();
        let plan = EvaluationPlan {
            n_permutations: 0,
            ..recipe.plan.clone()
        };
        let other = evaluate(&candidates, None, &plan, run)?;
        let difference = families::difference(first, &other)?;
        out.push((
            kind.word().into_owned(),
            other.repicked.accuracy,
            difference,
        ));
    }
    Ok(out)
}

/// Vertices of the subject's sheets, for maps on them.
fn vertices(
    study: &Study,
    recipe: &Recipe,
    run: &Run<'_>,
) -> anyhow::Result<Vec<(Hemisphere, usize)>> {
    let has_vertices = match recipe.kind {
        FeatureKind::Mixed(mix) => mix.vertices,
        kind => kind == FeatureKind::Vertices,
    };
    if !has_vertices {
        return Ok(Vec::new());
    }
    let query = &recipe.extractions[0].query;
    let subject = choose_subject(study, query.subject.as_deref())?;
    let mut out = Vec::new();
    for sheet in &subject.surfaces {
        if let Some((_, source)) = sheet.shapes.first() {
            out.push((sheet.hemisphere, source.load(run)?.vertices.len()));
        }
    }
    Ok(out)
}
