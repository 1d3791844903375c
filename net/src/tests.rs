//! The client against servers with faults.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use process::{Deadline, Interrupt};

use super::testing::{Server, answer, client, free_port, head, patience};
use super::{Client, Exchange, FaultCause, Patience, Place, Request, Stage, Trust, Url};

fn send(request: &Request) -> Exchange {
    client().send(request, &patience())
}

/// Far more than any limit of these tests, and less than what waits for ever.
const PATIENCE: Duration = Duration::from_secs(20);

fn check(server: &Server, stage: Stage, words: &str) {
    let begin = Instant::now();
    let exchange = send(&Request::get(server.url("/")));
    let fault = exchange.result.unwrap_err();
    assert_eq!(fault.stage, stage, "{fault}");
    assert!(fault.to_string().contains(words), "{fault}");
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
}

#[test]
fn an_answer_comes_with_its_phases() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length: 5\r\n\r\nhello");
    let exchange = send(&Request::get(server.url("/x?y=z")));
    let response = exchange.result.as_ref().unwrap();
    assert_eq!(
        (response.status, response.text().as_str(), response.header("x-a")),
        (200, "hello", Some("b"))
    );
    let names: Vec<_> = exchange.trace.phases.each().map(|(name, _)| name).collect();
    assert_eq!(names, ["resolve", "connect", "first_byte", "transfer", "total"]);
}

#[test]
fn the_first_byte_and_the_rest_are_timed_apart() {
    let server = Server::new(|mut stream| {
        head(&mut stream);
        std::thread::sleep(Duration::from_millis(60));
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na").unwrap();
        std::thread::sleep(Duration::from_millis(120));
        stream.write_all(b"b").unwrap();
    });
    let phases = send(&Request::get(server.url("/"))).trace.phases;
    let [connect, first, transfer, total] =
        [phases.connect, phases.first_byte, phases.transfer, phases.total].map(Option::unwrap);
    assert!(first >= Duration::from_millis(60) && transfer >= Duration::from_millis(120), "{phases:?}");
    // However busy this machine is, no time is counted twice.
    assert!(connect + first + transfer <= total, "{phases:?}");
}

#[test]
fn bodies_are_read_however_they_are_told() {
    let read = |answer: &'static str, expected: &str| {
        let server = Server::saying(answer);
        let exchange = send(&Request::get(server.url("/")));
        assert_eq!(exchange.result.as_ref().unwrap().text(), expected);
    };
    read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde");
    read("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end");
    read("HTTP/1.1 204 No Content\r\n\r\n", "");
    read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", "x");
}

#[test]
fn what_is_asked_for_is_sent() {
    let server = Server::answering(|head| answer("200 OK", "", head));
    let text = |request: &Request| send(request).result.unwrap().text();
    let get = text(&Request::get(server.url("/a?b")).header("X-Y", "z"));
    assert!(get.starts_with("GET /a?b HTTP/1.1\r\n") && get.contains("x-y: z\r\n"), "{get}");
    assert!(!get.contains("content-length"), "{get}");
    let post = text(&Request::new("POST", server.url("/")));
    assert!(post.contains("content-length: 0\r\n"), "{post}");
    let post = text(&Request::new("DELETE", server.url("/")).json("{}"));
    assert!(post.contains("content-length: 2\r\n") && post.starts_with("DELETE / "), "{post}");
    let wrong = send(&Request::get(server.url("/")).header("a", "b\r\nc: d"));
    assert!(matches!(wrong.result.unwrap_err().cause, FaultCause::Local(_)));
}

#[test]
fn long_bodies_are_cut() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
    let exchange = send(&Request { max_body: 4, ..Request::get(server.url("/")) });
    let response = exchange.result.as_ref().unwrap();
    assert_eq!((response.text().as_str(), response.is_cut), ("0123", true));
    assert!(response.json::<u32>().unwrap_err().contains("longer than 4 bytes"));
    let whole = send(&Request { max_body: 10, ..Request::get(server.url("/")) });
    assert!(!whole.result.unwrap().is_cut);
}

#[test]
fn servers_that_say_nothing_are_not_waited_for() {
    check(&Server::silent(), Stage::FirstByte, "accepts connections, but did not answer within 500 ms");
}

#[test]
fn answers_that_never_end_are_not_waited_for() {
    let dripping = |first: &'static str| {
        Server::new(move |mut stream| {
            head(&mut stream);
            let mut next = first.as_bytes().to_vec();
            while stream.write_all(&next).is_ok() {
                next = b"x".to_vec();
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    check(&dripping("HTTP/1.1 200 OK\r\n\r\n"), Stage::Transfer, "was not done within 500 ms");
    check(&dripping("HTTP/1.1 200 OK\r\nx: "), Stage::Transfer, "was not done within 500 ms");
    let flooding = Server::new(|mut stream| {
        head(&mut stream);
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    check(&flooding, Stage::Transfer, "does not speak HTTP as it should");
}

#[test]
fn answers_that_end_early_are_faults() {
    check(&Server::new(drop), Stage::FirstByte, "");
    check(&Server::saying(""), Stage::FirstByte, "without an answer");
    check(&Server::saying("HTTP/1.1 200 OK\r\ncont"), Stage::Transfer, "before the answer's end");
    check(
        &Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
        Stage::Transfer,
        "before the answer's end",
    );
}

#[test]
fn what_is_not_http_is_a_fault() {
    check(&Server::saying("SSH-2.0-OpenSSH_9.2\r\n"), Stage::Transfer, "does not speak HTTP as it should");
    check(&Server::saying("HTTP/1.1 abc\r\n\r\n"), Stage::Transfer, "does not speak HTTP");
}

#[test]
fn closed_ports_are_refused() {
    let url: Url = format!("http://127.0.0.1:{}/", free_port()).parse().unwrap();
    let exchange = send(&Request::get(url));
    let fault = exchange.result.unwrap_err();
    assert!(matches!(fault.cause, FaultCause::System(Some(111), _)), "{fault:?}");
    assert_eq!(fault.stage, Stage::Connect);
}

#[test]
fn names_that_do_not_exist_are_told() {
    let exchange = send(&Request::get("http://no-such-name.invalid/".parse().unwrap()));
    let fault = exchange.result.unwrap_err();
    assert_eq!(fault.stage, Stage::Resolve, "{fault}");
    assert!(exchange.trace.phases.connect.is_none());
}

#[test]
fn redirects_are_followed_when_asked_for() {
    let other = Server::answering(|head| answer("200 OK", "", head));
    let there = other.url("/there").to_string();
    let server = Server::answering(move |head| match head.split(' ').nth(1) {
        Some("/out") => answer("302 Found", &format!("location: {there}\r\n"), ""),
        Some("/loop") => answer("301 Moved", "location: loop\r\n", ""),
        Some("/bad") => answer("301 Moved", "location: ftp://x/\r\n", ""),
        _ => answer("302 Found", "location: /out\r\n", "moved"),
    });
    let ask = |path, redirects| {
        let request =
            Request::get(server.url(path)).header("Authorization", "token x").header("accept", "a/b");
        send(&Request { redirects, ..request })
    };
    assert_eq!(ask("/in", 0).result.unwrap().status, 302);
    let followed = ask("/in", 5);
    let text = followed.result.as_ref().unwrap().text();
    assert!(text.contains("accept: a/b") && !text.to_lowercase().contains("authorization"), "{text}");
    assert_eq!(followed.hops().count(), 3);
    assert_eq!(followed.url, other.url("/there"));
    assert_eq!((ask("/loop", 3).result.unwrap().status, ask("/loop", 3).hops().count()), (301, 4));
    let hops: Vec<_> = followed.hops().map(|hop| hop.trace.phases.total.unwrap()).collect();
    assert_eq!(followed.phases().total, Some(hops.iter().sum()));
    assert_eq!((ask("/in", 0).leads_to(), ask("/loop", 3).leads_to()), (Some("/out"), Some("loop")));
    assert!(ask("/bad", 1).result.unwrap_err().to_string().contains("begins with neither"));
}

#[test]
fn local_sockets_are_places_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        stream.write_all(answer("200 OK", "", &line).as_bytes()).unwrap();
    });
    let client = Client::new(Trust::new(&[], false, false).unwrap(), Some(Place::Unix(path)));
    let request = Request::get("http://localhost/version".parse().unwrap());
    let exchange = client.send(&request, &patience());
    assert_eq!(exchange.result.as_ref().unwrap().text(), "GET /version HTTP/1.1\r\n");
    thread.join().unwrap();
}

#[test]
fn events_come_as_they_are_sent() {
    let (seen, is_seen) = mpsc::channel::<()>();
    let is_seen = Mutex::new(is_seen);
    let server = Server::new(move |mut stream| {
        head(&mut stream);
        let is_seen = is_seen.lock().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        for part in ["5\r\none\r\n\r\n", "5\r\ntwo\r\n\r\n"] {
            stream.write_all(part.as_bytes()).unwrap();
            // It goes on when that was seen, and ends when nobody listens any longer.
            let _gone = is_seen.recv();
        }
        let _gone = is_seen.recv();
    });
    let (usual, deadline) = (Duration::from_millis(500), Deadline::after(Duration::from_secs(2)));
    let patience = Patience::until(deadline, usual, &Interrupt::never());
    let (exchange, body) = client().stream(&Request::get(server.url("/")), &patience).unwrap();
    assert_eq!(exchange.result.as_ref().unwrap().status, 200);
    let mut lines = BufReader::new(body).lines();
    for expected in ["one", "two"] {
        assert_eq!(lines.next().unwrap().unwrap(), expected);
        seen.send(()).unwrap();
    }
    // It is left when the time for the test is up.
    assert_eq!(lines.next().unwrap().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn plain_servers_do_no_handshake() {
    let server = Server::new(|mut stream| {
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    // What the system trusts takes a while to read, and does not matter.
    let client = Client::new(Trust::new(&[], true, false).unwrap(), None);
    let ask = |server: &Server| {
        let url: Url = server.url("/").to_string().replace("http:", "https:").parse().unwrap();
        client.send(&Request::get(url), &patience()).result.unwrap_err()
    };
    let fault = ask(&server);
    assert_eq!(fault.stage, Stage::Tls);
    assert!(fault.to_string().contains("what answers there is not TLS"), "{fault}");
    let fault = ask(&Server::silent());
    assert!(fault.to_string().contains("did no TLS handshake within"), "{fault}");
}

#[test]
fn a_connection_can_be_used_as_it_is() {
    let server = Server::new(|mut stream| {
        stream.write_all(b"220 hello\r\n").unwrap();
        let _closed = stream.read_to_end(&mut Vec::new());
    });
    let patience = patience();
    let route = super::Route { place: server.place(), tls: None, protocols: &[] };
    let mut connection = route.open(&patience, &mut super::Trace::begin()).unwrap();
    let mut bytes = [0; 11];
    connection.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"220 hello\r\n");
    let error = connection.read_exact(&mut bytes).unwrap_err();
    let fault = connection.fault(Stage::FirstByte, &error);
    assert!(matches!(fault.cause, FaultCause::Timeout(_)), "{fault}");
}

#[test]
fn clients_can_be_shared() {
    fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Client>();
}
