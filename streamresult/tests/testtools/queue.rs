//! `StreamToQueue`: the sending end of a channel.

use streamresult::channel::{Message, channel};
use streamresult::{Stop, StreamResult, StreamResultExt, Summary};
use subunit::{Event, PacketBuf, Status};

use crate::support::at;

/// As in testtools, starts and stops say whose they are.
#[test]
fn start_events_and_stop_are_sent_with_a_route() {
    let (sender, mut receiver) = channel(8);
    let id = sender.id();
    let mut result = sender.routed("foo");
    let event = Event::status("test", Status::Fail).with_file("file", b"content").with_tags(&["quux"]);
    result.start_run().unwrap();
    result.status(&event).unwrap();
    result.status(&event.with_route_code("bar").with_timestamp(at(1))).unwrap();
    result.stop_run().unwrap();
    drop(result);
    let packet = |event: &Event<'_>| Some(Message::Event(PacketBuf::encode(event).unwrap()));
    assert_eq!(receiver.recv_blocking(), Some(Message::Start(id)));
    assert_eq!(receiver.recv_blocking(), packet(&event.with_route_code("foo")));
    let second = event.with_route_code("foo/bar").with_timestamp(at(1));
    assert_eq!(receiver.recv_blocking(), packet(&second));
    assert_eq!(receiver.recv_blocking(), Some(Message::Stop(id)));
    assert_eq!(receiver.recv_blocking(), None);
}

#[test]
fn a_request_to_stop_reaches_the_senders() {
    let (mut sender, mut receiver) = channel(8);
    let stop = Stop::new();
    stop.request();
    sender.status(&Event::status("a", Status::Success)).unwrap();
    assert!(!sender.should_stop(), "nobody has taken anything yet");
    receiver.drain(&mut (Summary::new(), stop)).unwrap();
    assert!(sender.should_stop());
}
