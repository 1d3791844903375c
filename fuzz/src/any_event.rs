//! Any event, drawn from bytes.

use arbitrary::Arbitrary;
use subunit::{Event, File, Status, Tags, Timestamp};

/// What an event is made of, also what no packet can carry: NUL, nanoseconds of more than a second.
#[derive(Arbitrary, Clone, Debug)]
pub struct AnyEvent {
    test_id: Option<String>,
    status: Option<u8>,
    tags: Option<Vec<String>>,
    runnable: bool,
    file: Option<AnyFile>,
    mime_type: Option<String>,
    eof: bool,
    route_code: Option<String>,
    timestamp: Option<(u32, u32)>,
}

/// One file in 64 is long.
const LONG: u8 = 252;

#[derive(Arbitrary, Clone, Debug)]
struct AnyFile {
    name: String,
    bytes: Vec<u8>,
    /// From [`LONG`] on it is longer than `bytes`.
    length: u8,
}

impl AnyEvent {
    /// Gives the event to a function: it borrows from parts that exist only here.
    pub fn with<T>(&self, use_it: impl FnOnce(&Event<'_>) -> T) -> T {
        let tags: Option<Vec<&str>> =
            self.tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect());
        let content = self.file.as_ref().map(AnyFile::content);
        use_it(&Event {
            test_id: self.test_id.as_deref(),
            status: self.status.and_then(|status| Status::ALL.get(usize::from(status % 8)).copied()),
            tags: tags.as_deref().map(Tags::from).unwrap_or_default(),
            runnable: self.runnable,
            file: self
                .file
                .as_ref()
                .zip(content.as_deref())
                .map(|(it, bytes)| File { name: &it.name, bytes }),
            mime_type: self.mime_type.as_deref(),
            eof: self.eof,
            route_code: self.route_code.as_deref(),
            timestamp: self.timestamp.and_then(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds)),
        })
    }

    /// The same event about one of a few tests, so that several meet.
    pub(crate) fn about(self, test_id: Option<&str>, route_code: Option<&str>) -> Self {
        AnyEvent { test_id: test_id.map(str::to_owned), route_code: route_code.map(str::to_owned), ..self }
    }
}

impl AnyFile {
    /// The file's bytes, and sometimes more: enough that checksums are combined.
    fn content(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if self.length >= LONG {
            bytes.resize(50 * 1024 + self.bytes.len(), b'.');
        }
        bytes
    }
}
