//! Checks by any monitoring plugin; see `checks::command`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::command::CheckCommand>>()
}
