use std::sync::mpsc::{Receiver, channel};

use process::Exit;

use super::*;

/// What is told of a script that is led here.
struct Trial {
    leading: Leading,
    told: Receiver<Told>,
}

fn start(script: &str) -> Trial {
    let mark = Mark::new().value().to_owned();
    let led = Led { script: script.to_owned(), mark, ..Led::default() };
    let (sender, told) = channel();
    let heard: Heard = Box::new(move |told| drop(sender.send(told)));
    Trial { leading: Place::Here.lead(led, Wait::FOREVER, heard).unwrap(), told }
}

impl Trial {
    /// What was written until a line of it is this.
    fn until(&self, line: &str) {
        let mut written = String::new();
        while !written.lines().any(|own| own == line) {
            match self.told.recv().unwrap() {
                Told::Wrote(_, bytes) => written += &String::from_utf8(bytes).unwrap(),
                Told::Started(_) => {}
                told => panic!("{told:?} after {written}"),
            }
        }
    }

    fn end(self) -> LedEnd {
        let told = self.told.iter().find(|told| matches!(told, Told::Ended(_) | Told::Lost(_)));
        self.leading.join();
        match told {
            Some(Told::Ended(end)) => end,
            told => panic!("{told:?}"),
        }
    }
}

fn stop(grace: u64) -> Order {
    Order::Stop { signal: Signal::TERM.as_raw(), grace: Duration::from_secs(grace) }
}

#[test]
fn it_is_told_what_to_do_and_ends_in_its_grace() {
    let led = start("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    led.until("ready");
    led.leading.order(&Order::Signal(Signal::STOP.as_raw()));
    led.leading.order(&stop(60));
    let end = led.end();
    assert_eq!((end.exit, end.cause, end.was_stopped), (Exit::Exited(3), Cause::Itself, true));
    assert!(end.left.is_empty(), "{:?}", end.left);
}

#[test]
fn what_does_not_stop_is_killed() {
    let led = start("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    led.until("ready");
    led.leading.order(&stop(0));
    let end = led.end();
    assert_eq!((end.exit, end.cause), (Exit::Signalled { signal: 9, core: false }, Cause::Stopped));
}

#[test]
fn what_it_leaves_is_found_in_its_group_and_out_of_it() {
    let left = |script: &str| {
        let led = start(script);
        let end = led.end();
        assert!(end.is_success(), "{end:?}");
        end.left
    };
    assert!(left("sleep 1000 >&- 2>&- & echo gone").iter().any(|name| name.contains("sleep")));
    assert!(
        left("up=$(setsid sh -c 'echo up; exec sleep 1000 >&- 2>&-' &)")
            .iter()
            .any(|name| name.contains("sleep"))
    );
    assert!(left("sleep 0.01 & echo gone").is_empty());
}

#[test]
fn a_part_that_takes_its_time_to_stop_is_waited_for() {
    let part = "sh -c 'trap \"sleep 0.5; exit 0\" TERM; echo ready; while :; do sleep 0.01; done' & trap 'exit 0' TERM; wait";
    let led = start(part);
    led.until("ready");
    led.leading.order(&stop(60));
    let end = led.end();
    assert!(end.left.is_empty() && end.cause == Cause::Itself, "{end:?}");
}

#[test]
fn nobody_who_wants_it_is_its_end() {
    let led = start("echo ready; sleep 1000");
    led.until("ready");
    drop(led.leading);
    let ends: Vec<Told> = led.told.iter().filter(|told| matches!(told, Told::Ended(_))).collect();
    assert_eq!(ends.len(), 1);
}

#[test]
fn what_comes_from_afar_is_what_was_told() {
    let ends = [Exit::Exited(3), Exit::Signalled { signal: 9, core: false }].map(|exit| LedEnd {
        exit,
        cause: Cause::Stopped,
        was_stopped: true,
        elapsed: Duration::from_millis(5),
        left: vec!["7 (sleep)".to_owned()],
    });
    let told = ends.map(Told::Ended);
    let all = [Told::Started(42), Told::Wrote(Source::Stderr, vec![0xb3; 200_000])].into_iter().chain(told);
    let bytes: Vec<u8> = all.clone().flat_map(|told| told.packet()).collect();
    let mut reports = Reports::default();
    let mut came = Vec::new();
    bytes.chunks(1000).for_each(|piece| reports.push(piece, &mut |told| came.push(told)));
    let written: usize =
        came.iter().map(|told| if let Told::Wrote(_, bytes) = told { bytes.len() } else { 0 }).sum();
    assert_eq!(written, 200_000);
    let shown = |all: Vec<Told>| {
        let is_short = |told: &Told| !matches!(told, Told::Wrote(..));
        all.into_iter().filter(is_short).map(|told| format!("{told:?}")).collect::<Vec<_>>()
    };
    assert_eq!(shown(came), shown(all.collect()));
}
