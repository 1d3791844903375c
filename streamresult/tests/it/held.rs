use std::io;

use streamresult::{Decision, Held, Outcome, StreamResult, StreamResultExt, Waiting};
use subunit::{Event, File, PacketBuf, Status};

use crate::script::{Lines, check_lines, events, line, run};

/// Passes tests that fail, drops those that do not, and those that are unfinished.
fn failing(waiting: &Waiting<'_>) -> Decision {
    match waiting.record().outcome() {
        Outcome::Unfinished if waiting.is_last() => Decision::Drop,
        Outcome::Unfinished => Decision::Wait,
        outcome if outcome.is_failure() => Decision::Keep,
        _ => Decision::Drop,
    }
}

fn check<F>(script: &str, decide: F, expected: &str)
where
    F: FnMut(&Waiting<'_>) -> Decision,
{
    let mut held = Lines::default().held(decide);
    run(script, &mut held);
    check_lines(&held.into_inner().0, expected);
}

#[test]
fn a_test_passes_whole_and_in_order_once_that_is_decided() {
    check(
        "a inprogress t=1
         b inprogress t=2
         - - file=stdout:now
         a - file=log:one tags=x route=
         a - file=log:two tags=x
         b success t=3
         a fail t=4
         a - file=log:late
         b - file=log:late
         c inprogress",
        failing,
        "start
         - - file=stdout:now
         a inprogress t=1
         a - file=log:two tags=x
         a fail t=4
         a - file=log:late
         stop",
    );
}

#[test]
fn what_is_undecided_passes_at_the_end_in_order_of_start() {
    check(
        "b inprogress
         a success
         b - file=log:x
         - exists",
        |_| Decision::Wait,
        "start
         - exists
         b inprogress
         b - file=log:x
         a success
         stop",
    );
}

#[test]
fn a_decision_holds_for_the_rest_of_the_test_and_is_made_anew_for_the_next() {
    let mut asked = 0;
    check(
        "a inprogress
         a - file=log:x
         a success
         a inprogress
         a success
         a - file=log:late",
        |_| {
            asked += 1;
            if asked == 1 { Decision::Drop } else { Decision::Keep }
        },
        "start
         a inprogress
         a success
         a - file=log:late
         stop",
    );
    assert_eq!(asked, 2);
}

#[test]
fn a_test_may_be_held_beyond_its_end() {
    let last = |waiting: &Waiting<'_>| {
        let done = waiting.event().is_some_and(|event| event.tags.contains("last"));
        if done { Decision::Keep } else { Decision::Wait }
    };
    check(
        "a fail
         b success tags=last
         a inprogress
         a success tags=last",
        last,
        "start
         b success tags=last
         a fail
         a inprogress
         a success tags=last
         stop",
    );
}

#[test]
fn the_held_events_can_be_looked_at() {
    let mut lines = Vec::new();
    let mut held = Lines::default().held(|waiting| {
        if waiting.event().is_some_and(|event| event.status == Some(Status::Fail)) {
            let note = |event: &Event<'_>| {
                lines.push(line(event));
                Ok(())
            };
            waiting.for_each(note).unwrap();
        }
        Decision::Wait
    });
    events("a inprogress\na - file=log:x\na fail", &mut held);
    drop(held);
    check_lines(&lines, "a inprogress\na - file=log:x");
}

/// Takes packets only, and compares them with those that were sent.
struct Packets(Vec<PacketBuf>);

impl StreamResult for Packets {
    fn status(&mut self, _: &Event<'_>) -> io::Result<()> {
        Err(io::Error::other("not the packet that came"))
    }

    fn packet(&mut self, packet: &subunit::Packet<'_>) -> io::Result<()> {
        self.0.push(packet.to_owned());
        Ok(())
    }
}

#[test]
fn packets_come_out_as_they_went_in_also_through_the_file() {
    let log: Vec<u8> = (0..3_000_000u32).map(|at| (at / 11) as u8).collect();
    let file = Some(File { name: "log", bytes: &log });
    let test = Event { test_id: Some("a"), ..Event::default() };
    let events = [Event { file, ..test }, test, Event { file, ..test }, Event::status("a", Status::Fail)];
    let packets: Vec<PacketBuf> = events.iter().map(|event| PacketBuf::encode(event).unwrap()).collect();
    let mut held: Held<_, _> = Packets(Vec::new()).held(failing);
    packets.iter().for_each(|packet| held.packet(&packet.packet()).unwrap());
    assert!(held.into_inner().0 == packets);
}
