//! The files of one test, in buffers that are used again.

use hashbrown::HashMap;

use subunit::part;

use crate::look::{Piece, checked};
use crate::spool::{Spool, Spooled};

/// What only a few tests have, or only for a short time.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) attachments: Attachments,
    /// Its packets, where they are held.
    pub(crate) packets: Spooled,
    /// How many bytes of files are not in them, for want of room.
    pub(crate) left_out: u64,
}

impl Parts {
    /// All buffers.
    pub(crate) fn buffers(&mut self) -> impl Iterator<Item = &mut Spooled> {
        let files = self.attachments.buffers.iter_mut().take(self.attachments.used);
        files.map(|file| &mut file.bytes).chain([&mut self.packets])
    }

    /// Forgets everything; `spool` is the one that the buffers were filled by.
    pub(crate) fn clear(&mut self, spool: &mut Spool) {
        self.attachments.clear(spool);
        spool.clear(&mut self.packets);
        self.left_out = 0;
    }
}

/// Longer buffers are given back.
const KEPT: usize = 4096;
/// Beyond this many, names are looked up in an index.
const FEW: usize = 16;

/// The files of a test in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    /// The first `used` are files of the test, the others buffers to be used again.
    buffers: Vec<FileBuffer>,
    used: usize,
    /// Where each name is, once there are more than a few.
    index: HashMap<Vec<u8>, usize, std::hash::RandomState>,
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct FileBuffer {
    /// Text that was checked.
    name: Vec<u8>,
    mime_type: Vec<u8>,
    has_mime_type: bool,
    pub(crate) bytes: Spooled,
    /// How many bytes came, whether kept or not.
    pub(crate) len: u64,
    pub(crate) ended: bool,
    /// Whether bytes were left out because there was no room for them.
    pub(crate) no_room: bool,
}

impl Attachments {
    pub(crate) fn as_slice(&self) -> &[FileBuffer] {
        part(&self.buffers, ..self.used)
    }

    /// Adds a piece of a file, keeping `cap` bytes of the file at most.
    pub(crate) fn add(&mut self, piece: Piece<'_>, cap: u64, spool: &mut Spool) {
        let at = self.find(piece.name).unwrap_or_else(|| self.begin(piece.name));
        if let Some(attachment) = self.buffers.get_mut(at) {
            attachment.add(piece, cap, spool);
        }
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        if self.used > FEW {
            return self.index.get(name).copied();
        }
        // The file of the event before is the likely one.
        self.as_slice().iter().rposition(|attachment| attachment.name == name)
    }

    fn begin(&mut self, name: &[u8]) -> usize {
        let at = self.used;
        self.used += 1;
        if self.buffers.len() <= at {
            // Most tests have one file, and a vector's own first step would be room for four.
            if self.buffers.capacity() == at {
                self.buffers.reserve_exact(at.max(1));
            }
            self.buffers.push(FileBuffer::default());
        }
        if let Some(attachment) = self.buffers.get_mut(at) {
            attachment.name.extend_from_slice(name);
        }
        if self.used > FEW {
            self.enter(at);
        }
        at
    }

    /// Enters in the index the file at `at`, or all so far where it is the first to need one.
    #[cold]
    fn enter(&mut self, at: usize) {
        let first = if self.index.is_empty() { 0 } else { at };
        for at in first..self.used {
            if let Some(attachment) = self.buffers.get(at) {
                self.index.insert(attachment.name.clone(), at);
            }
        }
    }

    fn clear(&mut self, spool: &mut Spool) {
        for attachment in self.buffers.iter_mut().take(self.used) {
            attachment.clear(spool);
        }
        self.buffers.truncate(FEW);
        self.buffers.shrink_to(FEW);
        self.used = 0;
        if !self.index.is_empty() {
            self.index = HashMap::default();
        }
    }
}

impl FileBuffer {
    pub(crate) fn name(&self) -> &str {
        checked(&self.name)
    }

    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    pub(crate) fn mime_type(&self) -> Option<&str> {
        self.has_mime_type.then(|| checked(&self.mime_type))
    }

    fn add(&mut self, piece: Piece<'_>, cap: u64, spool: &mut Spool) {
        if let (false, Some(mime_type)) = (self.has_mime_type, piece.mime_type) {
            self.mime_type.extend_from_slice(mime_type);
            self.has_mime_type = true;
        }
        self.ended |= piece.eof;
        // What is kept is the beginning: nothing is after something was left out.
        let is_whole = self.len == self.bytes.len();
        self.len += piece.bytes.len() as u64;
        let room = cap.saturating_sub(self.bytes.len());
        let kept = usize::try_from(room).ok().and_then(|room| piece.bytes.get(..room)).unwrap_or(piece.bytes);
        if is_whole && spool.takes(&self.bytes, kept.len()) {
            spool.add(&mut self.bytes, kept);
        } else if is_whole || self.no_room {
            self.no_room = true;
            spool.leave_out(kept.len());
        }
    }

    fn clear(&mut self, spool: &mut Spool) {
        spool.clear(&mut self.bytes);
        for text in [&mut self.name, &mut self.mime_type] {
            text.clear();
            text.shrink_to(KEPT);
        }
        (self.has_mime_type, self.ended, self.no_room, self.len) = (false, false, false, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(attachments: &mut Attachments, spool: &mut Spool, name: &str, bytes: &[u8], mime: Option<&str>) {
        let mime_type = mime.map(str::as_bytes);
        let piece = Piece { name: name.as_bytes(), bytes, mime_type, eof: false };
        attachments.add(piece, 10, spool);
    }

    #[test]
    fn files_stand_in_order_of_appearance_however_many_there_are() {
        let mut spool = Spool::default();
        let mut attachments = Attachments::default();
        for count in [3, 16, 17, 40] {
            for round in 0..2 {
                for file in 0..count {
                    let mime = (round == 1).then_some("text/plain");
                    add(&mut attachments, &mut spool, &format!("file {file}"), &[b'x'; 6], mime);
                }
            }
            let names: Vec<&str> = attachments.as_slice().iter().map(FileBuffer::name).collect();
            let expected: Vec<String> = (0..count).map(|file| format!("file {file}")).collect();
            assert_eq!(names, expected);
            for file in attachments.as_slice() {
                assert_eq!((file.len, file.bytes.len()), (12, 10), "the cap holds for the file");
                assert_eq!(file.mime_type(), Some("text/plain"));
            }
            attachments.clear(&mut spool);
            assert!(attachments.as_slice().is_empty());
        }
    }
}
