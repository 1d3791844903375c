//! Events to packets, in a buffer that is used again.

use criterion::{Criterion, Throughput};
use subunit::encode;

use crate::corpus::{status_event, test_id};

pub(crate) fn bench(criterion: &mut Criterion) {
    let ids: Vec<_> = (0..1024).map(|index| test_id(index, 63)).collect();
    let events: Vec<_> =
        ids.iter().enumerate().map(|(index, id)| status_event(index, id, &["worker-1"])).collect();
    let mut out = Vec::new();
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("small", |bencher| {
        bencher.iter(|| {
            out.clear();
            events.iter().for_each(|event| encode(event, &mut out).expect("the event can be written"));
            out.len()
        });
    });
    group.finish();
}
