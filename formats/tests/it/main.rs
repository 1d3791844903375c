//! The formats as others see them.

#![expect(clippy::unwrap_used, reason = "what a test needs and cannot have fails it")]
#![expect(clippy::print_stderr, reason = "a parser that is not here is told of")]

mod in_flight;
mod junit;
mod junit_parsers;
