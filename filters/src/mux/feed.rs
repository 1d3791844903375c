//! Where the bytes of a source come from, read without holding up the others.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::{ReadWriteFlags, preadv2};
use subunit::part;
use tokio::net::unix::pipe;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

/// Something to read from.
#[derive(Debug)]
pub(crate) enum Feed {
    Pipe(pipe::Receiver),
    Unix(UnixStream),
    Tcp(TcpStream),
    File(Cached),
    /// What the system cannot wait for: read on another thread.
    Blocking(Blocking),
}

impl Feed {
    /// The reading end of a pipe.
    pub(crate) fn pipe(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        pipe::Receiver::from_owned_fd(fd.into()).map(Feed::Pipe)
    }

    /// A reader that may block; `block` is how much it reads at a time.
    pub(crate) fn blocking(reader: Box<dyn Read + Send>, block: usize) -> Self {
        Feed::Blocking(Blocking::new(reader, block))
    }

    /// Opens a file, which is then read by `block` bytes at a time; a FIFO is not waited for here.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(crate) async fn open(path: PathBuf, block: usize) -> io::Result<Self> {
        // On another thread: even looking at a path may hang, where its file system does.
        let opened = tokio::task::spawn_blocking(move || Opened::new(&path)).await;
        match opened.unwrap_or_else(|_| Err(io::Error::other("reading was given up")))? {
            Opened::Fifo(path) => pipe::OpenOptions::new().open_receiver(path).map(Feed::Pipe),
            Opened::Regular(file) => {
                Ok(Feed::File(Cached { file: Arc::new(file), at: 0, slow: None, block }))
            }
            Opened::Other(file) => Ok(Feed::blocking(Box::new(file), block)),
        }
    }

    /// Waits until something can be read. It may be cancelled and called again.
    pub(crate) async fn readable(&mut self) -> io::Result<()> {
        match self {
            Feed::Pipe(pipe) => pipe.readable().await,
            Feed::Unix(socket) => socket.readable().await,
            Feed::Tcp(socket) => socket.readable().await,
            Feed::File(Cached { slow: Some(blocking), .. }) | Feed::Blocking(blocking) => {
                blocking.readable().await
            }
            Feed::File(_) => Ok(()),
        }
    }

    /// Reads what is there; zero at the end.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when nothing is there, and when reading fails.
    pub(crate) fn try_read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Feed::Pipe(pipe) => pipe.try_read(room),
                Feed::Unix(socket) => socket.try_read(room),
                Feed::Tcp(socket) => socket.try_read(room),
                Feed::File(file) => return file.try_read(room),
                Feed::Blocking(blocking) => return blocking.try_read(room),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

enum Opened {
    Fifo(PathBuf),
    Regular(File),
    Other(File),
}

impl Opened {
    fn new(path: &Path) -> io::Result<Self> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_fifo() {
            return Ok(Opened::Fifo(path.to_owned()));
        }
        let file = File::open(path)?;
        Ok(if kind.is_file() { Opened::Regular(file) } else { Opened::Other(file) })
    }
}

/// A regular file: what the system holds of it in memory is read at once, the rest on another thread, since
/// disks are slow and the servers of network file systems may hang.
#[derive(Debug)]
pub(crate) struct Cached {
    file: Arc<File>,
    at: u64,
    /// Reads the next block, which is not in memory.
    slow: Option<Blocking>,
    block: usize,
}

impl Cached {
    fn try_read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.slow {
            Some(slow) => {
                let count = slow.try_read(room)?;
                self.slow.take_if(|slow| slow.is_used_up());
                count
            }
            None => {
                let cached =
                    preadv2(&self.file, &mut [IoSliceMut::new(room)], self.at, ReadWriteFlags::NOWAIT);
                // Whatever is wrong, the other thread finds out.
                let Ok(count) = cached else { return self.read_slowly() };
                count
            }
        };
        self.at += count as u64;
        Ok(count)
    }

    fn read_slowly(&mut self) -> io::Result<usize> {
        let reader = FileCursor { file: Arc::clone(&self.file), at: self.at };
        self.slow = Some(Blocking::new(Box::new(reader), self.block));
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// A file from a position on.
struct FileCursor {
    file: Arc<File>,
    at: u64,
}

impl Read for FileCursor {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(room, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

type Reader = (Box<dyn Read + Send>, Vec<u8>);

/// A reader that blocks, read ahead by one block.
pub(crate) struct Blocking {
    /// The reader and its block, unless a job has them; none after an error.
    idle: Option<Reader>,
    job: Option<JoinHandle<(Reader, io::Result<usize>)>>,
    /// What of the block was not taken yet.
    come: Range<usize>,
    block: usize,
}

impl Blocking {
    fn new(reader: Box<dyn Read + Send>, block: usize) -> Self {
        Blocking { idle: Some((reader, Vec::new())), job: None, come: 0..0, block }
    }

    /// Whether a block was read and all of it was taken.
    fn is_used_up(&self) -> bool {
        self.job.is_none() && self.come.is_empty() && self.come.end > 0
    }

    async fn readable(&mut self) -> io::Result<()> {
        if !self.come.is_empty() {
            return Ok(());
        }
        if let Some(reader) = self.idle.take() {
            let block = self.block;
            self.job = Some(tokio::task::spawn_blocking(move || read_block(reader, block)));
        }
        let Some(job) = &mut self.job else { return Ok(()) };
        let Ok((reader, read)) = job.await else { return Err(io::Error::other("reading was given up")) };
        self.job = None;
        self.come = 0..read?;
        if !self.come.is_empty() {
            self.idle = Some(reader);
        }
        Ok(())
    }

    fn try_read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.job.is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let Some((_, block)) = &self.idle else { return Ok(0) };
        let come = part(block, self.come.clone());
        if come.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = come.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..count), come.get(..count)) {
            to.copy_from_slice(from);
        }
        self.come.start += count;
        Ok(count)
    }
}

fn read_block((mut reader, mut block): Reader, len: usize) -> (Reader, io::Result<usize>) {
    block.resize(len, 0);
    let read = loop {
        match reader.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    ((reader, block), read)
}

impl fmt::Debug for Blocking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Blocking").field("come", &self.come).finish_non_exhaustive()
    }
}
