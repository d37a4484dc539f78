//! Rows of cells on a sheet: one scale for all, heights that follow from what they show.

use crate::figure::Sheet;

use super::{GAP_PT, MARGIN_PT, Style, TITLE_PT};

/// Where a cell's picture lies, points; whole pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) corner: [f32; 2],
    pub(super) size: [f32; 2],
}

impl Cell {
    pub(super) fn middle(&self) -> [f32; 2] {
        [0, 1].map(|a| self.corner[a] + self.size[a] / 2.0)
    }

    /// Pixels of its picture.
    pub(super) fn pixels(&self, sheet: &Sheet) -> [u32; 2] {
        self.size.map(|pt| sheet.px(pt).max(1))
    }

    /// Where the base line of a title over it is.
    pub(super) fn title(&self) -> [f32; 2] {
        [self.middle()[0], self.corner[1] - 3.5]
    }
}

/// A sheet with room for rows of cells.
pub(super) struct Rows {
    pub(super) sheet: Sheet,
    /// Of every row.
    pub(super) cells: Vec<Vec<Cell>>,
    /// The one scale.
    pub(super) pt_per_mm: f32,
}

/// How the cells of a row share its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Alike.
    Even,
    /// By what they show, side by side.
    Tight,
    /// The same, with the first of each row below each other.
    Lined,
}

/// Lays out rows of cells that show so many millimetres (across, down) at one scale, each row with a line of title above,
/// and `footer_pt` left below. The scale is the largest at which all fit.
pub(super) fn lay_out(
    rows_mm: &[Vec<[f32; 2]>],
    share: Share,
    footer_pt: f32,
    style: &Style,
) -> Rows {
    let width = style.width_pt();
    let title = TITLE_PT + 5.0;
    let room =
        |row: &[[f32; 2]]| width - 2.0 * MARGIN_PT - GAP_PT * row.len().saturating_sub(1) as f32;
    let mut scale = rows_mm
        .iter()
        .map(|row| match share {
            Share::Even => {
                let widest = row.iter().fold(1e-3f32, |w, mm| w.max(mm[0]));
                room(row) / row.len().max(1) as f32 / widest
            }
            Share::Tight | Share::Lined => {
                room(row) / row.iter().map(|mm| mm[0]).sum::<f32>().max(1e-3)
            }
        })
        .fold(f32::INFINITY, f32::min);
    let tall = |row: &Vec<[f32; 2]>| row.iter().fold(1e-3f32, |h, mm| h.max(mm[1]));
    let sum_mm: f32 = rows_mm.iter().map(tall).sum();
    let n = rows_mm.len() as f32;
    let fixed = 2.0 * MARGIN_PT + footer_pt + n * title + (n - 1.0).max(0.0) * GAP_PT;
    let mut spare = 0.0;
    if let Some(height) = style.height_pt() {
        let free = (height - fixed).max(10.0);
        scale = scale.min(free / sum_mm);
        spare = (free - scale * sum_mm) / (n + 1.0);
    }
    let sheet = style.sheet(fixed + scale * sum_mm);
    let used = |row: &Vec<[f32; 2]>| {
        let across: f32 = match share {
            Share::Even => room(row),
            Share::Tight | Share::Lined => row.iter().map(|mm| mm[0] * scale).sum(),
        };
        across + GAP_PT * row.len().saturating_sub(1) as f32
    };
    let widest = rows_mm.iter().map(used).fold(0.0, f32::max);
    let mut cells = Vec::new();
    let mut y = MARGIN_PT + spare;
    for row in rows_mm {
        let height = tall(row) * scale;
        y += title;
        let wide = if share == Share::Lined {
            widest
        } else {
            used(row)
        };
        let mut x = (width - wide) / 2.0;
        let mut laid = Vec::new();
        for mm in row {
            let across = match share {
                Share::Even => room(row) / row.len() as f32,
                Share::Tight | Share::Lined => mm[0] * scale,
            };
            let corner = [x, y].map(|pt| sheet.snapped(pt));
            laid.push(Cell {
                corner,
                size: [
                    sheet.snapped(x + across) - corner[0],
                    sheet.snapped(y + height) - corner[1],
                ],
            });
            x += across + GAP_PT;
        }
        y += height + GAP_PT + spare;
        cells.push(laid);
    }
    Rows {
        sheet,
        cells,
        pt_per_mm: scale,
    }
}
