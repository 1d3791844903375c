use streamresult::{Details, Records, Sign, StreamResult, record_fn};
use subunit::{Event, File, Status};

use crate::script::{Lines, check_lines, events, run};

fn check(script: &str, expected: &str) {
    check_with(script, |records| records, expected);
}

fn check_with(script: &str, with: impl FnOnce(Records<Lines>) -> Records<Lines>, expected: &str) {
    let mut records = with(Records::new(Lines::default()));
    run(script, &mut records);
    check_lines(&records.into_sink().0, expected);
}

#[test]
fn a_test_is_one_record_given_at_its_end() {
    check(
        "a inprogress t=1
         b inprogress t=2
         a - file=log:one mime=text/plain
         b success t=3
         a - file=log:two mime=text/html eof
         a fail t=9",
        "b success 2..3 #2
         a fail 1..9 #4 {log:text/plain:onetwo}",
    );
}

#[test]
fn the_key_is_route_and_id() {
    check(
        "a inprogress route=0
         a inprogress route=1
         a success route=1
         a fail
         a success route=",
        "1:a success #2
         a fail #1
         :a success #1
         0:a unfinished #1",
    );
}

#[test]
fn the_last_tags_win_and_empty_ones_clear() {
    check(
        "a inprogress tags=x,y
         a success
         b inprogress tags=x
         b success tags=
         c - tags=x,x,y
         c success tags=y,z,y",
        r#"a success #2 ["x", "y"]
           b success #2
           c success #2 ["y", "z"]"#,
    );
}

#[test]
fn empty_files_are_files_and_order_is_that_of_appearance() {
    check(
        "a inprogress file=b:
         a - file=a:1 mime=text/plain
         a - file=b:2 mime=text/x
         a success file=:",
        "a success #4 {b:text/x:2} {a:text/plain:1} {:-:}",
    );
}

#[test]
fn unfinished_tests_come_at_the_end_in_order_of_start() {
    check(
        "c inprogress t=1
         a inprogress t=2
         b - file=x:
         c - file=log:tick t=8",
        "c unfinished 1..8 #2 {log:-:tick}
         a unfinished 2..2 #1
         b unfinished #1 {x:-:}",
    );
}

#[test]
fn a_late_attachment_is_no_test() {
    check(
        "a inprogress
         a fail
         a - file=log:late
         a - tags=late",
        "a fail #2
         late: a - file=log:late
         late: a - tags=late",
    );
}

#[test]
fn a_late_attachment_is_known_among_the_last_100_000_finished_tests() {
    let mut late = 0;
    for others in [99_999, 100_000] {
        let mut records = Records::new(Lines::default());
        records.status(&Event::status("a", Status::Success)).unwrap();
        for number in 0..others {
            records.status(&Event::status(&number.to_string(), Status::Success)).unwrap();
        }
        records.status(&Event { test_id: Some("a"), ..Event::file("log", b"x") }).unwrap();
        records.stop_run().unwrap();
        let last = records.into_sink().0.pop().unwrap();
        late += usize::from(last == "late: a - file=log:x norun");
        assert!(others == 99_999 || last == "a unfinished #1 {log:-:x}", "{last}");
    }
    assert_eq!(late, 1);
}

#[test]
fn a_status_of_a_finished_test_begins_another_record() {
    check(
        "a success
         a fail
         a inprogress
         a - file=log:x
         a success
         a inprogress",
        "a success #1
         a fail #1
         a success #3 {log:-:x}
         a unfinished #1",
    );
}

#[test]
fn announced_tests_are_no_runs() {
    check(
        "a exists
         b - file=doc:x
         b exists
         a inprogress
         a exists
         a success",
        "a exists #1
         b exists #2 {doc:-:x}
         a exists #1
         a success #2",
    );
}

#[test]
fn a_file_after_the_announcement_begins_the_test() {
    check("a exists\na - file=log:x\na success", "a exists #1\na success #2 {log:-:x}");
}

#[test]
fn each_damage_is_a_record_with_its_bytes() {
    let damage = "subunit.parser - file=Data:1\nsubunit.parser fail file=Error:2\n";
    let record = "subunit.parser fail #2 {Data:-:1} {Error:-:2}\n";
    check(&damage.repeat(3), &record.repeat(3));
}

#[test]
fn what_has_no_test_id_is_given_as_it_comes() {
    check(
        "- - file=stdout:x
         - fail file=stderr:y
         - inprogress",
        "global: - - file=stdout:x
         global fail: - fail file=stderr:y
         global inprogress: - inprogress",
    );
}

#[test]
fn only_the_files_that_are_wanted_are_kept() {
    let script = "a - file=reason:why\na skip file=log:12345";
    check_with(script, |records| records.details(Details::None), "a skip #2");
    check_with(script, |records| records.details(Details::Reason), "a skip #2 {reason:-:why}");
    let capped = "a skip #2 {reason:-:why} {log:-:123} (2 more)";
    check_with(script, |records| records.cap(3), capped);
    check_with("a skip file=log:12345", |records| records.cap(0), "a skip #1 {log:-:} (5 more)");
}

#[test]
fn tags_can_be_left_out() {
    check_with("a success tags=x", Records::without_tags, "a success #1");
}

#[test]
fn long_files_are_whole() {
    let piece: Vec<u8> = (0..700_000u32).map(|at| (at / 7) as u8).collect();
    let mut lengths = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        for file in record.attachments() {
            let mut bytes = Vec::new();
            std::io::copy(&mut file.reader(), &mut bytes)?;
            assert!(bytes.chunks(piece.len()).all(|part| part == piece));
            lengths.push((file.len(), bytes.len() as u64, file.in_memory().is_some()));
        }
        Ok(())
    }));
    let file = Some(File { name: "log", bytes: &piece });
    for round in 1..=3 {
        for test_id in [Some("a"), Some("b")] {
            for _ in 0..round * 2 {
                records.status(&Event { test_id, file, ..Event::default() }).unwrap();
            }
        }
        records.status(&Event::status("a", Status::Success)).unwrap();
        records.status(&Event::status("b", Status::Success)).unwrap();
        // A status begins the next record: without it, files would be late.
        records.status(&Event::status("a", Status::InProgress)).unwrap();
        records.status(&Event::status("b", Status::InProgress)).unwrap();
    }
    records.stop_run().unwrap();
    assert_eq!(lengths.len(), 6);
    assert!(lengths.iter().all(|(len, read, in_memory)| len == read && !in_memory), "{lengths:?}");
}

#[test]
fn a_running_test_can_be_looked_at() {
    let mut records = Records::new(Lines::default());
    events("b inprogress t=1\na inprogress t=2\nb - file=log:x t=5\nc success", &mut records);
    let open = records.open();
    let signs: Vec<_> = open.iter().map(|record| (record.test_id(), record.last_sign())).collect();
    assert_eq!(signs, [("b", Sign::File), ("a", Sign::Status(Status::InProgress))]);
    assert_eq!(open[0].last().map(|time| time.seconds()), Some(5));
    assert_eq!(records.open_len(), 2);
}

#[test]
fn a_duration_takes_two_times() {
    let mut durations = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        durations.push(record.duration().map(|duration| duration.as_secs()));
        Ok(())
    }));
    run(
        "a success t=5
         b inprogress
         b success t=5
         c inprogress t=5
         c success
         d inprogress t=5
         d success t=7
         e inprogress t=7
         e success t=5",
        &mut records,
    );
    assert_eq!(durations, [None, None, None, Some(2), Some(0)]);
}

#[test]
fn a_failing_sink_is_heard_and_the_records_go_on() {
    let mut calls = 0;
    let mut records = Records::new(record_fn(|_| {
        calls += 1;
        if calls == 1 { Err(std::io::Error::other("full")) } else { Ok(()) }
    }));
    let event = Event::status("a", Status::Success);
    assert_eq!(records.status(&event).unwrap_err().to_string(), "full");
    records.status(&event).unwrap();
    records.stop_run().unwrap();
    assert_eq!(calls, 2);
}

#[test]
fn many_tests_are_in_flight_at_once() {
    let mut ids = Vec::new();
    let mut records = Records::new(record_fn(|record| {
        ids.push(record.test_id().to_owned());
        Ok(())
    }));
    let name = |number: u32| format!("test {number}");
    for number in 0..50_000 {
        records.status(&Event::status(&name(number), Status::InProgress)).unwrap();
    }
    for number in (0..50_000).rev().filter(|number| number % 2 == 0) {
        records.status(&Event::status(&name(number), Status::Success)).unwrap();
    }
    assert_eq!(records.open_len(), 25_000);
    records.stop_run().unwrap();
    let ended = (0..50_000).rev().filter(|number| number % 2 == 0);
    let expected: Vec<String> = ended.chain((0..50_000).filter(|number| number % 2 == 1)).map(name).collect();
    assert!(ids == expected);
}
