//! The program that is copied to other places: `check-all`, linked statically.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{anyhow, bail};

use crate::may_fetch;
use crate::pipeline::target;

/// The program, built when it is first asked for.
pub(super) fn program() -> anyhow::Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow!(error.clone()))
}

/// Why it is not there, if it is not.
pub(super) fn missing() -> Option<String> {
    program().err().map(|error| error.to_string())
}
