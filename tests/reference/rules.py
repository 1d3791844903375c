"""Which differences are declared: each has an id that docs/differences.md explains."""

import re
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class Rule:
    id: str
    commands: str
    # Streams that have what the difference is about, by the start of their name; none means any.
    streams: str = ""
    # Whether it explains a fact that only one side has.
    explains: callable = lambda side, fact: True
    # Whether it is about these options only.
    options: str = ""
    # What the fact has in common with one that only the other side has: a changed fact is no lost one.
    twin: callable = None

    def declares(self, case, stream, side, fact, others):
        return (
            case.command in self.commands.split()
            and (not self.streams or stream.name.startswith(tuple(self.streams.split())))
            and (not self.options or any(option in case.args for option in self.options.split()))
            and self.explains(side, fact)
            and (not self.twin or any(other[0] == fact[0] and self.twin(other) == self.twin(fact) for other in others))
        )


def event(side, test_id=..., name=..., status=...):
    """Whether a fact is an event of this test, file and status, and this side's."""

    def explains(found_side, fact):
        wanted = zip((test_id, name, status), (fact[1:2] + fact[2:3] + fact[5:6]) if fact[0] == "event" else ())
        return fact[0] == "event" and side in (found_side, "any") and all(w is ... or w == f for w, f in wanted)

    return explains


def ours(kind):
    return lambda side, fact: side == "ours" and fact[0] == kind


def fact_of(kind, wanted=lambda fact: True):
    return lambda side, fact: fact[0] == kind and wanted(fact)


def line(*starts):
    return fact_of("line", lambda fact: fact[1].startswith(starts))


EXIT = fact_of("exit")
ORDER = fact_of("order")
DAMAGE = "bad-checksum cut"
UNFINISHED = "unfinished made " + DAMAGE

JUNIT, PYUNIT, DISK = "subunit2junitxml", "subunit2pyunit", "subunit2disk"
FILTER = "subunit-filter"
JUNITXML = "junitxml2subunit"
GOJSON = "gojson2subunit"
SAME_IDS = "exists-and-runs routes again real_testtools made"


def disk_name(fact):
    """The name of the file alone, as it was meant, and what is in it."""
    return unquote(fact[1].rpartition("/")[2]), fact[2]


def unrouted(fact):
    """The id of a fact without the route code that ours adds."""
    return re.sub(r" \[[^\]]*\]$", "", fact[1])


def unnumbered(fact):
    """A fact without the number that ours adds to an id."""
    return (re.sub(r" #\d+$", "", fact[1]), *fact[2:])


def kind(fact):
    return fact[0]


def case(wanted=lambda fact: True):
    return fact_of("case", wanted)


def whole_name(fact):
    return f"{fact[1]}.{fact[2]}"


def ours_unfinished(side, fact):
    return side == "ours" and fact[0] == "test" and fact[2] == "inprogress"


def ours_damage(side, fact):
    return side == "ours" and fact[:2] == ("test", "subunit.parser")


def dropped(status):
    return lambda side, fact: side == "python" and fact[0] == "test" and fact[2] == status


def is_build(fact):
    return fact[1].endswith(" [build]")


def is_package(fact):
    """Whether the id is that of a package of go, without a test."""
    return "." not in fact[1].rpartition("/")[2]


NO_END = (("failure", ""),), (("error", ""),)


def outcome(fact):
    """Of a case of JUnit XML: failure, error, skipped, or nothing where it passed."""
    return fact[4][0][0] if fact[4] else ""


STATS = (
    "Expected failures:", "Unexpected successes:", "Unfinished tests:", "Damaged packets:", "Announced, not run:",
    "Run as a whole:",
)

RULES = [
    # subunit-1to2
    Rule("v1-charset", "subunit-1to2", "v1-brackets", event("any", status=None)),
    Rule("v1-untimed", "subunit-1to2", "v1-untimed v1-crlf", event("any", name=None)),
    Rule("v1-interrupted", "subunit-1to2", "v1-unfinished v1-cut v1-test-in-test", event("any", "a", "traceback")),
    Rule("v1-cut-report", "subunit-1to2", "v1-cut-bracket", event("ours", "a", "message")),
    Rule("v1-cut-report", "subunit-1to2", "v1-cut-chunk", event("ours", "a", "log")),
    Rule("v1-test-in-test", "subunit-1to2", "v1-test-in-test", event("ours", "b")),
    Rule("v1-test-in-test", "subunit-1to2", "v1-test-in-test", event("any", None, "stdout")),
    Rule("v1-parameters", "subunit-1to2", "v1-parameters", event("any", "a", "tb")),
    Rule("v1-last-line", "subunit-1to2", "v1-no-newline", event("any")),
    Rule("v1-damage", "subunit-1to2", "v1-bad-chunk", event("any")),
    # subunit-2to1
    Rule("2to1-unfinished", "subunit-2to1", UNFINISHED, event("ours", name="traceback", status=None)),
    Rule("2to1-unfinished", "subunit-2to1", "unfinished-log", event("any", "a")),
    Rule("2to1-unfinished", "subunit-2to1", "unfinished-two made", ORDER),
    Rule("2to1-text", "subunit-2to1", "text-open", event("any", None, "stdout")),
    Rule("2to1-text", "subunit-2to1", "text-open", event("any", "a", None, "inprogress")),
    Rule("2to1-text", "subunit-2to1", "text-directive", event("any")),
    Rule("2to1-global-status", "subunit-2to1", "global-fail", event("ours", "(the run as a whole)")),
    Rule("late-attachment", "subunit-2to1", "late", event("any")),
    Rule("empty-attachment", "subunit-2to1", "empty-file", event("ours", "a", "log", None)),
    Rule("empty-attachment", "subunit-2to1", "many-files", event("ours", "a", "f0", None)),
    Rule("2to1-escapes", "subunit-2to1", "newline-id newline-name empty-id odd-tags", lambda side, fact: True),
    Rule("2to1-nanoseconds", "subunit-2to1", "", ours("nine digits")),
    Rule("damage-message", "subunit-2to1", DAMAGE, event("any", "subunit.parser", status=None)),
    # junitxml2subunit
    Rule("junitxml-unique-ids", JUNITXML, "junit-same-ids", fact_of("test"), twin=unnumbered),
    Rule("junitxml-unique-ids", JUNITXML, "junit-same-ids", ORDER),
    Rule("junitxml-nested", JUNITXML, "junit-nested"),
    Rule("junitxml-times", JUNITXML, "junit-dated junit-untimed junit-commas", fact_of("test"), twin=lambda fact: fact[:3]),
    Rule("junitxml-output", JUNITXML, "junit-output junit-two-failures", fact_of("test"), twin=lambda fact: fact[:4]),
    Rule("junitxml-attempts", JUNITXML, "junit-flaky", fact_of("test"), twin=lambda fact: fact[:4]),
    Rule("junitxml-outcomes", JUNITXML, "junit-xfail junit-uxsuccess junit-status", fact_of("test"), twin=lambda fact: fact[1]),
    Rule("junitxml-type", JUNITXML, "junit-type-alone", fact_of("test"), twin=lambda fact: fact[:4]),
    Rule("junitxml-counts", JUNITXML, "junit-counts junit-suite-error", lambda side, fact: fact[:2] == ("test", "s") or EXIT(side, fact)),
    Rule("junitxml-no-name", JUNITXML, "junit-no-name"),
    Rule("nothing-ran", JUNITXML, "junit-no-cases", EXIT),
    Rule("junitxml-roots", JUNITXML, "junit-namespace junit-bare-case", ours("test")),
    Rule("junitxml-roots", JUNITXML, "junit-other-root"),
    Rule("junitxml-broken", JUNITXML, "junit-broken"),
    Rule("junitxml-control-characters", JUNITXML, "junit-control"),
    Rule("junitxml-entities", JUNITXML, "junit-entities"),
    # All reports
    Rule("uxsuccess-fails", "subunit-ls subunit-stats", "uxsuccess", EXIT),
    Rule("uxsuccess-fails", "subunit-stats", "uxsuccess made", line("Passed tests:", "Failed tests:")),
    Rule("global-status", "subunit-ls subunit-stats subunit2csv subunit2junitxml", "global-fail", EXIT),
    Rule("late-attachment", "subunit-ls subunit-stats subunit2csv subunit2junitxml subunit-filter", "late"),
    Rule("nothing-ran", "subunit2junitxml subunit2pyunit", "empty exists", EXIT),
    # subunit-ls
    Rule("ls-newline", "subunit-ls", "newline-id", fact_of("line")),
    Rule("ls-empty-id", "subunit-ls", "empty-id", line("")),
    Rule("ls-times", "subunit-ls", "", fact_of("line"), "--times", lambda fact: fact[1].rpartition(" ")[0]),
    Rule("loose-text", "subunit-ls subunit-stats", "text global-file", fact_of("line")),
    # subunit-stats
    Rule("stats-more", "subunit-stats", "", lambda side, fact: side == "ours" and line(*STATS)(side, fact)),
    # subunit-tags
    Rule("tags-text", "subunit-tags", "text", event("any", None, "stdout")),
    Rule("tags-damage", "subunit-tags", DAMAGE, event("any", "subunit.parser")),
    # subunit2csv
    Rule("csv-uxsuccess", "subunit2csv", "uxsuccess made", fact_of("row"), twin=lambda fact: fact[1]),
    Rule("csv-unfinished", "subunit2csv", UNFINISHED, fact_of("row"), twin=lambda fact: fact[1]),
    Rule("no-invented-times", "subunit2csv", "untimed", fact_of("row"), twin=lambda fact: fact[1:3]),
    # subunit2junitxml
    Rule("junit-xfail", JUNIT, "", case(lambda fact: outcome(fact) in ("", "skipped")), twin=lambda fact: fact[:4]),
    Rule("junit-evidence", JUNIT, "mime-plain pieces many-files large newline-name made", case(lambda fact: outcome(fact) == "failure"), twin=lambda fact: fact[:4]),
    Rule("junit-unfinished", JUNIT, UNFINISHED, case(lambda fact: fact[4] in NO_END or outcome(fact) == "error"), twin=whole_name),
    Rule("damage-message", JUNIT, DAMAGE, case(lambda fact: fact[2] == "parser"), twin=whole_name),
    Rule("junit-unfinished", JUNIT, "unfinished made", ORDER),
    Rule("no-invented-times", JUNIT, "untimed no-start nanoseconds", case(), twin=lambda fact: fact[1:3] + fact[4:]),
    Rule("global-status", JUNIT, "global-fail", case(lambda fact: fact[2] == "the run as a whole")),
    Rule("junit-unique-names", JUNIT, "routes again", case(), twin=lambda fact: (fact[1], fact[2].split()[0], *fact[3:])),
    Rule("junit-suites", JUNIT, "real_parallel made", ORDER),
    Rule("junit-binary", JUNIT, "mime-none binary", case(), twin=lambda fact: fact[:4]),
    Rule("junit-control-characters", JUNIT, "escape made", case(), twin=lambda fact: fact[:4]),
    Rule("junit-class", JUNIT, "made dots-id", case(), twin=lambda fact: (whole_name(fact).lstrip("."), fact[3])),
    Rule("junit-empty-id", JUNIT, "empty-id", case(), twin=lambda fact: fact[3:]),
    Rule("junit-negative-time", JUNIT, "back-in-time", case(), twin=lambda fact: fact[1:3] + fact[4:]),
    Rule("rounding", JUNIT, "real_testtools made", case(), twin=lambda fact: fact[1:3] + fact[4:]),
    # subunit2pyunit
    Rule("nothing-ran", PYUNIT, "empty exists", fact_of("end")),
    Rule("pyunit-unfinished", PYUNIT, UNFINISHED, fact_of("result"), twin=unrouted),
    Rule("pyunit-unfinished", PYUNIT, UNFINISHED, fact_of("failure"), twin=lambda fact: unrouted(fact).split()[1:]),
    Rule("pyunit-unfinished", PYUNIT, UNFINISHED, fact_of("end", lambda fact: fact[1].startswith("FAILED")), twin=kind),
    Rule("pyunit-unfinished", PYUNIT, "unfinished made", ORDER),
    Rule("pyunit-routes", PYUNIT, "routes real_parallel made", fact_of("result"), twin=lambda fact: (unrouted(fact), fact[2])),
    Rule("pyunit-routes", PYUNIT, "routes real_parallel made", fact_of("failure"), twin=lambda fact: unrouted(fact).split()[1:]),
    Rule("pyunit-skip", PYUNIT, "no-details real_testtools", fact_of("result"), twin=lambda fact: (fact[1], fact[2].split()[0])),
    Rule("pyunit-attachments", PYUNIT, "empty-file mime binary many-files", fact_of("failure"), twin=lambda fact: fact[1]),
    Rule("global-status", PYUNIT, "global-fail"),
    Rule("late-attachment", PYUNIT, "late"),
    Rule("ls-newline", PYUNIT, "newline-id", fact_of("result"), twin=kind),
    Rule("junit-control-characters", PYUNIT, "escape made", fact_of("failure"), twin=lambda fact: fact[1]),
    # subunit2disk
    Rule("disk-names", DISK, SAME_IDS + " newline slash-id comma-id dots-id", fact_of("file"), twin=disk_name),
    Rule("disk-empty-id", DISK, "empty-id", fact_of("file")),
    Rule("late-attachment", DISK, "late"),
    Rule("empty-attachment", DISK, "empty-file many-files", fact_of("file")),
    Rule("damage-message", DISK, DAMAGE, fact_of("file", lambda fact: fact[1].startswith("subunit.parser/Pa"))),
    # subunit-output
    Rule("output-words", "subunit-output", "", lambda side, fact: True, "words"),
    Rule("output-equals", "subunit-output", "", lambda side, fact: True, "--fail=a"),
    Rule("output-files", "subunit-output", "", lambda side, fact: True, "empty"),
    # tap2subunit
    Rule("tap-exit", "tap2subunit", "", EXIT),
    Rule("tap-reason", "tap2subunit", "tap-reason tap-directives tap-skip-all"),
    Rule("tap-uxsuccess", "tap2subunit", "tap-uxsuccess", event("any", "a")),
    Rule("tap-directives", "tap2subunit", "tap-directives tap-escapes"),
    Rule("tap-no-newline", "tap2subunit", "tap-no-newline"),
    Rule("tap-order", "tap2subunit", "tap-order tap-gap"),
    Rule("tap-plan", "tap2subunit", "tap-plan", event("ours", "tap document", "tap meta", "fail")),
    Rule("tap-bail-out", "tap2subunit", "tap-bail-out"),
    Rule("tap-structure", "tap2subunit", "tap-yaml tap-subtests"),
    Rule("tap-comments", "tap2subunit", "tap-comments"),
    Rule("tap-text", "tap2subunit", "tap-text", ORDER),
    Rule("tap-ids", "tap2subunit", "tap-same-names", event("any")),
    # gojson2subunit
    Rule("gojson-builds", GOJSON, "go1.19-builds go1.25-builds go1.25-missing go-not-built", fact_of("test", is_build)),
    Rule("gojson-builds", GOJSON, "go-not-built", EXIT),
    Rule("gojson-package", GOJSON, "", fact_of("test", lambda fact: fact[2] == "fail" and (is_build(fact) or is_package(fact)))),
    Rule("gojson-reason", GOJSON, "go1. go-skip-reason", fact_of("test", lambda fact: fact[2] == "skip"), twin=lambda fact: fact[1:4]),
    Rule("gojson-attributes", GOJSON, "go1.25-attr", fact_of("test"), twin=lambda fact: fact[1:4]),
    Rule("gojson-benchmarks", GOJSON, "go1.19-bench go1.25-bench", fact_of("test", lambda fact: ".Benchmark" in fact[1])),
    Rule("gojson-benchmarks", GOJSON, "go1.25-bench", lambda side, fact: fact[0] in ("exit", "order")),
    Rule("gojson-no-newline", GOJSON, "go1.19-no-newline go1.19-outcomes", fact_of("test"), twin=lambda fact: (fact[1], fact[3])),
    Rule("gojson-no-newline", GOJSON, "go1.19-no-newline", EXIT),
    Rule("gojson-no-newline", GOJSON, "go1.19-no-newline go1.19-outcomes", ORDER),
    Rule("gojson-cut", GOJSON, "go1.19-crashes go1.25-crashes go-cut", fact_of("test"), twin=lambda fact: fact[1]),
    Rule("gojson-cut", GOJSON, "go-cut", EXIT),
    Rule("gojson-twice", GOJSON, "go1.19-fuzz", fact_of("test", lambda fact: fact[1].endswith(".FuzzFine"))),
    Rule("gojson-text", GOJSON, "go1. go-text go-package-text", ours("text")),
    Rule("gojson-unnamed", GOJSON, "go-unnamed", fact_of("test"), twin=lambda fact: (fact[1].lstrip("."), fact[2:])),
    Rule("nothing-ran", GOJSON, "go-nothing go-empty", EXIT),
    # subunit-filter
    Rule("filter-unfinished", "subunit-filter", UNFINISHED, fact_of("test"), twin=lambda fact: (fact[1], fact[3:])),
    Rule("filter-unfinished", "subunit-filter", "unfinished made", ORDER),
    # Two facts, not one changed: the options that choose by outcome or tag do not choose what has none.
    Rule(
        "combine-failed", "subunit-combine", explains=lambda side, fact: side == "ours"
        and fact[0] == "test" and fact[1] is not None and fact[1].startswith("subunit-combine."),
    ),
    Rule("filter-unfinished", FILTER, UNFINISHED, ours_unfinished, "-f --no-failure --with-tag"),
    Rule("filter-uxsuccess", FILTER, "uxsuccess made", dropped("uxsuccess"), "-m --with --with-tag --without-tag"),
    Rule("tags-damage", FILTER, DAMAGE, ours_damage, "--with -m --with-tag --no-failure -f"),
    Rule("filter-rename", "subunit-filter", "", fact_of("test"), "--rename", lambda fact: fact[2:]),
]

# The last words of a crash of the reference.
CRASHES = {
    "subunit-1to2": [
        ("Unable to parse date string", "v1-bad-lines"),
        ("invalid literal for int", "v1-bad-lines"),
        ("can't decode byte", "v1-bad-lines"),
        ("no attribute 'addUnexpectedSuccess'", "v1-failure-alone"),
        ("Invalid MIME type", "v1-damage"),
    ],
    "junitxml2subunit": [("cannot convert float NaN", "junitxml-times")],
    "subunit-output": [("'str' object has no attribute 'read'", "output-stdin-name")],
    "subunit-ls": [("'int' object has no attribute 'seconds'", "ls-times-crash")],
    "subunit2csv": [("Either err or details must be provided", "csv-no-details")],
    "tap2subunit": [
        ("has no attribute 'encode'", "tap-nothing"),
        ("can't decode byte", "tap-not-utf8"),
        ("surrogates not allowed", "tap-not-utf8"),
    ],
    "*": [
        ("can't decode byte", "charset-crash"),
        ("unknown encoding", "charset-crash"),
    ],
}
