//! How references pass calls on, and how lists and pairs pass them to all their members.
//!
//! Each macro implements the methods that it is given, for what the type holds.

use std::io;

/// Calls all of them, so that none misses what another could not take; returns the first error.
pub(crate) fn all<T>(
    targets: impl IntoIterator<Item = T>,
    call: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    targets.into_iter().map(call).fold(Ok(()), io::Result::and)
}

/// To the one behind a reference.
macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(&mut self, $($name: $type),*) -> std::io::Result<()> {
            (**self).$method($($name),*)
        })*
    };
}

/// To each of those that `self` iterates over.
macro_rules! fan_out {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(&mut self, $($name: $type),*) -> std::io::Result<()> {
            all(self, |target| target.$method($($name),*))
        })*
    };
}

/// To both of a pair.
macro_rules! both {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(&mut self, $($name: $type),*) -> std::io::Result<()> {
            let first = self.0.$method($($name),*);
            first.and(self.1.$method($($name),*))
        })*
    };
}

pub(crate) use {both, fan_out, forward};
