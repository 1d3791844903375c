//! Whole programs, each of which is run as a test.
//!
//! | you want to | read |
//! |---|---|
//! | run tests in threads and tell about them | [`threads`] |
//! | run tests as tasks | [`tasks`] |
//! | write a report of a stream | [`report`] |
//! | follow a stream that is being written | [`tail`] |
//! | take streams from sockets | [`socket`] |
//! | keep some of it, or all | [`keep`] |

pub mod keep;
pub mod report;
pub mod socket;
pub mod tail;
pub mod tasks;
pub mod threads;
