//! Our programs that run tests as their ids come in, with the real runners.

use std::fs;
use std::io;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use process::Interrupt;
use runner::preset::{Presets, Recipe};
use runner::suite::{self, Conditions, Limits, Listing, Output, Packets, Planned, Retries, Run, Suite};
use subunit::Event;

use crate::{Need, Scenario, presets};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.workers.unittest", &[Need::Program("python3")], of_unittest),
    scenario("components.workers.unittest-fixtures", &[Need::Program("python3")], fixtures_of_unittest),
    scenario("components.workers.unittest-deaths", &[Need::Program("python3")], deaths),
    scenario("components.workers.retries", &[Need::Program("python3")], retries),
    scenario("components.workers.start-that-fails", &[Need::Program("python3")], start_that_fails),
    scenario("components.workers.pytest", &[Need::Brought(pytest_missing)], of_pytest),
    scenario("components.workers.pytest-fixtures", &[Need::Brought(pytest_missing)], fixtures_of_pytest),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

fn pytest_missing() -> Option<String> {
    let python = presets::python();
    let there = Command::new(&python).args(["-c", "import pytest"]).output();
    (!there.is_ok_and(|there| there.status.success())).then(|| format!("{} has no pytest", python.display()))
}

/// Lists the tests of a project and runs them: a line of each event that says what became of one, sorted; beside the
/// status its tags, and the names of its files.
fn run(program: &str, files: &[(&str, &str)], workers: usize) -> anyhow::Result<Vec<String>> {
    run_retried(program, files, workers, Retries::default())
}

fn run_retried(
    program: &str,
    files: &[(&str, &str)],
    workers: usize,
    retries: Retries,
) -> anyhow::Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    let presets = Presets::of(folder.path())?;
    let preset = presets.get(program).context("no such preset")?.clone();
    let recipe = Some(Arc::new(Recipe::new(preset, String::new(), None)?));
    let env = [("PYTHON".to_owned(), presets::python().display().to_string())].into();
    let suite = Suite { folder: folder.path().to_owned(), recipe, env, ..Suite::default() };
    let interrupt = Interrupt::never();
    let tests = match suite::list(&suite, None, &Limits::default(), &interrupt)? {
        Listing::Tests(tests) => tests,
        Listing::Failed(why) => return Ok(vec![format!("listing failed: {why}")]),
        other => bail!("{other:?}"),
    };
    let conditions = Conditions { workers, startup: tests.took, retries, ..Conditions::default() };
    let tests = tests.all.into_iter().map(|test| (test, Planned::default())).collect();
    let mut seen = Seen::default();
    let mut sink = streamresult::from_fn(|event: &Event<'_>| seen.take(event));
    let output = || Box::new(Packets::default()) as Box<dyn Output>;
    Run::new(&suite, tests, conditions, &output, &mut sink)?.run(&interrupt)?;
    Ok(seen.lines())
}

#[derive(Default)]
struct Seen {
    files: Vec<(String, String, String)>,
    ends: Vec<String>,
}

impl Seen {
    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        let Some(id) = event.test_id else { return Ok(()) };
        if let Some(file) = event.file {
            let text = String::from_utf8_lossy(file.bytes).into_owned();
            match self.files.last_mut() {
                Some((own, name, before)) if own == id && *name == file.name => before.push_str(&text),
                _ => self.files.push((id.to_owned(), file.name.to_owned(), text)),
            }
        }
        if let Some(status) = event.status.filter(|status| status.is_final()) {
            let tags: Vec<&str> = event.tags.iter().filter(|tag| !tag.starts_with("worker-")).collect();
            self.ends.push([&[id, &format!("{status:?}")], tags.as_slice()].concat().join(" "));
        }
        Ok(())
    }

    /// What became of each test, and the last line of each of its files.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.ends.clone();
        for (id, name, text) in &self.files {
            let last = text.trim_end().lines().last().unwrap_or_default();
            lines.push(format!("{id} {name}={}", last.split(" when worker ").next().unwrap_or_default()));
        }
        lines.sort();
        lines
    }
}

fn check(program: &str, files: &[(&str, &str)], expected: &[&str]) -> anyhow::Result<()> {
    check_retried(program, files, Retries::default(), expected)
}

fn check_retried(
    program: &str,
    files: &[(&str, &str)],
    retries: Retries,
    expected: &[&str],
) -> anyhow::Result<()> {
    for workers in [1, 3] {
        let lines = run_retried(program, files, workers, retries)?;
        ensure!(lines == expected, "with {workers} workers: {lines:#?}");
    }
    Ok(())
}

/// What fails is run again by the same workers; what ends its worker is not.
fn retries() -> anyhow::Result<()> {
    let test = r#"
import os, unittest
class A(unittest.TestCase):
    def first(self, name):
        seen = os.path.exists(name)
        open(name, "w").close()
        return not seen
    def test_bad(self): self.fail("always")
    def test_dies(self): os._exit(0 if self.first("dies") else 1)
    def test_flaky(self):
        if self.first("flaky"): self.fail("first")
    def test_good(self): pass
"#;
    check_retried(
        "unittest",
        &[("test_a.py", test)],
        Retries { most: 1, flaky_fails: false },
        &[
            "test_a.A.test_bad Fail attempt-2",
            "test_a.A.test_bad attempt-1 traceback=AssertionError: always",
            "test_a.A.test_bad traceback=AssertionError: always",
            "test_a.A.test_dies Fail",
            "test_a.A.test_dies reason=it was running",
            "test_a.A.test_flaky Success attempt-2 flaky",
            "test_a.A.test_flaky attempt-1 traceback=AssertionError: first",
            "test_a.A.test_good Success",
        ],
    )
}

fn of_unittest() -> anyhow::Result<()> {
    let test = r#"
import ctypes, os, subprocess, sys, unittest
class A(unittest.TestCase):
    def test_out(self):
        print("hi")
        print("to stderr", file=sys.stderr)
        subprocess.run(["echo", "of a child"])
        ctypes.CDLL(None).puts(b"of C")
    def test_parts(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)
    def test_skipped_part(self):
        with self.subTest(i=1):
            self.skipTest("x")
        with self.subTest(i=2):
            pass
    @unittest.expectedFailure
    def test_xfail(self):
        self.fail("x")
    @unittest.expectedFailure
    def test_xpass(self):
        pass
    @unittest.skip("why")
    def test_skip(self):
        pass
    def test_exit(self):
        sys.exit(3)
    def test_fork(self):
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
def load_tests(loader, tests, pattern):
    return unittest.TestSuite([unittest.TestSuite(tests)])
"#;
    check(
        "unittest",
        &[("test_a.py", test), ("test_broken.py", "import nowhere")],
        &[
            "test_a.A.test_exit Fail",
            "test_a.A.test_exit traceback=SystemExit: 3",
            "test_a.A.test_fork Success",
            "test_a.A.test_out Success",
            "test_a.A.test_out stderr=to stderr",
            "test_a.A.test_out stdout=hi",
            "test_a.A.test_out stdout=of C",
            "test_a.A.test_parts Fail",
            "test_a.A.test_parts traceback=AssertionError: 1 == 1",
            "test_a.A.test_skip Skip",
            "test_a.A.test_skip reason=why",
            "test_a.A.test_skipped_part Success",
            "test_a.A.test_skipped_part reason=x",
            "test_a.A.test_xfail XFail",
            "test_a.A.test_xfail traceback=AssertionError: x",
            "test_a.A.test_xpass UxSuccess",
            "unittest.loader._FailedTest.test_broken Fail",
            "unittest.loader._FailedTest.test_broken traceback=ModuleNotFoundError: No module named 'nowhere'",
        ],
    )
}

fn fixtures_of_unittest() -> anyhow::Result<()> {
    let test = r#"
import unittest
def say(word):
    with open("log", "a") as log:
        log.write(word + "\n")
def setUpModule(): say("module up")
def tearDownModule(): say("module down")
class A(unittest.TestCase):
    @classmethod
    def setUpClass(cls): say("A up")
    @classmethod
    def tearDownClass(cls): say("A down")
    def test_1(self): say("A 1")
    def test_2(self): say("A 2")
class B(unittest.TestCase):
    @classmethod
    def tearDownClass(cls): raise RuntimeError("no way down")
    def test_1(self): say("B 1")
class C(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise RuntimeError("no way up")
    def test_1(self): pass
class D(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise unittest.SkipTest("not here")
    def test_1(self): pass
class Log(unittest.TestCase):
    def test_log(self):
        with open("log") as log:
            self.assertEqual(log.read().split("\n")[:-1],
                ["module up", "A up", "A 1", "A 2", "A down", "B 1"])
"#;
    let lines = run("unittest", &[("test_f.py", test)], 1)?;
    let expected = [
        "tearDownClass (test_f.B) Fail",
        "tearDownClass (test_f.B) traceback=RuntimeError: no way down",
        "test_f.A.test_1 Success",
        "test_f.A.test_2 Success",
        "test_f.B.test_1 Success",
        "test_f.C.test_1 Fail",
        "test_f.C.test_1 reason=setUpClass (test_f.C) failed",
        "test_f.C.test_1 traceback=RuntimeError: no way up",
        "test_f.D.test_1 Skip",
        "test_f.D.test_1 reason=not here",
        "test_f.Log.test_log Success",
    ];
    ensure!(lines == expected, "{lines:#?}");
    Ok(())
}

/// Tests that end their process take no other test with them.
fn deaths() -> anyhow::Result<()> {
    let test = r#"
import ctypes, os, signal, subprocess, unittest
class A(unittest.TestCase):
    def test_1(self): pass
    def test_2(self): os._exit(0)
    def test_3(self): os.kill(os.getpid(), signal.SIGSEGV)
    def test_4(self): pass
class B(unittest.TestCase):
    def test_5(self): pass
"#;
    let lines = run("unittest", &[("test_d.py", test)], 2)?;
    let statuses: Vec<_> = lines.iter().filter(|line| !line.contains('=')).map(String::as_str).collect();
    let expected = [
        "test_d.A.test_1 Success",
        "test_d.A.test_2 Fail",
        "test_d.A.test_3 Fail",
        "test_d.A.test_4 Success",
        "test_d.B.test_5 Success",
    ];
    ensure!(statuses == expected, "{lines:#?}");
    let leak = "import subprocess, unittest\nclass A(unittest.TestCase):\n    def test_1(self):\n        \
                subprocess.Popen(['sleep', '1000'])\n";
    let lines = run("unittest", &[("test_l.py", leak)], 1)?;
    ensure!(lines.contains(&"subunit-run.worker-0 Fail leaked".to_owned()), "{lines:#?}");
    Ok(())
}

/// A worker that never gets ready is not started for ever, and what it should have run has failed.
fn start_that_fails() -> anyhow::Result<()> {
    let test = "import os, sys, unittest\nclass A(unittest.TestCase):\n    def test_1(self): pass\n\
                if '--list' not in sys.argv:\n    os._exit(7)\n";
    let lines = run("unittest", &[("test_s.py", test)], 2)?;
    ensure!(lines.first().is_some_and(|line| line == "subunit-run.worker-0 Fail"), "{lines:#?}");
    ensure!(lines.contains(&"test_s.A.test_1 Fail".to_owned()), "{lines:#?}");
    Ok(())
}

fn of_pytest() -> anyhow::Result<()> {
    let test = r#"
import os, sys, pytest
@pytest.fixture
def bad():
    yield
    raise RuntimeError("no way down")
@pytest.mark.parametrize("v", ["a b", "c::d[e]", "\u00fc", "n\nl", "b\\s"])
def test_odd(v): pass
def test_out():
    print("hi")
    os.system("echo of a child")
def test_teardown(bad): pass
@pytest.mark.xfail
def test_xfail(): assert 0
@pytest.mark.xfail
def test_xpass(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
def test_skip(): pytest.skip("no")
def test_exit(): pytest.exit("stop")
def test_sys(): sys.exit(2)
def test_dead(): os._exit(0)
"#;
    check(
        "pytest",
        &[
            ("test_p.py", test),
            ("test_broken.py", "import nowhere"),
            ("test_skipped.py", "import pytest\npytest.importorskip('nowhere')"),
        ],
        &[
            "test_broken.py Fail",
            "test_broken.py traceback=E   ModuleNotFoundError: No module named 'nowhere'",
            "test_p.py::test_dead Fail",
            "test_p.py::test_dead reason=it was running",
            "test_p.py::test_exit Fail",
            "test_p.py::test_exit traceback=Exit: stop",
            "test_p.py::test_odd[\\xfc] Success",
            "test_p.py::test_odd[a b] Success",
            "test_p.py::test_odd[b\\\\s] Success",
            "test_p.py::test_odd[c::d[e]] Success",
            "test_p.py::test_odd[n\\nl] Success",
            "test_p.py::test_out Success",
            "test_p.py::test_out stdout=of a child",
            "test_p.py::test_skip Skip",
            "test_p.py::test_skip reason=Skipped: no",
            "test_p.py::test_strict Fail",
            "test_p.py::test_strict traceback=[XPASS(strict)]",
            "test_p.py::test_sys Fail",
            "test_p.py::test_sys traceback=test_p.py:21: SystemExit",
            "test_p.py::test_teardown Fail",
            "test_p.py::test_teardown traceback-teardown=test_p.py:6: RuntimeError",
            "test_p.py::test_xfail XFail",
            "test_p.py::test_xfail reason=",
            "test_p.py::test_xpass Success xpass",
            "test_p.py::test_xpass reason=it passed, and was expected to fail:",
            "test_skipped.py Skip",
            "test_skipped.py reason=Skipped: could not import 'nowhere': No module named 'nowhere'",
        ],
    )
}

/// What several tests share is made once, and torn down when no other test needs it.
fn fixtures_of_pytest() -> anyhow::Result<()> {
    let shared = r#"
import pytest
def say(word):
    with open("log", "a") as log:
        log.write(word + "\n")
@pytest.fixture(scope="session")
def session():
    say("session up")
    yield
    say("session down")
@pytest.fixture(scope="module")
def module(session):
    say("module up")
    yield
    say("module down")
"#;
    let a = "from conftest import say\ndef test_1(module): say('a 1')\ndef test_2(module): say('a 2')\n";
    let b = "def test_log(module):\n    with open('log') as log:\n        assert log.read().split() == \
             'session up module up a 1 a 2 module down module up'.split()\n";
    let files = [("conftest.py", shared), ("test_a.py", a), ("test_b.py", b)];
    let lines = run("pytest", &files, 1)?;
    let expected = ["test_a.py::test_1 Success", "test_a.py::test_2 Success", "test_b.py::test_log Success"];
    ensure!(lines == expected, "{lines:#?}");
    Ok(())
}
