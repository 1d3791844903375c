//! Checks an EOS mount; see `checks::eos`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::eos::CheckEos>>()
}
