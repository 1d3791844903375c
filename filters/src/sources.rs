//! Several streams, each read by itself.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cli::{Input, InputArgs};
use formats::visible;
use process::Interrupt;

/// Gives a function each of these files, with its name, in order; none at all is stdin, as is `-`.
///
/// # Errors
///
/// At the first error of the function. A file that cannot be opened is an error of reading it.
pub(crate) fn each(
    files: &InputArgs,
    stdin: Box<dyn Read + Send>,
    interrupt: &Interrupt,
    mut function: impl FnMut(&Path, Input) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let only_stdin = [PathBuf::from("-")];
    let files = if files.files.is_empty() { &only_stdin[..] } else { &files.files };
    let mut stdin = Some(stdin);
    for path in files {
        let stdin = if path.as_os_str() == "-" { stdin.take() } else { None };
        let one = InputArgs { files: vec![path.clone()] };
        function(path, one.open(stdin.unwrap_or_else(|| Box::new(io::empty())), interrupt))?;
    }
    Ok(())
}

/// What a stream is called in a message.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "stdin".to_owned()
    } else {
        visible::line(&path.to_string_lossy()).into_owned()
    }
}
