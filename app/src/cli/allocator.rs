//! What the system's allocator does with memory that is freed: glibc keeps blocks of up to 32 MiB for itself, a thread
//! its own, so a long search that makes and frees matrices ends up holding a quarter more than it uses.

/// From now on blocks of 8 MiB and more go back to the system as soon as they are freed. Smaller ones are kept, because
/// the system takes as long to clear memory again as a product takes to fill it. Does nothing where glibc is not used.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    allow(
        unsafe_code,
        reason = "a C function without pointers, safe from any thread"
    )
)]
pub(super) fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two numbers and a lock of its own; a refusal leaves things as they are.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 8 << 20);
    }
}
