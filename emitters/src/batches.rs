//! Packets in writes that others cannot cut.

use std::collections::VecDeque;
use std::io::{self, Write};

use subunit::{EncodeError, Event, File, Tags, encode};

/// The longest write that a pipe keeps whole, whoever else writes to it (`PIPE_BUF`).
const WHOLE: usize = 4096;
/// The shortest piece of a file, however long the rest of its packet is.
const LEAST: usize = 1024;
/// How much more a packet with a long file takes than one with an empty file: the length fields of both.
const LONGER_NUMBERS: usize = 2;

/// Packets that wait to be written: whole ones, in writes of up to 4096 bytes.
///
/// So several processes can write to one pipe. Files are cut to fit; what cannot be cut and is longer, such as a
/// packet with a test id of many thousand bytes, is a write of its own.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    full: VecDeque<Vec<u8>>,
    open: Vec<u8>,
    scratch: Vec<u8>,
}

impl Batches {
    /// Adds what an event says, in several packets when its file is long: then an interim status, the tags and the
    /// MIME type go with the first piece, a final status and the end of the file with the last.
    ///
    /// # Errors
    ///
    /// When the event cannot be written.
    pub(crate) fn push(&mut self, event: &Event<'_>) -> Result<(), EncodeError> {
        let Some(file) = event.file.filter(|file| file.bytes.len() > LEAST) else { return self.add(event) };
        let room = self.room(event, file)?;
        let mut pieces = file.bytes.chunks(room).peekable();
        let mut first = true;
        while let Some(bytes) = pieces.next() {
            let last = pieces.peek().is_none();
            let status = event.status.filter(|status| if status.is_final() { last } else { first });
            self.add(&Event {
                file: Some(File { bytes, ..file }),
                status,
                tags: if first { event.tags } else { Tags::default() },
                mime_type: event.mime_type.filter(|_| first),
                eof: event.eof && last,
                ..*event
            })?;
            first = false;
        }
        Ok(())
    }

    /// Makes a write of what there is, even if there is room for more.
    pub(crate) fn close(&mut self) {
        if !self.open.is_empty() {
            self.full.push_back(std::mem::take(&mut self.open));
        }
    }

    /// Whether there is enough for a write.
    pub(crate) fn has_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Writes one of the full ones.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(crate) fn write_one(&mut self, output: &mut dyn Write) -> io::Result<()> {
        match self.full.pop_front() {
            Some(batch) => output.write_all(&batch).and_then(|()| output.flush()),
            None => Ok(()),
        }
    }

    /// Writes all that is full.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(crate) fn write_full(&mut self, output: &mut dyn Write) -> io::Result<()> {
        while self.has_full() {
            self.write_one(output)?;
        }
        Ok(())
    }

    /// Writes all there is.
    ///
    /// # Errors
    ///
    /// When writing fails.
    pub(crate) fn write_all(&mut self, output: &mut dyn Write) -> io::Result<()> {
        self.close();
        self.write_full(output)
    }

    fn add(&mut self, event: &Event<'_>) -> Result<(), EncodeError> {
        self.scratch.clear();
        encode(event, &mut self.scratch)?;
        if self.open.len() + self.scratch.len() > WHOLE {
            self.close();
        }
        self.open.extend_from_slice(&self.scratch);
        Ok(())
    }

    /// How much of the file fits in a packet of this event.
    fn room(&mut self, event: &Event<'_>, file: File<'_>) -> Result<usize, EncodeError> {
        self.scratch.clear();
        encode(&Event { file: Some(File { bytes: &[], ..file }), ..*event }, &mut self.scratch)?;
        Ok(WHOLE.saturating_sub(self.scratch.len() + LONGER_NUMBERS).max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use subunit::{Packet, Status};

    use super::*;

    /// Remembers each write.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writes(events: &[Event<'_>]) -> Vec<Vec<u8>> {
        let (mut batches, mut writes) = (Batches::default(), Writes::default());
        events.iter().for_each(|event| batches.push(event).unwrap());
        batches.write_all(&mut writes).unwrap();
        assert!(batches.full.is_empty() && batches.open.is_empty());
        writes.0
    }

    /// How many packets each write has; all are whole.
    fn packets(mut write: &[u8]) -> Vec<Packet<'_>> {
        let mut packets = Vec::new();
        while !write.is_empty() {
            let len = (1..=write.len()).find(|len| Packet::parse(&write[..*len]).is_ok()).unwrap();
            packets.push(Packet::parse(&write[..len]).unwrap());
            write = &write[len..];
        }
        packets
    }

    #[test]
    fn small_packets_share_a_write_and_none_is_cut() {
        let events = vec![Event::status("app.boot", Status::Success); 1000];
        let writes = writes(&events);
        assert!(writes.len() < 10 && writes.iter().all(|write| write.len() <= WHOLE));
        assert_eq!(writes.iter().map(|write| packets(write).len()).sum::<usize>(), 1000);
    }

    fn check_file(id: &str, len: usize, most: usize) {
        let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let event = Event {
            file: Some(File { name: "log", bytes: &bytes }),
            mime_type: Some("text/plain"),
            eof: true,
            ..Event::status(id, Status::Fail)
        };
        let writes = writes(&[event]);
        let packets: Vec<_> = writes.iter().flat_map(|write| packets(write)).collect();
        let found: Vec<u8> =
            packets.iter().flat_map(|packet| packet.file().unwrap().bytes.to_vec()).collect();
        assert!(found == bytes);
        assert!(writes.iter().all(|write| write.len() <= most), "{:?}", writes.iter().map(Vec::len).max());
        let last = packets.len() - 1;
        for (at, packet) in packets.iter().enumerate() {
            let event = packet.event();
            assert_eq!(
                (event.mime_type.is_some(), event.eof, event.status.is_some()),
                (at == 0, at == last, at == last)
            );
        }
    }

    #[test]
    fn files_are_cut_to_fit() {
        for len in [0, 1, 1024, 1025, 3900, 4040, 4050, 4060, 4096, 10_000, 300_000] {
            check_file("app.boot", len, WHOLE);
        }
    }

    #[test]
    fn what_cannot_be_cut_is_a_write_of_its_own() {
        check_file(&"x".repeat(3000), 10_000, WHOLE);
        check_file(&"x".repeat(10_000), 10_000, 12_000);
    }

    #[test]
    fn an_interim_status_goes_with_the_first_piece() {
        let bytes = vec![7; 10_000];
        let event = Event {
            file: Some(File { name: "log", bytes: &bytes }),
            ..Event::status("a", Status::InProgress)
        };
        let statuses: Vec<_> = writes(&[event])
            .iter()
            .flat_map(|write| packets(write))
            .map(|packet| packet.event().status)
            .collect();
        assert_eq!(statuses, [Some(Status::InProgress), None, None]);
    }
}
