//! Services: processes that tasks need, at the nodes that they have.
//!
//! A [`Member`] is one of them at one node: led there ([`transport::Led`]), so that it can be told what to do and
//! nothing of it is left at its end. It is ready when all its [`Condition`]s hold; what it has written since it was
//! started is its own log, whatever was in a file before.

mod fill;
mod log;
mod member;
mod ready;
#[cfg(test)]
mod tests;

pub use fill::fill;
pub use member::{Member, Stopped};
pub use ready::{Condition, Patience, until_ready};
