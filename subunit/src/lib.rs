//! The subunit v2 protocol: bytes, packets and events, without I/O in the core.

mod error;
mod event;
mod tags;
mod timestamp;
mod wire;

pub use error::{EncodeError, Field, PacketError, PacketErrorKind};
pub use event::{Event, File, Status, UnknownStatus};
#[cfg(feature = "chrono")]
pub use timestamp::OutOfRange;
pub use tags::{TagIter, Tags};
pub use timestamp::Timestamp;
pub use wire::MAX_PACKET;
