//! What a pipeline promises, checked from outside.

mod adaptors;
mod held;
mod laws;
mod records;
mod script;
mod streams;
mod summary;
