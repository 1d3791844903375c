//! Any event, drawn from bytes.

use arbitrary::Arbitrary;
use subunit::{Event, File, MAX_PACKET, Status, Tags, Timestamp};

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

#[derive(Arbitrary, Clone, Debug)]
struct AnyFile {
    name: String,
    bytes: Vec<u8>,
    /// How long it is: most often what `bytes` says.
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
            timestamp: self.timestamp.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds }),
        })
    }

    /// The same event about one of a few tests, so that several meet.
    pub(crate) fn about(self, test_id: Option<&str>, route_code: Option<&str>) -> Self {
        AnyEvent { test_id: test_id.map(str::to_owned), route_code: route_code.map(str::to_owned), ..self }
    }

    /// The same event without so many bytes that they do not fit in a packet.
    pub(crate) fn short(mut self) -> Self {
        self.file.iter_mut().for_each(|file| file.length = 0);
        self
    }
}

impl AnyFile {
    /// The file's bytes; where checksums are combined (from 50 KiB on) and where packets end, they repeat.
    fn content(&self) -> Vec<u8> {
        let target = match self.length {
            0..=251 => self.bytes.len(),
            252..=253 => 50 * 1024 + self.bytes.len(),
            254 => MAX_PACKET - 64 + self.bytes.len(),
            255 => MAX_PACKET + self.bytes.len(),
        };
        self.bytes.iter().chain([&b'.']).copied().cycle().take(target).collect()
    }
}
