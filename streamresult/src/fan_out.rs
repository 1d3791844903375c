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

/// To each of a tuple, of which these are the places: `(0 1)`.
macro_rules! each_of {
    ($places:tt $($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(&mut self, $($name: $type),*) -> std::io::Result<()> {
            crate::fan_out::calls!(self, $method, $places, ($($name),*))
        })*
    };
}

/// All are called, and the first error is the answer.
macro_rules! calls {
    ($self:ident, $method:ident, ($first:tt $($place:tt)*), $arguments:tt) => {{
        let told = $self.$first.$method $arguments;
        $(let told = told.and($self.$place.$method $arguments);)*
        told
    }};
}

/// To what others hold as well, one call at a time. A thread that panicked in a call keeps nobody else from calling.
macro_rules! locked {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(&mut self, $($name: $type),*) -> std::io::Result<()> {
            self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).$method($($name),*)
        })*
    };
}

pub(crate) use {calls, each_of, fan_out, forward, locked};
