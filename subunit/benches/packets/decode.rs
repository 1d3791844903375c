//! Clean streams, from memory and through a reader.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use subunit::Frame;
use subunit::io::Reader;

use crate::{bench_stream, corpus};

pub(crate) fn bench(criterion: &mut Criterion) {
    bench_stream(criterion, "decode", "small", &corpus::small(20_000), 20_000);
    let (run, packets) = corpus::run(10_000);
    bench_stream(criterion, "decode", "run", &run, packets);
    bench_stream(criterion, "decode", "enumeration", &corpus::enumeration(20_000), 20_000);
    bench_stream(criterion, "decode", "attachments", &corpus::attachments(64 << 20), 100);
    let stream = corpus::small(20_000);
    bench_reader(criterion, "small", &stream, |frame| {
        black_box(frame);
    });
    bench_reader(criterion, "small events", &stream, |frame| {
        if let Frame::Packet(packet) = frame {
            black_box(packet.event());
        }
    });
}

fn bench_reader(criterion: &mut Criterion, name: &str, stream: &[u8], mut sink: impl FnMut(Frame<'_>)) {
    let mut group = criterion.benchmark_group("reader");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::new(stream);
            while let Some(frame) = reader.next_frame().expect("a slice can be read") {
                sink(frame);
            }
        });
    });
    group.finish();
}
