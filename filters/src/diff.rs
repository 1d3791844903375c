//! The command `subunit-diff`: what changed from one stream to another.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cli::{Command, DiffArgs, InputArgs, Shared, Streams, Terminal, Verdict};
use formats::diff::{Comparison, Form, Rules, Side};
use formats::packet_watch::PacketWatch;
use process::Interrupt;
use streamresult::{Details, Records};

use crate::sources::name;

/// Tell what changed from one stream to another: new, gone, broken, fixed, slower
///
/// Each change is a line: a `broken` test fails now and did not before, a `fixed` one the other way round; `new` and
/// `gone` ones ran in one of the runs only, `slower` ones took much longer, and `changed` is any other change of
/// outcome. Failing, passing unexpectedly and never finishing are failures. If a test ran several times, the last time
/// counts.
///
/// `subunit diff` with runs of a repository, or without arguments, is `subunit compare`.
#[derive(clap::Parser, Debug)]
#[command(
    name = "subunit-diff",
    version,
    after_help = cli::help!(
        [
            Passed = "nothing changed",
            Failed = "something changed",
            Nothing = "one of them has no packet: it is empty, or something else",
        ],
        "  subunit-diff before.subunit after.subunit\n  \
           make check | subunit-diff last-week.subunit -\n  \
           subunit-diff --slower 1.5 --slower-by 1s a.subunit b.subunit | grep ^slower\n  \
           subunit-diff --ignore-routes --json monday.subunit tuesday.subunit"
    )
)]
pub struct Diff {
    /// The stream of the run before; `-` is stdin
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The stream of the run after it; `-` is stdin
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    #[command(flatten)]
    how: DiffArgs,
}

impl Command for Diff {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        let Streams { input, output, errors, terminal, interrupt } = streams;
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        anyhow::ensure!(
            !(is_stdin(&self.before) && is_stdin(&self.after)),
            "only one of the streams can be stdin"
        );
        // A run that takes hours should not end in a name that was mistyped.
        for path in [&self.before, &self.after].into_iter().filter(|path| !is_stdin(path)) {
            File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        }
        let mut comparison = Comparison::new(rules(&self.how));
        let stdin_is_before = is_stdin(&self.before);
        let (first, second): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            if stdin_is_before { (input, Box::new(io::empty())) } else { (Box::new(io::empty()), input) };
        let before = self.read(Side::Before, first, &interrupt, &mut comparison)?;
        let after = self.read(Side::After, second, &interrupt, &mut comparison)?;
        if let Some(verdict) = Verdict::caught(&interrupt) {
            // Half of a run differs from a whole one everywhere.
            return Ok(verdict);
        }
        let mut has_empty = false;
        for (path, packets) in [(&self.before, before), (&self.after, after)] {
            if packets.is_empty() {
                has_empty = true;
                writeln!(errors, "subunit-diff: {}: {packets}", name(path))?;
            }
        }
        if has_empty {
            return Ok(self.how.verdict.apply(Verdict::Nothing));
        }
        let mut page = self.how.output.open(&Shared::new(output))?;
        let has_changed = comparison.write(form(&self.how, &terminal), &mut page, errors)?;
        page.finish()?;
        Ok(self.how.verdict.apply(if has_changed { Verdict::Failed } else { Verdict::Passed }))
    }
}

/// How changes are written.
fn form(how: &DiffArgs, terminal: &Terminal) -> Form {
    if how.json.json {
        Form::Json
    } else {
        Form::Lines { color: how.output.is_stdout() && how.color.output(terminal) }
    }
}

/// What counts as a change.
fn rules(how: &DiffArgs) -> Rules {
    Rules { slower: how.slower, slower_by: how.slower_by, ignore_routes: how.ignore_routes }
}

impl Diff {
    fn read(
        &self,
        side: Side,
        stdin: Box<dyn Read + Send>,
        interrupt: &Interrupt,
        comparison: &mut Comparison,
    ) -> anyhow::Result<PacketWatch> {
        let path = if side == Side::Before { &self.before } else { &self.after };
        let input = InputArgs { files: vec![path.clone()] }.open(stdin, interrupt);
        Ok(PacketWatch::drive(input, &mut Records::new(comparison.records(side)).details(Details::None))?)
    }
}

#[cfg(test)]
mod tests {
    use cli::run_with;
    use subunit::io::Writer;
    use subunit::{Event, Status, Timestamp};

    use super::*;

    /// A stream of `id status seconds`: how long each test took.
    fn stream(tests: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::new(file.reopen().unwrap());
        for test in tests {
            let words: Vec<&str> = test.split(' ').collect();
            let status = words[1].parse().unwrap();
            let route_code = words.iter().find_map(|word| word.strip_prefix('@'));
            let seconds = words.iter().find_map(|word| word.parse::<u32>().ok());
            let at = |seconds| Some(Timestamp::from_seconds(seconds));
            let event = Event { route_code, ..Event::status(words[0], Status::InProgress) };
            if let Some(seconds) = seconds {
                writer.write(&Event { timestamp: at(100), ..event }).unwrap();
                writer.write(&Event { timestamp: at(100 + seconds), status: Some(status), ..event }).unwrap();
            } else {
                writer.write(&Event { status: Some(status), ..event }).unwrap();
            }
        }
        writer.flush().unwrap();
        file
    }

    fn check(args: &[&str], before: &[&str], after: &[&str], expected: &[&str]) {
        let files = [before, after].map(stream);
        let paths: Vec<&str> = files.iter().map(|file| file.path().to_str().unwrap()).collect();
        let outcome = run_with::<Diff>(&[args, &paths].concat(), b"");
        assert_eq!(outcome.output().lines().collect::<Vec<_>>(), expected, "{}", outcome.errors());
        let verdict = if expected.is_empty() { Verdict::Passed } else { Verdict::Failed };
        assert_eq!(outcome.verdict, verdict);
    }

    #[test]
    fn each_change_is_told_once() {
        check(
            &[],
            &["a success", "b fail", "c success", "d success", "e success 1", "f skip"],
            &["a inprogress", "b success", "c skip", "x fail", "e success 3", "f skip"],
            &[
                "fixed: b (fail -> success)",
                "changed: c (success -> skip)",
                "new: x (fail)",
                "slower: e (1.000 s -> 3.000 s)",
                "broken: a (success -> unfinished)",
                "gone: d (success)",
            ],
        );
        check(&[], &["a fail", "b success"], &["b success", "a fail"], &[]);
    }

    #[test]
    fn the_last_of_several_outcomes_counts() {
        check(&[], &["a fail", "a success"], &["a success"], &[]);
        check(
            &[],
            &["a success"],
            &["a success", "a fail", "a success", "a fail"],
            &["broken: a (success -> fail)"],
        );
        check(&[], &["a success", "a success", "b exists"], &["a exists"], &["gone: a (success)"]);
    }

    #[test]
    fn routes_tell_tests_apart_unless_they_are_ignored() {
        let (before, after) = (["a success @1", "b fail @1"], ["a success @2", "b fail @2", "b success @1"]);
        check(
            &[],
            &before,
            &after,
            &[
                "new: a [2] (success)",
                "new: b [2] (fail)",
                "fixed: b [1] (fail -> success)",
                "gone: a [1] (success)",
            ],
        );
        check(&["--ignore-routes"], &before, &after, &[]);
    }

    #[test]
    fn much_slower_is_what_the_options_say() {
        let (before, after) = (["a success 10", "b success 1"], ["a success 15", "b success 9"]);
        check(&[], &before, &after, &["slower: b (1.000 s -> 9.000 s)"]);
        let all = ["slower: a (10.000 s -> 15.000 s)", "slower: b (1.000 s -> 9.000 s)"];
        check(&["--slower", "1.4"], &before, &after, &all);
        check(&["--slower=1.4", "--slower-by=6s"], &before, &after, &all[1..]);
        check(&["--slower", "0"], &before, &after, &[]);
    }

    #[test]
    fn json_has_an_object_a_line() {
        check(
            &["--json"],
            &["a\u{1b}\" success 1", "g fail @0"],
            &["a\u{1b}\" fail 2"],
            &[
                r#"{"after":"fail","before":"success","change":"broken","id":"a\u001b\"","seconds_after":2.0,"seconds_before":1.0}"#,
                r#"{"before":"fail","change":"gone","id":"g","route":"0"}"#,
            ],
        );
    }

    #[test]
    fn what_has_no_packet_is_not_compared() {
        let (full, other) = (stream(&["a success"]), tempfile::NamedTempFile::new().unwrap());
        let [full, path] = [&full, &other].map(|file| file.path().to_str().unwrap());
        for (content, what) in [
            ("", "there is nothing in it"),
            ("starting\n", "there is no packet in it, only text"),
            (
                "TAP version 14\n1..1\nok 1\n",
                "there is no packet in it; this looks like TAP, which tap2subunit reads",
            ),
            (
                "<?xml version='1.0'?><testsuites/>",
                "there is no packet in it; this looks like JUnit XML, which junitxml2subunit reads",
            ),
        ] {
            std::fs::write(path, content).unwrap();
            for args in [[path, full], [full, path]] {
                let outcome = run_with::<Diff>(&args, b"");
                let said = format!("subunit-diff: {path}: {what}\n");
                assert_eq!(
                    (outcome.verdict, outcome.output(), outcome.errors()),
                    (Verdict::Nothing, "", &*said)
                );
            }
        }
        assert_eq!(
            run_with::<Diff>(&[full, "-"], b"").errors(),
            "subunit-diff: stdin: there is nothing in it\n"
        );
    }

    #[test]
    fn trouble_is_no_difference() {
        let outcome = run_with::<Diff>(&["/no/file", "-"], b"");
        assert_eq!(outcome.verdict, Verdict::Error);
        assert!(outcome.errors().starts_with("subunit-diff: cannot open /no/file: "), "{}", outcome.errors());
        assert_eq!(run_with::<Diff>(&["-", "-"], b"").verdict, Verdict::Error);
    }
}
