//! Files of tests: where they are makes no difference to who reads them, and no room for them none to the accounting.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use streamresult::{
    Attachment, Decision, LEFT_OUT_FILE, Outcome, Records, Spool, StreamResult, StreamResultExt, Summary,
    record_fn,
};
use subunit::{Event, File, Status};

fn file<'a>(test_id: &'a str, name: &'a str, bytes: &'a [u8]) -> Event<'a> {
    Event { test_id: Some(test_id), file: Some(File { name, bytes }), ..Event::default() }
}

/// How many bytes of a file are not the first letter of its name, and how many there are.
fn wrong_bytes(file: &Attachment<'_>) -> (u64, u64) {
    let expected = file.name().as_bytes()[0];
    let mut reader = file.reader();
    let mut buffer = vec![0; 4096];
    let (mut wrong, mut total) = (0, 0);
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => return (wrong, total),
            count => {
                total += count as u64;
                wrong += buffer[..count].iter().filter(|byte| **byte != expected).count() as u64;
            }
        }
    }
}

#[test]
fn two_threads_read_two_files_of_a_record() {
    const LEN: usize = 8 << 20;
    let mut read = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        let together = Barrier::new(2);
        let together = &together;
        thread::scope(|scope| {
            let look = |file: Attachment<'_>| {
                together.wait();
                wrong_bytes(&file)
            };
            let threads: Vec<_> = record.attachments().map(|file| scope.spawn(move || look(file))).collect();
            read.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        });
        Ok(())
    }));
    for name in ["x", "y"] {
        let bytes = vec![name.as_bytes()[0]; LEN];
        bytes.chunks(1 << 20).for_each(|piece| records.status(&file("t", name, piece)).unwrap());
    }
    records.status(&Event::status("t", Status::Fail)).unwrap();
    drop(records);
    assert_eq!(read, [(0, LEN as u64); 2]);
}

/// What a report takes of a file: its beginning, its end, its text.
type Content = (Vec<u8>, Vec<u8>, String, Vec<u8>);

fn content(file: &Attachment<'_>) -> Content {
    let mut reader = file.reader();
    let mut from_three = Vec::new();
    reader.seek(SeekFrom::End(-3)).unwrap();
    reader.read_to_end(&mut from_three).unwrap();
    assert_eq!(reader.stream_position().unwrap(), file.kept());
    assert!(reader.seek(SeekFrom::Current(-1 - file.kept() as i64)).is_err());
    reader.seek(SeekFrom::Start(u64::MAX)).unwrap();
    assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    (
        file.head(4).unwrap().into_owned(),
        file.tail(4).unwrap().into_owned(),
        file.text(6).unwrap().into_owned(),
        from_three,
    )
}

/// Checks what is asked of a file with this spool, which keeps it in memory or not.
fn check_content(spool: Spool, in_memory: bool) {
    let mut found = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        for file in record.attachments() {
            assert_eq!(file.in_memory().is_some(), in_memory);
            found.push(content(&file));
        }
        Ok(())
    }))
    .with_spool(spool);
    for piece in ["gr\u{fc}n ", "\u{e4}hnlich"] {
        records.status(&file("t", "log", piece.as_bytes())).unwrap();
    }
    records.status(&file("t", "odd", b"\xff\xfe\xfd\xfc\xc3")).unwrap();
    records.status(&Event::status("t", Status::Fail)).unwrap();
    drop(records);
    let log = (b"gr\xc3\xbc".to_vec(), b"lich".to_vec(), "grün ".to_owned(), b"ich".to_vec());
    let odd = (
        b"\xff\xfe\xfd\xfc".to_vec(),
        b"\xfe\xfd\xfc\xc3".to_vec(),
        "\u{fffd}".repeat(5),
        b"\xfd\xfc\xc3".to_vec(),
    );
    assert_eq!(found, [log, odd], "a character that the limit cuts through is not text");
}

#[test]
fn content_is_the_same_in_memory_and_in_the_file() {
    check_content(Spool::default(), true);
    check_content(Spool::with_limits(0, 0), false);
}

#[test]
fn small_files_stay_in_memory_whatever_others_hold() {
    let big = vec![b'x'; 1 << 20];
    let mut seen = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        for file in record.attachments() {
            let whole = file.head(usize::MAX)?.len() as u64 == file.len();
            seen.push((record.test_id().to_owned(), file.in_memory().is_some(), whole));
        }
        Ok(())
    }));
    for number in 0..30 {
        records.status(&file(&format!("big {number}"), "log", &big)).unwrap();
        records.status(&file(&format!("small {number}"), "log", &big[..3000])).unwrap();
    }
    records.status(&file("skipped", "reason", b"no network")).unwrap();
    records.status(&Event::status("skipped", Status::Skip)).unwrap();
    records.stop_run().unwrap();
    drop(records);
    assert!(seen.iter().all(|(_, _, whole)| *whole));
    let in_memory =
        |prefix: &str| seen.iter().filter(|(id, held, _)| id.starts_with(prefix) && *held).count();
    assert_eq!((in_memory("skipped"), in_memory("small")), (1, 30));
    assert!((1..=8).contains(&in_memory("big")), "{}", in_memory("big"));
}

#[test]
fn small_files_that_fill_the_memory_are_not_swept_again_and_again() {
    let mut lengths = 0;
    let mut records = Records::new(record_fn(|record| {
        for file in record.attachments() {
            lengths += file.head(usize::MAX)?.len();
        }
        Ok(())
    }))
    .with_spool(Spool::with_limits(1 << 20, 10_000));
    for number in 0..1000 {
        records.status(&file(&format!("test {number}"), "log", &[b'x'; 100])).unwrap();
        records.status(&file(&format!("test {number}"), "more", &[b'x'; 2000])).unwrap();
    }
    records.stop_run().unwrap();
    drop(records);
    assert_eq!(lengths, 2_100_000);
}

/// A folder in which no file can be made.
fn nowhere() -> &'static Path {
    Path::new("/does/not/exist")
}

#[test]
fn without_room_files_are_cut_and_all_else_goes_on() {
    let mut files = Vec::new();
    let mut summary = Summary::new();
    let sink = record_fn(|record| {
        for file in record.attachments() {
            let read = io::copy(&mut file.reader(), &mut io::sink())?;
            assert_eq!(read, file.kept());
            assert_eq!(file.left_out() > 0, file.no_room().is_some());
            files.push((record.test_id().to_owned(), file.kept(), file.left_out()));
        }
        Ok(())
    });
    let mut records =
        Records::new((sink, &mut summary)).with_spool(Spool::with_limits(2000, 6000).in_folder(nowhere()));
    for test_id in ["a", "b", "c", "d"] {
        for _ in 0..3 {
            records.status(&file(test_id, "log", &[b'x'; 1500])).unwrap();
        }
    }
    records.status(&file("d", "reason", b"why")).unwrap();
    for test_id in ["a", "b", "c", "d"] {
        records.status(&Event::status(test_id, Status::Fail)).unwrap();
    }
    records.stop_run().unwrap();
    let failure = records.spool().failure().unwrap_or_default().to_owned();
    assert!(failure.starts_with("cannot keep what has to wait in /does/not/exist: "), "{failure}");
    let left_out = records.spool().left_out();
    drop(records);
    assert_eq!(files.iter().map(|(_, _, left_out)| left_out).sum::<u64>(), left_out);
    assert_eq!(files.iter().map(|(_, kept, left_out)| kept + left_out).sum::<u64>(), 4 * 4500 + 3);
    assert_eq!(files.last(), Some(&("d".to_owned(), 3, 0)), "a short reason is kept");
    assert_eq!((summary.count(Outcome::Fail), summary.total()), (4, 4));
}

#[test]
fn what_is_held_without_room_passes_without_its_files() {
    let mut seen = Vec::new();
    let out = streamresult::from_fn(|event| {
        let file = event.file.map(|file| (file.name.to_owned(), file.bytes.len()));
        seen.push((event.test_id.map(str::to_owned), event.status, file));
        Ok(())
    });
    let mut held = out
        .held(|waiting| if waiting.is_last() { Decision::Keep } else { Decision::Wait })
        .with_spool(Spool::with_limits(2000, 2000).in_folder(nowhere()));
    held.status(&Event::status("a", Status::InProgress)).unwrap();
    for _ in 0..5 {
        held.status(&file("a", "log", &[b'x'; 1500])).unwrap();
    }
    held.status(&Event {
        file: Some(File { name: "end", bytes: &[b'x'; 1500] }),
        ..Event::status("a", Status::Fail)
    })
    .unwrap();
    held.stop_run().unwrap();
    drop(held);
    let statuses: Vec<_> = seen.iter().filter_map(|(_, status, _)| *status).collect();
    assert_eq!(statuses, [Status::InProgress, Status::Fail]);
    let (_, _, last) = seen.last().unwrap();
    assert_eq!(last.as_ref().map(|(name, _)| name.as_str()), Some(LEFT_OUT_FILE));
}
