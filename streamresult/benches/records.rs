//! Records and the summary of 100 000 tests of three packets, from memory.

use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use streamresult::{Details, Records, StreamResult, Summary, drive, from_fn, record_fn};
use subunit::io::Writer;
use subunit::{Event, File, Packet, Status, Tags, Timestamp};

const TESTS: u32 = 100_000;

/// A run of four workers: each test begins, writes a line and ends.
fn stream() -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    for number in 0..TESTS {
        let id = format!("package.module{}.TestCase.test_number_{number}", number % 97);
        let at = |nanoseconds| Timestamp::new(1_700_000_000 + number, nanoseconds);
        let route_code = Some(["0", "1", "2", "3"][number as usize % 4]);
        let test = Event { route_code, ..Event::status(&id, Status::Success) };
        writer.write(&Event { status: Some(Status::InProgress), timestamp: at(1), ..test })?;
        let file = Some(File { name: "stdout", bytes: b"a line of output from the test\n" });
        let mime_type = Some("text/plain;charset=utf8");
        writer.write(&Event { status: None, file, mime_type, timestamp: at(2), eof: true, ..test })?;
        writer.write(&Event { tags: Tags::from(&["worker", "fast"]), timestamp: at(3), ..test })?;
    }
    writer.into_inner()
}

/// Looks at nothing: what reading the stream costs.
struct Nothing;

impl StreamResult for Nothing {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        black_box(event);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        black_box(packet);
        Ok(())
    }
}

fn records(criterion: &mut Criterion) {
    let stream = stream().unwrap_or_default();
    let mut group = criterion.benchmark_group("100k tests");
    group.throughput(Throughput::Elements(u64::from(TESTS))).sample_size(20);
    group.bench_function("packets only", |bencher| {
        bencher.iter(|| drive(&stream[..], &mut Nothing));
    });
    group.bench_function("events only", |bencher| {
        bencher.iter(|| {
            let look = |event: &Event<'_>| {
                black_box(event);
                Ok(())
            };
            drive(&stream[..], &mut from_fn(look))
        });
    });
    for (name, details) in [("records", Details::None), ("records with files", Details::All)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let sink = record_fn(|record| {
                    black_box(record.duration());
                    Ok(())
                });
                drive(&stream[..], &mut Records::new(sink).details(details))
            });
        });
    }
    group.bench_function("summary", |bencher| {
        bencher.iter(|| drive(&stream[..], &mut Summary::new()));
    });
    group.bench_function("records and summary", |bencher| {
        bencher.iter(|| drive(&stream[..], &mut Records::new(Summary::new()).details(Details::None)));
    });
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
