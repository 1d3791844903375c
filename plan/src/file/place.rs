//! Where something stands in the file.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

/// Something that is written in the file, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At<T> {
    value: T,
    span: Range<usize>,
}

impl<T> At<T> {
    /// Where it begins, in bytes.
    pub fn offset(&self) -> usize {
        self.span.start
    }

    /// It alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(At { value: spanned.into_inner(), span })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The file, to say where in it something is wrong.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its path.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Source {
    /// What is wrong at this byte.
    pub fn wrong(&self, offset: usize, what: impl fmt::Display) -> anyhow::Error {
        anyhow::anyhow!("{}: line {}: {what}", self.path.display(), line(&self.text, offset))
    }
}

/// The line of a byte, counted from one.
pub(super) fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
