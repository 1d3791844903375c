//! The command `subunit2github`: a stream as annotations and a job summary of GitHub Actions.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cli::{Command, Streams, Verdict};
use formats::github::GithubAnnotations;
use formats::markdown::MarkdownReport;
use formats::text::Conclusion;
use streamresult::{Records, Summary};

use crate::report::{ClosingLine, ReportArgs};

/// As long as a summary may be.
const LONGEST_SUMMARY: u64 = 1 << 20;
/// Less room than this is none: GitHub refuses a summary that is too long as a whole.
const SHORTEST_SUMMARY: usize = 4 << 10;

/// Convert a subunit stream to annotations and a job summary of GitHub Actions
///
/// Each test that failed becomes an error at the place that its output tells, each flaky one a warning; GitHub shows
/// ten of each for a step, so that the last says how many more there are. The report of subunit2markdown is appended to
/// the summary of the job: to the file that $GITHUB_STEP_SUMMARY names, up to the 1 MiB that GitHub takes. Paths are
/// made relative to $GITHUB_WORKSPACE.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit2github",
    version,
    after_help = cli::help!(
        report,
        "  subunit2github run.subunit\n  \
           go test -json ./... | gojson2subunit | subunit2github\n  \
           make check | tee run.subunit | subunit2github --summary summary.md"
    )
)]
pub struct Github {
    #[command(flatten)]
    report: ReportArgs,
    /// Append the summary to this file, not to the one that $GITHUB_STEP_SUMMARY names
    #[arg(long, value_name = "PATH")]
    summary: Option<PathBuf>,
    /// Write at most N annotations of a kind
    #[arg(long, value_name = "N", default_value_t = 10)]
    annotations: u64,
}

impl Command for Github {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let (page, mut session) = self.report.open(streams)?;
        let path = self.summary.or_else(|| env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from));
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let room = path.as_deref().map_or(0, room_in);
        let is_full = path.is_some() && room < SHORTEST_SUMMARY;
        let root = env::var("GITHUB_WORKSPACE").ok();
        let annotations = GithubAnnotations::new(page, root.as_deref(), self.annotations);
        let records = Records::new(((annotations, MarkdownReport::new(room)), Summary::new()));
        let ((annotations, report), summary) = session.read(records)?;
        let page = annotations.finish()?;
        if is_full {
            session.tell("the summary of the job is full: nothing was appended to it")?;
        }
        let appended = path.filter(|_| !is_full).map_or(Ok(()), |path| {
            let ending = Conclusion { interrupted: session.is_interrupted(), ..Conclusion::default() };
            append(report, &summary, ending, &path)
                .with_context(|| format!("cannot write to {}", path.display()))
        });
        let verdict = session.end(page, &summary, ClosingLine::Verdict)?;
        appended.map(|()| verdict)
    }
}

/// How many bytes a summary may still get.
fn room_in(path: &Path) -> usize {
    let len = path.metadata().map_or(0, |metadata| metadata.len());
    usize::try_from(LONGEST_SUMMARY.saturating_sub(len)).unwrap_or(usize::MAX)
}

fn append(
    report: MarkdownReport,
    summary: &Summary,
    ending: Conclusion<'_>,
    path: &Path,
) -> anyhow::Result<()> {
    let mut page = Vec::new();
    report.write(summary, ending, &mut page)?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(&page)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use subunit::{Event, Status, encode};

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Github::command().debug_assert();
    }

    #[test]
    fn the_summary_is_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        let mut stream = Vec::new();
        encode(&Event::status("a", Status::Fail), &mut stream).unwrap();
        let args = ["--summary", path.to_str().unwrap()];
        for _ in 0..2 {
            let outcome = cli::run_with::<Github>(&args, &stream);
            let expected = (Verdict::Failed, "1 test: 1 failed\n", "::error title=a::failed\n");
            assert_eq!((outcome.verdict, outcome.errors(), outcome.output()), expected);
        }
        let summary = std::fs::read_to_string(&path).unwrap();
        assert_eq!(summary.matches("### FAILED: 1 test: 1 failed\n").count(), 2, "{summary}");
    }
}
