//! The jobs without the protocol: how fast the system moves the bytes.

use std::error::Error;
use std::io::{Read, Write, stdin};

use crate::{StreamCounts, open, out};

/// How much is moved at a time: about what is quickest.
const BLOCK: usize = 256 << 10;
/// A copy from a file to the same place in a page takes a third of the time that one to elsewhere may take.
const PAGE: usize = 4096;

/// Runs a job: `read FILE` as programs do, `read-pages FILE` as fast as can be, `copy FILE` to stdout, `drain -`
/// reads stdin to its end.
pub fn run(job: &str, argument: &str) -> Result<StreamCounts, Box<dyn Error>> {
    let mut room = vec![0; BLOCK + PAGE];
    let start = room.as_ptr().align_offset(PAGE);
    let pages = &mut room[start..start + BLOCK];
    match job {
        "read" => move_all(open(argument)?, &mut vec![0; BLOCK], |_| Ok(())),
        "read-pages" => move_all(open(argument)?, pages, |_| Ok(())),
        "copy" => {
            let mut out = out()?;
            move_all(open(argument)?, pages, |bytes| out.write_all(bytes))
        }
        "drain" => move_all(stdin().lock(), pages, |_| Ok(())),
        _ => Err(format!("no such job: {job}").into()),
    }
}

fn move_all(
    mut input: impl Read,
    block: &mut [u8],
    mut sink: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<StreamCounts, Box<dyn Error>> {
    let mut counts = StreamCounts::default();
    loop {
        let count = input.read(block)?;
        if count == 0 {
            return Ok(counts);
        }
        sink(&block[..count])?;
        counts.text += count as u64;
    }
}
