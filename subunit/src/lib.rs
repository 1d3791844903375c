//! The subunit v2 protocol: bytes, packets and events, without I/O in the core.

mod chunks;
#[cfg(feature = "tokio")]
pub mod codec;
mod context;
mod decode;
mod encode;
mod error;
mod event;
pub mod io;
mod packet;
mod reroute;
#[cfg(feature = "proptest")]
pub mod strategy;
mod sums;
mod tags;
mod timestamp;
mod wire;

pub use chunks::{Chunks, chunks};
pub use decode::{Decoder, Frame, Step};
pub use encode::encode;
pub use error::{EncodeError, Field, PacketError, PacketErrorKind};
pub use event::{Event, File, Status, UnknownStatus};
pub use packet::{Packet, PacketBuf};
pub use reroute::RoutePrefix;
pub use tags::{TagIter, Tags};
#[cfg(feature = "chrono")]
pub use timestamp::OutOfRange;
pub use timestamp::Timestamp;
pub use wire::MAX_PACKET;
