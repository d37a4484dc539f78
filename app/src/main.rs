//! The program's door.

fn main() -> std::process::ExitCode {
    fusiform::cli::main()
}
