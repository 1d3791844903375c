//! Proptest strategies: packets, and streams in which they stand between text and damage.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use crate::event::{Event, File, Status};
use crate::packet::PacketBuf;
use crate::tags::Tags;
use crate::timestamp::{NANOSECONDS, Timestamp};

/// A stretch of a stream, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A whole packet.
    Packet(PacketBuf),
    /// Bytes that are not a packet.
    Text(Vec<u8>),
    /// A packet with one byte changed.
    Damaged(Vec<u8>),
}

impl Piece {
    /// The bytes of the piece.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Piece::Packet(packet) => packet.as_bytes(),
            Piece::Text(bytes) | Piece::Damaged(bytes) => bytes,
        }
    }
}

/// Any string that a packet can carry, most often a short one.
pub fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z0-9_./ -]{0,20}",
        2 => "[a-zó₳😳\u{1}\u{7f}\"<>&/\\\\\n]{0,12}",
        1 => "\\PC{0,80}",
        1 => Just(String::new()),
    ]
}

/// Any status.
pub fn status() -> impl Strategy<Value = Status> {
    (0..Status::ALL.len()).prop_map(|index| Status::ALL.get(index).copied().unwrap_or(Status::Exists))
}

/// Any point in time that the wire can say.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    (any::<u32>(), 0..NANOSECONDS).prop_map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds })
}

/// The packet of any event.
pub fn packet() -> impl Strategy<Value = PacketBuf> {
    let bytes = prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 0..3000)];
    (
        option::weighted(0.9, string()),
        option::weighted(0.7, status()),
        option::of(vec(string(), 0..4)),
        any::<(bool, bool)>(),
        option::of((string(), bytes)),
        option::of(string()),
        option::of(string()),
        option::of(timestamp()),
    )
        .prop_filter_map(
            "too long",
            |(id, status, tags, (runnable, eof), file, mime, route, timestamp)| {
                let tags: Option<Vec<&str>> =
                    tags.as_ref().map(|tags| tags.iter().map(String::as_str).collect());
                let event = Event {
                    test_id: id.as_deref(),
                    status,
                    tags: tags.as_deref().map(Tags::from).unwrap_or_default(),
                    runnable,
                    file: file.as_ref().map(|(name, bytes)| File { name, bytes }),
                    mime_type: mime.as_deref(),
                    eof,
                    route_code: route.as_deref(),
                    timestamp,
                };
                PacketBuf::encode(&event).ok()
            },
        )
}

/// Packets, text and damage in any order.
pub fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let text = prop_oneof![
        "[a-z]{1,20}\n".prop_map(String::into_bytes),
        "[a-z ó₳😳]{1,20}".prop_map(String::into_bytes),
        vec(any::<u8>(), 1..30),
        "[a-z]{0,9}".prop_map(|text| [text.as_bytes(), b"\xc3"].concat()),
        vec(Just(0xB3), 1..5),
        "[ó]{0,4}".prop_map(|text| [text.as_bytes(), b"\n\xb3 \n"].concat()),
    ];
    let damaged =
        (packet(), any::<proptest::sample::Index>(), 1..=255u8).prop_map(|(packet, index, change)| {
            let mut bytes = packet.as_bytes().to_vec();
            let index = index.index(bytes.len());
            if let Some(byte) = bytes.get_mut(index) {
                *byte ^= change;
            }
            bytes
        });
    vec(
        prop_oneof![
            4 => packet().prop_map(Piece::Packet),
            1 => text.prop_map(Piece::Text),
            1 => damaged.prop_map(Piece::Damaged),
        ],
        0..12,
    )
}
