//! What the Select panel is set to: part of the view, so that every step of a search can be undone and every attempt be
//! brought back as it was.

use fusiform_pipelines::glm::{BetasPlan, TrialModel};
use fusiform_pipelines::select::{
    Averaging, Basket, Contrast, EvaluationPlan, Extraction, FeatureKind, PickPlan, Scale, Search,
    Statistic, TrialTable,
};
use serde::{Deserialize, Serialize};

/// Which features of a map are shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Those with a false discovery rate of at most this (Benjamini & Hochberg).
    Q(f64),
    /// So many, the strongest.
    Strongest(usize),
    /// All that have a value.
    All,
}

/// What is told apart, by what, and what was collected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelectLook {
    /// Condition A, as a filter.
    pub a: String,
    /// Condition B, as a filter.
    pub b: String,
    /// Whether every condition is a class, instead of A and B.
    pub every: bool,
    /// Runs that take no part in the map.
    pub unticked: Vec<String>,
    /// By what.
    pub kind: FeatureKind,
    /// How trials are read off runs; none is as the events suggest.
    pub model: Option<TrialModel>,
    /// Over what voxels are z-scored.
    pub scale: Scale,
    /// Which trials are averaged.
    pub averaging: Averaging,
    /// Full width at half maximum of a Gaussian within the mask, mm; 0 for none.
    pub smoothing_fwhm_mm: f64,
    /// What the map shows.
    pub statistic: Statistic,
    /// How much of it.
    pub shown: Shown,
    /// The collected features.
    pub basket: Basket,
    /// How features are picked and scored.
    pub plan: EvaluationPlan,
    /// Whether scores are of the runs that were left out of the map alone.
    pub unseen_only: bool,
    /// Whether a click on slices and surfaces puts what is there into the basket.
    pub click_adds: bool,
}

impl Default for SelectLook {
    fn default() -> Self {
        Self {
            a: String::new(),
            b: String::new(),
            every: false,
            unticked: Vec::new(),
            kind: FeatureKind::Voxels,
            model: None,
            scale: Scale::default(),
            averaging: Averaging::default(),
            smoothing_fwhm_mm: 0.0,
            statistic: Statistic::R2,
            shown: Shown::Q(0.05),
            basket: Basket::default(),
            plan: EvaluationPlan::default(),
            unseen_only: false,
            click_adds: false,
        }
    }
}

impl SelectLook {
    /// The classes.
    ///
    /// # Errors
    /// Says which filter is not understood, or that one is missing.
    pub fn contrast(&self, trials: &TrialTable) -> fusiform_pipelines::Result<Contrast> {
        if self.every {
            Contrast::all(trials)
        } else {
            Contrast::two(&self.a, &self.b)
        }
    }

    /// How responses are read; `usual` is what the query asks for, read as the events suggest.
    pub fn extraction(&self, usual: &Extraction) -> Extraction {
        let model = self
            .model
            .clone()
            .unwrap_or_else(|| usual.betas.model.clone());
        Extraction {
            betas: BetasPlan {
                model,
                ..usual.betas.clone()
            },
            scale: self.scale,
            averaging: self.averaging,
            smoothing_fwhm_mm: self.smoothing_fwhm_mm,
            ..usual.clone()
        }
    }

    /// Whether a run takes part in the map.
    pub fn is_ticked(&self, run: &str) -> bool {
        !self.unticked.iter().any(|other| other == run)
    }

    /// How features are picked, by the statistic of the map.
    pub fn pick(&self) -> PickPlan {
        PickPlan {
            statistic: self.statistic,
            ..self.plan.pick.clone()
        }
    }

    /// How the basket is scored.
    pub fn evaluation(&self, search: Search) -> EvaluationPlan {
        EvaluationPlan {
            pick: self.pick(),
            search,
            ..self.plan.clone()
        }
    }

    /// The same with nothing collected: what was picked for other classes or of other features is of no use.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self {
            basket: Basket::default(),
            ..self.clone()
        }
    }

    pub(super) fn is_sane(&self) -> bool {
        let finite = |v: f64| v.is_finite() && v >= 0.0;
        finite(self.plan.pick.min_distance_mm)
            && finite(self.smoothing_fwhm_mm)
            && match self.shown {
                Shown::Q(q) => (0.0..=1.0).contains(&q),
                Shown::Strongest(_) | Shown::All => true,
            }
    }
}
