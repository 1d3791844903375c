//! Checks addresses of HTTP; see `checks::http`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::http::CheckHttp>>()
}
