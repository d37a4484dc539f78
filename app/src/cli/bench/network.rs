//! A network on the inputs that another library was run on: the time of a pass and how far the outputs are apart.

use std::path::Path;

use fusiform_pipelines::device::{DeviceChoice, choose};
use fusiform_pipelines::nets::witness::{Kind, Witness};
use fusiform_pipelines::run::Run;
use serde_json::json;

use super::Measured;
use super::meter::{Meter, forget_peak, peak_mib, resident_mib};

/// A repetition is one pass, outputs on the host. There is no limit but the other library's time.
pub(super) fn run(
    kind: Kind,
    folder: &Path,
    device: DeviceChoice,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let compute = choose(device)?;
    run.stage(format!("loading {}", folder.display()));
    let load = Meter::start();
    let witness = Witness::open(kind, folder, &compute)?;
    let load_secs = load.secs();
    let held_mib = resident_mib();
    forget_peak();
    let mut measured = Measured::of("network");
    // The first pass makes what is made lazily.
    let mut outputs = witness.run()?;
    for _ in 0..reps {
        run.check()?;
        let meter = Meter::start();
        outputs = witness.run()?;
        measured.add(&meter);
    }
    measured.peak_mib = peak_mib();
    measured.size = format!("{} parameters on {}", witness.n_parameters(), compute.name);
    let differences: Vec<_> = witness
        .differences(&outputs)?
        .into_iter()
        .map(|d| json!({ "output": d.name, "largest_difference": d.largest, "largest_number": d.of }))
        .collect();
    measured.quality =
        json!({ "differences": differences, "load_s": load_secs, "held_mib": held_mib });
    Ok(measured)
}
