//! Files, FIFOs and stdin.

use std::thread;

use subunit::{Event, File, MAX_PACKET, Status, Timestamp};

use crate::support::{Folder, bytes, check, each_packet, lines, owned, run, status};

#[test]
fn each_source_goes_by_its_name_or_ordinal() {
    let folder = Folder::new();
    let a = folder.file("a", &status("t", Status::Success));
    let routed = Event { route_code: Some("0/1"), ..Event::status("t", Status::Fail) };
    let b = folder.file("b", &bytes(&routed));
    let lines = |args: &[String]| {
        let mut lines = run(args, b"").lines();
        lines.sort();
        lines
    };
    assert_eq!(lines(&[a.clone(), b.clone()]), owned(&["0 t success", "1/0/1 t fail"]));
    assert_eq!(lines(&[format!("x86={a}"), b.clone()]), owned(&["1/0/1 t fail", "x86 t success"]));
    assert_eq!(lines(&[format!("w={a}"), format!("w={a}")]), owned(&["w t success", "w-2 t success"]));
    assert_eq!(lines(&["--route=h".into(), a.clone(), b]), owned(&["h/0 t success", "h/1/0/1 t fail"]));
    assert_eq!(lines(&[a]), owned(&["0 t success"]));
}

#[test]
fn names_that_are_empty_or_hold_a_slash_are_refused() {
    for wrong in ["=file", "a/b=file", "--exec==true", "--exec=a/b=true", "--listen=nowhere", "--grace=1y"] {
        let ended = run(&[wrong], b"");
        assert_eq!((ended.code, ended.output.len()), (Some(2), 0), "{wrong}");
        assert!(!ended.errors.is_empty());
    }
}

#[test]
fn stdin_alone_keeps_its_routes() {
    let mut input = status("a", Status::Success);
    input.extend(bytes(&Event { route_code: Some("w"), ..Event::status("b", Status::Skip) }));
    let check = |args: &[&str], expected: &[&str]| assert_eq!(run(args, &input).lines(), expected);
    check(&[], &["- a success", "w b skip"]);
    check(&["-"], &["- a success", "w b skip"]);
    check(&["--stall-timeout=1h"], &["- a success", "w b skip"]);
    check(&["--route", "h"], &["h a success", "h/w b skip"]);
    check(&["x=-"], &["x a success", "x/w b skip"]);
    check(&["--no-route", "/dev/null", "-"], &["- a success", "w b skip"]);
    check(&["/dev/null", "-"], &["1 a success", "1/w b skip"]);
}

#[test]
fn a_stream_of_packets_alone_is_unchanged_when_nothing_is_to_change() {
    let folder = Folder::new();
    let mut stream = Vec::new();
    for number in 0..5000 {
        stream.extend(bytes(&Event::status(&format!("test {number}"), Status::Success)));
        let content = vec![number as u8; number * 7 % 3000];
        stream.extend(bytes(&Event { route_code: Some("0"), ..Event::file("log", &content) }));
    }
    for len in [64 << 10, 1 << 20, MAX_PACKET - 50] {
        stream.extend(bytes(&Event::file("long", &vec![b'x'; len])));
        stream.extend(bytes(&Event::status("after", Status::Success)));
    }
    let (path, fifo) = (folder.file("run", &stream), folder.fifo("fifo"));
    let same = |args: &[&str], stdin: &[u8]| {
        let ended = run(&[&["--no-route", "--no-stamp"], args].concat(), stdin);
        assert!(ended.output == stream && ended.code == Some(0), "{args:?}: {}", ended.errors);
    };
    same(&[&path], b"");
    same(&[&path, "/dev/null"], b"");
    same(&["--exec", &format!("cat {path}")], b"");
    same(&[], &stream);
    same(&["/dev/null", "-"], &stream);
    let writer = thread::spawn({
        let (fifo, stream) = (fifo.clone(), stream.clone());
        move || std::fs::write(fifo, stream).unwrap()
    });
    same(&[&fifo], b"");
    writer.join().unwrap();
}

#[test]
fn a_time_is_added_where_none_is() {
    let folder = Folder::new();
    let stream = [bytes(&Event::status("a", Status::Success)), status("b", Status::Success)].concat();
    let path = folder.file("run", &stream);
    let times = |args: &[&str]| {
        let mut times = Vec::new();
        each_packet(&*run(args, b"").output, |event| times.push(event.timestamp)).unwrap();
        times
    };
    let now = Timestamp::now();
    let seven = Some(Timestamp::from_seconds(7));
    for args in [&[&*path][..], &[&*path, "/dev/null"]] {
        let found = times(args);
        assert!(found[0] >= Some(now) && found[1] == seven, "{found:?}");
    }
    assert_eq!(times(&["--no-stamp", &path]), [None, seven]);
}

#[test]
fn tags_are_added() {
    let ended = run(&["--tag=a", "--tag=b", "--route=r"], &status("t", Status::Success));
    let mut tags = Vec::new();
    each_packet(&*ended.output, |event| tags.extend(event.tags.iter().map(str::to_owned))).unwrap();
    assert_eq!(tags, ["a", "b"]);
    assert_eq!(ended.lines(), ["r t success"]);
}

#[test]
fn text_and_damage_become_events_under_the_route() {
    let folder = Folder::new();
    let mut damaged = status("broken", Status::Success);
    damaged[12] ^= 1;
    let stream = [b"starting\n", &*status("a", Status::Success), &*damaged, &*status("b", Status::Success)];
    let path = folder.file("run", &stream.concat());
    for args in [&[&*path][..], &[&*path, "/dev/null"]] {
        let lines = run(args, b"").lines();
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(&lines[..2], ["0 - - stdout=starting\\n", "0 a success"]);
        assert!(lines[2].starts_with("0 subunit.parser - Packet data="));
        assert!(lines[3].starts_with("0 subunit.parser fail Parser Error=damaged packet at offset "));
        assert_eq!(lines[4], "0 b success");
    }
}

#[test]
fn what_cannot_be_read_fails_and_the_others_go_on() {
    let folder = Folder::new();
    let good = folder.file("good", &status("t", Status::Success));
    for args in [vec!["x=/no/such/file", &good], vec![&good, "x=/no/such/file"], vec!["x=/no/such/file"]] {
        let ended = run(&args, b"");
        assert_eq!(ended.code, Some(2));
        assert_eq!(
            ended.errors,
            "subunit-mux: cannot open /no/such/file: No such file or directory (os error 2)\n"
        );
        let failed =
            "x subunit-mux.x fail reason=cannot open /no/such/file: No such file or directory (os error 2)";
        assert_eq!(ended.of_route("x"), [failed]);
        assert_eq!(ended.lines().len(), args.len());
    }
    let ended = run(&["/", &good], b"");
    assert!(ended.code == Some(2) && ended.lines().contains(&"1 t success".to_owned()));
}

#[test]
fn a_stream_that_was_cut_anywhere_keeps_its_packets_and_reports_the_rest() {
    let packets: Vec<_> = (0..6).map(|number| status(&format!("test.{number}"), Status::Success)).collect();
    let stream = packets.concat();
    let folder = Folder::new();
    for cut in (0..stream.len()).step_by(7) {
        let whole = packets.iter().scan(0, |end, packet| {
            *end += packet.len();
            Some(*end)
        });
        let whole = whole.filter(|end| *end <= cut).count();
        let is_cut = cut % packets[0].len() != 0;
        let path = folder.file("cut", &stream[..cut]);
        for args in [&[&*path][..], &["--exec", &format!("cat {path}; kill -9 $$")]] {
            let mut found = run(args, b"").lines();
            found.retain(|line| !line.contains("subunit-mux."));
            let damage = found.iter().filter(|line| line.contains("subunit.parser")).count();
            assert_eq!(
                (found.len() - damage, damage),
                (whole, if is_cut { 2 } else { 0 }),
                "{cut}: {found:?}"
            );
        }
    }
}

#[test]
fn a_packet_that_gets_too_long_is_split() {
    let content = vec![b'x'; MAX_PACKET - 20];
    let event = Event { file: Some(File { name: "log", bytes: &content }), eof: true, ..Event::default() };
    let folder = Folder::new();
    let path = folder.file("run", &bytes(&event));
    for args in [&[&*path, "--route=a-route-that-is-long"][..], &[&*path, "/dev/null"]] {
        let output = run(args, b"").output;
        let (mut sizes, mut ends) = (Vec::new(), Vec::new());
        each_packet(&*output, |event| {
            sizes.push(event.file.unwrap().bytes.len());
            ends.push(event.eof);
        })
        .unwrap();
        assert_eq!((sizes.iter().sum::<usize>(), &*ends), (content.len(), &[false, true][..]));
    }
}

#[test]
fn nothing_comes_of_nothing() {
    check(&["/dev/null"], 0, &[]);
    check::<&str>(&[], 0, &[]);
    check(&["/dev/null", "/dev/null"], 0, &[]);
    assert!(lines(&[]).is_empty());
}
