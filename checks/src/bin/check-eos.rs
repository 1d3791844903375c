//! Checks an EOS mount; see `checks::eos`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::probe::Run<checks::eos::CheckEos>>()
}
