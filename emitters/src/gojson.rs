//! The command `gojson2subunit`: the output of `go test -json`, as a stream.

use cli::{Command, InputArgs, Streams, Verdict};

use crate::emit::EmitArgs;

/// Convert the output of `go test -json` to a subunit stream
///
/// A test's id is its package and its name, as in example.com/net.TestBoot/sub; its output is a file "go test output",
/// the reason of a skip a file "reason", attributes are a file "attributes". Times are those of the output. Benchmarks
/// are tests, with their figures in their output. What is not of go test, such as the errors of its compiler before
/// go 1.24, is kept as text, in its place.
///
/// A package that fails although none of its tests did is itself a failing test: "example.com/net" when TestMain, an
/// init function, a signal or a panic ended it, `example.com/net [build]` when it could not be built. So the run fails
/// although the exit status of go is lost in the pipe. Packages that pass, or have no tests, are no tests. A test whose
/// end is not told fails: a panic or the end of the output came first.
///
/// Each FILE is an output of its own.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "gojson2subunit",
    version,
    after_help = cli::help!(
        report,
        "  go test -json ./... | gojson2subunit | subunit2text\n  \
           go test -json -race ./... 2>&1 | gojson2subunit --tag race >race.subunit\n  \
           go test -json -run '^$' -bench . ./... | gojson2subunit | subunit2junitxml -o bench.xml\n  \
           gojson2subunit --exit-zero results/*.json >all.subunit"
    )
)]
pub struct FromGoJson {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    emit: EmitArgs,
}

impl Command for FromGoJson {
    fn run(self, streams: Streams<'_>) -> anyhow::Result<Verdict> {
        streams.terminal.refuse_packets()?;
        let Streams { input: stdin, output, interrupt, .. } = streams;
        self.emit.emit(output, |sink| {
            for document in self.input.documents(stdin, interrupt) {
                formats::gojson::drive(document.input, sink)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use streamresult::from_fn;

    use super::*;

    /// What a stream says, a line an event: id, status, file.
    fn told(stream: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut sink = from_fn(|event: &subunit::Event<'_>| {
            let status = event.status.map_or("-", |status| status.as_str());
            let file = event.file.map(|file| format!("{} {}", file.name, file.bytes.escape_ascii()));
            let line = format!("{} {status} {}", event.test_id.unwrap_or("-"), file.unwrap_or_default());
            lines.push(line.trim_end().to_owned());
            Ok(())
        });
        streamresult::drive(stream, &mut sink).unwrap();
        lines
    }

    fn check(args: &[&str], input: &[u8], verdict: Verdict, expected: &[&str]) {
        let outcome = cli::run_with::<FromGoJson>(args, input);
        assert_eq!((outcome.verdict, outcome.errors()), (verdict, ""));
        assert_eq!(told(&outcome.output), expected);
    }

    const RUN: &[u8] = b"{\"Action\":\"run\",\"Package\":\"net\",\"Test\":\"TestA\"}\n";
    const PASS: &[u8] = b"{\"Action\":\"pass\",\"Package\":\"net\",\"Test\":\"TestA\"}\n";
    const END: &[u8] = b"{\"Action\":\"pass\",\"Package\":\"net\"}\n";

    #[test]
    fn the_arguments_are_sound() {
        FromGoJson::command().debug_assert();
    }

    #[test]
    fn the_verdict_is_that_of_the_run() {
        let whole = [RUN, PASS, END].concat();
        check(&[], &whole, Verdict::Passed, &["net.TestA inprogress", "net.TestA success"]);
        check(&[], END, Verdict::Nothing, &[]);
        check(&["--allow-empty"], END, Verdict::Passed, &[]);
        let failed = b"{\"Action\":\"fail\",\"Package\":\"net\"}\n";
        check(&[], failed, Verdict::Failed, &["net fail traceback the package failed\\n"]);
        check(&["--exit-zero"], failed, Verdict::Passed, &["net fail traceback the package failed\\n"]);
    }

    #[test]
    fn each_file_is_an_output_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.json");
        std::fs::write(&path, RUN).unwrap();
        let lost = "net.TestA fail traceback the output of go test ends before the test does\\n";
        let expected = ["net.TestA inprogress", lost, "net.TestA inprogress", "net.TestA success"];
        let whole = [RUN, PASS, END].concat();
        check(&[path.to_str().unwrap(), "-", "-"], &whole, Verdict::Failed, &expected);
    }
}
