"""Loads streams with the real testr, stestr and inq, imports their repositories, exports ours, and compares what
both sides say of each test: outcome, tags, times, attachments, and the failing set."""

import argparse
import datetime
import io
import os
import pathlib
import subprocess
import sys
import tempfile

import subunit
from subunit import ByteStreamToStreamResult, StreamResultToBytes
from testtools import StreamResult

START = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)
TOOLS = {"testr": (".testrepository", ".testr.conf", "[DEFAULT]\ntest_command=true\n"),
         "stestr": (".stestr", ".stestr.conf", "[DEFAULT]\ntest_path=.\n")}
failures = []


class Meaning(StreamResult):
    """One entry a test: outcome, tags, start, end, attachments."""

    def __init__(self):
        self.open, self.tests, self.codes = {}, {}, set()

    def status(self, test_id=None, test_status=None, test_tags=None, file_name=None, file_bytes=None,
               mime_type=None, timestamp=None, route_code=None, **_):
        if test_id is None or test_status == "exists":
            return
        if route_code is not None:
            self.codes.add(route_code)
        test = self.open.setdefault(test_id, {"tags": set(), "times": [], "files": {}})
        test["tags"] = set(test_tags) if test_tags is not None else test["tags"]
        if timestamp:
            test["times"].append(timestamp)
        if file_name is not None:
            name = file_name.split(" (part ")[0]
            test["files"][name] = test["files"].get(name, b"") + bytes(file_bytes or b"")
        if test_status not in (None, "inprogress"):
            self.end(test_id, test_status)

    def end(self, test_id, outcome):
        test = self.open.pop(test_id)
        times = test["times"]
        # testr's own tags, and the words of who says that a test never ended.
        tags = {tag for tag in test["tags"] if not tag.startswith("worker-")}
        files = {name: data for name, data in test["files"].items()
                 if name not in ("traceback", "interrupted") or b"run ended" not in data}
        span = (min(times), max(times)) if times else None
        self.tests.setdefault(test_id, []).append((outcome, tuple(sorted(tags)), span, tuple(sorted(files.items()))))

    def stopTestRun(self):
        for test_id in list(self.open):
            self.end(test_id, "fail")


def meaning(stream):
    result = Meaning()
    ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(result)
    result.stopTestRun()
    return result


def run(*command, cwd, data=b"", codes=(0,)):
    done = subprocess.run(command, cwd=cwd, input=data, capture_output=True)
    if done.returncode not in codes:
        words = (done.stdout + done.stderr).decode(errors="replace")
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{words}")
    return done.stdout


def check(what, ours, theirs):
    if ours != theirs:
        failures.append(f"{what}\n  ours:   {str(ours)[:1500]}\n  theirs: {str(theirs)[:1500]}")


def stream(events):
    out = io.BytesIO()
    writer = StreamResultToBytes(out)
    for event in events:
        seconds = event.pop("at", None)
        if seconds is not None:
            event["timestamp"] = START + datetime.timedelta(seconds=seconds)
        writer.status(**event)
    return out.getvalue()


def usual(shift, fixed=False):
    """What all tools can store."""
    text = "text/plain;charset=utf8"
    name = "net.tést[café]"
    hung = [] if fixed else [dict(test_id="hangs", test_status="inprogress", at=shift + 6)]
    return stream([
        dict(test_id="net.boot", test_status="inprogress", at=shift),
        dict(test_id="net.boot", test_status="success", at=shift + 1.5, test_tags={"slow", "net"}),
        dict(test_id=name, test_status="inprogress", at=shift + 2),
        dict(test_id=name, file_name="log", file_bytes=b"a\r\n0\r\n]\ntest: x\n", mime_type=text, at=shift + 2),
        dict(test_id=name, file_name="core", file_bytes=bytes(range(256)), mime_type="image/png", at=shift + 2),
        dict(test_id=name, test_status="success" if fixed else "fail", at=shift + 3.000001),
        dict(test_id="db.skip", test_status="skip", file_name="reason", file_bytes=b"why", mime_type=text,
             at=shift + 4),
        dict(test_id="db.xfail", test_status="inprogress", at=shift + 4),
        dict(test_id="db.xfail", test_status="xfail", at=shift + 4.25),
        dict(test_id="it's \"quoted\" \\ x", test_status="success", at=shift + 5)] + hung)


def hostile(shift):
    """What v1 cannot say as it is, and what would poison its readers."""
    piece = dict(test_id="big", file_name="log", mime_type="text/plain;charset=utf8", at=shift)
    big = [dict(piece, file_bytes=bytes([65 + number]) * (1 << 20)) for number in range(9)]
    return b"text\n" + stream([dict(test_id="big", test_status="inprogress", at=shift)] + big + [
        dict(test_id="big", test_status="fail", at=shift + 1),
        dict(test_id="a\nsuccess: a", test_status="fail", test_tags={"-x", "two words"}, file_name="f\nx",
             file_bytes=b"x", mime_type='text/plain; charset="utf8"; language="py thon"', at=shift + 1),
        dict(test_id="routed", test_status="success", route_code="0/1", at=shift + 2),
        dict(test_id="last", test_status="success", at=shift + 3)]) + b"\xb3\x00 damage \ntest: text\n"


def lines(output):
    return sorted(line for line in output.decode().splitlines() if line.strip())


def took(tests):
    """The tests that took a millisecond or more, in their order, to the millisecond."""
    times = [(test.strip(), round(float(time), 3)) for test, time in tests]
    return [(test, time) for test, time in times if time > 0]


class Folder:
    """A folder with the repository of a tool."""

    def __init__(self, tool, bins, path):
        self.tool, self.bins, self.path = tool, bins, path
        self.name, conf, text = TOOLS[tool]
        path.mkdir()
        (path / conf).write_text(text)

    def run(self, *args, data=b""):
        return run(self.bins / self.tool, *args, cwd=self.path, data=data, codes=(0, 1))

    def last(self):
        return meaning(self.run("last", "--subunit"))

    def failing(self):
        return lines(self.run("failing", "--list"))


def imports(args, folder, streams):
    """Real loads, imported."""
    folder.run("init")
    lasts = []
    for data in streams:
        folder.run("load", data=data)
        lasts.append(folder.last().tests)
    ours = args.ours / "subunit"
    run(ours, "import", cwd=folder.path)
    for number, theirs in enumerate(lasts, 1):
        check(f"run {number} of {folder.tool}, imported",
              meaning(run(ours, "export", str(number), cwd=folder.path)).tests, theirs)
    failing = lines(run(ours, "failing", "--list", cwd=folder.path, codes=(0, 1)))
    # The tools forget what a later run left out.
    left_out = {test for tests in lasts for test in tests} - set(lasts[-1])
    check(f"failing set of {folder.tool}, imported", [test for test in failing if test not in left_out],
          folder.failing())
    again = run(ours, "import", cwd=folder.path).decode()
    check(f"{folder.tool}, imported twice", f"{len(streams)} had been imported before" in again, True)


def exports(args, folder, streams, forged=False):
    """Our loads, exported and read by the real tool."""
    ours = args.ours / "subunit"
    run(ours, "init", cwd=folder.path)
    for data in streams:
        run(ours, "load", cwd=folder.path, data=data, codes=(0, 1, 5))
    run(ours, "export", "--format", "testrepository", "-o", folder.name, cwd=folder.path)
    theirs = folder.last()
    stored = meaning(run(ours, "export", cwd=folder.path)).tests
    if forged:
        check(f"number of tests for {folder.tool}", len(theirs.tests), len(stored))
        check(f"the attachment of 9 MiB for {folder.tool}", theirs.tests["big"], stored["big"])
        check(f"the id with a newline for {folder.tool}", r"a\nsuccess: a" in theirs.tests, True)
        check(f"tags for {folder.tool}", theirs.tests["last"][0][1], ())
    else:
        check(f"last run, exported to {folder.tool}", theirs.tests, stored)
    failing = lines(run(ours, "failing", "--list", cwd=folder.path, codes=(0, 1)))
    if forged:
        check(f"{folder.tool} failing", {"big", r"a\nsuccess: a"} <= set(folder.failing()), True)
    else:
        check(f"failing set, exported to {folder.tool}", failing, folder.failing())
        slowest = run(ours, "slowest", cwd=folder.path).decode().splitlines()
        theirs = folder.run("slowest").decode().splitlines()[2:]
        check(f"slowest, exported to {folder.tool}",
              took((line.split("s ", 1)[1], line.split("s ", 1)[0]) for line in slowest),
              took(line.rsplit(None, 1) for line in theirs))
    folder.run("load", data=usual(1000))
    check(f"{folder.tool} loads another run", len(folder.last().tests), 6)


def timings(args, folder):
    """A test of which only the timings are left."""
    ours = args.ours / "subunit"
    begun, name = dict(test_status="inprogress", at=0), "only.tést 'there' \\ \""
    times = {name: 2.015625, "other": 0.000001}
    folder.run("init")
    folder.run("load", data=stream([dict(begun, test_id=test) for test in times] + [
        dict(test_id=test, test_status="success", at=seconds) for test, seconds in times.items()]))
    folder.run("load", data=usual(100))
    (folder.path / folder.name / "0").unlink()
    done = subprocess.run([ours, "import"], cwd=folder.path, capture_output=True)
    can_be_read = args.kind != "ndbm" or folder.tool == "stestr"
    check(f"timings of {args.kind} by {folder.tool} are skipped loudly", b"timings are skipped" in done.stderr,
          not can_be_read)
    listed = run(ours, "list", "--times", "--outcome=exists", "1", cwd=folder.path, codes=(0, 4)).decode()
    listed = dict(line.rsplit(" ", 1) for line in listed.splitlines())
    expected = {name: "2.015625", "other": "0.000001"} if can_be_read else {}
    check(f"timings of {args.kind} by {folder.tool}", listed, expected)


def inq(args, path, streams):
    """Real loads of inq: the bytes that it stored are the bytes that we have."""
    path.mkdir()
    run(args.inq, "init", cwd=path)
    for data in streams:
        run(args.inq, "load", cwd=path, data=data, codes=(0, 1))
    ours = args.ours / "subunit"
    run(ours, "import", cwd=path)
    for number, data in enumerate(streams, 1):
        check(f"run {number} of inq, imported", run(ours, "export", str(number), cwd=path), data)
    mixed = path / "mixed"
    mixed.mkdir()
    folder = Folder("testr", args.reference, mixed / "x")
    folder.run("init")
    folder.run("load", data=streams[0])
    run(args.inq, "load", cwd=folder.path, data=streams[0], codes=(0, 1))
    refused = subprocess.run([ours, "import"], cwd=folder.path, capture_output=True)
    check("a repository of two tools", (refused.returncode, b"two tools" in refused.stderr), (2, True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ["reference", "ours", "corpus"]:
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--inq")
    parser.add_argument("--kind", help="the kind of database that this Python has for timings")
    args = parser.parse_args()
    args.reference, args.ours = args.reference.absolute(), args.ours.resolve()
    os.environ.update(LC_ALL="C.UTF-8", TZ="UTC")
    os.environ.pop("SUBUNIT_REPO", None)
    recorded = [path.read_bytes() for path in sorted(args.corpus.glob("*.subunit"))]
    streams = [usual(0), usual(100, fixed=True), usual(200)]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for tool in TOOLS:
            make = lambda name: Folder(tool, args.reference, work / f"{tool}-{name}")
            imports(args, make("usual"), streams)
            imports(args, make("recorded"), recorded)
            exports(args, make("usual-out"), streams)
            exports(args, make("hostile-out"), [usual(0), hostile(500)], forged=True)
            timings(args, make("timings"))
        if args.inq:
            inq(args, work / "inq", streams)
    for failure in failures:
        print(failure, file=sys.stderr)
    print("repositories:", "differ" if failures else f"{' and '.join(TOOLS)} agree with ours, both ways, with timings of dbm.{args.kind}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
