//! Streams made to be slow: none may take more than a second for 20 MB.

use criterion::Criterion;

use crate::{bench_stream, corpus};

pub(crate) fn bench(criterion: &mut Criterion) {
    for (name, stream, intact) in corpus::hostile(4 << 20) {
        bench_stream(criterion, "hostile", name, &stream, intact);
    }
}
