//! How fast packets are read, written and rerouted: `cargo bench -p subunit-wire`.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run should stop")]

mod corpus;
mod damaged;
mod decode;
mod encode;
mod hostile;
mod route;
mod text;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use subunit::{Decoder, Frame, Step};

/// What a stream held.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    packets: usize,
    corrupt: usize,
    text: usize,
}

/// Takes a stream in memory apart.
fn count(stream: &[u8]) -> Counts {
    let mut decoder = Decoder::new();
    let (mut counts, mut rest) = (Counts::default(), stream);
    while let Step::Frame { consumed, frame } = decoder.decode(rest, true) {
        match frame {
            Frame::Packet(packet) => counts.packets += usize::from(packet.as_bytes().len() > 7),
            Frame::Text(bytes) => counts.text += bytes.len(),
            Frame::Corrupt(..) => counts.corrupt += 1,
        }
        rest = rest.get(consumed..).unwrap_or_default();
    }
    counts
}

/// Measures how fast a stream that holds so many packets is taken apart, in bytes a second.
fn bench_stream(criterion: &mut Criterion, group: &str, name: &str, stream: &[u8], packets: usize) {
    let counts = count(stream);
    assert!(counts.packets >= packets, "{group}/{name}: {counts:?}, but {packets} packets are intact");
    let mut group = criterion.benchmark_group(group);
    group.sample_size(10);
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| count(stream)));
    group.finish();
}

criterion_group!(
    benches,
    decode::bench,
    encode::bench,
    text::bench,
    damaged::bench,
    hostile::bench,
    route::bench
);
criterion_main!(benches);
