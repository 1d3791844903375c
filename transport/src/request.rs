//! What the far end is asked to do: one line of JSON on its input, so that no secret is on a command line.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use subunit::Packet;

/// The only version so far; both ends are the same program.
const VERSION: u32 = 2;
/// The name of the attachment, without a test id, that brings a kept file back.
pub(crate) const KEPT: &str = "subunit-checks.state";

/// What the far end is asked to run: this program, with these arguments and this input.
#[derive(Clone, Serialize, Deserialize)]
pub struct NodeRequest {
    version: u32,
    /// What the process is called in lists of processes.
    pub(crate) called: String,
    /// Its arguments, which everyone there can see.
    pub(crate) args: Vec<String>,
    /// The words of its input, with a NUL between two: nobody else can see them.
    pub(crate) words: Vec<Word>,
    /// The variables of its environment.
    pub(crate) variables: Vec<(String, String)>,
    /// Milliseconds after which it must have ended.
    pub(crate) milliseconds: u64,
}

/// A word of what a process at a place reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// This, as it is.
    Text(String),
    /// The path of a file there, which only this user can read and which is gone when all has ended.
    File {
        /// What stands before the path: `--token-file=`, say.
        before: String,
        /// What is in the file, in base64.
        content: String,
    },
    /// The same, of a file that the process may change, and that comes back when it has ended: see [`kept_file`].
    Kept {
        /// What stands before the path.
        before: String,
        /// What is in the file; there is no file where it is empty.
        content: String,
    },
}

impl Word {
    /// A file with this content, and what stands before its path.
    pub fn file(before: impl Into<String>, content: &[u8]) -> Self {
        Word::File { before: before.into(), content: STANDARD.encode(content) }
    }

    /// The content of a file that came like this.
    pub(crate) fn decoded(content: &str) -> anyhow::Result<Vec<u8>> {
        STANDARD.decode(content).context("a file came damaged")
    }
}

impl NodeRequest {
    /// To run this program with these arguments, which everyone there can see, for at most this long.
    pub fn new(called: impl Into<String>, args: &[&str], time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        NodeRequest {
            version: VERSION,
            called: called.into(),
            args,
            words: Vec::new(),
            variables: Vec::new(),
            milliseconds,
        }
    }

    /// The same, with these words in its input.
    #[must_use]
    pub fn words(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.words.extend(words);
        self
    }

    /// The same, with those of these variables of our environment that are set.
    #[must_use]
    pub fn variables(mut self, names: &[&str]) -> Self {
        let set = names.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        self.variables.extend(set);
        self
    }

    /// As it is sent.
    ///
    /// # Errors
    ///
    /// Never: all of it is text.
    pub fn line(&self) -> anyhow::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// As it came.
    ///
    /// # Errors
    ///
    /// When it is not a request, or one of another version.
    pub(crate) fn parse(line: &[u8]) -> anyhow::Result<Self> {
        let request: NodeRequest =
            serde_json::from_slice(line).context("the request is not what it should be")?;
        ensure!(request.version == VERSION, "the request is of version {}, not {VERSION}", request.version);
        Ok(request)
    }
}

/// What a process at a place has made of the file that it was to keep, if this packet of its output brings that.
#[must_use]
pub fn kept_file<'a>(packet: &'a Packet<'_>) -> Option<&'a [u8]> {
    let event = packet.event();
    let file = event.file.filter(|file| file.name == KEPT && event.test_id.is_none())?;
    Some(file.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_comes() {
        let words = [
            Word::Text("--url=http://h\n".to_owned()),
            Word::file("--token-file=", b"\xff\n"),
            Word::Kept { before: "--state-file=".to_owned(), content: String::new() },
        ];
        let request = NodeRequest::new("check-eos", &["--internal-arguments", "eos"], Duration::from_secs(7));
        let request = request.words(words.clone()).variables(&["PATH", "NO_SUCH_VARIABLE"]);
        let line = request.line().unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let came = NodeRequest::parse(&line).unwrap();
        assert_eq!(
            (came.called.as_str(), came.args, came.words),
            ("check-eos", request.args, words.to_vec())
        );
        assert_eq!((came.milliseconds, came.variables.len()), (7000, 1));
        assert!(NodeRequest::parse(b"{}").is_err());
        let other = String::from_utf8(line).unwrap().replace("\"version\":2", "\"version\":1");
        assert!(
            NodeRequest::parse(other.as_bytes()).is_err_and(|error| error.to_string().contains("version 1"))
        );
    }
}
