//! Sources that connect.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use subunit::{Event, File, Status};

use crate::support::{Folder, Live, PATIENCE, arg, bytes, mux, run, status};

fn connect(path: &Path) -> UnixStream {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn each_connection_is_a_source_until_a_signal_ends_listening() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let live = Live::start(&mut mux(&["--listen", &format!("unix:{}", socket.display())]));
    let mut first = connect(&socket);
    first.write_all(&status("a", Status::Success)).unwrap();
    assert_eq!(live.next(), "0 a success");
    let mut second = connect(&socket);
    second.write_all(&status("b", Status::Success)).unwrap();
    assert_eq!(live.next(), "1 b success");
    drop(second);
    first.write_all(&status("c", Status::Success)).unwrap();
    assert_eq!(live.next(), "0 c success");
    live.signal(Signal::TERM);
    assert_eq!(live.end(), (Some(143), Vec::new()));
    assert!(!socket.exists());
}

#[test]
fn with_other_sources_listening_ends_when_all_have_ended() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let listen = format!("--listen=unix:{}", socket.display());
    let fifo = folder.fifo("fifo");
    let live = Live::start(&mut mux(&[&listen, &fifo]));
    let mut connection = connect(&socket);
    drop(std::fs::File::create(&fifo).unwrap());
    connection.write_all(&status("late", Status::Success)).unwrap();
    assert_eq!(live.next(), "1 late success");
    drop(connection);
    assert_eq!(live.end(), (Some(0), Vec::new()));
}

#[test]
fn connections_beyond_the_limit_wait_for_one_to_end() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let listen = format!("--listen=unix:{}", socket.display());
    let live = Live::start(&mut mux(&[&listen, "--max-connections=1"]));
    let first = connect(&socket);
    let mut second = connect(&socket);
    second.write_all(&status("b", Status::Success)).unwrap();
    (&first).write_all(&status("a", Status::Success)).unwrap();
    assert_eq!(live.next(), "0 a success");
    drop(first);
    assert_eq!(live.next(), "1 b success");
    drop(second);
    live.signal(Signal::TERM);
    assert_eq!(live.end(), (Some(143), Vec::new()));
}

#[test]
fn long_packets_of_many_connections_arrive_whole() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let live = Live::start(&mut mux(&["--listen", &format!("unix:{}", socket.display())]));
    let packet = bytes(&Event {
        file: Some(File { name: "log", bytes: &vec![b'x'; 300_000] }),
        ..Event::status("a", Status::Success)
    });
    let (half, rest) = packet.split_at(packet.len() / 2);
    let mut connections: Vec<_> = (0..40).map(|_| connect(&socket)).collect();
    // More than find room at a time begin, and end in another order.
    thread::scope(|scope| {
        for connection in &mut connections {
            scope
                .spawn(move || connection.write_all(half).and_then(|()| connection.write_all(rest)).unwrap());
        }
    });
    drop(connections);
    let mut lines: Vec<_> = (0..40).map(|_| live.next()).collect();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.iter().filter(|line| line.contains(" a success")).count(), 40, "{lines:?}");
    live.signal(Signal::TERM);
    assert_eq!(live.end().0, Some(143));
}

#[test]
fn other_machines_connect_only_where_that_is_asked_for() {
    let ended = run(&["--listen=tcp:0.0.0.0:0", "/dev/null"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("other machines could connect"), "{}", ended.errors);
    assert_eq!(run(&["--listen=tcp:0.0.0.0:0", "--listen-any", "/dev/null"], b"").code, Some(0));
}

#[test]
fn a_tcp_port_that_is_free_is_told() {
    let mut live = Live::start(&mut mux(&["--listen=tcp:127.0.0.1:0"]));
    let mut line = String::new();
    BufReader::new(live.child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("subunit-mux: listening on tcp:").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let packet = status("cut", Status::Success);
    connection.write_all(&packet[..packet.len() - 1]).unwrap();
    drop(connection);
    live.wait_for("Parser Error");
    live.signal(Signal::INT);
    assert_eq!(live.end().0, Some(130));
}

#[test]
fn a_socket_that_is_left_over_gives_way_and_one_in_use_does_not() {
    let folder = Folder::new();
    let path = folder.path("socket");
    let listen = format!("--listen=unix:{}", arg(&path));
    let used = UnixListener::bind(&path).unwrap();
    let ended = run(&[&*listen, "/dev/null"], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.starts_with("subunit-mux: cannot listen on unix:"), "{}", ended.errors);
    drop(used);
    assert!(path.exists());
    let ended = run(&[&*listen, "/dev/null"], b"");
    assert_eq!((ended.code, &*ended.errors), (Some(0), ""));
}

#[test]
fn what_took_the_place_of_its_socket_stays() {
    let folder = Folder::new();
    let socket = folder.path("socket");
    let live = Live::start(&mut mux(&["--listen", &format!("unix:{}", socket.display())]));
    drop(connect(&socket));
    std::fs::remove_file(&socket).unwrap();
    std::fs::write(&socket, "precious").unwrap();
    live.signal(Signal::TERM);
    assert_eq!(live.end().0, Some(143));
    assert_eq!(std::fs::read(&socket).unwrap(), b"precious");
}

#[test]
fn what_is_not_a_socket_stays() {
    let folder = Folder::new();
    let (path, link) = (folder.path("file"), folder.path("link"));
    std::fs::write(&path, "precious").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for taken in [&path, &link] {
        let ended = run(&[&*format!("--listen=unix:{}", arg(taken)), "/dev/null"], b"");
        assert_eq!(ended.code, Some(2), "{}", ended.errors);
        assert!(ended.errors.contains("that is no socket"), "{}", ended.errors);
    }
    assert!(link.is_symlink() && std::fs::read(&path).unwrap() == b"precious");
}
