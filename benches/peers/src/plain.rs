//! The jobs without the protocol: how fast the system moves the bytes.

use std::error::Error;
use std::io::{Read, Write, stdin};

use crate::{Counts, open, out};

/// How much is moved at a time: about what is quickest.
const BLOCK: usize = 256 << 10;
/// Blocks begin on a page: a copy to a place a few bytes into one takes three times as long.
const PAGE: usize = 4096;

/// Runs a job: `read FILE`, `copy FILE` to stdout, `drain -` reads stdin to its end.
pub fn run(job: &str, argument: &str) -> Result<Counts, Box<dyn Error>> {
    match job {
        "read" => move_all(open(argument)?, |_| Ok(())),
        "copy" => {
            let mut out = out()?;
            move_all(open(argument)?, |bytes| out.write_all(bytes))
        }
        "drain" => move_all(stdin().lock(), |_| Ok(())),
        _ => Err(format!("no such job: {job}").into()),
    }
}

fn move_all(
    mut input: impl Read,
    mut sink: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Counts, Box<dyn Error>> {
    let mut room = vec![0; BLOCK + PAGE];
    let start = room.as_ptr().align_offset(PAGE);
    let block = &mut room[start..start + BLOCK];
    let mut counts = Counts::default();
    loop {
        let count = input.read(block)?;
        if count == 0 {
            return Ok(counts);
        }
        sink(&block[..count])?;
        counts.text += count as u64;
    }
}
