//! `make-stream`: see [`tests::make_stream`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main::<tests::make_stream::MakeStream>()
}
