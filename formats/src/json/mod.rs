//! Streams as lines of JSON, and back.
//!
//! A line is a packet, a stretch of text between packets, or a stretch of damage:
//!
//! ```text
//! {"id":"boot","status":"inprogress","time":"2020-01-01T00:00:00Z"}
//! {"text":"starting\n"}
//! {"id":"boot","status":"fail","tags":["slow"],"file":{"name":"log","text":"ready\n"},"mime":"text/plain","eof":true}
//! {"damage":"sykBDANmb29VVQ==","error":"length 12 …"}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `id`, `status`, `mime`, `route` | the field; a key that is missing is a field that is absent |
//! | `time` | RFC 3339, to the nanosecond |
//! | `tags` | a list; an empty one clears the tags, a missing one leaves them alone |
//! | `runnable` | only where it is not the default, which is `true` with an id and `false` without |
//! | `file` | `name`, and `text`, or `base64` where the bytes are not UTF-8 |
//! | `eof` | `true`, or missing |
//! | `packet` | the packet in base64, where it has another form than the one that these fields would get; it counts as long as it says the same as they do |
//! | `text`, `base64` | alone: text between packets |
//! | `damage` | bytes in base64 that could not be read; `error` says why |
//!
//! What is written is read back to the same bytes.

mod object;
mod read;
mod write;

pub use object::{Object, push_string};
pub use read::{LineError, read_line};
pub use write::FrameWriter;
