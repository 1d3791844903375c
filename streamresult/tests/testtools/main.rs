//! What testtools' tests say of its results, said of ours. The table in `src/testtools.md` names for each of them the
//! test here, or the reason why there is none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adaptors;
mod by_test;
mod contract;
mod one_at_a_time;
mod queue;
mod router;
mod summary;
mod support;
mod table;
mod test_level;
mod to_dict;
