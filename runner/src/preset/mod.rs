//! Presets: what there is to know of a test runner, as data.
//!
//! A preset says how the runner lists its tests, how some of them are run, which format comes back, and how tests are
//! named. Those in `runner/presets/` are compiled in; a project has its own beside them, see [`Presets`].
//!
//! ```toml
//! about = "Go: go test"
//! files = ["go.mod"]             # where these are, the project is of this kind
//! programs = ["go"]              # without these nothing runs
//! version = "go version"         # what says which version is here
//! feed = "batch"                 # or "live": the runner reads ids as they come
//!
//! [list]
//! command = "go test -json -list . $ARGS ./..."
//! format = "json"                # or "lines", "packets"
//! where = { Output = '^(?<name>Test\S+)\n$' }
//!
//! [test]
//! id = "{Package}.{name}"        # as the reader of the format names it
//! select = "{name:regex}"        # as the runner is told of it; `:regex` is how it is quoted
//! together = "{Package}"         # tests of which this differs are never run by one process
//! subtests = "/"                 # what stands between a test and the tests within it
//!
//! [run]
//! command = 'go test -json -run "$FILTER" $ARGS "$TOGETHER"'
//! ids = "filter"                 # or "file", "arguments"
//! filter = { before = "^(", between = "|", after = ")$" }
//! format = "gojson"
//! ```
//!
//! Commands are for the shell, in which these variables are set: `$FILE` is a file with what was selected, one a line;
//! `$FILTER` all of it as one word; `"$@"` the same, a word each; `$TOGETHER` what the tests have in common; `$SCRIPTS`
//! the folder with the preset's own files, `[scripts]`; `$REPORT` a file in it for one process. `$ARGS` and `$PROGRAM` stand for what the suite says of itself.

mod command;
mod examples;
mod found;
mod json;
mod listing;
mod pattern;
mod quote;
mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use command::Recipe;
pub use examples::{Example, Expected};
pub use found::Presets;
pub(crate) use listing::Listed;
pub use pattern::Pattern;
pub use template::Template;

use crate::suite::{Format, Program};

/// What there is to know of a test runner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is called, which its file is named by.
    #[serde(skip)]
    pub name: String,
    /// Its file, as it is.
    #[serde(skip)]
    pub text: String,
    /// What it is for, in a line.
    pub about: String,
    /// Files of a project that is of this kind; any of them will do. `*` stands for any part of a name.
    #[serde(default)]
    pub files: Vec<String>,
    /// A text that one of these files has to hold.
    pub holds: Option<Pattern>,
    /// Programs without which nothing runs; any of several with `|` between.
    #[serde(default)]
    pub programs: Vec<String>,
    /// A command that succeeds where all is here, and says which version it is.
    pub version: Option<String>,
    /// How its workers get their tests.
    #[serde(default)]
    pub feed: FeedKind,
    /// The program of ours that its workers are: it is among the scripts, as `worker`.
    pub worker: Option<Program>,
    /// Whether the runner itself runs several tests at the same time, if nothing is said.
    #[serde(default)]
    pub parallel: bool,
    /// Presets that are not meant where this one is.
    #[serde(default)]
    pub instead_of: Vec<String>,
    /// What tests that stay together begin with; a suite may say otherwise.
    pub group: Option<String>,
    /// What `$PROGRAM` is, where the suite does not say.
    pub program: Option<String>,
    /// Whether the suite has to name a program.
    #[serde(default)]
    pub needs_program: bool,
    /// How tests are listed.
    pub list: ListRecipe,
    /// How they are named.
    #[serde(default)]
    pub test: Naming,
    /// How some of them are run.
    pub run: RunRecipe,
    /// Files that its commands need, by their names.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// A tiny project with odd names.
    pub example: Option<Example>,
}

/// How a worker gets its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedKind {
    /// All at once, when it is started.
    #[default]
    Batch,
    /// One by one, on its standard input.
    Live,
}

/// How tests are listed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRecipe {
    /// The command.
    pub command: String,
    /// What its output is put through to be of that format.
    pub through: Option<String>,
    /// What it writes.
    #[serde(default)]
    pub format: ListFormat,
    /// Of lines: those that say something of the tests after them. Its groups are fields.
    pub header: Option<Pattern>,
    /// Of lines: those that name a test. Its groups are fields.
    pub line: Option<Pattern>,
    /// Of JSON: where the tests are. `*` is any key, `{x}` is any, and a field.
    #[serde(default)]
    pub each: String,
    /// Fields that have to match. Groups are fields, too.
    #[serde(default, rename = "where")]
    pub conditions: BTreeMap<String, Pattern>,
    /// Exit codes which say that there are no tests.
    #[serde(default)]
    pub nothing: Vec<i32>,
}

/// What a listing is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListFormat {
    /// Lines of text.
    #[default]
    Lines,
    /// JSON, one document or many, whatever stands between them.
    Json,
    /// A stream that says which tests exist.
    Packets,
}

/// How tests are named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Naming {
    /// The id, as results have it. Without this it is the field `id`.
    pub id: Template,
    /// What the runner is told; the id, if nothing is said.
    pub select: Option<Template>,
    /// What tests that are run by one process have in common.
    pub together: Option<Template>,
    /// What results have before their names, where their process does not say it; the same for all that it runs.
    pub within: Option<Template>,
    /// What stands between a test and the tests within it.
    pub subtests: Option<String>,
    /// Whether only files are listed: results are those of the tests in them.
    pub files: bool,
}

/// How some tests are run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecipe {
    /// The command.
    pub command: String,
    /// How it is told of the tests.
    #[serde(default)]
    pub ids: IdsBy,
    /// How the tests become one word.
    #[serde(default)]
    pub filter: Filter,
    /// What it writes.
    pub format: Format,
    /// What its output is put through to be of that format.
    pub through: Option<String>,
    /// Whether each test has a process of its own, and results are named within it.
    #[serde(default)]
    pub alone: bool,
}

/// How a runner is told which tests to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdsBy {
    /// By a file, a line each.
    #[default]
    File,
    /// By an expression.
    Filter,
    /// By arguments.
    Arguments,
}

/// How tests become one word.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// What stands before the first.
    pub before: String,
    /// What stands between two.
    pub between: String,
    /// What stands after the last.
    pub after: String,
}

impl Preset {
    /// Reads a preset.
    ///
    /// # Errors
    ///
    /// When it is none; the text says where, and what is wrong.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let preset: Preset = toml::from_str(text).map_err(|error| place(text, &error))?;
        Ok(Preset { name: name.to_owned(), text: text.to_owned(), ..preset })
    }
}

/// What is wrong in a file, in a line that says where.
#[must_use]
pub fn place(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span().filter(|span| span.start > 0) else { return error.message().to_owned() };
    let line = text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message())
}
