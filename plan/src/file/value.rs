//! Values that are written in ways of their own.

use std::borrow::Cow;
use std::fmt;
use std::thread;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// A time: `500ms`, `10s`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A number of bytes: `512MiB`, or without a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// Words, as the shell reads them: one text, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(pub String);

/// How many workers: a number, or `"cores"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(pub usize);

/// A text, a number, or true and false.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// A text.
    Text(String),
}

/// One of something, or a list.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// A list.
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    /// All of them.
    pub fn as_slice(&self) -> &[T] {
        match self {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(more) => more,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(formatter),
            Scalar::Integer(value) => value.fmt(formatter),
            Scalar::Number(value) => value.fmt(formatter),
            Scalar::Text(value) => value.fmt(formatter),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        cli::value::duration(&text).map(Time).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Bytes(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Bytes(bytes) => Ok(Size(bytes)),
            Written::Text(text) => cli::value::size(&text).map(Size).map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Words(match OneOrMore::<String>::deserialize(deserializer)? {
            OneOrMore::One(text) => text,
            OneOrMore::More(words) => {
                words.iter().map(|word| process::shell_word(word)).collect::<Vec<_>>().join(" ")
            }
        }))
    }
}

impl<'de> Deserialize<'de> for Workers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Count(usize),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Count(count) => Ok(Workers(count.max(1))),
            Written::Word(word) if word == "cores" => {
                Ok(Workers(thread::available_parallelism().map_or(1, usize::from)))
            }
            Written::Word(word) => {
                Err(D::Error::custom(format!("workers is a number or \"cores\", not {word:?}")))
            }
        }
    }
}

/// Says in the schema how a type is written.
macro_rules! written {
    ($($type:ident $schema:tt)*) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

written! {
    Time {"type": "string", "examples": ["500ms", "10s", "1h30m"]}
    Size {"type": ["string", "integer"], "examples": ["512MiB", 4096]}
    Words {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    Workers {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "cores"}]}
}
