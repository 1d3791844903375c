"""The jobs, done by python-subunit: python_peer.py decode FILE."""

import sys

from subunit.v2 import ByteStreamToStreamResult
from testtools import StreamResult


class Counts(StreamResult):
    packets = corrupt = text = 0

    def status(self, test_id=None, file_name=None, file_bytes=None, **_):
        if test_id == "subunit.parser":
            self.corrupt += file_name == "Parser Error"
        elif test_id is None and file_name == "stdout":
            self.text += len(file_bytes)
        else:
            self.packets += 1


def main(job, path):
    assert job == "decode"
    counts = Counts()
    with open(path, "rb") as stream:
        ByteStreamToStreamResult(stream, non_subunit_name="stdout").run(counts)
    print(counts.packets, counts.corrupt, counts.text, file=sys.stderr)


main(*sys.argv[1:])
