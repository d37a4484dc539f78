//! The words of `select`'s options, and what they stand for.

use anyhow::bail;
use clap::ValueEnum;
use fusiform_pipelines::select::{
    Averaging, Extraction, FeatureKind, Mix, Model, PickPlan, Scale, Search, Sign, SplitRule,
    Statistic, Windows,
};

use super::TrialModel;

/// How features are picked and scored.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Choices {
    /// Features to pick, strongest first; 0 takes all
    #[arg(long, default_value_t = 20)]
    top: usize,
    /// Picked features are at least so far apart, mm
    #[arg(long, default_value_t = 8.0, value_name = "MM")]
    min_distance: f64,
    /// At most one feature a region
    #[arg(long)]
    one_per_region: bool,
    /// What the map shows and features are picked by
    #[arg(long, value_enum, default_value_t = StatisticName::R2)]
    statistic: StatisticName,
    /// Pick features with more in this condition only (signed statistics)
    #[arg(long, value_enum, default_value_t = Side::Both)]
    side: Side,
    /// What else the training runs of a fold choose
    #[arg(long, value_enum, default_value_t = SearchName::None)]
    pub(super) search: SearchName,
    /// The classifier
    #[arg(long, value_enum, default_value_t = ModelName::Lda)]
    model: ModelName,
    /// Weight of the data against the penalty (logistic, svm)
    #[arg(long, default_value_t = 1.0)]
    c: f64,
    /// What is held out; repeats of a stimulus are never split, unless `known` says so
    #[arg(long, value_enum, default_value_t = SplitName::Runs)]
    split: SplitName,
    /// Folds, where stimuli are held out
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// Components of each region, at most (patterns)
    #[arg(long, default_value_t = 3)]
    components: usize,
    /// Over what connections are correlations: blocks, runs, or trials:N
    #[arg(long, default_value = "blocks")]
    window: String,
    /// Trials to average before anything else
    #[arg(long, value_enum, default_value_t = Average::None)]
    pub(super) average: Average,
    /// Over what voxels are z-scored
    #[arg(long, value_enum, default_value_t = Scope::Run)]
    pub(super) scale: Scope,
    /// Width (FWHM) of a Gaussian within the mask, mm
    #[arg(long, default_value_t = 0.0, value_name = "MM")]
    pub(super) smoothing: f64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum StatisticName {
    /// Share of the variance between classes (η²); for any number of classes
    R2,
    /// With the sign of A − B
    SignedR2,
    /// Welch's t
    T,
    /// d′
    Dprime,
    /// Area under the ROC curve within runs (rank-sum test)
    Auc,
    /// Mutual information of the class and the quarter of its run in which a row lies, bits; for any number of classes
    Mi,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Side {
    /// Either
    Both,
    /// --a
    A,
    /// --b
    B,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SearchName {
    /// Nothing
    None,
    /// How many of the strongest
    Prefixes,
    /// Which of the strongest, added one by one
    Forward,
    /// From which region
    Regions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ModelName {
    /// Linear discriminants, Ledoit–Wolf shrinkage
    Lda,
    /// Logistic regression, L2
    Logistic,
    /// Linear support vectors
    Svm,
    /// Nearest class mean
    Centroid,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SplitName {
    /// A run at a time; runs that share stimuli together
    Runs,
    /// A session at a time
    Sessions,
    /// Stimuli, whatever run they were shown in
    Stimuli,
    /// A run at a time, though its stimuli were shown in others
    Known,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Average {
    /// None
    None,
    /// Those of one stimulus in one run
    Stimuli,
    /// Those of one class in one run
    Classes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Scope {
    /// The trials of a run
    Run,
    /// The trials of a session
    Session,
    /// Nothing
    None,
}

impl Choices {
    /// The kind of features that a word stands for.
    pub(super) fn kind(&self, word: &str) -> anyhow::Result<FeatureKind> {
        Ok(match word {
            "voxels" => FeatureKind::Voxels,
            "vertices" => FeatureKind::Vertices,
            "rois" => FeatureKind::RoiMeans,
            "patterns" => FeatureKind::RoiPatterns {
                n_components: self.components,
            },
            "fc" => FeatureKind::FcEdges(self.windows()?),
            "strength" => FeatureKind::FcNodeStrengths(self.windows()?),
            "power" => FeatureKind::BandPower,
            mix if mix.contains('+') => {
                let kinds = mix.split('+').map(|word| self.kind(word.trim()));
                FeatureKind::Mixed(Mix::of(&kinds.collect::<anyhow::Result<Vec<_>>>()?)?)
            }
            other => bail!(
                "there are no features called “{other}”: choose voxels, vertices, rois, patterns, fc, strength or power, or several joined by + (voxels+fc)"
            ),
        })
    }

    fn windows(&self) -> anyhow::Result<Windows> {
        let trials = self.window.strip_prefix("trials:");
        Ok(match (self.window.as_str(), trials.map(str::parse)) {
            ("blocks", _) => Windows::Blocks,
            ("runs", _) => Windows::Runs,
            (_, Some(Ok(n))) => Windows::Trials(n),
            (other, _) => bail!("“{other}” is no window: write blocks, runs, or trials:8"),
        })
    }

    pub(super) fn pick(&self) -> PickPlan {
        PickPlan {
            n: self.top,
            statistic: match self.statistic {
                StatisticName::R2 => Statistic::R2,
                StatisticName::SignedR2 => Statistic::SignedR2,
                StatisticName::T => Statistic::T,
                StatisticName::Dprime => Statistic::DPrime,
                StatisticName::Auc => Statistic::Auc,
                StatisticName::Mi => Statistic::MutualInformation,
            },
            sign: match self.side {
                Side::Both => Sign::Both,
                Side::A => Sign::First,
                Side::B => Sign::Second,
            },
            min_distance_mm: self.min_distance,
            one_per_region: self.one_per_region,
            regions: Vec::new(),
        }
    }

    pub(super) fn model(&self) -> Model {
        match self.model {
            ModelName::Lda => Model::Lda,
            ModelName::Logistic => Model::Logistic { c: self.c },
            ModelName::Svm => Model::Svm { c: self.c },
            ModelName::Centroid => Model::Centroid,
        }
    }

    pub(super) fn split(&self) -> SplitRule {
        match self.split {
            SplitName::Runs => SplitRule::Runs,
            SplitName::Sessions => SplitRule::Sessions,
            SplitName::Stimuli => SplitRule::Stimuli(self.folds),
            SplitName::Known => SplitRule::RunsOfKnownStimuli,
        }
    }
}

impl From<SearchName> for Search {
    fn from(name: SearchName) -> Self {
        match name {
            SearchName::None => Self::None,
            SearchName::Prefixes => Self::Prefixes,
            SearchName::Forward => Self::Forward,
            SearchName::Regions => Self::Regions,
        }
    }
}

impl From<Average> for Averaging {
    fn from(name: Average) -> Self {
        match name {
            Average::None => Self::None,
            Average::Stimuli => Self::Stimuli,
            Average::Classes => Self::Classes,
        }
    }
}

impl From<Scope> for Scale {
    fn from(name: Scope) -> Self {
        match name {
            Scope::Run => Self::Run,
            Scope::Session => Self::Session,
            Scope::None => Self::None,
        }
    }
}

/// `usual` with the trial model of a word of --try.
pub(super) fn way(usual: &Extraction, word: &str) -> anyhow::Result<Extraction> {
    let mut way = usual.clone();
    way.betas.model = match word.strip_prefix("lag:").map(str::parse) {
        Some(Ok(lag_volumes)) => TrialModel::BlockMean { lag_volumes },
        None if word == "glm" => TrialModel::LeastSquares,
        None if word == "lss" => TrialModel::LeastSquaresSeparate,
        _ => bail!("“{word}” is no way to read trials: write lag:2 (volumes), glm or lss"),
    };
    Ok(way)
}

/// What a trial model is called in tables.
pub(super) fn name_of(model: &TrialModel) -> String {
    match model {
        TrialModel::BlockMean { lag_volumes } => format!("lag {lag_volumes}"),
        TrialModel::LeastSquares => "GLM".to_owned(),
        TrialModel::LeastSquaresSeparate => "GLM, separate".to_owned(),
        TrialModel::Ridge => "GLM, ridge".to_owned(),
    }
}
