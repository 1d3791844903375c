//! The options of a report.

use std::path::PathBuf;

/// What a [`JunitWriter`](super::JunitWriter) writes.
#[derive(Clone, Debug)]
pub struct JunitOptions {
    /// The dialect.
    pub dialect: Dialect,
    /// The name of the report, and of the suite of tests without a route code.
    pub suite_name: String,
    /// Properties of every suite: names and values.
    pub properties: Vec<(String, String)>,
    /// The machine that the tests without a route code ran on.
    pub hostname: Option<String>,
    /// One suite for all tests, not one for each route code.
    pub single_suite: bool,
    /// Runs of one test are one case: later runs become `rerunFailure`, or earlier ones `flakyFailure` when the
    /// last one passed. Otherwise each is a case with a name of its own.
    pub merge_retries: bool,
    /// Write the output of tests that did not fail, too.
    pub all_output: bool,
    /// Write attachments to files in this folder, and name them in the report.
    pub attachments: Option<PathBuf>,
}

impl Default for JunitOptions {
    fn default() -> Self {
        JunitOptions {
            dialect: Dialect::default(),
            suite_name: "subunit".to_owned(),
            properties: Vec::new(),
            hostname: None,
            single_suite: false,
            merge_retries: false,
            all_output: false,
            attachments: None,
        }
    }
}

/// A dialect of JUnit XML. Open: there are more than two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// What most consumers read: with files, tags as properties of cases, and sums for the whole report.
    #[default]
    Common,
    /// Valid against Jenkins' junit-10.xsd.
    Xunit,
}
