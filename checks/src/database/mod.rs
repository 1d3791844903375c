//! `check-database`: the database of a JupyterHub, in SQLite or PostgreSQL: whole, free, and saying what is so.
//!
//! Nothing is ever written: SQLite is opened read-only and in a way that creates no files beside it, PostgreSQL is
//! asked in read-only transactions. All of it is done by a helper, since a file may be on a mount that hangs and
//! a server may be frozen; what was read is judged without any of that.

mod args;
mod aspect;
mod cross;
mod fault;
mod listening;
mod password;
mod place;
mod postgresql;
mod revision;
mod sqlite;
mod state;
mod store;
mod target;
mod task;
mod tls;
mod tokens;
mod users;

pub use args::{CheckDatabase, Expected};
pub use password::PasswordArgs;
