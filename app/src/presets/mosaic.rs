//! Rows of slices with a guide that shows where they are cut.

use anyhow::Context;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::Plane;
use glam::Vec3;

use super::cells::{Cell, Rows, Share, lay_out};
use super::slices::{Stack, letters, place, position_text};
use super::{LETTER_PT, Map, Style, footer, put_bar};
use crate::brain::Brain;
use crate::figure::{Align, Sheet};

/// Slices of one plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub plane: Plane,
    /// Where, world mm along its normal.
    pub at_mm: Vec<f32>,
}

/// Slices a mosaic may have.
const MOST: usize = 200;
/// Slices side by side.
const ACROSS: usize = 7;

/// Reads `z:-40:60:10` (an axis, the first and the last position and the step, mm), `x:-12` (one slice), or several of
/// these with commas between them.
pub fn parse_rows(spec: &str) -> anyhow::Result<Vec<Row>> {
    let rows: Vec<Row> = spec
        .split(',')
        .map(parse_row)
        .collect::<anyhow::Result<_>>()?;
    let n: usize = rows.iter().map(|row| row.at_mm.len()).sum();
    if n > MOST {
        anyhow::bail!("“{spec}” asks for {n} slices, and {MOST} is the most: take a larger step");
    }
    Ok(rows)
}

fn parse_row(part: &str) -> anyhow::Result<Row> {
    let wrong = || {
        format!(
            "“{part}” names no slices: write an axis, the first and last position and the step in mm, such as z:-40:60:10"
        )
    };
    let mut words = part.trim().split(':');
    let plane = match words.next() {
        Some("x") => Plane::Sagittal,
        Some("y") => Plane::Coronal,
        Some("z") => Plane::Axial,
        _ => anyhow::bail!(wrong()),
    };
    let numbers: Vec<f32> = words
        .map(|word| {
            word.parse()
                .ok()
                .filter(|n: &f32| n.is_finite() && n.abs() < 1e4)
        })
        .collect::<Option<_>>()
        .with_context(wrong)?;
    let at_mm = match numbers.as_slice() {
        [one] => vec![*one],
        [first, last, step] if *step > 0.0 && first <= last => {
            let n = ((last - first) / step + 1e-3) as usize + 1;
            (0..n.min(MOST + 1))
                .map(|i| first + i as f32 * step)
                .collect()
        }
        _ => anyhow::bail!(wrong()),
    };
    Ok(Row { plane, at_mm })
}

/// The slices of each row, as many side by side as stay legible, and one more cell with the positions of the first row's.
pub fn mosaic(
    brain: &Brain,
    map: Option<&Map>,
    rows: &[Row],
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    let stack = Stack::of(brain, map, style)?;
    let mut lines: Vec<Vec<Shown<'_>>> = Vec::new();
    for row in rows {
        let mut shown: Vec<Shown<'_>> = row
            .at_mm
            .iter()
            .map(|&mm| Shown::Slice(row.plane, along(row.plane, mm, stack.middle())))
            .collect();
        if shown.len() > 1 {
            shown.push(Shown::Guide(row));
        }
        let n_lines = shown.len().div_ceil(ACROSS).max(1);
        let across = shown.len().div_ceil(n_lines);
        while !shown.is_empty() {
            let rest = shown.split_off(across.min(shown.len()));
            lines.push(std::mem::replace(&mut shown, rest));
        }
    }
    let sizes: Vec<Vec<[f32; 2]>> = lines
        .iter()
        .map(|line| {
            line.iter()
                .map(|shown| stack.extent_mm(shown.plane()))
                .collect()
        })
        .collect();
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Lined, footer(map), &style);
    for (shown, cell) in lines.iter().flatten().zip(cells.iter().flatten()) {
        match shown {
            Shown::Slice(plane, at) => {
                stack.draw(&mut sheet, *cell, *plane, *at, pt_per_mm, backend)?;
                let text = position_text(*plane, *at);
                sheet.text(&text, cell.title(), LETTER_PT, Align::Centre, style.ink);
            }
            Shown::Guide(row) => {
                guide(&mut sheet, *cell, &stack, row, pt_per_mm, backend)?;
            }
        }
    }
    // Once is enough: all slices of a plane have the same sides.
    let mut marked: Vec<Plane> = Vec::new();
    for (shown, cell) in lines.iter().flatten().zip(cells.iter().flatten()) {
        if let Shown::Slice(plane, _) = shown
            && !marked.contains(plane)
        {
            marked.push(*plane);
            letters(&mut sheet, *cell, *plane, style);
        }
    }
    put_bar(&mut sheet, map, &style)?;
    Ok(sheet)
}

/// What a cell shows.
enum Shown<'a> {
    Slice(Plane, Vec3),
    Guide(&'a Row),
}

impl Shown<'_> {
    fn plane(&self) -> Plane {
        match self {
            Self::Slice(plane, _) => *plane,
            Self::Guide(row) => across(row.plane),
        }
    }
}

/// The plane that shows where others are cut.
fn across(plane: Plane) -> Plane {
    match plane {
        Plane::Axial | Plane::Coronal => Plane::Sagittal,
        Plane::Sagittal => Plane::Coronal,
    }
}

/// The middle, moved along a plane's normal.
fn along(plane: Plane, mm: f32, middle: Vec3) -> Vec3 {
    match plane {
        Plane::Axial => Vec3::new(middle.x, middle.y, mm),
        Plane::Coronal => Vec3::new(middle.x, mm, middle.z),
        Plane::Sagittal => Vec3::new(mm, middle.y, middle.z),
    }
}

/// A slice across, with a line where each of the row's is cut.
fn guide(
    sheet: &mut Sheet,
    cell: Cell,
    stack: &Stack,
    row: &Row,
    pt_per_mm: f32,
    backend: &mut Backend,
) -> anyhow::Result<()> {
    // Off the midline, where the brain is whole.
    let at = stack.middle() + Vec3::new(6.0, 0.0, 0.0);
    let plane = across(row.plane);
    stack.draw(sheet, cell, plane, at, pt_per_mm, backend)?;
    let view = stack.view(plane, at, pt_per_mm, sheet);
    let lines = row.at_mm.iter().filter_map(|&mm| {
        let [x, y] = place(sheet, cell, &view, along(row.plane, mm, stack.middle()));
        let [left, top] = cell.corner;
        let [right, bottom] = [left + cell.size[0], top + cell.size[1]];
        match row.plane {
            Plane::Axial if (top..=bottom).contains(&y) => Some(vec![[left, y], [right, y]]),
            Plane::Coronal | Plane::Sagittal if (left..=right).contains(&x) => {
                Some(vec![[x, top], [x, bottom]])
            }
            _ => None,
        }
    });
    let lines = lines.collect();
    sheet.stroke(lines, false, [255, 200, 60], 0.5);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_its_ends() {
        let rows = parse_rows("z:-40:60:10, x:-12").expect("rows");
        assert_eq!(rows[0].at_mm.len(), 11);
        assert_eq!(rows[0].at_mm[10], 60.0);
        assert_eq!(
            (rows[1].plane, rows[1].at_mm.as_slice()),
            (Plane::Sagittal, &[-12.0][..])
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for spec in [
            "",
            "q:1",
            "z",
            "z:a",
            "z:1:2",
            "z:5:1:2",
            "z:0:10:0",
            "z:0:1000:0.1",
            "z:nan",
        ] {
            assert!(parse_rows(spec).is_err(), "{spec}");
        }
    }
}
