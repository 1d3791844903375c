//! Many sources, slow readers, memory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::Signal;
use subunit::{Event, Status};

use crate::support::{
    Folder, PATIENCE, bytes, each_packet, mux, peak_memory, run, signal, status, wait_until_asleep,
};

/// What the process may hold beside the program itself, in KiB.
const MEMORY: u64 = 10 * 1024;

/// What it holds when it has done next to nothing, in KiB.
fn at_rest() -> u64 {
    let packet = status("test", Status::Success);
    let mut child = mux(&["--no-route"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&packet).unwrap();
    child.stdout.take().unwrap().read_exact(&mut vec![0; packet.len()]).unwrap();
    let memory = peak_memory(child.id());
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    memory
}

fn numbered(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| status(&format!("test.{number:06}"), Status::Success)).collect()
}

/// How many tests each route brought, all in order.
fn count_in_order(output: &[u8]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    each_packet(output, |event| {
        let count = counts.entry(event.route_code.unwrap_or_default().to_owned()).or_insert(0);
        assert_eq!(event.test_id.unwrap(), format!("test.{count:06}"), "route {:?}", event.route_code);
        *count += 1;
    })
    .unwrap();
    counts
}

#[test]
fn two_hundred_sources_lose_nothing_and_take_little_memory() {
    let folder = Folder::new();
    let file = folder.file("run", &numbered(500));
    let fifos: Vec<_> = (0..50).map(|number| folder.fifo(&format!("fifo{number}"))).collect();
    let mut args = vec![file.clone(); 100];
    args.extend(fifos.iter().cloned());
    args.extend((0..50).map(|_| format!("--exec=cat {file}")));
    let mut child = mux(&args).spawn().unwrap();
    let writers: Vec<_> =
        fifos.into_iter().map(|fifo| thread::spawn(|| File::create(fifo).unwrap())).collect();
    let mut writers: Vec<_> = writers.into_iter().map(|opened| opened.join().unwrap()).collect();
    let mut output = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).unwrap();
        bytes
    });
    for chunk in numbered(500).chunks(1000) {
        writers.iter_mut().for_each(|writer| writer.write_all(chunk).unwrap());
    }
    let memory = peak_memory(child.id()).saturating_sub(at_rest());
    drop(writers);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let counts = count_in_order(&reader.join().unwrap());
    assert_eq!((counts.len(), counts.values().sum::<usize>()), (200, 200 * 500));
    assert!(memory <= MEMORY, "{memory} KiB");
}

#[test]
fn a_slow_reader_slows_the_sources_and_memory_stays() {
    let folder = Folder::new();
    let attachment = bytes(&Event::file("log", &vec![b'x'; 300_000]));
    let stream = folder.file("run", &[numbered(2000), attachment.repeat(20)].concat());
    let loops = format!("for i in 1 2 3 4 5 6 7 8 9 10; do cat {stream}; done");
    let args: Vec<_> = (0..10).map(|_| format!("--exec={loops}")).collect();
    let mut child = mux(&args).spawn().unwrap();
    wait_until_asleep(child.id());
    let mut stdout = child.stdout.take().unwrap();
    let mut first = vec![0; 100_000];
    stdout.read_exact(&mut first).unwrap();
    wait_until_asleep(child.id());
    let memory = peak_memory(child.id()).saturating_sub(at_rest());
    assert!(memory <= MEMORY + 4 * 1024, "{memory} KiB");
    let mut sizes = HashMap::new();
    each_packet(first.chain(stdout), |event| {
        *sizes.entry(event.route_code.unwrap().to_owned()).or_insert(0) += 1;
    })
    .unwrap();
    assert!(sizes.len() == 10 && sizes.values().all(|count| *count == 20_200), "{sizes:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn packets_written_byte_by_byte_are_the_same_packets() {
    let folder = Folder::new();
    let fifo = folder.fifo("fifo");
    let (stream, path) = (numbered(40), fifo.clone());
    let writer = thread::spawn(move || {
        let mut fifo = File::create(path).unwrap();
        stream.iter().for_each(|byte| fifo.write_all(&[*byte]).unwrap());
    });
    let ended = run(&[fifo], b"");
    writer.join().unwrap();
    assert_eq!(count_in_order(&ended.output), HashMap::from([("0".to_owned(), 40)]));
}

/// Claims of 4 MiB, one in the other, none with a right checksum.
fn overlapping_claims(len: usize) -> Vec<u8> {
    b"\xb3\x20\x40\xbf\xff\xff\x01f\xbf\xff\xee".iter().copied().cycle().take(len).collect()
}

#[test]
fn overlapping_claims_of_one_source_hold_up_no_other() {
    let folder = Folder::new();
    let hostile = folder.file("hostile", &overlapping_claims(9 << 20));
    let run_file = folder.file("run", &numbered(3));
    let output = run(&[format!("x={hostile}"), format!("--exec=y=cat {run_file}")], b"").output;
    let mut ids = Vec::new();
    each_packet(&*output, |event| ids.push(event.test_id.unwrap_or_default().to_owned())).unwrap();
    assert_eq!(ids.iter().filter(|id| id.starts_with("test.")).count(), 3);
    assert!(ids.iter().any(|id| id == streamresult::DAMAGE_ID));
}

#[test]
fn lines_full_of_signatures_are_not_many_times_as_long() {
    let folder = Folder::new();
    let lines = b"\xb3\n".repeat(500_000);
    let args = [folder.file("lines", &lines), folder.file("run", &numbered(1))];
    let output = run(&args, b"").output;
    assert!(output.len() < 2 * lines.len(), "{} bytes", output.len());
}

#[test]
fn a_signal_is_heeded_amid_overlapping_claims() {
    let folder = Folder::new();
    let fifo = folder.fifo("hostile");
    let mut child = mux(&[format!("x={fifo}"), "--exec=y=true".to_owned()]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let reader = thread::spawn(move || output.read_to_end(&mut Vec::new()).unwrap());
    let (sender, written) = channel();
    let writer = thread::spawn(move || {
        let mut fifo = File::create(fifo).unwrap();
        // Never enough of it: without a signal this does not end.
        while fifo.write_all(&overlapping_claims(64 * 1024)).is_ok() {
            let _ = sender.send(());
        }
    });
    // More than one claim is long.
    for _ in 0..80 {
        written.recv_timeout(PATIENCE).unwrap();
    }
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    reader.join().unwrap();
    writer.join().unwrap();
}
