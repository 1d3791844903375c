"""Runs the commands of python-subunit and ours on the same streams, and compares what they say.

What differs must be declared: in rules.py, under an id that docs/differences.md explains. Anything else fails.
"""

import argparse
import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import COMMANDS
from meaning import READ_AWAY
from rules import CRASHES, RULES
from streams import Stream, all_streams

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DOCUMENT = ROOT / "docs" / "differences.md"


class Outcome:
    """What one command did with one stream."""

    def __init__(self, folder, binary, case, stream):
        with tempfile.TemporaryDirectory() as work:
            for name, text in case.files.items():
                (Path(work) / name).write_text(text)
            os.mkdir(Path(work) / "out")
            done = subprocess.run(
                [Path(folder) / binary, *case.args], input=stream.data, capture_output=True, cwd=work, timeout=120,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
            self.code, self.output, self.errors = done.returncode, done.stdout, done.stderr
            self.crashed = b"Traceback (most recent call last)" in done.stderr and binary != "subunit2pyunit"
            self.crashed = self.crashed or self.code not in (0, 1, 2, 4) or b"panicked at" in done.stderr
            if binary == "subunit2pyunit":
                self.crashed = not re.search(rb"^Ran \d+ tests? in", done.stderr, re.MULTILINE)
            self.facts = None
            if not self.crashed:
                self.facts = [*self.read(case, Path(work)), ("exit", self.code)]

    def read(self, case, work):
        try:
            return case.meaning(self, work)
        except Exception as error:  # what cannot be read is a difference, whatever the reason
            return [("unreadable", f"{type(error).__name__}: {error}")]

    @property
    def last_words(self):
        words = self.errors.decode("utf8", "replace").strip().splitlines()
        return words[-1] if words else f"exit code {self.code}"


def differences(python, ours):
    """The facts that only one of them has, and whether the others come in the same order."""
    theirs, mine = collections.Counter(python), collections.Counter(ours)
    found = [("python", fact) for fact in (theirs - mine).elements()]
    found += [("ours", fact) for fact in (mine - theirs).elements()]
    common = theirs & mine
    if in_common(python, common) != in_common(ours, common):
        found.append(("both", ("order",)))
    return found


def in_common(facts, common):
    left, kept = collections.Counter(common), []
    for fact in facts:
        if left[fact]:
            left[fact] -= 1
            kept.append(fact)
    return kept


def examine(case, stream, args):
    """The ids of the differences that were found, and what no rule declares."""
    python = Outcome(args.reference, case.command, case, stream)
    ours = Outcome(args.ours, case.command, case, stream)
    if ours.crashed:
        return set(), [f"ours crashed: {ours.last_words}"]
    if python.crashed:
        for pattern, name in CRASHES.get(case.command, []) + CRASHES["*"]:
            if re.search(pattern, python.last_words):
                return {name}, []
        return set(), [f"python crashed: {python.last_words}"]
    used, undeclared = set(), []
    found = differences(python.facts, ours.facts)
    for side, fact in found:
        if stream.is_tame and not case.loose:
            undeclared.append(f"{side}: {show(fact)}")
            continue
        others = [other for other_side, other in found if other_side != side]
        rule = next((rule for rule in RULES if rule.declares(case, stream, side, fact, others)), None)
        if rule:
            used.add(rule.id)
        else:
            undeclared.append(f"{side}: {show(fact)}")
    return used, undeclared


def show(fact):
    text = repr(fact)
    return text if len(text) < 400 else text[:400] + "…"


def documented():
    """The ids of the table in the document."""
    return set(re.findall(r"^\| `([a-z0-9-]+)` \|", DOCUMENT.read_text(), re.MULTILINE))


def made_streams(folder, args):
    """Streams of our own generator, with all that the tame ones have not."""
    for seed, tests, routes in [(args.seed, 60, 0)] if args.quick else [(args.seed, 60, 0), (args.seed, 2000, 4)]:
        made = subprocess.run(
            [Path(folder) / "make-stream", "--seed", str(seed), "--tests", str(tests), "--routes", str(routes)],
            check=True, capture_output=True,
        )
        yield Stream(f"made-{tests}-tests-{routes}-routes", made.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="the folder of python-subunit's commands")
    parser.add_argument("--ours", required=True, help="the folder of our commands")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter streams: less than two minutes")
    parser.add_argument("--only", action="append", help="only this command; may be repeated")
    parser.add_argument("--stream", action="append", help="only this stream; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other streams")
    parser.add_argument("--allow-missing", action="store_true", help="pass over commands that are not built")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell which differences were found where")
    args = parser.parse_args()
    args.reference, args.ours = Path(args.reference).absolute(), Path(args.ours).resolve()

    streams = [*all_streams(ROOT / "tests" / "corpus", args.seed, args.quick), *made_streams(args.ours, args)]
    if args.stream:
        streams = [stream for stream in streams if stream.name in args.stream]
    cases = [case for case in COMMANDS if not args.only or case.command in args.only]
    missing = {case.command for case in cases if not (Path(args.ours) / case.command).exists()}
    jobs = [
        (case, stream)
        for case in cases if case.command not in missing
        for stream in streams if stream.version in case.versions and case.wants(stream, args.quick)
    ]
    if not jobs:
        parser.error("nothing to compare: --only takes a command's whole name, --stream that of a stream")
    used, failures = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (case, stream), (ids, undeclared) in zip(jobs, pool.map(lambda job: examine(*job, args), jobs)):
            used.update(ids)
            if args.verbose and ids:
                print(f"{case} on {stream.name}: {', '.join(sorted(ids))}")
            if undeclared:
                failures.append(f"{case} on {stream.name}:\n  " + "\n  ".join(undeclared[:12]))

    ids = {rule.id for rule in RULES} | {name for crashes in CRASHES.values() for _, name in crashes}
    ids.update(READ_AWAY)
    failures += [f"docs/differences.md does not explain `{name}`" for name in sorted(ids - documented())]
    if not (args.allow_missing or args.only):
        failures += [f"{command} is not built" for command in sorted(missing)]
    for failure in failures:
        print(failure)
    print(f"{len(jobs)} comparisons, {len(used)} declared differences seen, {len(failures)} undeclared")
    for name, count in sorted(used.items()):
        print(f"  {count:4} × {name}")
    if missing:
        print(f"not built: {', '.join(sorted(missing))}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
