"""What an output says: a list of facts, the same for outputs that mean the same."""

import csv
import io
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timezone
from email.message import EmailMessage
from pathlib import Path

from subunit import ByteStreamToStreamResult
from testtools import StreamResult, StreamToDict


BEGAN = datetime.now(timezone.utc)


class Events(StreamResult):
    """Keeps events; pieces of a file that follow each other become one."""

    def __init__(self):
        self.events = []

    def status(self, test_id=None, test_status=None, test_tags=None, runnable=True, file_name=None,
               file_bytes=None, eof=False, mime_type=None, route_code=None, timestamp=None):
        tags = None if test_tags is None else tuple(sorted(test_tags))
        # Text has no id, and the reference gives it a flag all the same.
        runnable = runnable and test_id is not None
        # A time that no stream had was made up while reading.
        if timestamp is not None and timestamp >= BEGAN:
            timestamp = "now"
        key = (test_id, file_name, route_code, timestamp)
        if file_name is not None and test_status is None and self.events:
            last = self.events[-1]
            if last["key"] == key and last["status"] is None and not last["eof"]:
                last["data"] += bytes(file_bytes)
                last["eof"] = eof
                return
        self.events.append({
            "key": key, "status": test_status, "tags": tags, "runnable": runnable,
            "data": None if file_bytes is None else bytes(file_bytes), "eof": eof, "mime": mime(mime_type),
        })

    def facts(self):
        return [
            ("event", *event["key"], event["status"], event["tags"], event["runnable"], event["data"],
             event["mime"], event["eof"])
            for event in self.events
        ]


def mime(text):
    """The type and its parameters, however they are spelled."""
    if text is None:
        return None
    message = EmailMessage()
    message["content-type"] = text
    return (message.get_content_type(), tuple(sorted(dict(message["content-type"].params).items())))


def events(stream):
    result = Events()
    ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(result)
    return result.facts()


def tap(stream):
    """The events of a TAP document, by description and without times."""
    facts = []
    for fact in events(stream):
        _, test_id, name, _, _, status, tags, runnable, data, mime_type, _ = fact
        test_id = test_id and TAP_NUMBER.sub("", test_id)
        mime_type = str(mime_type).lower() if test_id and mime_type else None
        data = data and data.rstrip(b"\n")
        facts.append(("event", test_id, name, None, None, status, tags, runnable, data, mime_type, None))
    return facts


TAP_NUMBER = re.compile(r"^test \d+ (- )?(?=.)")


def go_tests(stream):
    """One fact a test of go: id, outcome, what it printed without the lines of the framework, and its other files."""
    facts = []
    for kind, *rest in records(stream):
        if kind != "test":
            facts.append((kind, *rest))
            continue
        test_id, status, tags, files = rest
        files = {name: FRAMEWORK.sub(b"", data) for name, data in files}
        printed = files.pop("go test output", b"")
        facts.append(("test", test_id, status, printed, tuple(sorted(files.items())), tags))
    return facts


FRAMEWORK = re.compile(rb"(?m)^=== (RUN|PAUSE|CONT|NAME|ATTR) +.*\n| *--- (PASS|FAIL|SKIP): \S+( \(.*s\))?\n")


def said(stream):
    """The events of a stream, with the pieces of each file as one. Of times, only whether the first event has one."""
    facts = []
    for _, test_id, name, route, time, status, tags, runnable, data, mime_type, eof in events(stream):
        key = (test_id, name, route)
        if facts and name is not None and facts[-1][0] == key and not facts[-1][-1]:
            _, old_status, old_tags, old_runnable, old_data, old_type, _ = facts.pop()
            status, tags, mime_type = old_status or status, old_tags or tags, old_type or mime_type
            runnable, data = old_runnable and runnable, old_data + data
        facts.append((key, status, tags, runnable, data, mime_type, eof))
    timed = [("timed", fact[4] is not None) for fact in events(stream)[:1]]
    return [("event", *key, *rest) for key, *rest in facts] + timed


def sorted_files(facts):
    """The files of a test by name, where they follow each other: their order says nothing."""
    runs = itertools.groupby(facts, lambda fact: (fact[1], fact[2] is not None and fact[5] is None))
    return [fact for (test_id, is_file), run in runs for fact in (sorted(run, key=str) if test_id and is_file else run)]


def records(stream):
    """One fact a test: id, outcome, tags and files."""
    facts, text = [], []

    def on_test(test):
        if test["status"] == "exists":
            return
        files = {name: b"".join(content.iter_bytes()) for name, content in test["details"].items()}
        facts.append(("test", test["id"], test["status"], tuple(sorted(test["tags"])), tuple(sorted(files.items()))))

    class Text(StreamResult):
        def status(self, test_id=None, file_name=None, file_bytes=None, **_):
            if test_id is None and file_bytes is not None:
                text.append(bytes(file_bytes))

    result = StreamToDict(on_test)
    result.startTestRun()
    ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(result)
    result.stopTestRun()
    ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(Text())
    return facts + ([("text", b"".join(text))] if text else [])


def cases_as_tests(stream):
    """One fact a case of JUnit XML: id, outcome, seconds since the first one, tags and text.

    Ids are joined with `.`, and what the reference writes above a text that begins with the same is taken off.
    """
    tests = []
    result = StreamToDict(tests.append)
    result.startTestRun()
    ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(result)
    result.stopTestRun()
    facts = []
    for test in tests:
        start, stop = (time and time.timestamp() for time in test["timestamps"])
        files = [content.as_text().splitlines() for content in test["details"].values()]
        text = [line for lines in files for line in lines[lines[:1] == lines[1:2]:] if line.strip()]
        name = test["id"].replace("::", ".")
        facts.append(("test", name, test["status"], (start, stop), tuple(sorted(test["tags"])), tuple(text)))
    return facts


def lines(output):
    return [("line", line) for line in output.decode("utf8", "replace").splitlines()]


def rows(output):
    return [("row", *row) for row in csv.reader(io.StringIO(output.decode("utf8", "replace"), newline=""))]


# Differences that are read away here, because they are in every report: ids of docs/differences.md.
READ_AWAY = ["junit-layout", "pyunit-layout", "disk-more", "junit-classname", "2to1-nanoseconds", "2to1-attachment-order",
             "junitxml-ids", "junitxml-files", "output-pieces", "gojson-output"]


def cases(output):
    """The cases of JUnit XML: class, name, seconds, outcome, and the traceback of a failure."""
    facts = []
    root = ElementTree.fromstring(output.decode("utf8"))
    for case in root.iter("testcase"):
        outcomes = [child for child in case if child.tag in ("failure", "error", "skipped")]
        said = tuple((child.tag, words(child)) for child in outcomes)
        classname = case.get("classname")
        facts.append(("case", "" if classname == "subunit" else classname, case.get("name"), case.get("time"), said))
    return facts


def words(element):
    """The traceback or reason, without what the reference puts around it."""
    text = element.text or ""
    text = re.sub(r"\Atesttools\.testresult\.real\._StringException(: )?", "", text)
    text = text[text.rfind("}}}\n") + 4:] if "}}}\n" in text else text
    return text.strip() if text.strip() not in NO_WORDS else ""


# What ours says where there is nothing to say.
NO_WORDS = ("failed", "skipped", "failed as expected", "passed, but was expected to fail")


def unittest_report(output):
    """What unittest's text says: a fact a test, one a failure with its traceback, and the last two lines."""
    text = output.decode("utf8", "replace")
    results, *sections = text.split("=" * 70 + "\n")
    # Without failures there is no section before the end.
    results, _, end = results.partition("-" * 70 + "\n")
    facts = []
    for line in results.splitlines():
        match = RESULT.match(line)
        if match:
            facts.append(("result", match[1], match[2]))
    for section in sections:
        if section.startswith("UNEXPECTED SUCCESS: "):
            facts += [("failure", line, "") for line in section.splitlines() if line.startswith("UNEXPECTED ")]
            end = "Ran " + section.partition("\nRan ")[2] if "\nRan " in section else end
            continue
        title, _, body = section.partition("\n" + "-" * 70 + "\n")
        body, separator, last = body.partition("-" * 70 + "\nRan ")
        end = "Ran " + last if separator else end
        element = ElementTree.Element("failure")
        element.text = body
        # The reference tells the id twice.
        facts.append(("failure", title.splitlines()[0], words(element)))
    end = re.sub(r"\bin \d+\.\d+s", "in TIME", end)
    return facts + [("end", line) for line in end.splitlines() if line]


RESULT = re.compile(r"(.*) \.\.\. (ok|FAIL|ERROR|expected failure|unexpected success|fail$|skipped.*)")


# What the reference writes into test.json.
DISK_KEYS = ["details", "id", "start", "status", "stop", "tags"]


def tree(folder):
    """The files below a folder, JSON by what it says."""
    facts = []
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.name == "test.json":
                said = json.loads(data)
                data = tuple((key, repr(said.get(key))) for key in DISK_KEYS)
            facts.append(("file", str(path.relative_to(folder)), data))
    return facts
