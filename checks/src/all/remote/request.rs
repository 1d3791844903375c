//! What the other side is asked to do: one line of JSON on its input, so that no secret is on a command line.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The only version there is; both sides are the same program.
const VERSION: u32 = 1;
/// Bytes of a file that is sent along.
const MOST: u64 = 4 << 20;

/// Options that name a file of this machine, whose content is sent along.
const FILES: [&str; 5] = ["token-file", "password-file", "ca", "body-file", "options-file"];
/// Options that name a variable of the environment, and those that take the same from a file.
const VARIABLES: [(&str, &str); 2] = [("token-env", "token-file"), ("password-env", "password-file")];
/// Variables of the environment that a check asks for itself.
const USUAL: [(&str, &str); 2] = [("database", "PGPASSWORD"), ("proxy", "CONFIGPROXY_AUTH_TOKEN")];

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
    /// What the last run has left to know, where the next one shall know of this one.
    pub(super) state: Option<String>,
    /// Milliseconds after which it must have ended.
    pub(super) milliseconds: u64,
}

/// An argument of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Argument {
    /// As it is.
    Plain(String),
    /// `--OPTION=FILE`, with a file of this content, in base64.
    File { option: String, content: String },
}

impl Request {
    /// To run these tests of a check with these arguments; reads the files that they name.
    ///
    /// # Errors
    ///
    /// When a file or a variable cannot be read, or an argument is no text.
    pub(super) fn new(
        check: &str,
        arguments: &[OsString],
        tests: impl IntoIterator<Item = String>,
        state: Option<String>,
        milliseconds: u64,
    ) -> anyhow::Result<Self> {
        let arguments = arguments.iter().map(Argument::new).collect::<Result<_, _>>()?;
        let usual = USUAL.iter().filter(|(of, _)| *of == check);
        let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        let variables = usual.filter_map(|(_, name)| variable(name)).collect();
        let (check, tests) = (check.to_owned(), tests.into_iter().collect());
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
    /// When it is none, or that of another version.
    pub(super) fn parse(line: &[u8]) -> anyhow::Result<Self> {
        let request: Request =
            serde_json::from_slice(line).context("the request is not what it should be")?;
        ensure!(request.version == VERSION, "the request is of version {}, not {VERSION}", request.version);
        Ok(request)
    }
}

impl Argument {
    fn new(argument: &OsString) -> anyhow::Result<Self> {
        let text = argument.to_str().with_context(|| format!("{} is no text", argument.display()))?;
        let option = text.strip_prefix("--").and_then(|text| text.split_once('='));
        let Some((option, value)) = option else { return Ok(Argument::Plain(text.to_owned())) };
        if FILES.contains(&option) {
            let content = read(Path::new(value)).with_context(|| format!("cannot send --{option} along"))?;
            return Ok(Argument::file(option, &content));
        }
        if let Some((_, file)) = VARIABLES.iter().find(|(name, _)| *name == option) {
            let content =
                std::env::var(value).with_context(|| format!("cannot send --{option} {value} along"))?;
            return Ok(Argument::file(file, content.as_bytes()));
        }
        Ok(Argument::Plain(text.to_owned()))
    }

    fn file(option: &str, content: &[u8]) -> Self {
        Argument::File { option: option.to_owned(), content: STANDARD.encode(content) }
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
    use super::*;

    #[test]
    fn files_and_variables_are_sent_along() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "hunter2\n").unwrap();
        let check = |argument: &str, expected: Option<Argument>| {
            assert_eq!(Argument::new(&OsString::from(argument)).ok(), expected, "{argument}");
        };
        let sent = Some(Argument::file("token-file", b"hunter2\n"));
        check(&format!("--token-file={}", token.display()), sent);
        check("--path=/eos=x", Some(Argument::Plain("--path=/eos=x".to_owned())));
        check("--insecure", Some(Argument::Plain("--insecure".to_owned())));
        check("--token-file=/no/such", None);
        check("--token-env=NO_SUCH_VARIABLE", None);
        let home = std::env::var("PATH").unwrap();
        check("--password-env=PATH", Some(Argument::file("password-file", home.as_bytes())));
    }

    #[test]
    fn what_is_sent_is_what_comes() {
        let arguments = ["--url=http://h\n", "--flag"].map(OsString::from);
        let request = Request::new("eos", &arguments, ["eos.a.mounted".to_owned()], None, 7).unwrap();
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
