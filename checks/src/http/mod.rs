//! `check-http`: does an address answer, as it should, in time, over connections that can be trusted?

mod args;
mod aspect;
mod codes;
mod target;

pub use args::CheckHttp;
pub use codes::StatusCodes;
