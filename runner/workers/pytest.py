# Tests of pytest.
import importlib.util

import pytest


class Next:
    """The next test, which need not be known before somebody asks."""

    def __init__(self, worker):
        self.worker = worker

    def __bool__(self):
        return self.worker.next_item() is not None

    def __getattr__(self, name):
        return getattr(self.worker.next_item(), name)


class Worker:
    def __init__(self, lists):
        self.lists, self.is_done = lists, False
        # What was collected as nothing, and why: a module that cannot be imported, or is skipped.
        self.collected = {}
        self.statuses, self.shown = {}, {}

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and hasattr(reporter, "_tw"):
            reporter._tw._file = open(os.devnull, "w")

    def pytest_collectreport(self, report):
        if report.outcome in ("failed", "skipped"):
            status = "fail" if report.failed else "skip"
            self.collected[wire(report.nodeid or "pytest.collect")] = (status, why(report), report.sections)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        self.items = {}
        for item in session.items:
            self.items.setdefault(wire(item.nodeid), []).append(item)
        if self.lists:
            for test in list(self.items) + [test for test in self.collected if test not in self.items]:
                send(test, "exists")
        else:
            self.loop()
        self.is_done = True
        return True

    def loop(self):
        self.ids = Ids(1, len(self.items) + len(self.collected))
        while True:
            test = self.ids.take()
            if test is None:
                break
            if test not in self.items:
                self.no_item(test)
                continue
            items = self.items[test]
            for place, item in enumerate(items):
                following = items[place + 1] if place + 1 < len(items) else Next(self)
                self.one(test, item, following)

    def one(self, test, item, following):
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except BaseException as error:
            # pytest.exit(), or an interrupt of the test's own.
            attach(test, "traceback", "%s: %s\n" % (type(error).__name__, error))
            item.session._setupstate.teardown_exact(None)
            self.statuses.pop(test, None)
            send(test, "fail")

    def next_item(self):
        while True:
            test = self.ids.peek()
            if test is None or test in self.items:
                return None if test is None else self.items[test][0]
            self.no_item(self.ids.take())

    def no_item(self, test):
        status, reason, sections = self.collected.get(test, ("fail", "no such test in this worker\n", []))
        send(test, "inprogress")
        self.sections(test, sections)
        attach(test, "traceback" if status == "fail" and test in self.collected else "reason", reason)
        send(test, status)

    def sections(self, test, sections):
        seen = self.shown.setdefault(test, {})
        for title, content in sections[seen.get("", 0):]:
            words = title.replace("Captured ", "").split()
            name = "-".join(words[:1] if words[1:] == ["call"] else words)
            count = seen[name] = seen.get(name, 0) + 1
            attach(test, name if count == 1 else "%s-%d" % (name, count), content)
        seen[""] = len(sections)

    def pytest_runtest_logstart(self, nodeid, location):
        test = wire(nodeid)
        self.statuses[test], self.shown[test] = "success", {}
        send(test, "inprogress")

    def pytest_runtest_logreport(self, report):
        test = wire(report.nodeid)
        is_part = hasattr(report, "context")
        if not is_part:
            self.sections(test, report.sections)
        seen = self.shown.setdefault(test, {})
        def told(name, content):
            count = seen[name] = seen.get(name, 0) + 1
            attach(test, name if count == 1 else "%s-%d" % (name, count), content)
        if report.outcome == "rerun":
            told("traceback-rerun", why(report))
        elif report.failed:
            told("traceback" if report.when == "call" else "traceback-" + report.when, why(report))
            self.statuses[test] = "fail"
        elif is_part or self.statuses.get(test) == "fail":
            pass
        elif report.skipped:
            is_expected = hasattr(report, "wasxfail")
            told("reason", report.wasxfail if is_expected else why(report))
            self.statuses[test] = "xfail" if is_expected else "skip"
        elif report.when == "call" and hasattr(report, "wasxfail"):
            # For pytest this is a success: one that shall fail then says strict=True.
            told("reason", "it passed, and was expected to fail: %s" % report.wasxfail)
            self.statuses[test] = "xpass"

    def pytest_runtest_logfinish(self, nodeid, location):
        test = wire(nodeid)
        self.shown.pop(test, None)
        status = self.statuses.pop(test, None)
        if status:
            send(test, "success" if status == "xpass" else status, tags=["xpass"] if status == "xpass" else [])


def why(report):
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        return str(longrepr[2])
    return getattr(report, "longreprtext", None) or str(longrepr or "")


def main():
    words = sys.argv[1:]
    lists = "--list" in words
    words = [word for word in words if word != "--list"]
    watch()
    here()
    # Whether to go on after a failure, and how many workers there are, is not for one worker to say.
    words += ["--maxfail=0", "-p", "no:faulthandler", "-p", "no:cacheprovider"]
    if importlib.util.find_spec("xdist"):
        words += ["-n0", "--dist=no"]
    worker = Worker(lists)
    code = pytest.main(words, plugins=[worker])
    sys.stdout.flush()
    sys.exit(0 if worker.is_done else int(code) or 3)


if __name__ == "__main__":
    main()
