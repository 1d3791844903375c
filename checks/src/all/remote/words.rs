//! What the far end is asked to do: one line of JSON on its input, so that no secret is on a command line.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cli::OptionValue;
use serde::{Deserialize, Serialize};

use crate::all::registry::Entry;
use crate::all::unit::Setting;

/// The only version so far; both ends are the same program.
const VERSION: u32 = 1;
/// Bytes of a file that is sent along.
const MOST: u64 = 4 << 20;

/// A check to run.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Request {
    version: u32,
    /// Which check.
    pub(super) check: String,
    pub(super) arguments: Vec<Argument>,
    /// The ids of the tests to run.
    pub(super) tests: Vec<String>,
    /// The variables of its environment.
    pub(super) variables: Vec<(String, String)>,
    /// The state that the last run has left, where the check keeps one.
    pub(super) state: Option<String>,
    /// Milliseconds after which it must have ended.
    pub(super) milliseconds: u64,
}

/// An option of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Argument {
    /// Its long name.
    pub(super) option: String,
    pub(super) value: Value,
}

/// What an option says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Value {
    /// It is a flag.
    Flag,
    /// This, as it is.
    Text(String),
    /// A file with this content, in base64; a secret is one, too.
    File(String),
}

impl Request {
    /// To run these tests of a check with these options; reads the files that they name.
    ///
    /// # Errors
    ///
    /// When a file or a variable cannot be read, or an argument is not text.
    pub(super) fn new(
        check: &Entry,
        settings: &[Setting],
        tests: impl IntoIterator<Item = String>,
        state: Option<String>,
        milliseconds: u64,
    ) -> anyhow::Result<Self> {
        let arguments = settings.iter().map(Argument::new).collect::<Result<_, _>>()?;
        let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        let variables = check.variables.iter().filter_map(|name| variable(name)).collect();
        let (check, tests) = (check.name.to_owned(), tests.into_iter().collect());
        Ok(Request { version: VERSION, check, arguments, tests, variables, state, milliseconds })
    }

    /// As it is sent.
    ///
    /// # Errors
    ///
    /// Never: all of it is text.
    pub(super) fn line(&self) -> anyhow::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// As it came.
    ///
    /// # Errors
    ///
    /// When it is not a request, or one of another version.
    pub(super) fn parse(line: &[u8]) -> anyhow::Result<Self> {
        let request: Request =
            serde_json::from_slice(line).context("the request is not what it should be")?;
        ensure!(request.version == VERSION, "the request is of version {}, not {VERSION}", request.version);
        Ok(request)
    }
}

impl Argument {
    fn new(setting: &Setting) -> anyhow::Result<Self> {
        let Setting { long, value, facts } = setting;
        let Some(value) = value else {
            return Ok(Argument { option: long.clone(), value: Value::Flag });
        };
        let text = || value.to_str().with_context(|| format!("{} is not text", value.display()));
        Ok(match facts.value {
            OptionValue::File | OptionValue::Secret => {
                let content =
                    read(Path::new(value)).with_context(|| format!("cannot send --{long} along"))?;
                Argument::file(long, &content)
            }
            OptionValue::SecretVariable { file } => {
                let content = std::env::var(value)
                    .with_context(|| format!("cannot send --{long} {} along", value.display()))?;
                Argument::file(file, content.as_bytes())
            }
            _ => Argument { option: long.clone(), value: Value::Text(text()?.to_owned()) },
        })
    }

    fn file(option: &str, content: &[u8]) -> Self {
        Argument { option: option.to_owned(), value: Value::File(STANDARD.encode(content)) }
    }
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
        let check = |facts, value: Option<&str>, expected: Option<Argument>| {
            let setting = Setting { long: "x".to_owned(), value: value.map(OsString::from), facts };
            assert_eq!(Argument::new(&setting).ok(), expected, "{setting:?}");
        };
        let plain = |value| Some(Argument { option: "x".to_owned(), value });
        check(OptionFacts::SECRET, token.to_str(), Some(Argument::file("x", b"hunter2\n")));
        check(OptionFacts::FILE, token.to_str(), Some(Argument::file("x", b"hunter2\n")));
        check(OptionFacts::TARGET, Some("/eos=x"), plain(Value::Text("/eos=x".to_owned())));
        check(OptionFacts::TARGET, None, plain(Value::Flag));
        check(OptionFacts::SECRET, Some("/no/such"), None);
        let variable = OptionFacts::secret_variable("token-file");
        check(variable, Some("NO_SUCH_VARIABLE"), None);
        let path = std::env::var("PATH").unwrap();
        check(variable, Some("PATH"), Some(Argument::file("token-file", path.as_bytes())));
    }

    #[test]
    fn what_is_sent_is_what_comes() {
        let setting = |long: &str, value: Option<&str>| Setting {
            long: long.to_owned(),
            value: value.map(OsString::from),
            facts: OptionFacts::TARGET,
        };
        let settings = [setting("url", Some("http://h\n")), setting("flag", None)];
        let eos = Entry::of("eos").unwrap();
        let request = Request::new(eos, &settings, ["eos.a.mounted".to_owned()], None, 7).unwrap();
        let line = request.line().unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let came = Request::parse(&line).unwrap();
        assert_eq!(
            (came.check, came.arguments, came.tests),
            (request.check, request.arguments, request.tests)
        );
        assert!(Request::parse(b"{}").is_err());
        let other = String::from_utf8(line).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(Request::parse(other.as_bytes()).is_err_and(|error| error.to_string().contains("version 2")));
    }
}
