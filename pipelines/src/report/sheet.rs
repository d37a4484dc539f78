//! The contact sheet: what was shown and what the brain says, pair by pair, best first.

use image::RgbImage;
use image::imageops::{self, FilterType};
use plotters::element::Text;
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use crate::Result;
use crate::decode::{Decoded, DecodedTrial};
use crate::report::draw::{self, Area, Draw, Drawn, FAINT, INK, short, text};
use crate::report::{ReportContext, by_pixcorr};

/// Pairs on a sheet: what can still be looked at.
const MOST: usize = 60;
const COLUMNS: usize = 4;
// Lengths in pixels, twice what a common screen needs: text and edges stay sharp on a dense one.
const TILE: u32 = 256;
const PAIR: u32 = 2 * TILE + 8;
const STEP_X: u32 = PAIR + 56;
const STEP_Y: u32 = TILE + 124;
const MARGIN: u32 = 56;
const HEAD: u32 = 176;

/// The sheet, and how much of the study it shows.
pub(super) struct Sheet {
    pub(super) image: RgbImage,
    pub(super) n_shown: usize,
    pub(super) n_trials: usize,
}

/// Every pair by falling pixel correlation, or evenly many along that order when there are more
/// than [`MOST`]; `None` without reconstructions.
pub(super) fn sheet(context: &ReportContext, decoded: &Decoded) -> Result<Option<Sheet>> {
    let drawn = by_pixcorr(&decoded.trials);
    if drawn.is_empty() {
        return Ok(None);
    }
    let n_shown = drawn.len().min(MOST);
    let pick = |i: usize| {
        if n_shown < 2 {
            0
        } else {
            i * (drawn.len() - 1) / (n_shown - 1)
        }
    };
    let shown: Vec<&DecodedTrial> = (0..n_shown).map(|i| drawn[pick(i)]).collect();
    let n_columns = COLUMNS;
    let n_rows = n_shown.div_ceil(n_columns);
    let width = 2 * MARGIN + n_columns as u32 * STEP_X - (STEP_X - PAIR);
    let height = HEAD + n_rows as u32 * STEP_Y + MARGIN / 2;
    let mut image = RgbImage::from_pixel(width, height, image::Rgb([255; 3]));
    let corner = |i: usize| {
        (
            MARGIN + (i % n_columns) as u32 * STEP_X,
            HEAD + (i / n_columns) as u32 * STEP_Y,
        )
    };
    for (i, trial) in shown.iter().enumerate() {
        let (x, y) = corner(i);
        for (picture, dx) in [(&trial.stimulus, 0), (&trial.reconstruction, TILE + 8)] {
            if let Some(picture) = picture {
                imageops::replace(&mut image, &tile(picture), i64::from(x + dx), i64::from(y));
            }
        }
    }
    let title = format!("{}, subject {}", context.study, context.subject);
    let mut subtitle = "Shown (left) and reconstructed (right): ".to_owned();
    if n_shown < drawn.len() {
        subtitle += &format!(
            "{n_shown} of {} held-out trials, evenly spaced from best to worst pixel correlation",
            drawn.len()
        );
    } else {
        subtitle += &format!("all {n_shown} held-out trials, best pixel correlation first");
    }
    if decoded.stimuli_seen_in_training {
        subtitle += "; the same pictures were shown in training runs";
    }
    let captions = Captions {
        title,
        subtitle,
        shown: &shown,
        corner: &corner,
    };
    Ok(Some(Sheet {
        image: draw::onto(image, &captions, 1)?,
        n_shown,
        n_trials: drawn.len(),
    }))
}

/// `TILE` pixels a side; whole multiples stay sharp, so that a pixel of the code is seen as one.
fn tile(picture: &RgbImage) -> RgbImage {
    let filter = if picture.width() <= TILE {
        FilterType::Nearest
    } else {
        FilterType::Triangle
    };
    imageops::resize(picture, TILE, TILE, filter)
}

struct Captions<'a> {
    title: String,
    subtitle: String,
    shown: &'a [&'a DecodedTrial],
    corner: &'a dyn Fn(usize) -> (u32, u32),
}

impl Draw for Captions<'_> {
    fn size(&self) -> (u32, u32) {
        (0, 0)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let left = |height, colour| text(height, colour, HPos::Left, VPos::Top);
        let margin = MARGIN as i32;
        area.draw(&Text::new(self.title.as_str(), (margin, 40), left(44, INK)))?;
        area.draw(&Text::new(
            self.subtitle.as_str(),
            (margin, 104),
            left(28, FAINT),
        ))?;
        for (i, trial) in self.shown.iter().enumerate() {
            let (x, y) = (self.corner)(i);
            let (x, y) = (x as i32, (y + TILE) as i32);
            let name = trial.stimulus_id.as_deref().unwrap_or(&trial.condition);
            let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
            area.draw(&Text::new(short(name, 22), (x, y + 12), left(28, INK)))?;
            let run = text(24, FAINT, HPos::Right, VPos::Top);
            area.draw(&Text::new(
                format!("run {}", short(&trial.fold, 12)),
                (x + PAIR as i32, y + 15),
                run,
            ))?;
            let mut scores = format!("r {:.2}", trial.pixcorr.unwrap_or(0.0));
            if let Some(ssim) = trial.ssim {
                scores += &format!("   SSIM {ssim:.2}");
            }
            if let (Some(rank), Some(n)) = (trial.retrieval_rank, trial.n_candidates) {
                scores += &format!("   rank {rank} of {n}");
            }
            area.draw(&Text::new(scores, (x, y + 50), left(26, FAINT)))?;
        }
        Ok(())
    }
}
