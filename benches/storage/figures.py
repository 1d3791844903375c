"""The figures, and what they should be."""

from tools import measured


class Table:
    """A line a figure: what it should be, ours, those of the others."""

    def __init__(self, tools, slack):
        self.tools, self.slack, self.missed = tools, slack, 0
        names = "".join(f"{tool.name:>9}" for tool in tools)
        print(f"{'':44}{'target':>9}{names}")

    def add(self, name, target, figures, *, exact=False, least=False):
        """Figures by the tools' names. An exact one is the same on every machine; `least` is at least its target."""
        sign = "" if target is None else ">=" if least else "<="
        shown = "".join(f"{number(figures.get(tool.name)):>9}" for tool in self.tools)
        print(f"{name:44}{sign + number(target) if sign else '':>9}{shown}  {self.word(target, figures, exact, least)}",
              flush=True)

    def word(self, target, figures, exact, least):
        ours = figures.get("subunit")
        if target is None or ours is None:
            return ""

        def is_met(slack):
            return ours >= target / slack if least else ours <= target * slack

        if is_met(1):
            return "ok"
        if not exact and is_met(self.slack):
            return "missed, within the noise allowed here"
        self.missed += 1
        return "MISSED"


def number(figure):
    if figure is None:
        return "-"
    if isinstance(figure, str):
        return figure
    if figure == int(figure) or figure >= 1000:
        return f"{figure:.0f}"
    return f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}" if figure >= 0.1 else f"{figure:.4f}"


def all_of_them(table, bench):
    for few, peers in [(10_000, True), (100_000, bench.full), (1_000_000, False)]:
        loads(table, bench, few, peers)
    disk(table, bench)
    many_runs(table, bench)
    at_once(table, bench)
    for mebibytes, peers in [(60, bench.full)] + [(1024, False)] * bench.full:
        attachment(table, bench, mebibytes, peers)


def thousands(tests):
    return f"{tests // 1_000_000} M" if tests >= 1_000_000 else f"{tests // 1000} k"


def loads(table, bench, tests, peers):
    """Loading so many tests, and asking about them."""
    of = f"{thousands(tests)} tests"
    names = [f"load of {of}, s", f"  its memory, MB ({of})", f"last --subunit of {of}, s", f"slowest of {of}, s"]
    if not bench.wants(*names):
        return
    stream = bench.streams.of(tests)
    found = [{}, {}, {}, {}]
    for tool in bench.tools:
        is_ours = tool.name == "subunit"
        if not (peers or is_ours):
            continue
        times = (5 if tests < 1_000_000 else 2) if is_ours else 1
        wall, memory, folder = bench.load_anew(tool, stream, times)
        asked = [bench.question(command, folder, times) for command in (tool.last(), tool.slowest())]
        for figures, figure in zip(found, [wall, memory, *asked]):
            figures[tool.name] = figure
        bench.drop(folder)
    load, memory, last, slowest = found
    is_bar = tests == 100_000
    table.add(names[0], 0.3 if is_bar else None, load)
    if "inq" in load:
        table.add("  how many times as fast as inq", 10, {"subunit": load["inq"] / load["subunit"]}, least=True)
    table.add(names[1], 20, memory, exact=True)
    table.add(names[2], 0.1 if is_bar else None, last)
    table.add(names[3], 0.05 if is_bar else None, slowest)


def disk(table, bench):
    name = "disk of a run of 10 k tests, MB"
    if not bench.wants(name):
        return
    figures = {}
    for tool in bench.tools:
        _, _, folder = bench.load_anew(tool, bench.streams.of(10_000), 1)
        figures[tool.name] = tool.disk(folder)
        bench.drop(folder)
    table.add(name, 0.5, figures, exact=True)


def many_runs(table, bench):
    """A repository of 1000 runs of 1000 tests."""
    name, growth = "list of 1000 runs, s", "load, 1000 runs beside it, times a fresh one"
    if not bench.wants(name, growth):
        return
    stream = bench.streams.of(1000)
    listed, grown = {}, {}
    for tool in bench.tools:
        is_ours = tool.name == "subunit"
        if not (bench.full or is_ours) or tool.list() is None:
            continue
        folder, fresh = bench.repository(tool), bench.repository(tool)
        tool.fill(folder, stream, 1000)
        listed[tool.name] = bench.question(tool.list(), folder, 7 if is_ours else 1)
        grown[tool.name] = bench.growth(tool, fresh, folder, stream, 40 if is_ours else 5)
        bench.drop(folder)
        bench.drop(fresh)
    table.add(name, 0.02, listed)
    table.add(growth, 1.1, grown)


def at_once(table, bench):
    name, more = "80 loads, 8 at a time: lost or failed", "80 loads, all at once: lost or failed"
    if not bench.wants(name, more):
        return
    stream = bench.streams.of(1000)
    figures = {8: {}, 80: {}}
    for tool in bench.tools:
        is_ours = tool.name == "subunit"
        for at_a_time in [8, 80] if is_ours else [8] * bench.full:
            folder = bench.repository(tool)
            figures[at_a_time][tool.name] = bench.at_once(tool, folder, stream, 80, at_a_time)
            bench.drop(folder)
    table.add(name, 0, figures[8], exact=True)
    table.add(more, 0, figures[80], exact=True)


def attachment(table, bench, mebibytes, peers):
    """One failing test with so long a log."""
    name = f"attachment of {mebibytes} MiB: memory of load, MB"
    if not bench.wants(name):
        return
    stream = bench.streams.with_attachment(mebibytes)
    memory, known, back, log = {}, {}, {}, {}
    for tool in bench.tools:
        is_ours = tool.name == "subunit"
        if not (peers or is_ours):
            continue
        _, memory[tool.name], folder = bench.load_anew(tool, stream, 1)
        known[tool.name] = int(tool.knows_failure(folder, "big"))
        back[tool.name] = measured(tool.last(), folder).memory
        if is_ours:
            log[tool.name] = measured(tool.ask("log", "--attachment=log", "big"), folder).memory
        bench.drop(folder)
    table.add(name, 20, memory, exact=True)
    table.add("  memory of last --subunit, MB", 20, back, exact=True)
    table.add("  memory of log --attachment, MB", 20, log, exact=True)
    table.add("  its test is known to fail (1: yes)", 1, known, exact=True, least=True)
