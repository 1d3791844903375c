//! Runs that follow each other, and results that fail.

use std::cell::RefCell;
use std::io;

use streamresult::{
    Decision, Notify, Outcome, Record, RecordSink, Records, Router, StreamResult, StreamResultExt, Summary,
    drive, from_fn, record_fn,
};
use subunit::io::Writer;
use subunit::{Event, Status};

#[test]
fn a_second_run_inherits_nothing() {
    let mut summary = Summary::new();
    let mut ids = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        ids.push(format!("{} {}", record.test_id(), record.outcome()));
        Ok(())
    }));
    let mut both = (&mut summary, &mut records);
    for (id, status) in [("a", Status::Fail), ("b", Status::InProgress)] {
        both.start_run().unwrap();
        both.status(&Event::status("open", Status::InProgress)).unwrap();
        both.status(&Event::status(id, status)).unwrap();
    }
    both.stop_run().unwrap();
    drop(records);
    assert_eq!((summary.count(Outcome::Fail), summary.unfinished(), summary.total()), (0, 2, 2));
    assert_eq!(ids, ["a fail", "open unfinished", "b unfinished"]);
}

#[test]
fn a_test_that_finished_in_the_run_before_is_not_late() {
    let mut late = 0;
    let mut files = 0;
    struct Count<'a>(&'a mut u32, &'a mut u32);
    impl RecordSink for Count<'_> {
        fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
            *self.1 += record.attachments().len() as u32;
            Ok(())
        }

        fn late(&mut self, _: &Event<'_>, _: Option<streamresult::Extent>) -> io::Result<()> {
            *self.0 += 1;
            Ok(())
        }
    }
    let mut records = Records::new(Count(&mut late, &mut files));
    records.start_run().unwrap();
    records.status(&Event::status("a", Status::Fail)).unwrap();
    records.stop_run().unwrap();
    records.start_run().unwrap();
    records.status(&Event { test_id: Some("a"), ..Event::file("log", b"x") }).unwrap();
    records.stop_run().unwrap();
    drop(records);
    assert_eq!((late, files), (0, 1));
}

#[test]
fn what_waited_in_the_run_before_is_not_held_any_more() {
    let mut seen = Vec::new();
    let out = from_fn(|event| {
        seen.extend(event.test_id.map(str::to_owned));
        Ok(())
    });
    let mut held = out.held(|waiting| match waiting.is_last() {
        true => Decision::Keep,
        false => Decision::Wait,
    });
    for id in ["a", "b"] {
        held.start_run().unwrap();
        held.status(&Event::status(id, Status::InProgress)).unwrap();
    }
    held.stop_run().unwrap();
    drop(held);
    assert_eq!(seen, ["b"]);
}

/// Writes down its calls, and fails at each.
struct Failing<'a>(&'a RefCell<Vec<String>>, &'a str);

impl Failing<'_> {
    fn fail(&mut self, call: &str) -> io::Result<()> {
        self.0.borrow_mut().push(call.to_owned());
        Err(io::Error::other(format!("{} at {call}", self.1)))
    }
}

impl StreamResult for Failing<'_> {
    fn start_run(&mut self) -> io::Result<()> {
        self.fail("start")
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.fail(event.test_id.unwrap_or("-"))
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.fail("stop")
    }
}

impl RecordSink for Failing<'_> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.fail(record.test_id())
    }
}

fn stream(ids: &[&str]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for id in ids {
        writer.write(&Event::status(id, Status::Success)).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn a_stopped_run_without_a_start_is_stopped_by_a_router_too() {
    let calls = RefCell::new(Vec::new());
    let mut router = Router::default();
    let sink = router.add_sink(Failing(&calls, "x"), Notify::StartStop).unwrap();
    router.add_sink(Failing(&calls, "x"), Notify::EventsOnly).unwrap();
    router.set_fallback(sink);
    assert!(router.stop_run().is_err());
    assert_eq!(*calls.borrow(), ["stop"]);
}

fn check_all_calls(
    results: impl FnOnce(&RefCell<Vec<String>>, &mut Summary) -> io::Result<()>,
    last: &[&str],
) {
    let calls = RefCell::new(Vec::new());
    let mut summary = Summary::new();
    let told = results(&calls, &mut summary);
    assert_eq!(told.unwrap_err().to_string(), format!("disk full at {}", last[0]));
    assert_eq!(summary.total(), 3);
    let calls: Vec<_> = calls.into_inner();
    assert_eq!(calls, last);
}

#[test]
fn drive_reads_to_the_end_for_the_others_of_a_pair() {
    let bytes = stream(&["a", "b", "c"]);
    let all = ["start", "a", "b", "c", "stop"];
    check_all_calls(|calls, summary| drive(&bytes[..], &mut (Failing(calls, "disk full"), summary)), &all);
    check_all_calls(
        |calls, summary| {
            let list: Vec<Box<dyn StreamResult + '_>> =
                vec![Box::new(Failing(calls, "disk full")), Box::new(summary)];
            drive(&bytes[..], &mut list.filtered(|_| true))
        },
        &all,
    );
    check_all_calls(
        |calls, summary| drive(&bytes[..], &mut Records::new((Failing(calls, "disk full"), summary))),
        &["a", "b", "c"],
    );
}

#[test]
fn all_unfinished_tests_are_given_though_the_sink_fails() {
    let open = |calls: &RefCell<Vec<String>>, summary: &mut Summary| {
        let mut records = Records::new((Failing(calls, "disk full"), summary));
        for id in ["a", "b", "c"] {
            records.status(&Event::status(id, Status::InProgress)).unwrap();
        }
        records.stop_run()
    };
    check_all_calls(open, &["a", "b", "c"]);
}

#[test]
fn all_that_is_held_passes_though_the_result_fails() {
    let held = |calls: &RefCell<Vec<String>>, summary: &mut Summary| {
        let mut held = (Failing(calls, "disk full"), summary).held(|waiting| match waiting.is_last() {
            true => Decision::Keep,
            false => Decision::Wait,
        });
        for id in ["a", "b", "a", "c"] {
            held.status(&Event::status(id, Status::InProgress)).unwrap();
        }
        held.stop_run()
    };
    check_all_calls(held, &["a", "a", "b", "c", "stop"]);
}

#[test]
fn the_event_that_decides_passes_though_those_before_failed() {
    let held = |calls: &RefCell<Vec<String>>, summary: &mut Summary| {
        let mut held = (Failing(calls, "disk full"), summary)
            .held(|waiting| if waiting.record().test_id() == "c" { Decision::Keep } else { Decision::Wait });
        let mut told = Ok(());
        for id in ["a", "b", "c", "c"] {
            told = told.and(held.status(&Event::status(id, Status::InProgress)));
        }
        told.and(held.stop_run())
    };
    check_all_calls(held, &["c", "c", "a", "b", "stop"]);
}

/// With everything imported, as people do.
mod glob {
    use streamresult::*;
    use subunit::*;

    #[test]
    fn a_summary_has_one_set_of_names() {
        let mut summary = Summary::new();
        let one = &mut summary;
        one.start_run().unwrap();
        one.status(&Event::status("a", Status::InProgress)).unwrap();
        one.flush().unwrap();
        assert_eq!(one.running(), 1);
        one.stop_run().unwrap();
        assert_eq!((summary.verdict(), summary.clone().unfinished()), (RunVerdict::Failed, 1));
    }
}
