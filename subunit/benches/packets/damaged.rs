//! Streams with damage of the kinds that happen.

use criterion::Criterion;

use crate::{bench_stream, corpus};

pub(crate) fn bench(criterion: &mut Criterion) {
    let (stream, intact) = corpus::damaged(20_000);
    bench_stream(criterion, "damaged", "one in a hundred", &stream, intact);
}
