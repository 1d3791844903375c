//! Packets between lines of text.

use criterion::Criterion;

use crate::{bench_stream, corpus};

pub(crate) fn bench(criterion: &mut Criterion) {
    bench_stream(criterion, "text", "ascii", &corpus::ascii_text(20_000), 20_000);
    bench_stream(criterion, "text", "signature bytes", &corpus::signature_text(20_000), 20_000);
}
