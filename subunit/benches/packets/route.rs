//! A route code put before that of every packet.

use std::io::sink;

use criterion::{Criterion, Throughput};
use subunit::io::{Reader, Writer};
use subunit::{Frame, RoutePrefix};

use crate::corpus;

pub(crate) fn bench(criterion: &mut Criterion) {
    bench_route(criterion, "small", &corpus::small(20_000));
    bench_route(criterion, "run", &corpus::run(10_000).0);
    bench_route(criterion, "attachments", &corpus::attachments(64 << 20));
}

fn bench_route(criterion: &mut Criterion, name: &str, stream: &[u8]) {
    let mut group = criterion.benchmark_group("route");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut prefix = RoutePrefix::new("host-1").expect("the code is short");
            let (mut reader, mut writer) = (Reader::new(stream), Writer::new(sink()));
            while let Some(frame) = reader.next_frame().expect("a slice can be read") {
                if let Frame::Packet(packet) = frame {
                    writer.write_routed(&packet, &mut prefix).expect("the packet fits");
                }
            }
        });
    });
    group.finish();
}
