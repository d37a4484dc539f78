//! A map of each number of each contrast, in the volume and on the cortex, with a table of its clusters.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::metrics::Found;
use super::{GlmContext, hrf, noise, units};
use crate::Result;
use crate::clusters::{ClusterPlan, clusters, table as cluster_table};
use crate::glm::first_level::{Answer, FirstLevel};
use crate::glm::fit::Noise;
use crate::glm::response::library_peak_secs;
use crate::io::table;
use crate::project::{Interpolation, Projection, Way, sampled};
use crate::run::{Run, Stop};
use crate::study::derivative::{self, About};
use crate::study::{Entities, Subject};
use crate::surface::{Hemisphere, Shape};
use crate::volume::Volume;

/// From the grid of the mask to each hemisphere, where the subject has surfaces.
pub(super) fn sheets(
    subject: &Subject,
    level: &FirstLevel,
    run: &Run<'_>,
) -> Result<Vec<(Hemisphere, Projection)>, Stop> {
    let mut sheets = Vec::new();
    for cortex in &subject.surfaces {
        let load = |shape: Shape| match cortex.shapes.iter().find(|(s, _)| *s == shape) {
            Some((_, source)) => source.load(run).map(Some),
            None => Ok(None),
        };
        let (white, pial) = (load(Shape::White)?, load(Shape::Pial)?);
        let way = match (&white, &pial) {
            (Some(inner), Some(outer)) => Way::Depth {
                inner,
                outer,
                n: 10,
            },
            (Some(surface), None) | (None, Some(surface)) => Way::Line {
                surface,
                radius_mm: 3.0,
                n: 10,
            },
            (None, None) => continue,
        };
        let projection = sampled(level.mask.grid(), way, Interpolation::Linear)?;
        sheets.push((cortex.hemisphere, projection));
    }
    Ok(sheets)
}

/// Writes maps.
pub(super) struct Maps<'a> {
    pub(super) folder: &'a Path,
    pub(super) entities: &'a Entities,
    pub(super) context: &'a GlmContext<'a>,
    pub(super) level: &'a FirstLevel,
    pub(super) sheets: Vec<(Hemisphere, Projection)>,
}

impl Maps<'_> {
    fn volume(&self, values: &[f32]) -> Result<Volume> {
        self.level.mask.scatter(values, f32::NAN)
    }

    /// The name of a map of a statistic.
    fn named(&self, contrast: Option<&str>, stat: &str) -> Entities {
        let mut entities = self.entities.clone();
        if let Some(contrast) = contrast {
            entities.insert("contrast".to_owned(), contrast.to_owned());
        }
        entities.insert("stat".to_owned(), stat.to_owned());
        entities
    }

    fn about(&self, description: String, units: &str, runs: &[String]) -> About {
        let plan = &self.context.plan;
        let more = json!({
            "Runs": runs,
            "HaemodynamicResponse": hrf(plan),
            "NoiseModel": noise(plan.noise),
            "Drift": plan.design.drift.to_string(),
            "Confounds": plan.design.confounds,
            "SliceTimeReference": plan.design.slice_time_ref,
            "Assumptions": self.level.assumptions,
        });
        About {
            description,
            units: units.to_owned(),
            sources: vec![self.context.study.clone()],
            more: more.as_object().cloned().unwrap_or_default(),
        }
    }

    /// The maps of a contrast and its clusters.
    pub(super) fn answer(&self, answer: &Answer, files: &mut Vec<PathBuf>) -> Result<()> {
        let (question, tested) = (&answer.question, &answer.tested);
        let in_units = units(self.level.units);
        let df = tested.df.1;
        let p: Vec<f32> = tested.p.iter().map(|p| *p as f32).collect();
        let (letter, statistic) = match question.is_f() {
            true => (
                "F",
                format!(
                    "F of {} with {} and {df} degrees of freedom",
                    question.text, tested.df.0
                ),
            ),
            false => (
                "t",
                format!("t of {} with {df} degrees of freedom", question.text),
            ),
        };
        let effect = match question.is_f() {
            true => format!("Root mean square of the effects {}", question.text),
            false => format!("Effect {}, mean over runs", question.text),
        };
        let maps: [(&str, &[f32], String, &str); 5] = [
            ("effect", &tested.effect, effect, in_units),
            (
                "variance",
                &tested.variance,
                "Variance of the effect".to_owned(),
                in_units,
            ),
            (letter, &tested.statistic, statistic, "arbitrary"),
            (
                "z",
                &tested.z,
                format!(
                    "Standard normal value as unlikely as the {letter} of {}",
                    question.text
                ),
                "arbitrary",
            ),
            (
                "p",
                &p,
                format!(
                    "Probability of so large a {letter} without an effect{}",
                    if question.is_f() { "" } else { ", one-sided" }
                ),
                "arbitrary",
            ),
        ];
        for (stat, values, description, units) in maps {
            let entities = self.named(Some(&question.name), stat);
            let about = self.about(
                format!("{description}. NaN outside the mask and where a voxel has no result."),
                units,
                &answer.runs,
            );
            files.push(derivative::write_map(
                self.folder,
                &entities,
                "statmap",
                &self.volume(values)?,
                &about,
            )?);
        }
        let z = self.volume(&tested.z)?;
        let entities = self.named(Some(&question.name), "z");
        for (hemisphere, projection) in &self.sheets {
            let about = self.about(
                format!(
                    "z of {} on the cortex: mean of trilinear samples from white to pial surface",
                    question.text
                ),
                "arbitrary",
                &answer.runs,
            );
            let map = projection.map(&z.data, &format!("z of {}", question.text));
            files.push(derivative::write_vertex_map(
                self.folder,
                &entities,
                "statmap",
                (*hemisphere, &map),
                &about,
            )?);
        }
        let found = Found::of(answer, self.context.threshold);
        let plan = ClusterPlan {
            // Strictly above: what is just at the threshold belongs to it.
            threshold: (found.threshold * (1.0 - 1e-6)) as f32,
            two_sided: !question.is_f(),
            ..ClusterPlan::default()
        };
        let listed = cluster_table(&z, &clusters(&z, &plan)?, None);
        let path = self
            .folder
            .join(derivative::file_name(&entities, "clusters", "tsv"));
        table::write(&path, &listed)?;
        files.push(path);
        Ok(())
    }

    /// The maps of the model itself.
    pub(super) fn of_the_model(&self, files: &mut Vec<PathBuf>) -> Result<()> {
        let runs: Vec<String> = self.level.runs.iter().map(|r| r.label.clone()).collect();
        let mut write =
            |stat: &str, values: &[f32], description: &str, units: &str| -> Result<()> {
                let about = self.about(description.to_owned(), units, &runs);
                let path = derivative::write_map(
                    self.folder,
                    &self.named(None, stat),
                    "statmap",
                    &self.volume(values)?,
                    &about,
                )?;
                files.push(path);
                Ok(())
            };
        write(
            "rsquared",
            &self.level.r_squared,
            "Share of the variance over time that the ordinary least-squares fit explains, drifts included, mean over runs.",
            "arbitrary",
        )?;
        if self.context.plan.noise == Noise::Ar1 {
            write(
                "phi",
                &self.level.phi,
                "First-order autoregression of the noise (Yule-Walker, cut to hundredths), mean over runs.",
                "arbitrary",
            )?;
        }
        if let Some(response) = &self.level.response {
            let peaks: Vec<f32> = response
                .iter()
                .map(|k| library_peak_secs(usize::from(*k)) as f32)
                .collect();
            write(
                "hrfpeak",
                &peaks,
                "When the response of the library that was chosen for the voxel peaks after a short event.",
                "s",
            )?;
        }
        Ok(())
    }
}
