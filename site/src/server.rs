//! HTTP: connections, their limits, and events while a page changes.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use process::Interrupt;
use tokio::net::unix::pipe;
use tokio::sync::Semaphore;

use crate::answer::Answer;
use crate::guard::{Asked, Guard};
use crate::site::{Change, Site};

/// Connections at the same time; others wait.
const CONNECTIONS: usize = 256;
/// Questions to the repository at the same time.
const QUESTIONS: usize = 8;
/// How long a request may take to come, and an idle connection stay.
const HEADERS: Duration = Duration::from_secs(10);
/// How long an answer may take to be made.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a page is looked at for changes, and after how many looks without one a sign of life is sent.
const LOOK: Duration = Duration::from_secs(1);
const SIGN_OF_LIFE: u32 = 15;
/// What a page may do: its own style, scripts and events, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Body = Either<Full<Bytes>, Channel<Bytes>>;

struct Server {
    site: Site,
    guard: Guard,
    questions: Semaphore,
}

/// Answers until a signal comes; what is being answered then is given up.
pub(crate) fn serve(
    listener: TcpListener,
    site: Site,
    guard: Guard,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(QUESTIONS + 1)
        .build()
        .context("cannot start to serve")?;
    let server = Arc::new(Server { site, guard, questions: Semaphore::new(QUESTIONS) });
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let warm = Arc::clone(&server);
        tokio::task::spawn_blocking(move || warm.site.warm());
        tokio::select! {
            () = accept(listener, server) => Ok(()),
            signal = signal(interrupt) => signal,
        }
    });
    runtime.shutdown_background();
    ended
}

async fn signal(interrupt: &Interrupt) -> anyhow::Result<()> {
    match interrupt.wake() {
        Some(wake) => {
            let wake = pipe::Receiver::from_owned_fd(wake.try_clone_to_owned()?)?;
            Ok(wake.readable().await?)
        }
        None => std::future::pending().await,
    }
}

async fn accept(listener: tokio::net::TcpListener, server: Arc<Server>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open: some are closed soon.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&server), request));
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .max_buf_size(32 << 10)
                .serve_connection(TokioIo::new(stream), service);
            // Whoever goes away in between has to be told nothing.
            let _ = served.await;
            drop(permit);
        });
    }
}

async fn respond(server: Arc<Server>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (path, query) =
        (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let refused = server.guard.refuse(request.method(), &asked(&request, &path, &query));
    let is_head = request.method() == Method::HEAD;
    if let Some(answer) = refused {
        return Ok(response(answer, is_head));
    }
    if let Some(what) = Change::of(&path) {
        return Ok(events(server, what));
    }
    let asking = Arc::clone(&server);
    let answered = tokio::time::timeout(ANSWER, async move {
        let _permit = asking.questions.acquire().await.ok()?;
        let site = Arc::clone(&asking);
        tokio::task::spawn_blocking(move || site.site.answer(&path, &query)).await.ok()
    });
    let answer = match answered.await {
        Ok(Some(answer)) => answer,
        Ok(None) => Answer::plain(StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made"),
        Err(_) => Answer::plain(StatusCode::SERVICE_UNAVAILABLE, "this took too long: try again"),
    };
    Ok(response(answer, is_head))
}

fn asked<'r>(request: &'r Request<Incoming>, path: &'r str, query: &'r str) -> Asked<'r> {
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    Asked {
        host: text(header::HOST),
        origin: text(header::ORIGIN),
        cookies: text(header::COOKIE).unwrap_or_default(),
        authorization: text(header::AUTHORIZATION),
        path,
        query,
    }
}

fn response(answer: Answer, is_head: bool) -> Response<Body> {
    let len = answer.body.len();
    let body = if is_head { Bytes::new() } else { Bytes::from(answer.body) };
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    common(headers, answer.kind, answer.is_for_all);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    if answer.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        // A body may follow, which nobody reads.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some((place, cookie)) = answer.redirect {
        for (name, value) in [(header::LOCATION, place), (header::SET_COOKIE, cookie)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    response
}

fn common(headers: &mut HeaderMap, kind: &'static str, is_for_all: bool) {
    let sharing = if is_for_all { "cross-origin" } else { "same-origin" };
    for (name, value) in [
        ("content-type", kind),
        ("content-security-policy", POLICY),
        ("cross-origin-resource-policy", sharing),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A stream of events, which ends with the run or the connection.
fn events(server: Arc<Server>, what: Change) -> Response<Body> {
    let (sender, channel) = Channel::new(1);
    tokio::spawn(tell(server, what, sender));
    let mut response = Response::new(Either::Right(channel));
    common(response.headers_mut(), "text/event-stream", false);
    response
}

async fn tell(server: Arc<Server>, what: Change, mut sender: Sender<Bytes>) {
    let (mut known, mut quiet) = (None, 0);
    loop {
        let asking = Arc::clone(&server);
        let Ok(_permit) = server.questions.acquire().await else { return };
        let looked = tokio::task::spawn_blocking(move || asking.site.stamp(what)).await;
        drop(_permit);
        let Ok((stamp, is_over)) = looked else { return };
        let word = match known.replace(stamp.clone()) {
            _ if is_over => "event: end\ndata: \n\n",
            Some(before) if before != stamp => "event: change\ndata: \n\n",
            None => ": here\n\n",
            Some(_) => "",
        };
        quiet = if word.is_empty() { quiet + 1 } else { 0 };
        let word = if quiet == SIGN_OF_LIFE { ": here\n\n" } else { word };
        quiet %= SIGN_OF_LIFE;
        if !word.is_empty() && sender.send_data(Bytes::from_static(word.as_bytes())).await.is_err() || is_over
        {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
