"""Loads the same streams with subunit, testr, stestr and inq, asks all of them the same, and prints one table.

The figure of a time is the shortest of several, since other processes can only add to it. The streams are those of
`measure make`: two packets a test, 1 % failures with a file of 1 KiB."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import figures
from tools import Inq, Ours, Stestr, Testr, measured


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--quick", action="store_true")
    size.add_argument("--full", action="store_true")
    for name in ["ours", "peers", "inq", "work"]:
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("word", nargs="?", default="")
    args = parser.parse_args()
    os.environ.update(LC_ALL="C.UTF-8", TZ="UTC")
    os.environ.pop("SUBUNIT_REPO", None)
    tools = [Ours(args.ours), Testr(args.peers), Stestr(args.peers)]
    if args.inq.exists():
        tools.append(Inq(args.inq))
    else:
        print(f"NOT COMPARED with inq: there is no {args.inq}")
    streams = Streams(args.work / "streams", args.ours / "examples" / "measure")
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        table = figures.Table(tools, slack=2 if args.quick else 1)
        figures.all_of_them(table, Bench(pathlib.Path(work), streams, tools, args.full, args.word))
    if table.missed:
        print(f"{table.missed} missed")
    sys.exit(bool(table.missed))


class Streams:
    """Streams of so many tests, made once."""

    def __init__(self, folder, maker):
        self.folder, self.maker = folder.absolute(), maker
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, tests):
        path = self.folder / f"{tests}.subunit"
        if not path.exists():
            subprocess.run([self.maker, "make", str(tests), f"{path}.new"], check=True, stdout=subprocess.DEVNULL)
            os.rename(f"{path}.new", path)
        return path

    def with_attachment(self, mebibytes):
        """One failing test with a log, a packet a mebibyte."""
        path = self.folder / f"{mebibytes}-MiB.subunit"
        if not path.exists():
            with open(f"{path}.new", "wb") as out:
                write_attachment(out, mebibytes)
            os.rename(f"{path}.new", path)
        return path


def write_attachment(out, mebibytes):
    import subunit

    writer = subunit.StreamResultToBytes(out)
    text = "text/plain;charset=utf8"
    writer.status(test_id="big", test_status="inprogress")
    for number in range(mebibytes):
        line = f"{number:>10} line of the log of a test, which is long\n".encode()
        data = (line * ((1 << 20) // len(line) + 1))[:1 << 20]
        writer.status(test_id="big", file_name="log", file_bytes=data, mime_type=text)
    writer.status(test_id="big", test_status="fail")


class Bench:
    """Makes repositories, and measures."""

    def __init__(self, work, streams, tools, full, word):
        self.work, self.streams, self.tools, self.full, self.word = work, streams, tools, full, word
        self.made = 0

    def wants(self, *names):
        return any(self.word in name for name in names)

    def repository(self, tool):
        """A new one."""
        self.made += 1
        folder = self.work / f"{self.made}-{tool.name}"
        folder.mkdir()
        tool.init(folder)
        return folder

    def drop(self, folder):
        shutil.rmtree(folder)

    def shortest(self, times, measure):
        """The shortest of so many times, and the greatest memory."""
        costs = [measure() for _ in range(times)]
        return min(cost.wall for cost in costs), max(cost.memory for cost in costs)

    def load_anew(self, tool, stream, times):
        """What loading into a new repository costs; and the last of these repositories."""
        folder = None

        def load():
            nonlocal folder
            if folder:
                self.drop(folder)
            folder = self.repository(tool)
            return measured(tool.load(), folder, stream)

        return *self.shortest(times, load), folder

    def question(self, command, folder, times):
        return self.shortest(times, lambda: measured(command, folder))[0]

    def growth(self, tool, fresh, grown, stream, rounds):
        """How many times as long a load takes in one repository as in another."""
        costs = {fresh: [], grown: []}
        for _ in range(rounds):
            for folder, known in costs.items():
                known.append(measured(tool.load(), folder, stream).wall)
        return statistics.median(costs[grown]) / statistics.median(costs[fresh])

    def at_once(self, tool, folder, stream, count, at_a_time):
        """How many of so many loads were lost or failed."""
        failed = 0
        for _ in range(0, count, at_a_time):
            loads = [subprocess.Popen(tool.load(), cwd=folder, stdin=open(stream, "rb"),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                     for _ in range(at_a_time)]
            failed += sum(load.wait() not in tool.loaded for load in loads)
        return max(failed, count - tool.runs(folder))


if __name__ == "__main__":
    main()
