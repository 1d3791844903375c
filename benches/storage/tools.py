"""The tools that are compared: how each is asked, and what a run of it costs."""

import dataclasses
import os
import subprocess
import tempfile
import time



@dataclasses.dataclass
class Cost:
    """What a process took: elapsed seconds, and its largest resident set in MB."""

    wall: float
    memory: float
    code: int
    output: bytes


def measured(command, folder, stdin=None, keep=False):
    """Runs a command. Its output is thrown away unless it is kept."""
    with tempfile.NamedTemporaryFile("r") as told, open(stdin or os.devnull, "rb") as source:
        # GNU time is small; a child of this process would seem to have been as large as it.
        command = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", told.name, *map(str, command)]
        began = time.monotonic()
        done = subprocess.run(command, cwd=folder, stdin=source, stderr=subprocess.DEVNULL,
                              stdout=subprocess.PIPE if keep else subprocess.DEVNULL)
        wall = time.monotonic() - began
        memory = int(told.read().split()[-1]) * 1024 / 1e6
    return Cost(wall, memory, done.returncode, done.stdout)


class Tool:
    """A tool whose repository is in the working directory."""

    # What `load` exits with when the run is stored.
    loaded = (0, 1)

    def __init__(self, bins):
        self.program = (bins / self.name).absolute()

    def init(self, folder):
        subprocess.run([self.program, "init"], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def ask(self, *arguments):
        return [self.program, *arguments]

    def load(self):
        return self.ask("load")

    def last(self):
        return self.ask("last", "--subunit")

    def slowest(self):
        return self.ask("slowest")

    def knows_failure(self, folder, test):
        """Whether this test is in the failing set."""
        return test.encode() in measured(self.ask("failing", "--list"), folder, keep=True).output

    def disk(self, folder):
        """The bytes of all files of its repository, in MB."""
        return sum(path.stat().st_size for path in (folder / self.folder).rglob("*") if path.is_file()) / 1e6


class Ours(Tool):
    name, folder = "subunit", ".subunit"
    loaded = (0, 1, 5)

    def list(self):
        return self.ask("history")

    def runs(self, folder):
        """How many whole runs there are."""
        lines = measured(self.ask("history"), folder, keep=True).output.decode().splitlines()[1:]
        return sum(line.split()[1] in ("passed", "failed") for line in lines)

    def fill(self, folder, stream, runs):
        for _ in range(runs):
            measured(self.load(), folder, stream)


class FileRepository(Tool):
    def runs(self, folder):
        return sum(path.name.isdigit() for path in (folder / self.folder).iterdir())

    def fill(self, folder, stream, runs):
        """Loads one run, and copies it: a load is slow, and leaves the same file."""
        measured(self.load(), folder, stream)
        repository = folder / self.folder
        run = (repository / "0").read_bytes()
        for number in range(1, runs):
            (repository / str(number)).write_bytes(run)
        (repository / "next-stream").write_text(f"{runs}\n")


class Testr(FileRepository):
    name, folder = "testr", ".testrepository"

    def init(self, folder):
        (folder / ".testr.conf").write_text("[DEFAULT]\ntest_command=true\n")
        super().init(folder)

    def list(self):
        return None


class Stestr(FileRepository):
    name, folder = "stestr", ".stestr"

    def init(self, folder):
        (folder / ".stestr.conf").write_text("[DEFAULT]\ntest_path=.\n")
        super().init(folder)

    def list(self):
        return self.ask("history", "list")


class Inq(Tool):
    name, folder = "inq", ".inquest"

    def __init__(self, program):
        self.program = program.absolute()

    def list(self):
        return self.ask("stats")

    def runs(self, folder):
        return sum(path.name.isdigit() for path in (folder / self.folder / "runs").iterdir())

    def fill(self, folder, stream, runs):
        for _ in range(runs):
            measured(self.load(), folder, stream)
