//! The subunit v2 protocol, a packetised and length-prefixed binary format for streaming test results.
//!
//! The core turns bytes into packets and events and back, and does no I/O:
//!
//! | from | to | by |
//! |---|---|---|
//! | a stream's bytes | [`Frame`]s: packets, text between them, damage | [`Decoder`] |
//! | a packet's bytes | a checked [`Packet`] | [`Packet::parse`] |
//! | a packet | what it says, an [`Event`] | [`Packet::event`] |
//! | an event | a packet's bytes | [`encode`], [`PacketBuf::encode`] |
//! | an event with a long attachment | several events that fit, or their packets | [`chunks`], [`encode_chunks`] |
//! | a packet | the same packet, with a route prefix | [`RoutePrefix`] |
//!
//! [`io`] reads and writes streams over `std::io`, and `codec` (feature `codec`) over tokio.
//!
//! ```
//! use subunit::io::{Reader, Writer};
//! use subunit::{Event, Frame, Status};
//!
//! let mut writer = Writer::new(Vec::new());
//! writer.write(&Event::status("boot", Status::InProgress))?;
//! writer.write_bytes(b"starting server\n")?;
//! writer.write(&Event::status("boot", Status::Success))?;
//! let stream = writer.into_inner()?;
//!
//! let mut reader = Reader::new(&*stream);
//! while let Some(frame) = reader.next_frame()? {
//!     match frame {
//!         Frame::Packet(packet) => assert_eq!(packet.test_id(), Some("boot")),
//!         Frame::Text(text) => assert_eq!(text, b"starting server\n"),
//!         Frame::Corrupt(bytes, error) => panic!("{error} in {} bytes", bytes.len()),
//!     }
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What the crate promises, and tests as laws:
//!
//! - Every byte of a stream is in exactly one frame, however the input is cut.
//! - A damaged packet never costs an intact one, whether inside or after what it claims to be.
//! - Any input is decoded in linear time and bounded memory; nothing panics on it.
//! - What is written is read back, to the nanosecond and the order of tags; what was not changed is
//!   forwarded byte for byte.
//!
//! Features only add. `std` is on by default: without it, the core is `no_std` with `alloc`, and [`io`] and the
//! system's clock are not there. `codec`, `chrono`, `jiff`, `serde` and `proptest` bring what is called so.
//!
//! Source of the protocol: "Version 2" in the README of testing-cabal/subunit.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod chunks;
#[cfg(feature = "codec")]
pub mod codec;
mod context;
mod decode;
mod encode;
mod error;
mod event;
mod examine;
#[cfg(feature = "std")]
pub mod io;
mod layout;
mod packet;
mod part;
mod push;
mod reroute;
mod restore;
#[cfg(feature = "proptest")]
pub mod strategy;
mod sums;
mod suspect;
mod tags;
mod timestamp;
mod wire;

pub use chunks::{Chunks, chunks, encode_chunks};
pub use decode::{Decoder, Frame, Step};
pub use encode::encode;
pub use error::{EncodeError, Field, PacketError, PacketErrorKind};
pub use event::{BYTES_TYPE, Event, File, Status, TEXT_TYPE, UnknownStatus};
pub use packet::{Packet, PacketBuf};
pub use part::{element, part, part_mut, split_part, split_text, text_part};
pub use push::PushReader;
pub use reroute::RoutePrefix;
pub use tags::{TagIter, Tags};
pub use timestamp::OutOfRange;
pub use timestamp::Timestamp;
pub use wire::{MAX_PACKET, SIGNATURE};
