//! A check in the pipeline that people use: `check-… | subunit-mux | subunit2junitxml`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use process::{Cause, Deadline, Finished, Follow, Timeouts, Wait};
use subunit::Status;
use subunit::{Frame, io::Reader};

#[expect(clippy::expect_used, reason = "it serves tests, which this is, too")]
#[path = "../it/bins.rs"]
mod bins;

/// After how long a pipeline that does not end is ended.
const WATCHDOG: Duration = Duration::from_secs(100);

/// The check's part of the pipeline keeps its stream and its exit code for us.
const SCRIPT: &str = r#"{ "$CHECK" "$@"; echo $? > code; } | tee raw"#;
const REST: &str = " | subunit-mux | subunit2junitxml --exit-zero > report.xml";

/// A pipeline with a check at its head.
pub(crate) struct Pipeline {
    /// Which check: `eos`.
    check: &'static str,
    arguments: Vec<OsString>,
    /// Where its locks are: two of the same home know of each other.
    home: PathBuf,
    /// More of its environment.
    environment: Vec<(&'static str, OsString)>,
    /// Run beside it.
    beside: Option<Beside>,
}

type Beside = Box<dyn Fn() -> anyhow::Result<()> + Send>;

/// What a pipeline came to.
pub(crate) struct Ended {
    check: &'static str,
    target: &'static str,
    pub(crate) code: i32,
    pub(crate) elapsed: Duration,
    tests: BTreeMap<String, Test>,
    junit: Option<String>,
}

/// What the stream says about a test.
#[derive(Debug, Default)]
struct Test {
    status: Option<Status>,
    tags: Vec<String>,
    reason: String,
    /// What it says where all is fine.
    summary: String,
    attachments: Vec<String>,
    routes: Vec<String>,
}

impl Pipeline {
    pub(crate) fn new(home: &Path, path: &Path, arguments: &[&str]) -> Self {
        let pipeline = Pipeline::of("eos", home, arguments);
        Pipeline { arguments: [pipeline.arguments, vec![path.into()]].concat(), ..pipeline }
    }

    /// Of the command `check-CHECK`, whose one target is named `it`.
    pub(crate) fn of(check: &'static str, home: &Path, arguments: &[&str]) -> Self {
        let fixed = ["--format", "subunit", "--name", "it"].map(OsString::from);
        let arguments = fixed.into_iter().chain(arguments.iter().map(OsString::from)).collect();
        Pipeline { check, arguments, home: home.to_owned(), environment: Vec::new(), beside: None }
    }

    /// Of `check-all` with this configuration file; its tests are named by their whole ids.
    pub(crate) fn of_all(home: &Path, config: &Path, arguments: &[&str]) -> Self {
        let mut all: Vec<OsString> = ["--format", "subunit", "--config"].map(OsString::from).into();
        all.push(config.into());
        all.extend(arguments.iter().map(OsString::from));
        Pipeline {
            check: "all",
            arguments: all,
            home: home.to_owned(),
            environment: Vec::new(),
            beside: None,
        }
    }

    /// With this variable in its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// Does something else once, while the pipeline runs.
    pub(crate) fn beside(self, beside: impl Fn() -> anyhow::Result<()> + Send + 'static) -> Self {
        Pipeline { beside: Some(Box::new(beside)), ..self }
    }

    /// Runs it to its end, which it must come to by itself.
    pub(crate) fn run(self) -> anyhow::Result<Ended> {
        let folder = tempfile::tempdir()?;
        let binaries = bins::folder();
        let rest = ["subunit-mux", "subunit2junitxml"].iter().all(|name| binaries.join(name).exists());
        let script = format!("{SCRIPT}{}", if rest { REST } else { " > /dev/null" });
        let mut path = OsString::from(binaries);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).args(&self.arguments).current_dir(folder.path());
        command
            .env("CHECK", binaries.join(format!("check-{}", self.check)))
            .env("PATH", path)
            .env("XDG_RUNTIME_DIR", &self.home)
            .envs(self.environment);
        let begin = Instant::now();
        let beside = self.beside.map(std::thread::spawn);
        let finished = complete(command.stdin(std::process::Stdio::null()))?;
        let elapsed = begin.elapsed();
        if let Some(beside) = beside {
            beside.join().map_err(|_| anyhow::anyhow!("what ran beside panicked"))??;
        }
        let errors = finished.stderr.text();
        ensure!(finished.ending.cause != Cause::TimedOut, "the pipeline does not end: {errors}");
        ensure!(finished.ending.is_success(), "the pipeline ended by {}: {errors}", finished.ending.exit);
        let code = fs::read_to_string(folder.path().join("code")).context("the check's exit code")?;
        let junit = rest.then(|| fs::read_to_string(folder.path().join("report.xml"))).transpose()?;
        let tests = read(&fs::read(folder.path().join("raw"))?)?;
        Ok(Ended { check: self.check, target: "it", code: code.trim().parse()?, elapsed, tests, junit })
    }
}

fn read(stream: &[u8]) -> anyhow::Result<BTreeMap<String, Test>> {
    let mut tests: BTreeMap<String, Test> = BTreeMap::new();
    let mut reader = Reader::new(stream);
    while let Some(frame) = reader.next_frame()? {
        let Frame::Packet(packet) = frame else { bail!("the stream holds what is no packet: {frame:?}") };
        let event = packet.event();
        ensure!(event.timestamp.is_some(), "there is no time in {event:?}");
        let test = tests.entry(event.test_id.unwrap_or_default().to_owned()).or_default();
        test.status = event.status.or(test.status);
        test.tags.extend(event.tags.iter().map(str::to_owned));
        test.routes.extend(event.route_code.map(str::to_owned));
        if let Some(file) = event.file {
            test.attachments.push(file.name.to_owned());
            match file.name {
                "reason" => test.reason += &String::from_utf8_lossy(file.bytes),
                "summary" => test.summary += &String::from_utf8_lossy(file.bytes),
                _ => {}
            }
        }
    }
    Ok(tests)
}

impl Ended {
    /// Asked about another target from now on.
    pub(crate) fn of(self, target: &'static str) -> Self {
        Ended { target, ..self }
    }

    /// Whether an aspect has this status, and a reason that says so.
    pub(crate) fn expect(&self, aspect: &str, status: Status, reason: &str) -> anyhow::Result<&Self> {
        let test = self.test(aspect)?;
        ensure!(test.status == Some(status), "{aspect} is not {status}: {test:?}");
        ensure!(test.reason.contains(reason), "the reason of {aspect} does not say `{reason}`: {test:?}");
        match &self.junit {
            Some(report) if status != Status::Exists => expect_in(report, &self.id(aspect), status)?,
            _ => {}
        }
        Ok(self)
    }

    /// Whether an aspect is fine, and says so in these words.
    pub(crate) fn expect_summary(&self, aspect: &str, words: &str) -> anyhow::Result<&Self> {
        self.expect(aspect, Status::Success, "")?;
        let test = self.test(aspect)?;
        ensure!(test.summary.contains(words), "the summary of {aspect} does not say `{words}`: {test:?}");
        Ok(self)
    }

    /// Whether an aspect has this tag.
    pub(crate) fn expect_tag(&self, aspect: &str, tag: &str) -> anyhow::Result<&Self> {
        let test = self.test(aspect)?;
        ensure!(test.tags.iter().any(|other| other == tag), "{aspect} is not tagged {tag}: {test:?}");
        Ok(self)
    }

    /// Whether all that is said of an aspect has one of these route codes, and each of them is there.
    pub(crate) fn expect_routes(&self, aspect: &str, routes: &[&str]) -> anyhow::Result<&Self> {
        let test = self.test(aspect)?;
        let is_known = test.routes.iter().all(|route| routes.contains(&route.as_str()));
        let is_whole = routes.iter().all(|route| test.routes.iter().any(|other| other == route));
        ensure!(is_known && is_whole, "{aspect} is not from {routes:?}: {test:?}");
        Ok(self)
    }

    /// Whether an aspect has this attachment.
    pub(crate) fn expect_attachment(&self, aspect: &str, name: &str) -> anyhow::Result<&Self> {
        let test = self.test(aspect)?;
        ensure!(test.attachments.iter().any(|other| other == name), "{aspect} has no {name}: {test:?}");
        Ok(self)
    }

    /// Whether the check ended with this exit code, and the pipeline within this time and a second.
    pub(crate) fn expect_end(&self, code: i32, limit: Duration) -> anyhow::Result<()> {
        ensure!(self.code == code, "the exit code is {} instead of {code}: {:?}", self.code, self.tests);
        let most = limit + Duration::from_secs(1);
        ensure!(self.elapsed <= most, "it took {:?}, more than {most:?}", self.elapsed);
        Ok(())
    }

    fn id(&self, aspect: &str) -> String {
        match self.check {
            "all" => aspect.to_owned(),
            check => format!("{check}.{}.{aspect}", self.target),
        }
    }

    fn test(&self, aspect: &str) -> anyhow::Result<&Test> {
        let id = self.id(aspect);
        self.tests.get(&id).with_context(|| format!("there is no {id} among {:?}", self.tests.keys()))
    }
}

/// Whether the report says the same of an aspect.
fn expect_in(report: &str, id: &str, status: Status) -> anyhow::Result<()> {
    let (class, name) = id.rsplit_once('.').unwrap_or_default();
    let case = format!("<testcase classname=\"{class}\" name=\"{name}\"");
    let (_, rest) = report.split_once(&case).with_context(|| format!("no {case} in {report}"))?;
    let case = rest.split("<testcase").next().unwrap_or_default();
    let found = (case.contains("<failure"), case.contains("<skipped"));
    ensure!(found == (status == Status::Fail, status == Status::Skip), "{id} is not {status}: {case}");
    Ok(())
}

/// Builds the program, which may have to wait for another build.
pub(crate) fn build() {
    bins::folder();
}

/// Where the commands are.
pub(crate) fn commands() -> &'static Path {
    bins::folder()
}

/// The check by itself.
pub(crate) fn check_eos() -> PathBuf {
    bins::folder().join("check-eos")
}

/// A command by itself.
pub(crate) fn binary(name: &str) -> PathBuf {
    bins::folder().join(name)
}

/// Where all is that is built, and what is fetched for tests.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let marked = test.ancestors().find(|above| above.join("CACHEDIR.TAG").exists());
    marked.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Path::to_owned)
}

/// Runs a command to its end, which it shall come to by itself.
pub(crate) fn complete(command: &mut Command) -> io::Result<Finished> {
    complete_within(WATCHDOG, command)
}

/// Runs a command that may take as long as this.
pub(crate) fn complete_within(time: Duration, command: &mut Command) -> io::Result<Finished> {
    let wait = Wait::until(Deadline::after(time));
    process::run(command, Follow::new(wait, Timeouts::COMMAND), 1 << 16)
}

/// Asks the check of this path to end: the process itself, not its helper.
pub(crate) fn terminate_check(path: &Path) -> anyhow::Result<()> {
    terminate("eos", path.as_os_str())
}

/// How many probes are at this path.
pub(crate) fn probes(path: &Path) -> anyhow::Result<usize> {
    let is_at = |line: &[u8]| {
        let title = line.split(|byte| *byte == 0).next().unwrap_or_default();
        title.starts_with(b"check-") && title.ends_with(format!(" {}", path.display()).as_bytes())
    };
    let lines = fs::read_dir("/proc")?.flatten().map(|entry| fs::read(entry.path().join("cmdline")));
    Ok(lines.filter(|line| line.as_ref().is_ok_and(|line| is_at(line))).count())
}

/// Asks the check that has this word on its command line to end.
pub(crate) fn terminate(check: &str, word: &OsStr) -> anyhow::Result<()> {
    signal(check, word, process::Signal::TERM)
}

/// Sends a signal to the check that has this word on its command line.
pub(crate) fn signal(check: &str, word: &OsStr, signal: process::Signal) -> anyhow::Result<()> {
    let name = format!("check-{check}");
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).collect();
        let program = words.first().and_then(|word| word.rsplit(|byte| *byte == b'/').next());
        if program == Some(name.as_bytes()) && words.contains(&word.as_encoded_bytes()) {
            let pid = rustix::process::Pid::from_raw(pid).context("a process")?;
            return Ok(rustix::process::kill_process(pid, signal)?);
        }
    }
    bail!("there is no check of {} to signal", word.display())
}
