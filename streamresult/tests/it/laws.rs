//! Laws, on events of any kind.

use std::borrow::Cow;
use std::io;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};
use streamresult::{
    DAMAGE_ID, Decision, Details, Edit, Extent, Outcome, Record, RecordSink, Records, StreamResult,
    StreamResultExt, Summary, TextEdit, Waiting, drive, edit, edit_packets,
};
use subunit::io::Writer;
use subunit::strategy::{Piece, packet, pieces};
use subunit::{Event, PacketBuf, Status};

use crate::summary::counts;

/// Packets about few tests, so that they meet.
fn packets() -> impl Strategy<Value = Vec<PacketBuf>> {
    let id = prop_oneof![
        6 => "[a-d]".prop_map(Some),
        1 => proptest::strategy::Just(Some(DAMAGE_ID.to_owned())),
        1 => proptest::strategy::Just(None),
    ];
    let route = proptest::option::weighted(0.3, "[01]");
    let one = (packet(), id, route).prop_map(|(packet, id, route)| {
        let (test_id, route_code) = (id.as_deref(), route.as_deref());
        PacketBuf::encode(&Event { test_id, route_code, ..packet.event() }).unwrap()
    });
    vec(one, 0..30)
}

fn stream(packets: &[PacketBuf]) -> Vec<u8> {
    packets.iter().flat_map(PacketBuf::as_bytes).copied().collect()
}

/// Passes packets through what an adaptor makes of a writer, as packets and as events.
fn check_identity<R: StreamResult>(
    packets: &[PacketBuf],
    adapt: impl Fn(Writer<Vec<u8>>) -> R,
    finish: impl Fn(R) -> Writer<Vec<u8>>,
) {
    let expected = stream(packets);
    let mut by_packet = adapt(Writer::new(Vec::new()));
    let mut by_event = adapt(Writer::new(Vec::new()));
    for packet in packets {
        by_packet.packet(&packet.packet()).unwrap();
        by_event.status(&packet.event()).unwrap();
    }
    for mut result in [by_packet, by_event] {
        result.stop_run().unwrap();
        assert!(finish(result).into_inner().unwrap() == expected);
    }
}

/// Counts events and files' bytes, wherever they come out.
#[derive(Default)]
struct Account {
    events: u64,
    bytes: u64,
    unfinished: usize,
}

impl RecordSink for Account {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.events += u64::from(record.events());
        for file in record.attachments() {
            let read = io::copy(&mut file.reader(), &mut io::sink())?;
            assert_eq!((read, file.left_out()), (file.len(), 0));
            self.bytes += read;
        }
        self.unfinished += usize::from(record.status().is_none_or(|status| !status.is_final()));
        Ok(())
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        self.global(event)
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.events += 1;
        self.bytes += event.file.map_or(0, |file| file.bytes.len() as u64);
        Ok(())
    }

    fn global_status(&mut self, event: &Event<'_>, _: Status) -> io::Result<()> {
        self.global(event)
    }
}

/// Writes down all that it is told.
#[derive(Debug, Default, PartialEq)]
struct RecordLog(Vec<String>);

impl RecordLog {
    fn note(&mut self, line: String) -> io::Result<()> {
        self.0.push(line);
        Ok(())
    }
}

impl RecordSink for RecordLog {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let files =
            record.attachments().map(|file| (file.head(usize::MAX).unwrap(), file.ended(), file.left_out()));
        let files: Vec<_> = files.collect();
        let counts = (record.events(), record.runnable(), record.last_sign(), record.duration());
        self.note(format!("{record:?} {counts:?} {files:?}"))
    }

    fn late(&mut self, event: &Event<'_>, _: Option<Extent>) -> io::Result<()> {
        self.note(format!("late {event:?}"))
    }

    fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.note(format!("global {event:?}"))
    }

    fn global_status(&mut self, event: &Event<'_>, status: Status) -> io::Result<()> {
        self.note(format!("global {status} {event:?}"))
    }
}

/// What comes out of a sink that is given events, and of one that is given their packets.
fn by_event_and_packet<R: StreamResult, T>(
    packets: &[PacketBuf],
    sink: impl Fn() -> R,
    look: impl Fn(R) -> T,
) -> [T; 2] {
    let (mut by_event, mut by_packet) = (sink(), sink());
    for packet in packets {
        by_event.status(&packet.event()).unwrap();
        by_packet.packet(&packet.packet()).unwrap();
    }
    [by_event, by_packet].map(|mut sink| {
        sink.stop_run().unwrap();
        look(sink)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn records_account_for_every_event_once(packets in packets()) {
        let mut records = Records::new(Account::default());
        drive(&stream(&packets)[..], &mut records).unwrap();
        let account = records.into_sink();
        prop_assert_eq!(account.events, packets.len() as u64);
        let bytes = packets.iter().filter_map(|packet| packet.event().file).map(|file| file.bytes.len() as u64);
        prop_assert_eq!(account.bytes, bytes.sum::<u64>());
    }

    #[test]
    fn the_summary_of_events_is_that_of_records(packets in packets()) {
        let stream = stream(&packets);
        let mut events = Summary::new();
        drive(&stream[..], &mut events).unwrap();
        let mut records = Records::new((Summary::new(), Account::default())).details(Details::Reason);
        drive(&stream[..], &mut records).unwrap();
        prop_assert_eq!(counts(&events), counts(&records.sink().0));
    }

    #[test]
    fn packets_are_accounted_for_as_their_events_are(packets in packets(), cap in 0u64..4) {
        let [events, packets_alone] = by_event_and_packet(&packets, Summary::new, |summary| counts(&summary));
        prop_assert_eq!(events, packets_alone);
        for details in [Details::None, Details::Reason, Details::All] {
            let records = || Records::new(RecordLog::default()).details(details).cap(cap);
            let [events, packets] = by_event_and_packet(&packets, records, Records::into_sink);
            prop_assert_eq!(events, packets);
        }
        let decide = |waiting: &Waiting<'_>| match waiting.record().outcome() {
            Outcome::Unfinished if !waiting.is_last() => Decision::Wait,
            outcome if outcome.is_failure() => Decision::Keep,
            _ => Decision::Drop,
        };
        let held = || Writer::new(Vec::new()).held(decide);
        let [events, packets] = by_event_and_packet(&packets, held, |held| held.into_inner().into_inner().unwrap());
        prop_assert_eq!(events, packets);
    }

    #[test]
    fn adaptors_with_nothing_to_change_change_nothing(packets in packets()) {
        check_identity(&packets, |writer| writer, |writer| writer);
        check_identity(&packets, |writer| writer.filtered(|_| true), |result| result.into_inner());
        check_identity(&packets, |writer| writer.tagged([""; 0], ["none such"]), |result| result.into_inner());
        check_identity(&packets, |writer| writer.renamed(|id| Cow::Borrowed(id)), |result| result.into_inner());
        check_identity(&packets, |writer| writer.fail_fast(|_| ()), |result| result.into_inner());
        check_identity(&packets, |writer| writer.held(|_| Decision::Keep), |result| result.into_inner());
    }

    #[test]
    fn held_events_pass_in_order_test_by_test(packets in packets(), wait in 0u8..8) {
        let mut asked = 0u8;
        let mut passed = Vec::new();
        let out = streamresult::from_fn(|event| {
            passed.push(PacketBuf::encode(event).map_err(io::Error::from)?);
            Ok(())
        });
        let mut held = out.held(|_| {
            asked = asked.wrapping_add(1);
            if asked % 8 < wait { Decision::Wait } else { Decision::Keep }
        });
        drive(&stream(&packets)[..], &mut held).unwrap();
        drop(held);
        prop_assert_eq!(passed.len(), packets.len());
        let of = |list: &[PacketBuf], like: &PacketBuf| -> Vec<PacketBuf> {
            let key = |packet: &PacketBuf| {
                let event = packet.event();
                (event.test_id.map(str::to_owned), event.route_code.filter(|_| event.test_id.is_some()).map(str::to_owned))
            };
            list.iter().filter(|packet| key(packet) == key(like)).cloned().collect()
        };
        for packet in &packets {
            prop_assert!(of(&packets, packet) == of(&passed, packet));
        }
    }

    #[test]
    fn an_edit_that_keeps_all_copies_every_byte(pieces in pieces()) {
        let stream: Vec<u8> = pieces.iter().flat_map(Piece::as_bytes).copied().collect();
        let mut out = Vec::new();
        edit(&stream[..], &mut out, TextEdit::Keep, |_, _| Ok(Edit::Keep)).unwrap();
        prop_assert!(out == stream);
        let mut packets_only = Vec::new();
        edit_packets(&stream[..], &mut packets_only, TextEdit::Drop, |packet, out| {
            Edit::replace(out, &packet.event())
        }).unwrap();
        prop_assert!(packets_only.len() <= stream.len());
    }
}
