//! The command `subunit2junitxml`: a stream as JUnit XML.

use std::path::PathBuf;

use cli::{Command, Streams, Verdict};
use formats::junit::{Dialect, JunitOptions, JunitWriter};
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// Convert a subunit stream to JUnit XML
///
/// The report is written when the stream has ended; a line on stderr says how the run went.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2junitxml",
    version,
    after_help = cli::help!(
        report,
        "  subunit2junitxml run.subunit >report.xml\n  \
           make check | subunit2junitxml -f -o report.xml | subunit-ls\n  \
           subunit2junitxml --dialect xunit --attachments logs -o report.xml run.subunit"
    )
)]
pub struct JunitXml {
    #[command(flatten)]
    report: ReportArgs,
    /// The name of the report, and of the suite of tests without a route code
    #[arg(long, value_name = "NAME", default_value = "subunit")]
    suite_name: String,
    /// A property of every suite; may be repeated
    #[arg(long, alias = "property", value_name = "NAME=VALUE", value_parser = property)]
    properties: Vec<(String, String)>,
    /// `common` is what most consumers read, `xunit` is valid against Jenkins' junit-10.xsd
    #[arg(long, value_enum, default_value = "common")]
    dialect: DialectArg,
    /// One suite for all tests, not one for each route code
    #[arg(long)]
    single_suite: bool,
    /// Make one case of all attempts of a test: with rerunFailure, or flakyFailure if the last attempt passed
    #[arg(long)]
    merge_retries: bool,
    /// Write also the output of tests that did not fail
    #[arg(long)]
    all_output: bool,
    /// Write attachments to files in DIR and name them in the report
    #[arg(long, value_name = "DIR")]
    attachments: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum DialectArg {
    Common,
    Xunit,
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no = between name and value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Command for JunitXml {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (mut page, mut session) = self.report.open(streams)?;
        let writer = JunitWriter::new(self.options());
        let cap = writer.cap();
        let (writer, summary) = session.read(Records::new((writer, Summary::new())).cap(cap))?;
        if let Some((count, why)) = writer.no_room() {
            session.tell(format_args!("{count} bytes of the report were left out: {why}"))?;
        }
        writer.write(&mut page)?;
        session.end(page, &summary, ClosingLine::Verdict)
    }
}

impl JunitXml {
    fn options(&self) -> JunitOptions {
        JunitOptions {
            dialect: match self.dialect {
                DialectArg::Common => Dialect::Common,
                DialectArg::Xunit => Dialect::Xunit,
            },
            suite_name: self.suite_name.clone(),
            properties: self.properties.clone(),
            hostname: hostname(),
            single_suite: self.single_suite,
            merge_retries: self.merge_retries,
            all_output: self.all_output,
            attachments: self.attachments.clone(),
        }
    }
}

/// The name of this machine, where it has one that is text.
fn hostname() -> Option<String> {
    gethostname::gethostname().into_string().ok().filter(|name| !name.is_empty())
}
