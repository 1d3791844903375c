//! Attachments split into parts that the other tools can read.

use std::collections::HashMap;
use std::io;

use streamresult::StreamResult;
use subunit::{Event, File, Status};

/// A longer attachment is several. `testr` and `stestr` make one packet of each, which cannot have 4 MiB, and fail to
/// read the whole run when it would.
const LONGEST: u64 = 3 << 20;

/// Hands events on; what of a file is beyond the first 3 MiB is in files `NAME (part 2)` and so on.
#[derive(Debug)]
pub(super) struct SplitAttachments<S> {
    inner: S,
    open: HashMap<(Option<String>, String), Vec<Attachment>>,
}

#[derive(Debug)]
struct Attachment {
    name: String,
    mime_type: Option<String>,
    len: u64,
}

impl<S: StreamResult> SplitAttachments<S> {
    pub(super) fn new(inner: S) -> Self {
        SplitAttachments { inner, open: HashMap::new() }
    }

    fn file(&mut self, id: &str, file: File<'_>, event: &Event<'_>) -> io::Result<()> {
        let key = (event.route_code.map(str::to_owned), id.to_owned());
        let open = self.open.entry(key).or_default();
        let at = open.iter().position(|other| other.name == file.name).unwrap_or_else(|| {
            let mime_type = event.mime_type.map(str::to_owned);
            open.push(Attachment { name: file.name.to_owned(), mime_type, len: 0 });
            open.len() - 1
        });
        let Some(attachment) = open.get_mut(at) else { return Ok(()) };
        let mut rest = file.bytes;
        while !rest.is_empty() {
            let (part, used) = (attachment.len / LONGEST, attachment.len % LONGEST);
            let room = usize::try_from(LONGEST - used).unwrap_or(usize::MAX);
            let (piece, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            attachment.len += piece.len() as u64;
            rest = after;
            let name = match part {
                0 => attachment.name.clone(),
                part => format!("{} (part {})", attachment.name, part + 1),
            };
            let mime_type = attachment.mime_type.as_deref();
            // What has no status comes before what has one.
            let status = event.status.filter(|_| rest.is_empty());
            let file = Some(File { name: &name, bytes: piece });
            self.inner.status(&Event { file, mime_type, status, ..*event })?;
        }
        Ok(())
    }
}

impl<S: StreamResult> StreamResult for SplitAttachments<S> {
    fn start_run(&mut self) -> io::Result<()> {
        self.inner.start_run()
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        let told = match (event.test_id, event.file) {
            (Some(id), Some(file)) if !file.bytes.is_empty() => self.file(id, file, event),
            _ => self.inner.status(event),
        };
        let is_final = event.status.is_some_and(|status| status != Status::InProgress);
        if let Some(id) = event.test_id.filter(|_| is_final && !self.open.is_empty()) {
            self.open.remove(&(event.route_code.map(str::to_owned), id.to_owned()));
        }
        told
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.inner.stop_run()
    }
}

#[cfg(test)]
mod tests {
    use streamresult::from_fn;

    use super::*;

    #[test]
    fn a_long_attachment_is_several() {
        let mut told = Vec::new();
        let mut pieces = SplitAttachments::new(from_fn(|event| {
            let file = event.file.map(|file| (file.name.to_owned(), file.bytes.len()));
            told.push((file, event.mime_type.map(str::to_owned), event.status));
            Ok(())
        }));
        let bytes = vec![b'x'; 2 << 20];
        let piece = Event { test_id: Some("a"), ..Event::file("log", &bytes) };
        pieces.status(&Event { mime_type: Some("text/plain"), ..piece }).unwrap();
        pieces.status(&Event { status: Some(Status::Fail), ..piece }).unwrap();
        pieces.status(&piece).unwrap();
        drop(pieces);
        let log = |name: &str, len| Some((name.to_owned(), len));
        let text = || Some("text/plain".to_owned());
        assert_eq!(
            told,
            [
                (log("log", 2 << 20), text(), None),
                (log("log", 1 << 20), text(), None),
                (log("log (part 2)", 1 << 20), text(), Some(Status::Fail)),
                (log("log", 2 << 20), None, None),
            ]
        );
    }
}
