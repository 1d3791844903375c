//! Checks addresses of HTTP; see `checks::http`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::probe::Run<checks::http::CheckHttp>>()
}
