//! Output that waits until it is known whether it is an attachment or text.

use std::io::{self, Read as _};

use streamresult::{Spool, Spooled};
use subunit::part;

/// Bytes of one output that stay in memory.
const IN_MEMORY: usize = 16 << 10;
/// Bytes of all outputs together that stay in memory.
const IN_MEMORY_TOTAL: usize = 4 << 20;
/// How much is handed on at a time.
const BLOCK: usize = 64 << 10;

/// All outputs that wait, however many: one file is enough for them.
#[derive(Debug)]
pub(super) struct HeldOutputs(Spool);

impl Default for HeldOutputs {
    fn default() -> Self {
        HeldOutputs(Spool::with_limits(IN_MEMORY, IN_MEMORY_TOTAL))
    }
}

impl HeldOutputs {
    /// Adds bytes to one of them, as long as there is room.
    pub(super) fn push(&mut self, to: &mut Spooled, bytes: &[u8]) {
        if self.0.takes(to, bytes.len()) {
            // What the file does not take stays in memory, and the spool knows why.
            let _ = self.0.append(to, bytes);
        } else {
            self.0.leave_out(bytes.len());
        }
    }

    /// How many bytes were left out for want of room, and why; `None` where none were.
    pub(super) fn no_room(&self) -> Option<(u64, &str)> {
        Some((self.0.left_out(), self.0.failure()?)).filter(|(left_out, _)| *left_out > 0)
    }

    /// Lends all bytes of one of them, in pieces.
    pub(super) fn lend(&self, from: &Spooled, mut to: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Some(bytes) = from.in_memory() {
            return if bytes.is_empty() { Ok(()) } else { to(bytes) };
        }
        let mut reader = from.reader(&self.0);
        let mut block = vec![0; BLOCK];
        loop {
            match reader.read(&mut block)? {
                0 => return Ok(()),
                count => to(part(&block, ..count))?,
            }
        }
    }

    /// Lets go of one that nobody needs any longer.
    pub(super) fn forget(&mut self, held: &mut Spooled) {
        self.0.clear(held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent(outputs: &HeldOutputs, held: &Spooled) -> Vec<u8> {
        let mut bytes = Vec::new();
        let take = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        outputs.lend(held, take).unwrap();
        bytes
    }

    #[test]
    fn all_bytes_are_lent_however_many() {
        let mut outputs = HeldOutputs::default();
        for (piece, count) in [(1, 0), (10, 3), (IN_MEMORY, 2), (1000, 200)] {
            let (mut held, mut expected) = (Spooled::default(), Vec::new());
            for number in 0..count {
                let bytes = vec![number as u8; piece];
                outputs.push(&mut held, &bytes);
                expected.extend(bytes);
            }
            assert_eq!(held.is_empty(), count == 0);
            assert_eq!(lent(&outputs, &held), expected);
            assert_eq!(lent(&outputs, &held), expected, "more than one package may need it");
            outputs.forget(&mut held);
            assert!(held.is_empty());
        }
    }
}
