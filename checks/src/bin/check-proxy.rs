//! Checks a configurable-http-proxy; see `checks::proxy`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::probe::Run<checks::proxy::CheckProxy>>()
}
