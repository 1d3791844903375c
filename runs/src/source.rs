//! Streams that are taken in, each as it comes, with a route where there are several.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, bail, ensure};
use cli::InputArgs;
use cli::value::{NamedFile, RouteNames};
use formats::recognise::{Recognised, recognise};
use formats::v1;
use process::Interrupt;
use streamresult::{StreamResult, drive};
use subunit::{Event, Packet, RoutePrefix, encode_chunks, part};

use super::sniff::{self, Protocol};

/// How much is handed on at a time.
const PIECE: usize = 64 * 1024;
/// How many pieces of all sources together wait to be stored.
const WAITING: usize = 4;

/// These files; none at all is stdin.
pub(super) fn or_stdin(files: Vec<NamedFile>) -> Vec<NamedFile> {
    if files.is_empty() { vec![NamedFile::stdin()] } else { files }
}

/// The routes of several sources: their names, or ordinals.
pub(super) fn routes(files: &[NamedFile]) -> Vec<String> {
    let mut names = RouteNames::default();
    files.iter().map(|file| names.give(file.name.clone())).collect()
}

/// A stream to take in.
pub(super) struct Source {
    /// What is put before its routes.
    pub(super) route: Option<String>,
    pub(super) input: Box<dyn Read + Send>,
    /// Its version, where that is known.
    pub(super) protocol: Option<Protocol>,
    /// Whether it comes bit by bit, so that others should not wait for its end.
    pub(super) is_live: bool,
}

/// Opens the sources of a command line. One that is alone and has no name gets no route. What can be known to fail does so now, before anything is stored.
pub(super) fn open(
    files: Vec<NamedFile>,
    stdin: Box<dyn Read + Send>,
    interrupt: &Interrupt,
    protocol: Option<Protocol>,
) -> anyhow::Result<Vec<Source>> {
    ensure!(files.iter().filter(|file| file.is_stdin()).count() < 2, "stdin can be read only once");
    let is_alone = matches!(files.as_slice(), [NamedFile { name: None, .. }]);
    let routes = routes(&files);
    let mut stdin = Some(stdin);
    let open = |(file, route): (NamedFile, _)| {
        let stdin = if file.is_stdin() { stdin.take() } else { None };
        Ok(Source { protocol, ..open_one(file, Some(route).filter(|_| !is_alone), stdin, interrupt)? })
    };
    files.into_iter().zip(routes).map(open).collect()
}

/// Opens a source, which is `stdin` where there is one.
pub(super) fn open_one(
    file: NamedFile,
    route: Option<String>,
    stdin: Option<Box<dyn Read + Send>>,
    interrupt: &Interrupt,
) -> anyhow::Result<Source> {
    let is_live = file.is_stdin() || is_live(&file.path)?;
    let stdin = stdin.unwrap_or_else(|| Box::new(io::empty()));
    let input = Box::new(InputArgs { files: vec![file.path] }.open(stdin, interrupt));
    Ok(Source { route, input, protocol: None, is_live })
}

/// Whether a file is a pipe or the like; an error when it is a folder, or cannot be opened.
fn is_live(path: &Path) -> anyhow::Result<bool> {
    let cannot = || format!("cannot open {}", path.display());
    let found = fs::metadata(path).with_context(cannot)?;
    if found.is_dir() {
        bail!("{} is a folder", path.display());
    }
    if found.is_file() {
        // A pipe is not tried: its writer would take that for a reader who went away.
        File::open(path).with_context(cannot)?;
    }
    Ok(!found.is_file())
}

/// Takes all sources in: one after the other, or all at the same time when one of several is live. The answer is what
/// the first one looks like that is no stream.
///
/// # Errors
///
/// When a source cannot be read, or `out` not be written. What came before was written.
pub(super) fn gather(sources: Vec<Source>, out: &mut dyn Write) -> io::Result<Option<Recognised>> {
    if sources.len() > 1 && sources.iter().any(|source| source.is_live) {
        return gather_at_once(sources, out);
    }
    sources.into_iter().try_fold(None, |looks, source| Ok(looks.or(source.pass(out, None)?)))
}

fn gather_at_once(sources: Vec<Source>, out: &mut dyn Write) -> io::Result<Option<Recognised>> {
    let (send, receive) = sync_channel::<Vec<u8>>(WAITING);
    thread::scope(|scope| {
        let mut readers = Vec::new();
        for source in sources {
            let mut send = PieceSender(send.clone());
            readers.push(thread::Builder::new().spawn_scoped(scope, move || source.pass(&mut send, None))?);
        }
        drop(send);
        let mut written = Ok(());
        for piece in &receive {
            written = out.write_all(&piece).and_then(|()| out.flush());
            if written.is_err() {
                break;
            }
        }
        // Threads that still read find out when they send their next piece.
        drop(receive);
        let lost = || Err(io::Error::other("the thread of a source failed"));
        let mut ends = readers.into_iter().map(|reader| reader.join().unwrap_or_else(|_| lost()));
        let read = ends.by_ref().try_fold(None, |looks: Option<Recognised>, end| Ok(looks.or(end?)));
        ends.for_each(drop);
        written.and(read)
    })
}

/// Hands pieces to the thread that stores them.
struct PieceSender(SyncSender<Vec<u8>>);

impl Write for PieceSender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.send(bytes.to_vec());
        sent.map(|()| bytes.len()).map_err(|_| io::Error::other("nothing is stored any more"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source {
    /// Takes the source in, to its end. Where it has a route, each write is of whole packets, and `beside` gets the
    /// events as they came. The answer is what its beginning looks like, where that is no stream.
    pub(super) fn pass(
        self,
        out: &mut dyn Write,
        beside: Option<&mut dyn StreamResult>,
    ) -> io::Result<Option<Recognised>> {
        let Source { route, mut input, protocol, .. } = self;
        let (protocol, head) = match protocol {
            Some(protocol) => (protocol, Vec::new()),
            None => sniff::protocol(&mut input)?,
        };
        let looks = if protocol == Protocol::V2 { recognise(&head) } else { None };
        let input = Cursor::new(head).chain(input);
        let has_route = route.is_some();
        let prefix = route.map(RoutePrefix::new).transpose()?.unwrap_or_default();
        match protocol {
            Protocol::V2 if !has_route => copy(input, out),
            Protocol::V2 => drive(input, &mut (Packets { prefix, piece: Vec::new(), out }, beside)),
            Protocol::V1 => v1::drive(input, &mut (Packets { prefix, piece: Vec::new(), out }, beside)),
        }?;
        Ok(looks)
    }
}

/// Copies a stream as it is. Before each read, what came before is handed on.
fn copy(mut input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => out.write_all(part(&piece, ..count)).and_then(|()| out.flush())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes events as packets, with a code before their routes.
struct Packets<'a> {
    prefix: RoutePrefix,
    piece: Vec<u8>,
    out: &'a mut dyn Write,
}

impl Packets<'_> {
    fn spill(&mut self) -> io::Result<()> {
        if self.piece.len() < PIECE { Ok(()) } else { self.hand_on() }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let written = self.out.write_all(&self.piece);
        self.piece.clear();
        written
    }
}

impl StreamResult for Packets<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        encode_chunks(&self.prefix.event(event), &mut self.piece)?;
        self.spill()
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.prefix.append(packet, &mut self.piece)?;
        self.spill()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()?;
        self.out.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_sources_are_taken_in_at_the_same_time() {
        let (read, mut write) = io::pipe().unwrap();
        let packet: &[u8] = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
        let source = |route: &str, input: Box<dyn Read + Send>| Source {
            route: Some(route.to_owned()),
            input,
            protocol: None,
            is_live: true,
        };
        let (one, mut heard) = (source("a", Box::new(read)), Vec::new());
        let other = source("b", Box::new(packet));
        // The first source ends only after the second was heard.
        struct Until<'a>(&'a mut Vec<u8>, Option<io::PipeWriter>);
        impl Write for Until<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.extend_from_slice(bytes);
                self.1 = None;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        write.write_all(packet.get(..4).unwrap()).unwrap();
        gather(vec![one, other], &mut Until(&mut heard, Some(write))).unwrap();
        let mut routes = Vec::new();
        let mut seen = |event: &Event<'_>| {
            routes.push(format!("{:?} {:?}", event.route_code, event.test_id));
            Ok(())
        };
        drive(&heard[..], &mut streamresult::from_fn(&mut seen)).unwrap();
        assert_eq!(routes[0], r#"Some("b") Some("foo")"#);
        assert!(routes[1].starts_with(r#"Some("a") Some("subunit.parser")"#), "{routes:?}");
    }
}
