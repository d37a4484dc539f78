//! The lines of the tables: made of a map, put in order, written as text.

use fusiform_pipelines::clusters::{ClusterPlan, by_region, clusters, shares};
use fusiform_pipelines::volume::{Atlas, Volume};
use glam::DVec3;

use crate::layout::MapLook;
use crate::panels::short;

/// Clusters beyond these wait for a higher threshold.
const MOST_LINES: usize = 200;

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    /// Its heading, with the unit.
    pub(super) name: &'static str,
    /// Its name in a file.
    key: &'static str,
    pub(super) meaning: &'static str,
    /// Digits after the point; none gives as many as help.
    digits: Option<usize>,
}

impl Column {
    /// A number as it is shown.
    pub(super) fn shown(&self, value: f64) -> String {
        self.digits
            .map_or_else(|| short(value), |digits| format!("{value:.digits$}"))
    }
}

const fn column(
    name: &'static str,
    key: &'static str,
    meaning: &'static str,
    digits: Option<usize>,
) -> Column {
    Column {
        name,
        key,
        meaning,
        digits,
    }
}

/// Of clusters. The last column is of words.
pub(super) const CLUSTERS: [Column; 7] = [
    column(
        "peak",
        "peak",
        "The number of largest magnitude, in the unit of the map.",
        None,
    ),
    column(
        "x (mm)",
        "x",
        "Where the peak is: right is positive.",
        Some(1),
    ),
    column(
        "y (mm)",
        "y",
        "Where the peak is: anterior is positive.",
        Some(1),
    ),
    column(
        "z (mm)",
        "z",
        "Where the peak is: superior is positive.",
        Some(1),
    ),
    column("voxels", "voxels", "Voxels of the cluster.", Some(0)),
    column("mm³", "volume_mm3", "Volume of the cluster.", Some(0)),
    column(
        "regions",
        "regions",
        "Regions of the atlas with a share of the cluster.",
        None,
    ),
];

/// Of regions.
pub(super) const REGIONS: [Column; 7] = [
    column(
        "voxels",
        "voxels",
        "Voxels of the region that have a number.",
        Some(0),
    ),
    column("mean", "mean", "Mean, in the unit of the map.", None),
    column("SD", "sd", "Standard deviation over voxels (n − 1).", None),
    column("median", "median", "Median, in the unit of the map.", None),
    column("min", "min", "The least number.", None),
    column("max", "max", "The largest number.", None),
    column("region", "region", "The region's name.", None),
];

/// A line: numbers, then words.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) numbers: Vec<f64>,
    pub(super) words: String,
    pub(super) peak_mm: DVec3,
    /// Flat indices in the map, ascending; none of regions.
    pub(super) voxels: Vec<usize>,
}

/// The clusters of a map, and how many there are with those that are not listed.
pub(super) fn cluster_lines(
    volume: &Volume,
    look: &MapLook,
    atlas: Option<&Atlas>,
) -> (Vec<Line>, usize) {
    let plan = ClusterPlan {
        threshold: look.threshold,
        two_sided: look.two_sided,
        ..ClusterPlan::default()
    };
    let found = clusters(volume, &plan).unwrap_or_default();
    let lines = found.iter().take(MOST_LINES).map(|cluster| {
        let parts = atlas.map(|atlas| shares(volume, cluster, atlas));
        let parts = parts.unwrap_or_default();
        let words = parts.iter().filter(|part| part.1 >= 0.005).take(3);
        let words = words.map(|(name, share)| format!("{name} {:.0} %", share * 100.0));
        let at = cluster.peak.world_mm;
        Line {
            numbers: vec![
                f64::from(cluster.peak.value),
                at.x,
                at.y,
                at.z,
                cluster.voxels.len() as f64,
                cluster.volume_mm3,
            ],
            words: words.collect::<Vec<_>>().join(", "),
            peak_mm: at,
            voxels: cluster.voxels.clone(),
        }
    });
    (lines.collect(), found.len())
}

/// What a map holds in each region.
pub(super) fn region_lines(volume: &Volume, atlas: &Atlas) -> Vec<Line> {
    let found = by_region(volume, atlas).into_iter();
    found
        .map(|region| Line {
            numbers: vec![
                region.n_voxels as f64,
                region.mean,
                region.sd,
                region.median,
                f64::from(region.range.0),
                f64::from(region.range.1),
            ],
            words: region.name,
            peak_mm: region.peak_mm,
            voxels: Vec::new(),
        })
        .collect()
}

/// Lines by a column, the largest number or the first letter first, or turned round; else as they come.
pub(super) fn in_order(lines: &[Line], order: Option<(usize, bool)>) -> Vec<&Line> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    let Some((column, turned)) = order else {
        return lines;
    };
    lines.sort_by(|a, b| {
        let both = a.numbers.get(column).zip(b.numbers.get(column));
        // What is no number comes last, whichever way.
        let ordering = match both {
            Some((a, b)) if a.is_nan() || b.is_nan() => return a.is_nan().cmp(&b.is_nan()),
            Some((a, b)) => b.total_cmp(a),
            None => a.words.to_lowercase().cmp(&b.words.to_lowercase()),
        };
        if turned { ordering.reverse() } else { ordering }
    });
    lines
}

/// Lines as tab-separated text with a line of headings, numbers in full.
pub(super) fn text(columns: &[Column], lines: &[&Line]) -> String {
    let keys: Vec<&str> = columns.iter().map(|column| column.key).collect();
    let mut text = keys.join("\t");
    text.push('\n');
    for line in lines {
        for value in &line.numbers {
            // A number of the map came with the precision of a 32-bit float.
            if value.is_nan() {
                text.push_str("n/a\t");
            } else {
                text.push_str(&format!("{}\t", *value as f32));
            }
        }
        text.push_str(&line.words.replace(['\t', '\n'], " "));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: f64, words: &str) -> Line {
        Line {
            numbers: vec![number],
            words: words.into(),
            peak_mm: DVec3::ZERO,
            voxels: Vec::new(),
        }
    }

    #[test]
    fn lines_are_ordered_by_number_and_by_word_and_nothing_comes_last() {
        let lines = [line(1.0, "b"), line(f64::NAN, "C"), line(3.0, "a")];
        let words = |order| -> Vec<String> {
            let lines = in_order(&lines, order).into_iter();
            lines.map(|line| line.words.clone()).collect()
        };
        assert_eq!(words(None), ["b", "C", "a"]);
        assert_eq!(words(Some((0, false))), ["a", "b", "C"]);
        assert_eq!(words(Some((0, true))), ["b", "a", "C"]);
        assert_eq!(words(Some((1, false))), ["a", "b", "C"]);
        assert_eq!(words(Some((1, true))), ["C", "b", "a"]);
        let columns = [
            column("peak", "peak", "", None),
            column("regions", "regions", "", None),
        ];
        let first = in_order(&lines[..2], None);
        assert_eq!(text(&columns, &first), "peak\tregions\n1\tb\nn/a\tC\n");
    }
}
