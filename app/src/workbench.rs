//! The window. (contract)

use std::path::PathBuf;

/// Opens the window on `paths` (a study, or loose files); on the demo study when there are none.
///
/// Errors when there is no display, with words that say so.
pub fn run(paths: Vec<PathBuf>) -> anyhow::Result<()> {
    let _ = paths;
    anyhow::bail!("not written yet")
}
