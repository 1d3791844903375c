# Tests of unittest, and of what is built on it (testtools).
import argparse
import traceback
import unittest
import unittest.suite

try:
    import ctypes
    LIBC = ctypes.CDLL(None)
except Exception:
    LIBC = None

NOBODY = b""


class Stream(io.RawIOBase):
    """What a test writes, as an attachment of it, at once."""

    def __init__(self, name, fd):
        self.called, self.fd, self.test = name, fd, NOBODY

    def writable(self):
        return True

    def fileno(self):
        return self.fd

    def write(self, data):
        data = bytes(data)
        if self.test and os.getpid() == PID:
            for start in range(0, len(data), PIECE):
                send(self.test, name=self.called, data=data[start:start + PIECE], mime=TEXT)
        else:
            write(self.fd if os.getpid() != PID else ERRORS, data)
        return len(data)


class Output:
    """What tests write: by Python, and by what else writes to the output."""

    def __init__(self):
        self.streams = [Stream("stdout", 1), Stream("stderr", 2)]
        sys.stdout, sys.stderr = [
            io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", line_buffering=True)
            for stream in self.streams]
        self.texts = [sys.stdout, sys.stderr]
        try:
            self.file = os.memfd_create("stdout")
        except (AttributeError, OSError):
            import tempfile
            self.kept = tempfile.TemporaryFile()
            self.file = self.kept.fileno()
        os.dup2(self.file, 1)

    def of(self, test):
        self.flush()
        for stream in self.streams:
            stream.test = test

    def flush(self):
        for text in self.texts:
            try:
                text.flush()
            except ValueError:
                pass  # A test has closed it.
        if LIBC:
            LIBC.fflush(None)
        size = os.fstat(self.file).st_size
        if size:
            data = os.pread(self.file, size, 0)
            os.ftruncate(self.file, 0)
            os.lseek(self.file, 0, os.SEEK_SET)
            self.streams[0].write(data)


class Result(unittest.TestResult):
    """Gathers what becomes of one test, and of the fixtures of its class and module."""

    def __init__(self):
        super().__init__()
        self.fixtures = {}
        self.begin(NOBODY)

    def begin(self, test):
        self.test, self.outcomes, self.names, self.passed_parts = test, [], {}, 0

    def attach(self, name, content, mime=TEXT):
        count = self.names[name] = self.names.get(name, 0) + 1
        attach(self.test, name if count == 1 else "%s-%d" % (name, count), content, mime)

    def note(self, test, status, name, content, details=None):
        if isinstance(test, unittest.suite._ErrorHolder):
            return self.fixture(test.id(), status, content)
        for key, detail in (details or {}).items():
            data = b"".join(detail.iter_bytes())
            self.attach(key, data, repr_mime(detail.content_type))
        if content:
            self.attach(name, content)
        self.outcomes.append((status, test))

    def fixture(self, name, status, content):
        if name.startswith("tearDown"):
            test = wire(name)
            if status == "fail":
                attach(test, "traceback", content)
            send(test, status, runnable=False)
        else:
            self.fixtures[name.partition(" (")[2].rstrip(")")] = (name, status, content)

    def failed_fixture(self, test):
        kind = type(test)
        if getattr(self, "_moduleSetUpFailed", False):
            return self.fixtures.get(kind.__module__)
        if getattr(kind, "_classSetupFailed", False):
            return self.fixtures.get("%s.%s" % (kind.__module__, kind.__qualname__))
        return None

    def trace(self, test, err):
        if err is None:
            return ""
        if hasattr(test, "failureException"):
            return self._exc_info_to_string(err, test)
        return "".join(traceback.format_exception(*err))

    def startTest(self, test):
        pass

    def stopTest(self, test):
        pass

    def addError(self, test, err=None, details=None):
        self.note(test, "fail", "traceback", self.trace(test, err), details)

    addFailure = addError

    def addSkip(self, test, reason=None, details=None):
        self.note(test, "skip", "reason", reason or "", details)

    def addExpectedFailure(self, test, err=None, details=None):
        self.note(test, "xfail", "traceback", self.trace(test, err), details)

    def addUnexpectedSuccess(self, test, details=None):
        self.note(test, "uxsuccess", "reason", "", details)

    def addSuccess(self, test, details=None):
        self.note(test, "success", "reason", "", details)

    def addSubTest(self, test, subtest, err):
        if err is None:
            self.passed_parts += 1
        else:
            self.attach("traceback", "%s\n%s" % (subtest.id(), self.trace(test, err)))
            self.outcomes.append(("fail", test))

    def status(self):
        """The worst that came of it; a part that was skipped is not all of it."""
        own = [status for status, test in self.outcomes if not hasattr(test, "test_case")]
        for status in ("fail", "uxsuccess", "skip", "xfail", "success"):
            if status in own:
                return status
        if self.passed_parts:
            return "success"
        if self.outcomes:
            return "skip"
        self.attach("reason", "the test ended without saying how\n")
        return "fail"


def repr_mime(kind):
    parameters = ";".join("%s=%s" % pair for pair in sorted(kind.parameters.items()))
    return ("%s/%s" % (kind.type, kind.subtype) + (";" + parameters if parameters else "")).encode()


def each(suite):
    try:
        tests = iter(suite)
    except TypeError:
        yield suite
        return
    for test in tests:
        yield from each(test)


class Worker:
    def __init__(self, suite):
        self.tests = {}
        for test in each(suite):
            if test is not None:
                self.tests.setdefault(wire(test.id()), []).append(test)

    def list(self):
        for test in self.tests:
            send(test, "exists")

    def run(self):
        ids = Ids(0, len(self.tests))
        self.result, self.suite, self.output = Result(), unittest.TestSuite(), Output()
        while True:
            test = ids.take()
            if test is None:
                break
            if test in self.tests:
                self.one(test)
            else:
                attach(test, "reason", "no such test in this worker\n")
                send(test, "fail")
        self.suite._tearDownPreviousClass(None, self.result)
        self.suite._handleModuleTearDown(self.result)
        self.output.flush()

    def one(self, name):
        result = self.result
        tests = self.tests[name]
        result.begin(name)
        self.leave(tests[0])
        send(name, "inprogress")
        self.output.of(name)
        for test in tests:
            self.fixtures(test)
            failed = result.failed_fixture(test)
            if failed:
                where, status, content = failed
                result.note(test, status, "traceback" if status == "fail" else "reason", content)
                if status == "fail":
                    result.attach("reason", "%s failed\n" % where)
                continue
            try:
                test(result)
            except BaseException:
                result.note(test, "fail", "traceback", traceback.format_exc())
        self.output.of(NOBODY)
        send(name, result.status())

    def leave(self, test):
        """Tears down what the next test does not need. What that prints is nobody's: the last test has been told of."""
        result, module = self.result, type(test).__module__
        before = result._previousTestClass
        if before is None or before is type(test):
            return
        self.suite._tearDownPreviousClass(test, result)
        if before.__module__ == module:
            # Nothing is left of the class, and all of the module.
            result._previousTestClass = type("Left", (), {"__module__": module})
        else:
            self.suite._handleModuleTearDown(result)
            result._previousTestClass = None

    def fixtures(self, test):
        self.suite._tearDownPreviousClass(test, self.result)
        self.suite._handleModuleFixture(test, self.result)
        self.suite._handleClassSetUp(test, self.result)
        self.result._previousTestClass = type(test)


def main():
    parser = argparse.ArgumentParser(description="Runs tests of unittest, as their ids come in.")
    parser.add_argument("--list", action="store_true", help="list the tests")
    parser.add_argument("-s", "--start-directory", default=".")
    parser.add_argument("-t", "--top-level-directory")
    parser.add_argument("-p", "--pattern", default="test*.py")
    parser.add_argument("names", nargs="*", help="modules, classes or tests; without any, they are searched for")
    words = parser.parse_args()
    watch()
    here()
    loader = unittest.defaultTestLoader
    if words.names:
        suite = loader.loadTestsFromNames(words.names)
    else:
        suite = loader.discover(words.start_directory, words.pattern, words.top_level_directory)
    worker = Worker(suite)
    worker.list() if words.list else worker.run()


if __name__ == "__main__":
    main()
