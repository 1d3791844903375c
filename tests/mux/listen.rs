//! Sources that connect.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use subunit::Status;

use crate::support::{Folder, Live, PATIENCE, arg, mux, run, status};

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
    live.signal("TERM");
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
    live.signal("INT");
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
fn what_is_not_a_socket_stays() {
    let folder = Folder::new();
    let (path, link) = (folder.path("file"), folder.path("link"));
    std::fs::write(&path, "precious").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for taken in [&path, &link] {
        let ended = run(&[&*format!("--listen=unix:{}", arg(taken)), "/dev/null"], b"");
        assert_eq!(ended.code, Some(2), "{}", ended.errors);
    }
    assert!(link.is_symlink() && std::fs::read(&path).unwrap() == b"precious");
}
