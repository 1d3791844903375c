//! Times in JSON: RFC 3339, UTC, to the nanosecond. For `#[serde(with = "time")]`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subunit::Timestamp;

pub(crate) fn serialize<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = time.map(|time| DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::AutoSi, true));
    text.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
    time.with_timezone(&Utc).try_into().map(Some).map_err(D::Error::custom)
}
