//! The files of one test, in buffers that are used again.

use std::io;

use hashbrown::HashMap;
use subunit::{Event, File};

use crate::spill::{Spill, SpillBuf};

/// What few tests have, or not for long.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) attachments: Attachments,
    /// Its packets, where they are held.
    pub(crate) packets: SpillBuf,
}

impl Parts {
    /// Forgets everything; `spill` is the one that the buffers were filled by.
    pub(crate) fn clear(&mut self, spill: &mut Spill) {
        self.attachments.clear(spill);
        spill.clear(&mut self.packets);
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
    buffers: Vec<AttachmentBuf>,
    used: usize,
    /// Where each name is, once there are more than a few.
    index: HashMap<String, usize, std::hash::RandomState>,
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct AttachmentBuf {
    pub(crate) name: String,
    mime_type: String,
    has_mime_type: bool,
    pub(crate) bytes: SpillBuf,
    /// How many bytes came, kept or not.
    pub(crate) len: u64,
    pub(crate) ended: bool,
}

impl Attachments {
    pub(crate) fn as_slice(&self) -> &[AttachmentBuf] {
        self.buffers.get(..self.used).unwrap_or_default()
    }

    /// Adds the piece of a file that an event brings, keeping `cap` bytes of the file at most.
    pub(crate) fn add(
        &mut self,
        file: File<'_>,
        event: &Event<'_>,
        cap: u64,
        spill: &mut Spill,
    ) -> io::Result<()> {
        let at = self.find(file.name).unwrap_or_else(|| self.begin(file.name));
        let Some(attachment) = self.buffers.get_mut(at) else { return Ok(()) };
        attachment.add(file.bytes, event, cap, spill)
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.used > FEW {
            return self.index.get(name).copied();
        }
        // The file of the event before is the likely one.
        self.as_slice().iter().rposition(|attachment| attachment.name == name)
    }

    fn begin(&mut self, name: &str) -> usize {
        let at = self.used;
        self.used += 1;
        if self.buffers.len() <= at {
            self.buffers.push(AttachmentBuf::default());
        }
        if let Some(attachment) = self.buffers.get_mut(at) {
            attachment.name.push_str(name);
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

    fn clear(&mut self, spill: &mut Spill) {
        for attachment in self.buffers.iter_mut().take(self.used) {
            attachment.clear(spill);
        }
        self.buffers.truncate(FEW);
        self.buffers.shrink_to(FEW);
        self.used = 0;
        if !self.index.is_empty() {
            self.index = HashMap::default();
        }
    }
}

impl AttachmentBuf {
    pub(crate) fn mime_type(&self) -> Option<&str> {
        self.has_mime_type.then_some(&self.mime_type)
    }

    fn add(&mut self, bytes: &[u8], event: &Event<'_>, cap: u64, spill: &mut Spill) -> io::Result<()> {
        if let (false, Some(mime_type)) = (self.has_mime_type, event.mime_type) {
            self.mime_type.push_str(mime_type);
            self.has_mime_type = true;
        }
        self.ended |= event.eof;
        self.len += bytes.len() as u64;
        let room = cap.saturating_sub(self.bytes.len());
        let kept = usize::try_from(room).map_or(bytes, |room| bytes.get(..room).unwrap_or(bytes));
        if kept.is_empty() { Ok(()) } else { spill.append(&mut self.bytes, kept) }
    }

    fn clear(&mut self, spill: &mut Spill) {
        spill.clear(&mut self.bytes);
        for text in [&mut self.name, &mut self.mime_type] {
            text.clear();
            text.shrink_to(KEPT);
        }
        (self.has_mime_type, self.ended, self.len) = (false, false, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(attachments: &mut Attachments, spill: &mut Spill, name: &str, bytes: &[u8], mime: Option<&str>) {
        let event = Event { mime_type: mime, ..Event::file(name, bytes) };
        attachments.add(File { name, bytes }, &event, 10, spill).unwrap();
    }

    #[test]
    fn files_stand_in_order_of_appearance_however_many_there_are() {
        let mut spill = Spill::default();
        let mut attachments = Attachments::default();
        for count in [3, 16, 17, 40] {
            for round in 0..2 {
                for file in 0..count {
                    let mime = (round == 1).then_some("text/plain");
                    add(&mut attachments, &mut spill, &format!("file {file}"), &[b'x'; 6], mime);
                }
            }
            let names: Vec<&str> = attachments.as_slice().iter().map(|file| file.name.as_str()).collect();
            let expected: Vec<String> = (0..count).map(|file| format!("file {file}")).collect();
            assert_eq!(names, expected);
            for file in attachments.as_slice() {
                assert_eq!((file.len, file.bytes.len()), (12, 10), "the cap holds for the file");
                assert_eq!(file.mime_type(), Some("text/plain"));
            }
            attachments.clear(&mut spill);
            assert!(attachments.as_slice().is_empty());
        }
    }
}
