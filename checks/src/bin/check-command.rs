//! Checks by any monitoring plugin; see `checks::command`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::probe::Run<checks::command::CheckCommand>>()
}
