//! Records one by one, for whoever asks for the next.

use std::collections::VecDeque;
use std::io::{self, Read};

use subunit::io::Reader;

use crate::{Record, RecordBuf, RecordSink, Records, StreamResult, deliver};

/// How much of an attachment is kept, unless something else is said.
const LIMIT: usize = 1 << 20;

/// Reads a stream and gives the record of each test as it ends, at the end those of unfinished tests.
///
/// ```
/// # let mut stream = subunit::io::Writer::new(Vec::new());
/// # streamresult::RunningTest::start(&mut stream, "boot")?.fail("refused")?;
/// # let stream = stream.into_inner()?;
/// for record in streamresult::records(&stream[..]) {
///     let record = record?;
///     assert_eq!((record.test_id.as_str(), record.outcome.as_str()), ("boot", "fail"));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It gives what belongs to a test, and damage, which counts as a failing test; to see everything, and to keep long
/// attachments out of memory, [`drive`](crate::drive) a [`RecordSink`].
pub fn records<R: Read>(input: R) -> RecordIter<R> {
    RecordIter { reader: Reader::new(input), records: Records::new(Queue::new(LIMIT)), has_ended: false }
}

/// The records of a stream; see [`records`].
#[derive(Debug)]
pub struct RecordIter<R> {
    reader: Reader<R>,
    records: Records<Queue>,
    has_ended: bool,
}

impl<R: Read> RecordIter<R> {
    /// Keeps at most this many bytes of each attachment; without it, 1 MiB.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.records = Records::new(Queue::new(bytes)).cap(bytes as u64);
        self
    }

    /// Reads until there is a record, or the end.
    fn read(&mut self) -> io::Result<()> {
        while self.records.sink().waiting.is_empty() && !self.has_ended {
            let offset = self.reader.offset();
            match self.reader.next_frame() {
                Ok(Some(frame)) => deliver(&frame, offset, &mut self.records)?,
                ended => {
                    self.has_ended = true;
                    self.records.stop_run()?;
                    ended?;
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Iterator for RecordIter<R> {
    type Item = io::Result<RecordBuf>;

    fn next(&mut self) -> Option<io::Result<RecordBuf>> {
        match self.read() {
            Ok(()) => self.records.sink_mut().waiting.pop_front().map(Ok),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Records that nobody has asked for yet.
#[derive(Debug)]
struct Queue {
    limit: usize,
    waiting: VecDeque<RecordBuf>,
}

impl Queue {
    fn new(limit: usize) -> Self {
        Queue { limit, waiting: VecDeque::new() }
    }
}

impl RecordSink for Queue {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.waiting.push_back(record.to_buf(self.limit)?);
        Ok(())
    }
}
