//! Loops compiled for the widest vectors of the processor that runs them.

/// Runs `work`, a loop over slices whose calls are all inlined, with the vector instructions that this processor has.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
