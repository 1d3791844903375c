//! What a check elsewhere is started with: its options, with the content of the files and secrets that they name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use cli::OptionValue;
use transport::Word;

use crate::all::unit::Setting;

/// Bytes of a file that is sent along.
const MOST: u64 = 4 << 20;

/// The words of a command line that says so there; reads the file or the variable that it names.
///
/// # Errors
///
/// When that cannot be read, or the value is not text.
pub(super) fn word(setting: &Setting) -> anyhow::Result<Word> {
    let Setting { long, value, facts } = setting;
    let Some(value) = value else { return Ok(Word::Text(format!("--{long}"))) };
    Ok(match facts.value {
        OptionValue::File | OptionValue::Secret => {
            let content = read(Path::new(value)).with_context(|| format!("cannot send --{long} along"))?;
            Word::file(format!("--{long}="), &content)
        }
        OptionValue::SecretVariable { file } => {
            let content = std::env::var(value)
                .with_context(|| format!("cannot send --{long} {} along", value.display()))?;
            Word::file(format!("--{file}="), content.as_bytes())
        }
        _ => {
            let text = value.to_str().with_context(|| format!("{} is not text", value.display()))?;
            Word::Text(format!("--{long}={text}"))
        }
    })
}

/// The tests to run.
pub(super) fn load_list(tests: impl IntoIterator<Item = String>) -> Word {
    let list: String = tests.into_iter().map(|id| format!("{id}\n")).collect();
    Word::file("--load-list=", list.as_bytes())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let context = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(context)?.len();
    ensure!(length <= MOST, "{} is longer than {MOST} bytes", path.display());
    fs::read(path).with_context(context)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use cli::OptionFacts;

    use super::*;

    #[test]
    fn files_and_variables_are_sent_along() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "hunter2\n").unwrap();
        let check = |facts, value: Option<&str>, expected: Option<Word>| {
            let setting = Setting { long: "x".to_owned(), value: value.map(OsString::from), facts };
            assert_eq!(word(&setting).ok(), expected, "{setting:?}");
        };
        let text = |text: &str| Some(Word::Text(text.to_owned()));
        check(OptionFacts::SECRET, token.to_str(), Some(Word::file("--x=", b"hunter2\n")));
        check(OptionFacts::FILE, token.to_str(), Some(Word::file("--x=", b"hunter2\n")));
        check(OptionFacts::TARGET, Some("/eos=x"), text("--x=/eos=x"));
        check(OptionFacts::TARGET, None, text("--x"));
        check(OptionFacts::SECRET, Some("/no/such"), None);
        let variable = OptionFacts::secret_variable("token-file");
        check(variable, Some("NO_SUCH_VARIABLE"), None);
        let path = std::env::var("PATH").unwrap();
        check(variable, Some("PATH"), Some(Word::file("--token-file=", path.as_bytes())));
    }
}
