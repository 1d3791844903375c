//! Checks ports that take connections; see `checks::tcp`.

fn main() -> std::process::ExitCode {
    cli::main::<checks::Run<checks::tcp::CheckTcp>>()
}
