"""Each command with the options to compare, and how to read what it says."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import meaning

# What a stream of version 1 says is asked of the reference, whoever wrote it.
REFERENCE_1TO2 = Path(sys.executable).parent / "subunit-1to2"


@dataclass(frozen=True)
class Case:
    command: str
    args: tuple
    meaning: callable
    versions: tuple = (2,)
    files: dict = field(default_factory=dict)
    # Whether it differs by design even on tame streams.
    loose: bool = False
    # Whether it is worth its time in the short form, on streams that are not tame.
    is_main: bool = False

    def __str__(self):
        return " ".join([self.command, *self.args])

    def __hash__(self):
        return hash((self.command, self.args))

    def wants(self, stream, quick):
        return not quick or self.is_main or stream.is_tame or stream.name.startswith("made")


def output(read):
    return lambda outcome, _: read(outcome.output)


def errors(read):
    return lambda outcome, _: read(outcome.errors)


def of_v1(outcome, _):
    """The events that the reference's reader finds. It cuts nanoseconds off where its writer rounds them."""
    text, count = NINE_DIGITS.subn(rounded, outcome.output)
    done = subprocess.run([REFERENCE_1TO2], input=text, capture_output=True, check=False, timeout=120)
    if done.returncode:
        return [("unreadable", done.stderr.decode().strip().splitlines()[-1])]
    facts = meaning.sorted_files(meaning.events(done.stdout))
    return facts + ([("nine digits",)] if count else [])


NINE_DIGITS = re.compile(rb"(?m)^time: (.{19})\.(\d{9})Z$")


def rounded(match):
    time = datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S")
    # Half goes to even, as where the reference reads packets.
    time += timedelta(microseconds=round(int(match[2]) / 1000))
    return time.strftime("time: %Y-%m-%d %H:%M:%S.%fZ").encode()


def case(command, args, read, **fields):
    return Case(command, tuple(args), read, **fields)


def cases(command, reader, options, **fields):
    """One case for each list of options; the first is the main one."""
    return [case(command, args, reader, is_main=at == 0, **fields) for at, args in enumerate(options)]


COMMANDS = [
    # The reference reads no stdin.
    *cases("junitxml2subunit", output(meaning.cases_as_tests), [["/dev/stdin"]], versions=("junit",)),
    *cases("subunit-1to2", output(meaning.events), [[]], versions=(1,)),
    *cases("subunit-2to1", of_v1, [[]]),
    *cases("subunit-ls", output(meaning.lines), [["--no-passthrough"], [], ["--exists"]]),
    case("subunit-ls", ["--times"], output(meaning.lines), loose=True),
    *cases("subunit-stats", output(meaning.lines), [["--no-passthrough"], []], loose=True),
    *cases("subunit-tags", output(meaning.events), [["new"], [], ["-slow"], ["a", "--", "-network", "b"]]),
    *cases("subunit2csv", output(meaning.rows), [["--no-passthrough"]]),
    *cases("subunit2junitxml", output(meaning.cases), [["--no-passthrough"]], loose=True),
    *cases("subunit2pyunit", errors(meaning.unittest_report), [["--no-passthrough"]]),
    *cases("subunit2disk", lambda outcome, work: meaning.tree(work / "out"), [["-d", "out"]]),
    *cases(
        "subunit-filter", output(meaning.records),
        [
            ["-s", "--xfail"], [], ["--no-success"], ["--no-passthrough"], ["-s", "--no-skip"], ["--xfail"],
            ["--no-xfail", "-s"], ["-f", "-s"], ["--no-failure"], ["-e", "-s"], ["--error", "--failure"], ["-F"],
            ["-s", "--with", "TestA"], ["-s", "-m", "Test[AB].test_1", "-m", "pkg2"], ["-s", "--without", "TestA"],
            ["-s", "--with", "failure"], ["-s", "--without", "(?i)error|traceback"], ["-s", "--xfail", "--with", "reason"],
            ["-s", "--with-tag", "slow"], ["-s", "--with-tag", "slow", "--with-tag", "gpu"],
            ["-s", "--without-tag", "slow", "--without-tag", "gpu"],
        ],
    ),
    case(
        "subunit-combine", ["suites"], output(meaning.records),
        files={"suites": "commands:\n  - {prefix: 'a/', argv: [cat]}\n  - {argv: [sh, -c, 'exit 3']}\n"}, loose=True,
    ),
    case("subunit-filter", ["-s", "--rename", "pkg", "lib"], output(meaning.records), loose=True),
    case("subunit-filter", ["-s", "--rename", r"test_(\d)", r"t\1"], output(meaning.records), loose=True),
    case(
        "subunit-filter", ["-s", "--xfail", "--fixup-expected-failures", "list"], output(meaning.records),
        files={"list": "".join(f"pkg{p}.mod.Test{c}.test_{n}\n" for p in range(3) for c in "AB" for n in range(20))},
    ),
    *cases(
        "subunit-output", output(meaning.said),
        [
            ["--fail", "a.b", "--attach-file", "-", "--mimetype", "text/plain;charset=utf8", "--tag", "x", "--tag", "y"],
            *([f"--{status}", "a.b"] for status in "exists inprogress success fail skip xfail uxsuccess".split()),
            ["--attach-file", "-"], ["--inprogress", "a", "--attach-file", "-"], ["--exists", "a", "--attach-file", "log"],
            ["--attach-file", "log", "--file-name", "l", "--mimetype", "a/b", "--success", "ü"],
            ["--mimetype", "a/b", "--file-name", "", "--attach-file", "empty"], ["--fail", "a", "--attach-file", ""],
            [], ["--tag", "x"], ["--fail", ""], ["--fail", "-x"], ["--succ", "a", "--tag", "-x"], ["--fail", "--tag"],
            ["--fail"], ["--fail", "a", "--fail", "a"], ["--fail", "a", "--skip", "b"], ["--tag"], ["--no-such"],
            ["--file-name", "l"], ["--mimetype", "a/b"], ["--attach-file", "none"], ["--attach-file", "out"],
        ],
        versions=("attachment",), files={"log": "ready\n", "empty": ""},
    ),
    *cases(
        "subunit-output", output(meaning.said),
        [["--fail", "two", "words"], ["--fail=a"], ["--attach-file", "-", "--file-name", "l"],
         ["--attach-file", "log", "--attach-file", "empty"]],
        versions=("attachment",), files={"log": "ready\n", "empty": ""}, loose=True,
    ),
    *cases("gojson2subunit", output(meaning.go_tests), [[]], versions=("gojson",)),
    case("tap2subunit", [], output(meaning.tap), versions=("tap",), loose=True, is_main=True),
]
