//! Reads the stream of a run: the bytes that came in.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Error, Result, at};
use crate::layout::RunFolder;
use crate::run_id::RunId;
use crate::seekable::Seekable;

/// The bytes of a run's stream, exactly as they came in; from [`Repository::stream`](crate::Repository::stream).
///
/// The stream is unpacked as it is read: memory stays flat. A stream that ends before it should, because its file
/// was cut or changed, is an error, never a short stream. What came last from a writer that was killed may be
/// part of a packet.
///
/// It can be read from any place on, such as that of a test: a frame of 256 KiB is unpacked then, nothing before it.
///
/// ```
/// use std::io::{Read, Seek, SeekFrom};
/// # use repository::{Repository, RunEnd, RunInfo, RunRef};
/// # use streamresult::StreamResult;
/// # use subunit::{Event, Status, io::Reader};
/// # let folder = tempfile::tempdir()?;
/// # let repository = Repository::init(&folder)?;
/// # let mut run = repository.begin(RunInfo::default())?;
/// # run.status(&Event::status("net.boot", Status::Success))?;
/// # run.status(&Event::status("net.login", Status::Fail))?;
/// # run.finish(RunEnd::default())?;
///
/// let mut places = Vec::new();
/// repository.for_each_result(RunRef::LATEST, |result| {
///     if result.outcome.is_failure() {
///         places.push(result.extent);
///     }
/// })?;
/// let mut stream = repository.stream(RunRef::LATEST)?;
/// for place in places {
///     stream.seek(SeekFrom::Start(place.start))?;
///     let mut packets = Vec::new();
///     stream.by_ref().take(place.len()).read_to_end(&mut packets)?;
///     assert_eq!(subunit::Packet::parse(&packets)?.test_id(), Some("net.login"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StreamReader {
    source: Source,
    position: u64,
    /// How long the stream is, where that is known.
    len: Option<u64>,
}

enum Source {
    Raw(File),
    Frames(Box<Seekable>),
    /// The table of the frames is damaged: they are read one after the other, as far as they go.
    Sequential(Box<zstd::stream::Decoder<'static, io::BufReader<File>>>),
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamReader")
            .field("position", &self.position)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl StreamReader {
    /// Opens the stream of a run; `len` is how long it should be.
    pub(crate) fn open(id: RunId, folder: &RunFolder, len: Option<u64>) -> Result<Self> {
        let (compressed, raw) = (folder.compressed(), folder.raw());
        // Of a run that is complete, the raw stream may be left where its writer was killed right after.
        let paths = if len.is_some() { [&compressed, &raw] } else { [&raw, &compressed] };
        for path in paths {
            let opened = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(at("read", path))?,
            };
            let source =
                if path == &raw { Source::Raw(opened) } else { frames(opened).map_err(at("read", path))? };
            return Ok(StreamReader { source, position: 0, len });
        }
        Err(Error::Pruned(id))
    }

    /// Goes on at this byte of the stream. Going back is possible, unless the file is damaged.
    pub(crate) fn seek_to(&mut self, position: u64) -> io::Result<()> {
        match &mut self.source {
            Source::Raw(file) => file.seek(SeekFrom::Start(position)).map(drop)?,
            Source::Frames(frames) => frames.seek(position),
            Source::Sequential(decoder) => {
                let skip = position.checked_sub(self.position).ok_or(io::ErrorKind::NotSeekable)?;
                io::copy(&mut decoder.take(skip), &mut io::sink())?;
            }
        }
        self.position = position;
        Ok(())
    }
}

/// Goes on at any byte of the stream; from its end on only where its length is known, that is of a run that is over.
/// Going back is possible, unless the file is damaged.
impl Seek for StreamReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => {
                let len = self.len.ok_or(io::ErrorKind::NotSeekable)?;
                len.checked_add_signed(offset)
            }
        };
        self.seek_to(target.ok_or(io::ErrorKind::InvalidInput)?)?;
        Ok(self.position)
    }
}

/// What zstd says is about the data, unless reading failed.
fn damage(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Other {
        io::Error::new(io::ErrorKind::InvalidData, error)
    } else {
        error
    }
}

fn frames(file: File) -> io::Result<Source> {
    match file.try_clone().and_then(Seekable::open) {
        Ok(frames) => Ok(Source::Frames(Box::new(frames))),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            zstd::stream::Decoder::new(file).map(|decoder| Source::Sequential(Box::new(decoder)))
        }
        Err(error) => Err(error),
    }
}

impl Read for StreamReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            Source::Raw(file) => file.read(into)?,
            Source::Frames(frames) => frames.read(into)?,
            Source::Sequential(decoder) => decoder.read(into).map_err(damage)?,
        };
        self.position += count as u64;
        match self.len {
            Some(len) if count == 0 && !into.is_empty() && self.position != len => {
                let what = format!("the stored stream has {} bytes where {len} came in", self.position);
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
            }
            None if count == 0 && !into.is_empty() && matches!(self.source, Source::Sequential(_)) => {
                let what = "the table at the end of the stored stream is damaged: there may have been more";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
            }
            _ => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Repository, RunEnd, RunInfo, RunRef};
    use streamresult::StreamResult;
    use subunit::{Event, Status};

    #[test]
    fn a_stream_is_read_from_any_place_on() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(&folder).unwrap();
        let mut run = repository.begin(RunInfo::default()).unwrap();
        run.status(&Event::status("a", Status::Success)).unwrap();
        run.finish(RunEnd::default()).unwrap();
        let mut stream = repository.stream(RunRef::LATEST).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        for (to, expected) in
            [(SeekFrom::Start(3), 3), (SeekFrom::Current(-2), 1), (SeekFrom::End(-1), all.len() - 1)]
        {
            assert_eq!(stream.seek(to).unwrap(), expected as u64);
        }
        let mut last = Vec::new();
        stream.read_to_end(&mut last).unwrap();
        assert_eq!(last, all[all.len() - 1..]);
        assert!(stream.seek(SeekFrom::Current(-100)).is_err());
    }
}
