//! Checks all targets of a configuration file; see `checks::all`.

fn main() -> std::process::ExitCode {
    checks::all::main()
}
