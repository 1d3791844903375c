//! Lines to events.
//!
//! Each line of JSON names its package and test, and packages and tests run side by side, so state is kept for each
//! that is open ([`Packages`], [`Package`], [`Test`]). Three things are not as easy as the lines look:
//!
//! - **Output comes twice.** What the framework prints (`=== RUN`, `--- PASS`) is an event as well, and is dropped
//!   where it says the same. But go before 1.20 takes the end of a test that left a line without a newline for its
//!   output: what such lines show is remembered, and settles how a test ended whose end never came.
//! - **What a package prints belongs to it only if it fails.** Until its end it is held; then it is output of the
//!   failing package, or text if it is more than the usual.
//! - **A build is not a package.** What the compiler says comes first, under an import path, and is held until a
//!   package says that it failed by it (`FailedBuild`); a build that failed and that none needed is a failure of its
//!   own.
//!
//! Lines of output of one test are handed on together, as [`Piece`]: nearly always they follow each other.

use std::io;
use std::time::Duration;

use streamresult::{LEFT_OUT_FILE, StreamResult};
use subunit::{Event, Status, TEXT_TYPE, Timestamp};

use super::bench;
use super::builds::{Build, Builds};
use super::clock::Clock;
use super::event::{self, Action, KEYS, Line as Said};
use super::held::HeldOutputs;
use super::mark::{self, Mark};
use super::package::{Package, PackageEnd, Test};
use super::packages::Packages;
use super::piece::{End, Piece};
use crate::lines::{Line, LineParser, shortened};
use crate::loose_json::objects;

/// The package of an output that names none: `go tool test2json` without `-p`.
const UNNAMED: &str = "go test";

/// Turns the output of `go test -json` into events, line by line; see [`gojson`](super).
///
/// Times are those of the lines. State is kept only for open packages and tests.
#[derive(Debug, Default)]
pub struct GoJsonParser {
    packages: Packages,
    builds: Builds,
    compiler: Compiler,
    outputs: HeldOutputs,
    piece: Piece,
    clock: Clock,
    /// The last time that was read.
    now: Option<Timestamp>,
    /// The id of the test that a line is about.
    id: String,
    /// How many tests have begun.
    begun: u64,
}

impl LineParser for GoJsonParser {
    fn line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !line.is_whole {
            return self.long_line(line, sink);
        }
        let content = line.content();
        let text = line.text.and_then(|text| text.get(..content.len()));
        if let Some((action, said)) = Said::parse(content, text) {
            self.end_compiler(sink)?;
            return self.take(action, &said, sink);
        }
        let glued =
            objects(content, &KEYS).find_map(|(before, object)| Some((before, Said::parse(object, None)?)));
        if let Some((before, (action, said))) = glued {
            self.text_line(before, before, sink)?;
            self.end_compiler(sink)?;
            return self.take(action, &said, sink);
        }
        self.text_line(content, line.bytes, sink)
    }

    fn flush(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.piece.flush(sink)?;
        sink.flush()
    }

    fn finish(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.end_compiler(sink)?;
        for (name, mut package) in self.packages.take_all() {
            self.end_package(&name, &mut package, PackageEnd::Cut, &Said::default(), sink)?;
        }
        while let Some(build) = self.builds.pop() {
            self.forget(build, sink)?;
        }
        self.piece.flush(sink)?;
        self.outputs.no_room().map_or(Ok(()), |(count, why)| {
            let message = format!("{count} bytes of output were left out: {why}\n");
            let event = Event::file(LEFT_OUT_FILE, message.as_bytes());
            sink.status(&Event { mime_type: Some(TEXT_TYPE), eof: true, ..event })
        })
    }
}

impl GoJsonParser {
    /// A parser at the start of an output.
    #[must_use]
    pub fn new() -> Self {
        GoJsonParser::default()
    }

    fn take(&mut self, action: Action, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        match action {
            Action::BuildOutput => return self.build_output(said, sink),
            Action::BuildFail => return self.build_failed(said, sink),
            _ => {}
        }
        let of_test = !said.test.is_empty();
        match action {
            Action::Output if of_test => self.output(said, sink),
            Action::Output => self.package_output(said, sink),
            Action::Run if of_test => self.run(said, sink),
            Action::Pass if of_test => self.end(Status::Success, said, sink),
            Action::Fail if of_test => self.end(Status::Fail, said, sink),
            Action::Skip if of_test => self.end(Status::Skip, said, sink),
            Action::Pass | Action::Skip => self.package_ended(PackageEnd::Passed, said, sink),
            Action::Fail => self.package_ended(PackageEnd::Failed, said, sink),
            Action::Attr | Action::Artifacts if of_test => self.attribute(action, said, sink),
            Action::Pause | Action::Continue => {
                let time = self.time(said);
                if let Some(test) = self.package(said).tests.get_mut(&*said.test) {
                    test.pause(action == Action::Pause, time);
                }
                Ok(())
            }
            _ => {
                let time = self.time(said);
                let package = self.package(said);
                package.began = package.began.or(time);
                Ok(())
            }
        }
    }

    fn package(&mut self, said: &Said<'_>) -> &mut Package {
        self.packages.get(&said.package)
    }

    fn time(&mut self, said: &Said<'_>) -> Option<Timestamp> {
        let time = self.clock.read(&said.time);
        self.now = time.or(self.now);
        time
    }

    fn run(&mut self, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let time = self.time(said);
        if said.test.starts_with("Benchmark") {
            self.end_benchmarks(said, time, sink)?;
        }
        self.begun += 1;
        let test = Test { number: self.begun, began: time, ..Test::default() };
        set_id(&mut self.id, &said.package, &said.test);
        let package = self.package(said);
        if let Some(before) = package.tests.insert((*said.test).to_owned(), test) {
            let note =
                Some("the test began again before its end was told\n").filter(|_| before.shown.is_none());
            let status = before.shown.unwrap_or(Status::Fail);
            package.ended(&said.test, status);
            let end = End { note, has_output: before.has_output, ..End::default() };
            self.piece.end(&self.id, status, time, end, sink)?;
        }
        self.piece.begin(&self.id, time, sink)
    }

    fn end_benchmarks(
        &mut self,
        said: &Said<'_>,
        time: Option<Timestamp>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        for (name, test) in self.package(said).benchmarks_before(&said.test) {
            self.package(said).ended(&name, Status::Success);
            set_id(&mut self.id, &said.package, &name);
            let end = End { has_output: test.has_output, ..End::default() };
            self.piece.end(&self.id, Status::Success, time, end, sink)?;
        }
        Ok(())
    }

    fn output(&mut self, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let output = &said.output;
        let mark = if output.has_newline { mark::of_test(&output.text, &said.test) } else { None };
        let is_told = match mark {
            Some(Mark::Event) => return Ok(()),
            // The duration that such a line has is nowhere else where times lack.
            Some(Mark::End(_)) => !said.time.is_empty(),
            None => false,
        };
        let mut time = if is_told { None } else { self.time(said) };
        let package = self.package(said);
        if let Some(test) = package.tests.get_mut(&*said.test) {
            time = test.own_time(time);
            match mark {
                Some(Mark::End(status)) => test.shown = Some(status),
                _ => test.log.push(&output.text),
            }
            test.has_output |= !is_told;
        }
        if is_told {
            return Ok(());
        }
        if output.has_newline && mark.is_none() {
            package.show_glued(&output.text);
        }
        set_id(&mut self.id, &said.package, &said.test);
        self.piece.push_line(&self.id, output, time, sink)
    }

    fn end(&mut self, status: Status, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let time = self.time(said);
        set_id(&mut self.id, &said.package, &said.test);
        let package = self.package(said);
        let test = package.tests.remove(&*said.test);
        // Go before 1.20 reports a failing fuzz target twice.
        let is_again = test.is_none() && package.last_status == Some(status) && package.last == *said.test;
        if is_again {
            return Ok(());
        }
        package.ended(&said.test, status);
        if test.is_none()
            && let Some(began) = before(time, said.elapsed.unwrap_or_default())
        {
            self.piece.begin(&self.id, Some(began), sink)?;
        }
        let test = test.unwrap_or_default();
        let time = test.end(time, said.elapsed);
        let reason = test.log.get().filter(|_| status == Status::Skip);
        let end = End { reason, note: None, has_output: test.has_output };
        self.piece.end(&self.id, status, time, end, sink)
    }

    fn attribute(&mut self, action: Action, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let Some(more) = &said.more else { return Ok(()) };
        let line = match action {
            Action::Artifacts => ["artifacts", &more.path],
            _ => [&*more.key, &more.value],
        };
        let time = self.time(said);
        set_id(&mut self.id, &said.package, &said.test);
        self.piece.attribute(&self.id, line, time, sink)
    }

    fn package_output(&mut self, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let package = self.packages.get(&said.package);
        let mut line = std::mem::take(&mut package.line);
        line.push_str(&said.output.text);
        line.push_str(said.output.end());
        if bench::may_begin(&line) {
            package.line = line;
            return Ok(());
        }
        if let Some(name) = bench::figures(&line) {
            return self.benchmark(name, &line, said, sink);
        }
        package.note(mark::of_package(&line));
        self.outputs.push(&mut package.output, line.as_bytes());
        Ok(())
    }

    /// Figures of a benchmark without its name as a test: all that tells of it, or those of another round.
    fn benchmark(
        &mut self,
        name: &str,
        line: &str,
        said: &Said<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let time = self.time(said);
        set_id(&mut self.id, &said.package, name);
        let package = self.package(said);
        if let Some(open) = package.tests.get_mut(name) {
            open.has_output = true;
            return self.piece.push(&self.id, line.as_bytes(), time, sink);
        }
        package.ended(name, Status::Success);
        self.piece.push(&self.id, line.as_bytes(), time, sink)?;
        self.piece.end(&self.id, Status::Success, time, End::default(), sink)
    }

    fn package_ended(
        &mut self,
        end: PackageEnd,
        said: &Said<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        self.time(said);
        let mut package = self.packages.take(&said.package);
        self.end_package(&said.package, &mut package, end, said, sink)
    }

    fn end_package(
        &mut self,
        name: &str,
        package: &mut Package,
        end: PackageEnd,
        said: &Said<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let line = std::mem::take(&mut package.line);
        package.is_notable |= !line.is_empty();
        self.outputs.push(&mut package.output, line.as_bytes());
        let is_cut_in_test = end == PackageEnd::Cut && !package.tests.is_empty();
        for (test, open) in package.take_tests() {
            let (status, note) = open.settle(&test, package.has_verdict, end);
            package.has_failure |= status == Status::Fail;
            set_id(&mut self.id, name, &test);
            let reason = open.log.get().filter(|_| status == Status::Skip);
            let end = End { reason, note, has_output: open.has_output };
            self.piece.end(&self.id, status, self.now, end, sink)?;
        }
        let fails = match end {
            PackageEnd::Passed => false,
            PackageEnd::Failed => package.has_crashed || !package.has_failure,
            PackageEnd::Cut => package.has_crashed || !is_cut_in_test,
        };
        if fails {
            self.fail_package(name, package, end, said, sink)?;
        } else if package.is_notable {
            let (piece, now) = (&mut self.piece, self.now);
            self.outputs.lend(&package.output, |bytes| piece.push("", bytes, now, sink))?;
        }
        self.outputs.forget(&mut package.output);
        Ok(())
    }

    /// A package is itself a failing test.
    fn fail_package(
        &mut self,
        name: &str,
        package: &mut Package,
        end: PackageEnd,
        said: &Said<'_>,
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let is_unbuilt = package.is_unbuilt || !said.failed_build().is_empty();
        set_package_id(&mut self.id, name, is_unbuilt);
        let now = self.now;
        if let Some(began) = package.began.or(before(now, said.elapsed.unwrap_or_default())) {
            self.piece.begin(&self.id, Some(began), sink)?;
        }
        let (piece, id) = (&mut self.piece, self.id.as_str());
        let build = self.builds.tell(said.failed_build());
        let mut has_output = !package.output.is_empty();
        if let Some(build) = build {
            has_output |= !build.output.is_empty();
            self.outputs.lend(&build.output, |bytes| piece.push(id, bytes, now, sink))?;
        }
        self.outputs.lend(&package.output, |bytes| piece.push(id, bytes, now, sink))?;
        let note = match end {
            PackageEnd::Cut => Some("the output of go test ends before the package does\n"),
            _ if !has_output => Some("the package failed\n"),
            _ => None,
        };
        piece.end(id, Status::Fail, now, End { note, has_output, ..End::default() }, sink)
    }

    /// A piece of a line that is too long to be read. That something failed can be told by its start.
    fn long_line(&mut self, line: &Line<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        self.piece.push("", line.bytes, None, sink)?;
        if !line.is_start || !event::begins_failure(line.bytes) {
            return Ok(());
        }
        set_package_id(&mut self.id, "", false);
        let note = format!("line {} is too long to be read: something failed\n", line.number);
        self.piece.end(&self.id, Status::Fail, self.now, End { note: Some(&note), ..End::default() }, sink)
    }

    /// A line that is not JSON. Go before 1.24 says so what the compiler says, and what could not be built.
    fn text_line(&mut self, content: &[u8], raw: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        if let Some(package) = mark::unbuilt_package(content) {
            self.end_compiler(sink)?;
            return self.unbuilt(package, raw, sink);
        }
        if let Some(path) = mark::compiled_package(content) {
            self.end_compiler(sink)?;
            self.compiler = Compiler::Begins(path.to_owned(), raw.to_vec());
            return Ok(());
        }
        match std::mem::take(&mut self.compiler) {
            Compiler::Begins(path, head) if mark::is_compilers(content) => {
                let output = [&head, raw].concat();
                self.compiler_output(path, &output, sink)
            }
            Compiler::Says(path) => self.compiler_output(path, raw, sink),
            Compiler::Begins(_, head) => {
                self.piece.push("", &head, None, sink)?;
                self.piece.push("", raw, None, sink)
            }
            Compiler::Silent => self.piece.push("", raw, None, sink),
        }
    }

    fn compiler_output(
        &mut self,
        path: String,
        output: &[u8],
        sink: &mut dyn StreamResult,
    ) -> io::Result<()> {
        let (build, forgotten) = self.builds.get_or_add(&path);
        if let Some(build) = build {
            build.is_text = true;
            self.outputs.push(&mut build.output, output);
        }
        self.compiler = Compiler::Says(path);
        forgotten.map_or(Ok(()), |build| self.forget(build, sink))
    }

    /// The compiler says no more: what looked like its first line was not.
    fn end_compiler(&mut self, sink: &mut dyn StreamResult) -> io::Result<()> {
        match std::mem::take(&mut self.compiler) {
            Compiler::Begins(_, head) => self.piece.push("", &head, None, sink),
            Compiler::Says(_) | Compiler::Silent => Ok(()),
        }
    }

    /// A package could not be built, as go before 1.24 says it: between the lines of JSON.
    fn unbuilt(&mut self, package: &str, line: &[u8], sink: &mut dyn StreamResult) -> io::Result<()> {
        set_package_id(&mut self.id, package, true);
        let (piece, id) = (&mut self.piece, self.id.as_str());
        for build in self.builds.needed_by(package) {
            self.outputs.lend(&build.output, |bytes| piece.push(id, bytes, None, sink))?;
        }
        piece.push(id, line, None, sink)?;
        piece.end(id, Status::Fail, None, End::default(), sink)
    }

    fn build_output(&mut self, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let (build, forgotten) = self.builds.get_or_add(said.import_path());
        if let Some(build) = build {
            build.push(&said.output, &mut self.outputs);
        }
        forgotten.map_or(Ok(()), |build| self.forget(build, sink))
    }

    fn build_failed(&mut self, said: &Said<'_>, sink: &mut dyn StreamResult) -> io::Result<()> {
        let (build, forgotten) = self.builds.get_or_add(said.import_path());
        if let Some(build) = build {
            build.has_failed = true;
        }
        forgotten.map_or(Ok(()), |build| self.forget(build, sink))
    }

    /// Passes on what the compiler said and no package needed.
    fn forget(&mut self, mut build: Build, sink: &mut dyn StreamResult) -> io::Result<()> {
        if !build.is_told {
            self.tell_unneeded(&build, sink)?;
        }
        self.outputs.forget(&mut build.output);
        Ok(())
    }

    fn tell_unneeded(&mut self, build: &Build, sink: &mut dyn StreamResult) -> io::Result<()> {
        let (piece, now) = (&mut self.piece, self.now);
        if !build.has_failed {
            return self.outputs.lend(&build.output, |bytes| piece.push("", bytes, now, sink));
        }
        set_package_id(&mut self.id, &build.import_path, true);
        let id = self.id.as_str();
        let has_output = !build.output.is_empty();
        self.outputs.lend(&build.output, |bytes| piece.push(id, bytes, now, sink))?;
        let note = (!has_output).then_some("the build failed\n");
        piece.end(id, Status::Fail, now, End { note, has_output, ..End::default() }, sink)
    }
}

/// What the compiler says between the lines of JSON.
#[derive(Debug, Default)]
enum Compiler {
    #[default]
    Silent,
    /// A line that may be its first, with the import path in it.
    Begins(String, Vec<u8>),
    /// All text is its own, and about this import path.
    Says(String),
}

/// The id of a test: the one that python-subunit gives it.
fn set_id(id: &mut String, package: &str, test: &str) {
    id.clear();
    if !package.is_empty() {
        id.push_str(&shortened(package));
        id.push('.');
    }
    id.push_str(&shortened(test));
    show_nul(id);
}

fn set_package_id(id: &mut String, package: &str, is_unbuilt: bool) {
    id.clear();
    id.push_str(if package.is_empty() { UNNAMED } else { package });
    *id = shortened(id).into_owned();
    if is_unbuilt {
        id.push_str(" [build]");
    }
    show_nul(id);
}

/// Shows what subunit cannot carry.
fn show_nul(id: &mut String) {
    if id.contains('\0') {
        *id = id.replace('\0', "\\x00");
    }
}

/// The time this many seconds before another.
fn before(time: Option<Timestamp>, seconds: f64) -> Option<Timestamp> {
    let elapsed = Duration::try_from_secs_f64(seconds).ok().filter(|elapsed| !elapsed.is_zero())?;
    let time = time?;
    let began = Duration::new(time.seconds().into(), time.nanoseconds()).checked_sub(elapsed)?;
    Timestamp::new(began.as_secs().try_into().ok()?, began.subsec_nanos())
}
