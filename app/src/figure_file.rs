//! A saved figure: what it is made from, what it shows and how; drawn again, it is the same to the byte.

use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use fusiform_pipelines::io::write;
use fusiform_pipelines::run::Run;
use fusiform_pipelines::surface::Shape;
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::brain::Brain;
use crate::figure::Sheet;
use crate::presets::{self, Angle, FreeCamera, Map, Sample, Style, Values};
use crate::sources::Sources;

/// The version of the file's form; another is refused.
pub const VERSION: u32 = 1;

/// A figure, as saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureFile {
    /// [`VERSION`].
    pub version: u32,
    /// What it is made from; relative paths are relative to the file's folder.
    pub sources: Sources,
    /// How the map looks where that differs from its first look.
    #[serde(default)]
    pub look: LookPlan,
    /// What it shows.
    pub figure: Kind,
    /// Its size and dress.
    #[serde(default)]
    pub page: Page,
}

/// How a map looks; what is left out follows from the map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LookPlan {
    /// Name and unit of the numbers.
    pub label: Option<String>,
    /// Smaller magnitudes are hidden.
    pub threshold: Option<f32>,
    /// Whether they fade instead.
    pub soft: Option<bool>,
    /// The number at the low end of the colours (of a two-sided map: in the middle).
    pub min: Option<f32>,
    /// The number at the high end.
    pub max: Option<f32>,
    /// [`Colormap::name`].
    pub colormap: Option<String>,
    /// Whether negative numbers have colours of their own.
    pub two_sided: Option<bool>,
    /// 0 to 1.
    pub opacity: Option<f32>,
}

/// What a figure shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// The cortex from several sides.
    Surface {
        /// How it is laid out.
        shape: Shape,
        /// From where.
        views: Vec<Angle>,
        /// And as somebody turned it.
        #[serde(default)]
        camera: Option<FreeCamera>,
    },
    /// The cortex laid flat.
    Flat,
    /// Three slices.
    Slices {
        /// Through that point, world mm.
        at_mm: Option<[f32; 3]>,
    },
    /// Many slices.
    Mosaic {
        /// As [`presets::parse_rows`] reads it.
        rows: String,
    },
    /// The largest number along each axis.
    Glass,
    /// The anatomy cut open.
    Cast {
        /// At that point, world mm.
        at_mm: Option<[f32; 3]>,
    },
}

/// Size and dress of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// As printed.
    pub width_mm: f32,
    /// Pixels an inch.
    pub dpi: f32,
    /// Pixels across and down instead of `dpi` and the content's own height.
    pub size: Option<[u32; 2]>,
    /// Dark paper.
    pub dark: bool,
    /// Region borders.
    pub outlines: bool,
    /// The names of regions on the cortex.
    pub names: bool,
    /// How volumes are put on the cortex.
    pub sample: Sample,
    /// The subject's right on the left of axial and coronal slices.
    pub radiological: bool,
}

impl Default for Page {
    fn default() -> Self {
        let style = Style::default();
        Self {
            width_mm: style.width_mm,
            dpi: style.dpi,
            size: None,
            dark: false,
            outlines: style.outlines,
            names: style.names,
            sample: style.sample,
            radiological: style.radiological,
        }
    }
}

/// Points at which a figure is too large to be drawn.
const MOST_PIXELS: f32 = 16_384.0;

impl Page {
    fn check(&self) -> anyhow::Result<()> {
        let pixels = self.width_mm / 25.4 * self.dpi;
        if !(20.0..=2000.0).contains(&self.width_mm) || !(20.0..=2400.0).contains(&self.dpi) {
            anyhow::bail!(
                "a figure is 20 to 2000 mm wide and has 20 to 2400 pixels an inch: {} mm at {} is not possible",
                self.width_mm,
                self.dpi
            );
        }
        if self.size.is_none() && pixels > MOST_PIXELS {
            anyhow::bail!(
                "{} mm at {} pixels an inch are {pixels:.0} pixels across, and {MOST_PIXELS} is the most: lower --dpi",
                self.width_mm,
                self.dpi
            );
        }
        Ok(())
    }

    fn style(&self) -> Style {
        let style = Style {
            width_mm: self.width_mm,
            dpi: self.dpi,
            size: self.size,
            outlines: self.outlines,
            names: self.names,
            sample: self.sample,
            radiological: self.radiological,
            ..Style::default()
        };
        if self.dark { style.dark() } else { style }
    }
}

/// The colour map of a name.
pub fn colormap(name: &str) -> anyhow::Result<Colormap> {
    let all = Colormap::all();
    let found = all.iter().copied().find(|map| map.name() == name);
    found.with_context(|| {
        let names: Vec<&str> = all.iter().map(|map| map.name()).collect();
        format!(
            "there is no colour map “{name}”: choose one of {}",
            names.join(", ")
        )
    })
}

impl LookPlan {
    fn apply(&self, map: &mut Map) -> anyhow::Result<()> {
        if let Some(label) = &self.label {
            map.label.clone_from(label);
        }
        let look = &mut map.look;
        let on_grid = matches!(map.values, Values::Volume(_));
        if let Some(two_sided) = self.two_sided.filter(|wanted| *wanted != look.two_sided) {
            look.two_sided = two_sided;
            look.colormap = presets::colours(two_sided, on_grid);
            look.range.0 = 0.0;
        }
        if let Some(name) = &self.colormap {
            map.look.colormap = colormap(name)?;
            if map.look.colormap.n_classes().is_some() {
                map.in_classes()?;
            }
        }
        let look = &mut map.look;
        if let Some(threshold) = self.threshold {
            look.threshold = if look.two_sided {
                threshold.abs()
            } else {
                threshold
            };
        }
        look.soft = self.soft.unwrap_or(look.soft);
        look.range.0 = self.min.unwrap_or(look.range.0);
        look.range.1 = self.max.unwrap_or(look.range.1);
        look.opacity = self.opacity.unwrap_or(look.opacity);
        let (low, high) = look.range;
        if low >= high || low.is_nan() || high.is_nan() {
            anyhow::bail!(
                "the colours would end at {high}, below where they begin ({low}): change --max or --min"
            );
        }
        Ok(())
    }
}

impl FigureFile {
    /// Reads one. Paths become relative to where the program runs.
    ///
    /// # Errors
    /// When the file cannot be read, is no scene, or is from another version.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{}: cannot be read", path.display()))?;
        let broken = |why: serde_json::Error| {
            anyhow::anyhow!(
                "{}: is no figure that this program can draw ({why}): save it anew",
                path.display()
            )
        };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(broken)?;
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        if version != Some(u64::from(VERSION)) {
            anyhow::bail!(
                "{}: is no figure of version {VERSION}, which this program reads: save it anew",
                path.display()
            );
        }
        let mut figure: Self = serde_json::from_value(value).map_err(broken)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for source in figure.sources.paths_mut() {
            // A path that is absolute stays as it is.
            *source = folder.join(&source);
        }
        Ok(figure)
    }

    /// Writes it; paths of what lies in the same place become relative to the file.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = std::path::absolute(path)?;
        let folder = folder.parent().unwrap_or(Path::new("/"));
        let mut figure = self.clone();
        for source in figure.sources.paths_mut() {
            *source = relative(&std::path::absolute(&source)?, folder);
        }
        let text = serde_json::to_string_pretty(&figure)?;
        Ok(write::write_text(path, &(text + "\n"))?)
    }

    /// Reads the sources: what is drawn, and the map with its look.
    ///
    /// # Errors
    /// Says what of the figure is not possible before anything is read; names the file that cannot be read.
    pub fn load(&self, run: &Run<'_>) -> anyhow::Result<(Brain, Option<Map>)> {
        self.page.check()?;
        if let Kind::Mosaic { rows } = &self.figure {
            presets::parse_rows(rows)?;
        }
        let on_sheet = matches!(self.figure, Kind::Surface { .. } | Kind::Flat);
        let (brain, mut map) = self.sources.load(on_sheet, run)?;
        if let Some(map) = &mut map {
            self.look.apply(map)?;
        }
        Ok((brain, map))
    }

    /// Draws the figure of what [`Self::load`] read.
    pub fn draw(
        &self,
        brain: &Brain,
        map: Option<&Map>,
        backend: &mut Backend,
    ) -> anyhow::Result<Sheet> {
        let style = self.page.style();
        let point = |at: &Option<[f32; 3]>| at.map(Vec3::from_array);
        match &self.figure {
            Kind::Surface {
                shape,
                views,
                camera,
            } => {
                let style = Style {
                    shape: *shape,
                    ..style
                };
                presets::cortex(brain, map, views, *camera, style, backend)
            }
            Kind::Flat => presets::flat_map(brain, map, style, backend),
            Kind::Slices { at_mm } => presets::slices(brain, map, point(at_mm), style, backend),
            Kind::Mosaic { rows } => {
                let rows = presets::parse_rows(rows)?;
                presets::mosaic(brain, map, &rows, style, backend)
            }
            Kind::Glass => presets::glass_brain(brain, map, style, backend),
            Kind::Cast { at_mm } => presets::cut_open(brain, map, point(at_mm), style, backend),
        }
    }
}

/// `path` as seen from `folder`, with up to three steps up; else as it is. Both are absolute.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    for (steps, base) in folder.ancestors().enumerate().take(4) {
        let root = base
            .components()
            .all(|c| matches!(c, Component::RootDir | Component::Prefix(_)));
        if root && steps > 0 {
            break;
        }
        if let Ok(rest) = path.strip_prefix(base) {
            return up.join(rest);
        }
        up.push("..");
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_where_they_are_near() {
        let folder = Path::new("/data/project/figures");
        let seen = |path: &str| relative(Path::new(path), folder);
        assert_eq!(seen("/data/project/figures/t.nii"), Path::new("t.nii"));
        assert_eq!(seen("/data/project/maps/t.nii"), Path::new("../maps/t.nii"));
        assert_eq!(seen("/elsewhere/t.nii"), Path::new("/elsewhere/t.nii"));
    }

    #[test]
    fn a_figure_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("folder");
        let figure = FigureFile {
            version: VERSION,
            sources: Sources {
                study: Some("demo".into()),
                maps: vec![folder.path().join("t.nii")],
                ..Sources::default()
            },
            look: LookPlan {
                threshold: Some(2.5),
                ..LookPlan::default()
            },
            figure: Kind::Surface {
                shape: Shape::Pial,
                views: vec![Angle::Lateral, Angle::Ventral],
                camera: Some(FreeCamera {
                    rotation: [0.0, 0.0, 0.6, 0.8],
                    zoom: 1.5,
                }),
            },
            page: Page::default(),
        };
        let file = folder.path().join("figure.json");
        figure.write(&file).expect("written");
        let text = std::fs::read_to_string(&file).expect("text");
        assert!(
            text.contains("\"t.nii\"") && text.contains("\"demo\""),
            "{text}"
        );
        assert_eq!(FigureFile::read(&file).expect("read"), figure);
        std::fs::write(&file, text.replace("\"version\": 1", "\"version\": 9")).expect("written");
        let refused = FigureFile::read(&file)
            .expect_err("another version")
            .to_string();
        assert!(refused.contains("version 1"), "{refused}");
    }
}
