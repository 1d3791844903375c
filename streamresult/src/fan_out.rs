//! How references pass calls on, and lists and pairs hand them to all.
//!
//! Each macro implements the methods that it is given, for what the type holds.

use std::io;

/// Calls all, so that none misses what another could not take; the first error is the answer.
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
