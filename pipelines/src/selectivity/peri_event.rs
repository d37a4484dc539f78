//! What the signal does around events: the peri-stimulus time course of one voxel, condition by condition.

/// The mean course of one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct PeriEventCourse {
    /// The condition.
    pub condition: String,
    /// Events that were averaged: those whose whole window lies within the run.
    pub n_events: usize,
    /// Percent of the run's mean, from the mean over the time before the onset; one a time of
    /// [`PeriEvent::times_secs`].
    pub mean: Vec<f32>,
    /// Standard error over events; NaN of a single event.
    pub sem: Vec<f32>,
}

/// Mean courses of all conditions of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct PeriEvent {
    /// Seconds from the onset; multiples of the repetition time.
    pub times_secs: Vec<f64>,
    /// One a condition that has events with a whole window, by name.
    pub courses: Vec<PeriEventCourse>,
    /// Events left out because the run begins or ends within their window.
    pub n_left_out: usize,
}

/// Averages `course` (one value a volume, the first at 0 s) around `events` (onset in seconds, condition) from
/// `before_secs` before to `after_secs` after each onset, between volumes by straight lines.
///
/// Where events follow each other faster than the blood answers, courses hold what is left of their neighbours: a
/// model with one regressor a delay takes that apart, an average does not. Empty where the run's mean is 0.
pub fn peri_event(
    course: &[f32],
    tr_secs: f64,
    events: &[(f64, &str)],
    before_secs: f64,
    after_secs: f64,
) -> PeriEvent {
    let mean = course.iter().map(|v| f64::from(*v)).sum::<f64>() / course.len().max(1) as f64;
    let (from, to) = (
        -(before_secs / tr_secs).floor() as i64,
        (after_secs / tr_secs).floor() as i64,
    );
    let times_secs: Vec<f64> = (from..=to).map(|n| n as f64 * tr_secs).collect();
    let mut conditions: Vec<&str> = events.iter().map(|e| e.1).collect();
    conditions.sort_unstable();
    conditions.dedup();
    let mut out = PeriEvent {
        times_secs,
        courses: Vec::new(),
        n_left_out: 0,
    };
    if mean == 0.0 || !mean.is_finite() {
        return out;
    }
    for condition in conditions {
        let mut around = Vec::new();
        for (onset, _) in events.iter().filter(|e| e.1 == condition) {
            let values: Option<Vec<f64>> = out
                .times_secs
                .iter()
                .map(|t| at(course, (onset + t) / tr_secs))
                .collect();
            match values {
                Some(values) => around.push(from_baseline(&values, &out.times_secs, mean)),
                None => out.n_left_out += 1,
            }
        }
        if !around.is_empty() {
            out.courses.push(averaged(condition, &around));
        }
    }
    out
}

/// The course at a volume, which may be a fraction.
fn at(course: &[f32], volume: f64) -> Option<f64> {
    if volume < 0.0 {
        return None;
    }
    let low = volume.floor();
    let share = volume - low;
    let first = f64::from(*course.get(low as usize)?);
    if share < 1e-9 {
        return Some(first);
    }
    let second = f64::from(*course.get(low as usize + 1)?);
    Some(first + share * (second - first))
}

/// Percent of `mean` from the mean over the times up to the onset.
fn from_baseline(values: &[f64], times_secs: &[f64], mean: f64) -> Vec<f64> {
    let before = values.iter().zip(times_secs).filter(|(_, t)| **t <= 0.0);
    let (sum, n) = before.fold((0.0, 0.0), |(sum, n), (v, _)| (sum + v, n + 1.0));
    let baseline = sum / n;
    values
        .iter()
        .map(|v| 100.0 * (v - baseline) / mean)
        .collect()
}

fn averaged(condition: &str, around: &[Vec<f64>]) -> PeriEventCourse {
    let n = around.len() as f64;
    let n_times = around.first().map_or(0, Vec::len);
    let (mut mean, mut sem) = (Vec::new(), Vec::new());
    for t in 0..n_times {
        let middle = around.iter().map(|c| c[t]).sum::<f64>() / n;
        let squares: f64 = around.iter().map(|c| (c[t] - middle).powi(2)).sum();
        mean.push(middle as f32);
        sem.push((squares / (n - 1.0) / n).sqrt() as f32);
    }
    PeriEventCourse {
        condition: condition.to_owned(),
        n_events: around.len(),
        mean,
        sem,
    }
}
