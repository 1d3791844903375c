//! Checks a configurable-http-proxy; see `checks::proxy`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::proxy::CheckProxy>>()
}
