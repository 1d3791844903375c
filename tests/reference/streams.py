"""The streams that both implementations read: tame ones, and one for each oddity."""

import io
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from subunit import StreamResultToBytes

UTF8 = "text/plain;charset=utf8"
TRACEBACK = 'text/x-traceback; charset="utf8"; language="python"'
START = datetime(2026, 1, 31, 23, 59, 50, 250000, timezone.utc)


@dataclass(frozen=True)
class Stream:
    name: str
    data: bytes
    version: int = 2

    @property
    def is_tame(self):
        """Whether there is nothing in it that the two may see differently."""
        return self.name.startswith("tame")


class Maker:
    """Writes events with the reference's own writer; the clock goes on by itself."""

    def __init__(self, step=0.125, clock=START):
        self.out = io.BytesIO()
        self.writer = StreamResultToBytes(self.out)
        self.clock, self.step = clock, timedelta(seconds=step)

    def event(self, test_id=None, status=None, **fields):
        if "timestamp" not in fields:
            self.clock += self.step
            fields["timestamp"] = self.clock
        self.writer.status(test_id=test_id, test_status=status, **fields)
        return self

    def file(self, test_id, name, data, mime_type=UTF8, eof=True, **fields):
        return self.event(test_id, file_name=name, file_bytes=data, mime_type=mime_type, eof=eof, **fields)

    def test(self, test_id, status, files=(), tags=None, **fields):
        self.event(test_id, "inprogress", **fields)
        for name, data, mime_type in files:
            self.file(test_id, name, data, mime_type, **fields)
        return self.event(test_id, status, test_tags=tags, **fields)

    def raw(self, data):
        self.out.write(data)
        return self

    @property
    def data(self):
        return self.out.getvalue()


FILES = {
    "success": [],
    "fail": [("traceback", "Traceback:\n  café <1 & 2>\nAssertionError\n".encode(), TRACEBACK)],
    "xfail": [("traceback", b"known: see the tracker\n", TRACEBACK)],
    "skip": [("reason", b"needs a network", UTF8)],
}


def tame(seed, tests, workers=1):
    """Tests as a sound runner reports them: times, tags, attachments, some at the same time."""
    rng, maker = random.Random(seed), Maker()
    running = []

    def end(index):
        name, status = running.pop(index)
        for file in FILES[status]:
            maker.file(name, *file)
        if rng.random() < 0.2:
            maker.file(name, "log", b"line\n" * rng.randrange(1, 400))
        tags = set(rng.sample(["slow", "network", "gpu"], rng.randrange(3))) or None
        maker.event(name, status, test_tags=tags)

    for number in range(tests):
        name = f"pkg{rng.randrange(3)}.mod.Test{rng.choice('AB')}.test_{number}" + rng.choice(["", "", "[x-1]", " (ü)"])
        running.append((name, rng.choices(list(FILES), [8, 2, 1, 2])[0]))
        maker.event(name, "inprogress")
        while len(running) >= workers:
            end(rng.randrange(len(running)))
    while running:
        end(rng.randrange(len(running)))
    return maker.data


def oddities():
    """A stream for each thing that a stream may have and most have not."""
    fail, skip = FILES["fail"], FILES["skip"]
    packet = Maker().test("a", "success").data
    yield "empty", b""
    yield "uxsuccess", Maker().test("a", "uxsuccess").test("b", "success").data
    yield "unfinished", Maker().test("a", "success").event("b", "inprogress").data
    yield "unfinished-two", Maker().event("a", "inprogress").event("b", "inprogress").data
    yield "unfinished-log", Maker().event("a", "inprogress").file("a", "log", b"so far\n", eof=False).data
    yield "exists", Maker().event("a", "exists").event("b", "exists").data
    yield "exists-and-runs", Maker().event("a", "exists").test("a", "success").data
    yield "untimed", Maker().test("a", "success", timestamp=None).test("b", "fail", fail, timestamp=None).data
    yield "no-start", Maker().event("a", "success").event("b", "fail").data
    yield "no-details", Maker().test("a", "fail").test("b", "xfail").test("c", "skip").data
    yield "text", Maker().raw(b"building\n").test("a", "success").raw(b"done\n").data
    yield "text-open", Maker().raw(b"starting server").test("a", "success").raw(b"bye").data
    yield "text-directive", Maker().raw(b"test: x\n").test("a", "fail", fail).data
    yield "global-file", Maker().file(None, "log", b"of the run\n").test("a", "success").data
    yield "global-fail", Maker().test("a", "success").event(None, "fail").data
    yield "routes", Maker().test("a", "success", route_code="0").test("a", "fail", fail, route_code="1/2").data
    yield "routes-at-once", (
        Maker().event("a", "inprogress", route_code="0").event("a", "inprogress", route_code="1")
        .event("a", "success", route_code="1").event("a", "success", route_code="0").data
    )
    yield "late", Maker().test("a", "success").file("a", "log", b"late\n").data
    yield "again", Maker().test("a", "fail", fail).test("a", "success").data
    yield "empty-file", Maker().test("a", "fail", [("log", b"", UTF8)]).data
    yield "mime-none", Maker().test("a", "fail", [("log", b"a\n", None)]).data
    yield "mime-plain", Maker().test("a", "fail", [("log", "ü\n".encode(), "text/plain")]).data
    yield "binary", Maker().test("a", "fail", [("core", b"\0\1\xb3\xff", "application/octet-stream")]).data
    yield "not-utf8", Maker().test("a", "fail", [("log", b"a\xff\n", UTF8)]).data
    yield "charset-unknown", Maker().test("a", "fail", [("log", b"a\n", "text/plain;charset=x-none")]).data
    yield "escape", Maker().test("a", "fail", [("log", b"\x1b[31mred\x1b[0m\n", UTF8)]).data
    yield "pieces", (
        Maker().event("a", "inprogress").file("a", "log", b"one\n", eof=False).file("b", "log", b"of b\n")
        .file("a", "log", b"two\n").event("a", "fail").event("b", "success").data
    )
    yield "many-files", Maker().test("a", "fail", [(f"f{n}", b"x" * n, UTF8) for n in range(30)]).data
    yield "large", Maker().test("a", "fail", [("log", b"0123456789abcde\n" * 20000, UTF8)]).data
    yield "newline-id", Maker().test("a\nb", "success").data
    yield "newline-name", Maker().test("a", "fail", [("l\nog", b"x\n", UTF8)]).data
    yield "empty-id", Maker().test("", "success").data
    yield "bracket-id", Maker().test("a [ multipart", "success").test("b [", "fail", fail).data
    yield "comma-id", Maker().test('a,"b"', "success").test("=1+1", "success").data
    yield "slash-id", Maker().test("a/b", "success").test("a/c", "skip", skip).data
    yield "dots-id", Maker().test("../up", "success").test("a.b.c(x.y)", "success").data
    yield "odd-tags", Maker().test("a", "success", tags={"two words", "-minus"}).data
    yield "tag-changes", (
        Maker().event("a", "inprogress", test_tags={"x"}).event("a", "success", test_tags={"y"})
        .event("b", "inprogress", test_tags={"z"}).event("b", "success").data
    )
    yield "not-runnable", Maker().test("a", "success", runnable=False).data
    yield "back-in-time", Maker(step=-0.5).test("a", "success").data
    yield "whole-second", Maker(step=1, clock=START.replace(microsecond=0)).test("a", "success").data
    # The reference's writer knows microseconds only: 123456789 ns.
    yield "nanoseconds", bytes.fromhex("b32b0312697e9776c75bcd15016111e824fb")
    yield "bad-checksum", packet[:-1] + bytes([packet[-1] ^ 1]) + Maker().test("b", "success").data
    yield "cut", Maker().test("b", "success").data + packet[:-3]


def v1_streams():
    """Lines of version 1: tame, then one stream for each oddity."""
    head = b"time: 2026-01-31 12:00:00.000000Z\n"
    outcomes = ["success", "successful", "failure", "error", "skip", "xfail", "uxsuccess"]
    pairs = "".join(f"test: t {word}\n{word}: t {word}\n" for word in outcomes)
    yield "tame-v1-outcomes", head + pairs.encode()
    yield "tame-v1-no-colons", head + pairs.replace(":", "").encode()
    yield "tame-v1-tags", head + (
        b"tags: a b\ntest: 1\ntags: c -a\nsuccess: 1\ntest: 2\nfailure: 2\ntags: -a -b\ntest: 3\nskip: 3\n"
    )
    yield "tame-v1-text", b"hello\n" + head + b"\n test: x\ntest: a\nnoise\nsuccess: b\nsuccess: a\nbye\n"
    yield "tame-v1-times", b"".join(
        b"time: %s\ntest: %d\nsuccess: %d\n" % (time, n, n)
        for n, time in enumerate([b"2026-01-31 12:00:00Z", b"2026-01-31T12:00:00.5Z", b"2026-01-31 12:00:00.123456+02:30"])
    )
    yield "tame-v1-multipart", head + (
        b"test: a\nfailure: a [ multipart\nContent-Type: text/plain;charset=utf8\nlog\n"
        b"3\r\n]\nbE\r\n\ntest: x\n]\n\xb3\x00\x000\r\nContent-Type: image/png\npic\n0\r\n]\ntest: b\nskip: b\n"
    )
    yield "v1-brackets", head + "".join(
        f"test: {word}\n{word}: {word} [\none\n ]two\n two\n]]\n]\n" for word in outcomes
    ).encode()
    yield "v1-progress", head + b"progress: 3\nprogress: +2\nprogress: push\ntest: a\nsuccess: a\nprogress: pop\n"
    yield "v1-untimed", b"test: a\nsuccess: a\n"
    yield "v1-unfinished", head + b"test: a\n"
    yield "v1-cut-bracket", head + b"test: a\nsuccess: a [\nso far\n"
    yield "v1-cut-chunk", head + b"test: a\nsuccess: a [ multipart\nContent-Type: a/b\nlog\n10\r\nabc"
    yield "v1-test-in-test", head + b"test: a\ntest: b\nsuccess: b\n"
    yield "v1-parameters", head + (
        b"test: a\nfailure: a [ multipart\nContent-Type: text/x-traceback;charset=utf8,language=python\ntb\n0\r\n]\n"
    )
    yield "v1-no-newline", head + b"test: a\nsuccess: a"
    yield "v1-crlf", b"test: a\r\nsuccess: a\r\n"
    yield "v1-bad-time", b"time: soon\ntest: a\nsuccess: a\n"
    yield "v1-bad-progress", head + b"progress: half\ntest: a\nsuccess: a\n"
    yield "v1-not-utf8", head + b"test: caf\xe9\nsuccess: caf\xe9\n"
    yield "v1-uxsuccess-outside", head + b"uxsuccess: a\ntest: a\nsuccess: a\n"
    yield "v1-bad-type", head + b"test: a\nfailure: a [ multipart\nContent-Type: text\nlog\n0\r\n]\ntest: b\nskip: b\n"
    yield "v1-bad-chunk", head + b"test: a\nfailure: a [ multipart\nContent-Type: a/b\nlog\nxyz\n]\ntest: b\nskip: b\n"
    yield "v1-is-v2", tame(1, 5)


def junit_documents():
    """JUnit XML: tame, then one document for each oddity."""

    def suite(cases, attributes=""):
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="s"{attributes}>\n{cases}\n</testsuite>\n'.encode()

    children = {
        "pass": "",
        "fail": '<failure message="1 != 2" type="E">E: 1 != 2\n\tat caf\u00e9 &lt;a&gt;\n</failure>',
        "error": '<error message="why" type="x.Y"><![CDATA[x.Y: why\nthere]]></error>',
        "skip": '<skipped message="needs a network"/>',
    }
    cases = "\n".join(
        f'<testcase classname="a.B" name="{name}[{number}]" time="0.{number}25">{child}</testcase>'
        for number in range(9) for name, child in children.items()
    )
    yield "tame-junit-suite", suite(cases)
    twice = suite(cases).partition(b"\n")[2]
    others = twice.replace(b'name="s"', b'name="t"').replace(b'"a.B"', b'"a.C"')
    yield "tame-junit-suites", b"<testsuites>" + twice + others + b"</testsuites>"
    yield "junit-same-ids", b"<testsuites>" + twice * 2 + b"</testsuites>"
    yield "tame-junit-no-class", suite('<testcase name="boot" time="1"/>')
    yield "tame-junit-passed", suite('<testcase classname="a" name="b" time="1.5"/>', ' tests="1" failures="0"')
    one = '<testcase classname="a" name="b" time="1"/>'
    yield "junit-nested", suite(one + '<testsuite><testcase classname="a" name="c" time="1"><failure/></testcase></testsuite>')
    yield "junit-dated", suite(one, ' timestamp="2026-01-31T12:00:00"')
    yield "junit-untimed", suite('<testcase classname="a" name="b"/><testcase name="c" time="-1"/>')
    yield "junit-commas", suite('<testcase classname="a" name="b" time="1,234.5"/>')
    yield "junit-nan", suite('<testcase classname="a" name="b" time="NaN"/>')
    yield "junit-output", suite('<testcase classname="a" name="b" time="1"><system-out>hi</system-out></testcase>')
    yield "junit-two-failures", suite(
        '<testcase classname="a" name="b" time="1"><failure>one</failure><error>two</error></testcase>')
    yield "junit-flaky", suite(
        '<testcase classname="a" name="b" time="1"><flakyFailure><stackTrace>x</stackTrace></flakyFailure></testcase>')
    yield "junit-xfail", suite('<testcase classname="a" name="b" time="1"><skipped type="xfail" message="m"/></testcase>')
    yield "junit-uxsuccess", suite('<testcase classname="a" name="b" time="1"><failure type="UnexpectedSuccess"/></testcase>')
    yield "junit-status", suite('<testcase classname="a" name="b" time="1" status="notrun"/>')
    yield "junit-type-alone", suite('<testcase classname="a" name="b" time="1"><failure type="Failure"/></testcase>')
    yield "junit-counts", suite(one, ' errors="1"')
    yield "junit-suite-error", suite(one + "<error>no setup</error>")
    yield "junit-no-name", suite('<testcase classname="a" name="" time="1"><error/></testcase>')
    yield "junit-no-cases", suite("")
    yield "junit-namespace", suite(one).replace(b"<testsuite", b'<testsuite xmlns="urn:x"')
    yield "junit-other-root", b"<html/>"
    yield "junit-bare-case", one.encode()
    yield "junit-broken", suite(one)[:-5]
    yield "junit-control", suite(one).replace(b'"b"', b'"b\x1b"')
    yield "junit-entities", b'<!DOCTYPE t [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>'


def tap_streams():
    """Documents of TAP: tame, then one for each oddity."""
    yield "tame-tap-outcomes", b"1..5\nok 1 - a\nnot ok 2 - b\n# why\n#   more\nok 3 c # SKIP\nnot ok 4 - d # todo\nok 5\n"
    yield "tame-tap-plan-last", b"ok - a b\nnot ok - c\nok\n1..3\n"
    yield "tame-tap-cut", b"1..4\nok 1 - a\nok 2 - b\n"
    yield "tame-tap-text", b"starting\n1..1\n  more\nok 1 - a\n"
    yield "tap-text", b"1..1\nok 1 - a\nbye\n"
    yield "tame-tap-many", b"1..500\n" + b"".join(b"ok %d - test of %d\n" % (n, n) for n in range(1, 501))
    yield "tap-reason", b"1..2\nok 1 - a # SKIP no net\nnot ok 2 - b # TODO later\n"
    yield "tap-uxsuccess", b"1..1\nok 1 - a # TODO\n"
    yield "tap-directives", b"1..4\nok 1 - a #SKIP\nnot ok 2 - b # ToDo\nok 3 - c # Skipped: d\nok 4#skip\n"
    yield "tap-escapes", b"1..2\nok 1 - a \\# b\nok 2 - c # d\n"
    yield "tap-no-newline", b"1..1\nok 1 - a"
    yield "tap-order", b"1..3\nok 2 - b\nok 3 - c\nok 1 - a\n"
    yield "tap-gap", b"1..3\nok 1 - a\nok 3 - c\n"
    yield "tap-plan-many", b"1..1\nok 1 - a\nok 2 - b\n"
    yield "tap-plan-none", b"ok 1 - a\n"
    yield "tap-plan-empty", b""
    yield "tap-bail-out", b"1..3\nok 1 - a\nBail out! no disk\n"
    yield "tap-nothing", b"1..0\n"
    yield "tap-skip-all", b"1..0 # SKIP no net\n"
    yield "tap-yaml", b"TAP version 13\n1..1\nnot ok 1 - a\n  ---\n  at: b\n  ...\n"
    yield "tap-subtests", b"1..1\n# Subtest: a\n    ok 1 - b\n    1..1\nok 1 - a\n"
    yield "tap-comments", b"# before\n1..1\nok 1 - a\n# after\n"
    yield "tap-same-names", b"1..2\nok 1 - a\nok 2 - a\n"
    yield "tap-not-utf8", b"1..1\nok 1 - caf\xe9\n"


def go_outputs(corpus):
    """Outputs of go test -json: tame, recorded, then one for each oddity."""

    def line(action, test="", package="p", **fields):
        event = {"Time": "2026-01-31T12:00:00.25Z", "Action": action, "Package": package, "Test": test, **fields}
        return json.dumps({key: value for key, value in event.items() if value != ""}).encode() + b"\n"

    def test(name, action, *printed):
        said = b"".join(line("output", name, Output=text) for text in ["=== RUN   " + name + "\n", *printed])
        return line("run", name) + said + line(action, name, Elapsed=0.5)

    end = line("pass", Elapsed=1)
    yield "tame-go-passed", test("TestA", "pass") + test("TestB/x", "pass", "printed\n", "no newline") + end
    yield "tame-go-failed", test("TestA", "fail", "    a_test.go:1: <b> caf\u00e9\n") + end
    yield "tame-go-skipped", test("TestA", "skip") + test("ExampleB", "pass") + end
    yield "tame-go-again", (test("TestA", "pass") + test("TestB", "skip")) * 3 + end
    yield "tame-go-at-once", (
        line("run", "TestA") + line("run", "TestB") + line("output", "TestA", Output="a\n")
        + line("output", "TestB", Output="b\n") + line("output", "TestA", Output="c\n")
        + line("fail", "TestB") + line("pass", "TestA") + end
    )
    yield "tame-go-many", b"".join(test(f"TestA/{number}", "pass", "printed\n") for number in range(500)) + end
    yield "tame-go-no-tests", end.replace(b"pass", b"skip") + test("TestA", "pass") + end
    for path in sorted((Path(corpus) / "gojson").glob("*.json")):
        yield path.stem, path.read_bytes()
    yield "go-package-fails", test("TestA", "fail", "    a_test.go:1: no\n") + line("output", Output="FAIL\n") + line("fail")
    yield "go-setup-fails", test("TestA", "pass") + line("output", Output="no cleanup\n") + line("fail")
    yield "go-skip-reason", test("TestA", "skip", "    a_test.go:1: needs a network\n") + end
    yield "go-cut", test("TestA", "pass") + line("run", "TestB") + line("output", "TestB", Output="so far\n")
    yield "go-cut-silent", test("TestA", "pass") + line("run", "TestB")
    yield "go-cut-package", test("TestA", "pass")
    yield "go-text", b"go: downloading x\n" + test("TestA", "pass") + end
    yield "go-package-text", test("TestA", "pass") + line("output", Output="coverage: 9%\n") + end
    yield "go-nothing", end
    yield "go-empty", b""
    yield "go-not-built", b"FAIL\tp [build failed]\n"
    yield "go-unnamed", test("TestA", "pass").replace(b'"Package": "p", ', b"") + end.replace(b'"Package": "p", ', b"")


def all_streams(corpus, seed, quick):
    sizes = [(1, 1), (12, 1), (40, 3)] if quick else [(1, 1), (12, 1), (40, 3), (300, 1), (1000, 8)]
    for number, (tests, workers) in enumerate(sizes):
        yield Stream(f"tame-{tests}-tests-{workers}-at-once", tame(seed + number, tests, workers))
    for name, data in oddities():
        yield Stream(name, data)
    for path in sorted(Path(corpus).glob("*.subunit")):
        yield Stream(path.stem, path.read_bytes())
    for name, data in v1_streams():
        yield Stream(name, data, version=1)
    for name, data in junit_documents():
        yield Stream(name, data, version="junit")
    for name, data in tap_streams():
        yield Stream(name, data, version="tap")
    for name, data in go_outputs(corpus):
        yield Stream(name, data, version="gojson")
    for name, data in [("", b"ready\n"), ("-empty", b""), ("-long", b"0123456789abcde\n" * 250_000)]:
        yield Stream(f"tame-attachment{name}", data, version="attachment")
