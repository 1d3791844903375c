//! Writes the corpora: `corpora FOLDER SCALE`, where 1 is what CI measures and 10 what a release does.

#[path = "../../../../subunit/benches/packets/corpus.rs"]
mod corpus;
#[path = "corpora/documents.rs"]
mod documents;

use std::error::Error;
use std::fs::{self, File as Output};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use subunit::{Event, File, Status};

use corpus::{put, status_event, test_id};

/// Packets at scale 1.
const PACKETS: usize = 100_000;
/// Tests of the run of the usual shape, at any scale.
const TESTS: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let scale: usize = arguments.next().ok_or("which scale?")?.parse()?;
    fs::create_dir_all(&folder)?;
    let mut expected = String::new();
    let mut keep = |name: &str, bytes: &[u8], packets: usize| -> Result<(), Box<dyn Error>> {
        expected.push_str(&format!("{name} {packets}\n"));
        Ok(fs::write(folder.join(name), bytes)?)
    };
    for (suffix, packets) in [("", PACKETS * scale), (".tenth", PACKETS * scale / 10)] {
        keep(&format!("small{suffix}"), &corpus::small(packets), packets)?;
        keep(&format!("signature_text{suffix}"), &corpus::signature_text(packets), packets)?;
    }
    for (suffix, tests) in [("", TESTS), (".tenth", TESTS / 10)] {
        let (run, packets) = corpus::run(tests);
        keep(&format!("run{suffix}"), &run, packets)?;
    }
    keep("enumeration", &corpus::enumeration(PACKETS * scale), PACKETS * scale)?;
    keep("ascii_text", &corpus::ascii_text(PACKETS * scale), PACKETS * scale)?;
    keep("attachments", &corpus::attachments((50 << 20) * scale), 0)?;
    let (damaged, intact) = corpus::damaged(PACKETS * scale);
    keep("damaged", &damaged, intact)?;
    for (name, bytes, intact) in corpus::hostile(4 << 20) {
        keep(&format!("hostile.{name}"), &bytes, intact)?;
    }
    keep("empty", b"", 0)?;
    fs::write(folder.join("expected"), expected)?;
    write(&folder.join("tests"), |out| tests(PACKETS / 10 * scale, out))?;
    for (name, document) in documents::ALL {
        write(&folder.join(name), |out| document(PACKETS, out))?;
        write(&folder.join(format!("{name}.empty")), |out| document(0, out))?;
        write(&folder.join(format!("{name}.tenth")), |out| document(PACKETS / 10, out))?;
        if scale > 1 {
            write(&folder.join(format!("{name}.10M")), |out| document(10_000_000, out))?;
        }
    }
    if scale > 1 {
        write(&folder.join("tests.10M"), |out| tests(10_000_000, out))?;
        write(&folder.join("attachment.1GiB"), |out| long_attachment(1 << 30, out))?;
    }
    Ok(())
}

/// Writes a corpus that is too long to be made in memory.
fn write(path: &Path, make: impl Fn(&mut dyn FnMut(&[u8]))) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(1 << 20, Output::create(path)?);
    let mut written = Ok(());
    make(&mut |bytes| {
        if written.is_ok() {
            written = out.write_all(bytes);
        }
    });
    written?;
    Ok(out.flush()?)
}

/// Whole tests as a report sees them: begin, a line or two of a log, end. 3.03 packets a test.
fn tests(count: usize, out: &mut dyn FnMut(&[u8])) {
    let mut bytes = Vec::new();
    for index in 0..count {
        bytes.clear();
        let id = test_id(index, 63);
        let begin = status_event(2 * index, &id, &["worker-1"]);
        put(&begin, &mut bytes);
        let text = format!("step {index} took {} ms\n", index % 977);
        let pieces = if index % 33 == 0 { 2 } else { 1 };
        for piece in 0..pieces {
            let file = Some(File { name: "log", bytes: text.as_bytes() });
            let mime_type = Some("text/plain;charset=utf8");
            put(&Event { status: None, file, mime_type, eof: piece + 1 == pieces, ..begin }, &mut bytes);
        }
        put(&status_event(2 * index + 1, &id, &["worker-1"]), &mut bytes);
        out(&bytes);
    }
}

/// One attachment of `total` bytes in pieces of 256 KiB, in a test that fails.
fn long_attachment(total: usize, out: &mut dyn FnMut(&[u8])) {
    let line = b"0123456789 abcdefghijklmnopqrstuvwxyz: the quick brown fox jumps\n";
    let piece: Vec<u8> = line.iter().copied().cycle().take(256 << 10).collect();
    let mut bytes = Vec::new();
    let begin = status_event(0, "project.tests.long", &[]);
    put(&begin, &mut bytes);
    for index in 0..total.div_ceil(piece.len()) {
        let file = Some(File { name: "log", bytes: &piece });
        let mime_type = Some("text/plain;charset=utf8");
        let eof = (index + 1) * piece.len() >= total;
        put(&Event { status: None, file, mime_type, eof, ..begin }, &mut bytes);
        out(&bytes);
        bytes.clear();
    }
    put(&Event { status: Some(Status::Fail), ..begin }, &mut bytes);
    out(&bytes);
}
