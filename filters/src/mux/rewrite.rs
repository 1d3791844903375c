//! What becomes of a source's packets: a route before theirs, a time where none is, tags.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use streamresult::{StreamResult, TagChange, failure};
use subunit::{EncodeError, Event, Packet, RoutePrefix, Status, TEXT_TYPE, Timestamp, encode_chunks};

/// The file of a run that holds what the multiplexer itself has to say.
const NOTES: &str = "subunit-mux";

/// How the packets of one source are changed on their way.
#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    prefix: RoutePrefix,
    /// None: tags stay as they are.
    tags: Option<Arc<TagChange>>,
    stamp: bool,
    /// Is set once a failure passes.
    has_failed: Option<Arc<AtomicBool>>,
}

impl Rewrite {
    /// Puts `route` before the packets' own, where there is one.
    ///
    /// # Errors
    ///
    /// When the route holds a NUL or is longer than any packet.
    pub(crate) fn new(
        route: Option<String>,
        tags: Option<Arc<TagChange>>,
        stamp: bool,
    ) -> Result<Self, EncodeError> {
        let prefix = route.map(RoutePrefix::new).transpose()?.unwrap_or_default();
        Ok(Rewrite { prefix, tags, stamp, has_failed: None })
    }

    /// The same, which also notes whether a failure passes.
    pub(crate) fn watching(&self, has_failed: &Arc<AtomicBool>) -> Self {
        Rewrite { has_failed: Some(Arc::clone(has_failed)), ..self.clone() }
    }

    #[inline]
    fn note_status(&self, status: Option<Status>) {
        if let (Some(has_failed), Some(status)) = (&self.has_failed, status)
            && status.is_failure()
        {
            has_failed.store(true, Ordering::Relaxed);
        }
    }

    /// Appends a packet: its own bytes, as far as nothing of them changes.
    #[inline]
    pub(crate) fn packet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let forwarded = self.forwards(packet) && self.prefix.append(packet, out).is_ok();
        if !forwarded {
            self.event(&packet.event(), out);
        }
    }

    /// Appends an event. One that cannot carry the route (which takes a test id of 4 MiB) leaves a failure in
    /// its place.
    pub(crate) fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if let Err(error) = self.try_event(event, out) {
            let reason = format!("a packet could not be passed on: {error}");
            // Short enough for every route that was accepted, or there is nothing that could be said.
            let _ = self.try_event(&failure("subunit-mux.packet", &reason), out);
        }
    }

    /// Appends a word of the multiplexer's own.
    pub(crate) fn note(&mut self, text: &str, out: &mut Vec<u8>) {
        self.event(&Event { mime_type: Some(TEXT_TYPE), ..Event::file(NOTES, text.as_bytes()) }, out);
    }

    /// The packet in three parts that are written as they are, when no more than its route changes.
    pub(crate) fn parts<'a>(&'a mut self, packet: &Packet<'a>) -> Option<[&'a [u8]; 3]> {
        self.note_status(packet.status());
        if self.forwards(packet) { self.prefix.parts(packet).ok() } else { None }
    }

    /// Whether nothing but the route changes.
    #[inline]
    fn forwards(&self, packet: &Packet<'_>) -> bool {
        let is_stamped = !self.stamp || packet.timestamp().is_some();
        is_stamped && self.tags.as_ref().is_none_or(|tags| tags.apply(packet.tags()).is_none())
    }

    fn try_event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let tags = self.tags.as_ref().and_then(|tags| tags.apply(event.tags));
        let event = Event {
            tags: tags.as_deref().map_or(event.tags, Into::into),
            timestamp: event.timestamp.or_else(|| self.stamp.then(Timestamp::now)),
            ..self.prefix.event(event)
        };
        encode_chunks(&event, out)
    }
}

/// Appends what is pushed into it.
pub(crate) struct Sink<'a> {
    pub(crate) rewrite: &'a mut Rewrite,
    pub(crate) out: &'a mut Vec<u8>,
}

impl StreamResult for Sink<'_> {
    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.rewrite.note_status(event.status);
        self.rewrite.event(event, self.out);
        Ok(())
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.rewrite.note_status(packet.status());
        self.rewrite.packet(packet, self.out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use subunit::{MAX_PACKET, PacketBuf, Tags};

    use super::*;

    const TIME: Timestamp = Timestamp::new(7, 8).unwrap();

    fn rewritten(event: &Event<'_>, route: Option<&str>, tags: &[&str], stamp: bool) -> Vec<u8> {
        let tags = (!tags.is_empty()).then(|| Arc::new(TagChange::new(tags.iter().copied(), [""; 0])));
        let mut rewrite = Rewrite::new(route.map(str::to_owned), tags, stamp).unwrap();
        let mut out = Vec::new();
        rewrite.packet(&PacketBuf::encode(event).unwrap().packet(), &mut out);
        out
    }

    fn check(route: Option<&str>, tags: &[&str], expected: &Event<'_>) {
        let event = Event { timestamp: Some(TIME), ..Event::status("a", Status::Success) };
        let expected = PacketBuf::encode(&Event { timestamp: Some(TIME), ..*expected }).unwrap();
        assert_eq!(PacketBuf::parse(rewritten(&event, route, tags, true).into()), Ok(expected));
    }

    #[test]
    fn only_what_is_asked_for_changes() {
        let event = Event::status("a", Status::Success);
        check(None, &[], &event);
        check(Some("w"), &[], &Event { route_code: Some("w"), ..event });
        check(None, &["t"], &Event { tags: Tags::from(&["t"]), ..event });
        check(Some("w"), &["t"], &Event { route_code: Some("w"), tags: Tags::from(&["t"]), ..event });
    }

    #[test]
    fn a_time_is_added_where_none_is() {
        let event = Event { route_code: Some("0"), ..Event::status("a", Status::Success) };
        let before = Timestamp::now();
        let stamped = PacketBuf::parse(rewritten(&event, Some("w"), &[], true).into()).unwrap();
        let time = stamped.event().timestamp.unwrap();
        assert!(before <= time && time <= Timestamp::now());
        assert_eq!(stamped.event().route_code, Some("w/0"));
        let untouched = PacketBuf::parse(rewritten(&event, None, &[], false).into()).unwrap();
        assert_eq!(untouched.event(), event);
    }

    #[test]
    fn what_gets_too_long_is_split_or_leaves_a_failure() {
        let content = vec![b'x'; MAX_PACKET - 20];
        let out = rewritten(&Event::file("log", &content), Some("worker-1"), &[], false);
        assert!(out.len() > MAX_PACKET);
        let id = "x".repeat(MAX_PACKET - 20);
        let out = rewritten(&Event::status(&id, Status::Success), Some("worker-1"), &[], false);
        let failed = PacketBuf::parse(out.into()).unwrap();
        assert_eq!(failed.event().test_id, Some("subunit-mux.packet"));
        assert_eq!(failed.event().status, Some(Status::Fail));
    }
}
