//! The program's door.

fn main() -> std::process::ExitCode {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        quieten_the_driver();
    }
    fusiform::cli::main()
}

/// Without a desktop session (a cluster, a container) Mesa's device-select layer still asks a Wayland
/// compositor for its opinion, and the client library prints an `error:` line of its own on stderr.
#[allow(
    unsafe_code,
    reason = "the first statement of main: no other thread can be reading the environment"
)]
fn quieten_the_driver() {
    // SAFETY: the program has one thread here.
    unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
}
