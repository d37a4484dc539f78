//! Events tables: what was shown when.

/// One line of an events table.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Seconds from the first volume.
    pub onset_secs: f64,
    /// Seconds.
    pub duration_secs: f64,
    /// `trial_type`; empty when the table has no such column.
    pub trial_type: String,
    /// `stim_file`, as written; `None` for `n/a`.
    pub stim_file: Option<String>,
}

/// The events of one run, in order of onset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// The lines.
    pub rows: Vec<EventRow>,
}
