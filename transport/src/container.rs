//! In a container of Docker or Podman: the program is put there as an archive, by the engine's API.

use std::io::{Cursor, Read as _};
use std::time::Duration;

use net::{Exchange, Place, Request, encode};
use probe::{Finding, Limits};
use process::{Deadline, Wait};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::binary::Program;
use super::command::Failure;
use super::site::Container;
use crate::container::engine::Engine;
use crate::container::exec::{Created, Ended};
use crate::network::{Evidence as _, one_operation};

/// Where the program is put: in the root, which no mount hides. It is root's, and everyone may run it.
const FOLDER: &str = ".subunit-checks";
/// How long the engine may take for what it does at once.
const SOON: Duration = Duration::from_secs(10);
/// What an archive has besides the file.
const FRAME: usize = 64 << 10;

/// Runs programs in a container, through the API of its engine.
#[derive(Clone, Debug)]
pub(super) struct ContainerTransport {
    pub(super) container: Container,
    pub(super) engine: Option<Place>,
}

/// What the process that carries bytes between us and the engine is asked to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ExecOrder {
    /// Where the engine listens.
    pub(super) engine: String,
    pub(super) container: String,
    pub(super) user: Option<String>,
    pub(super) command: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inspected {
    name: String,
    state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    status: String,
    running: bool,
    paused: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Version {
    os: String,
    arch: String,
}

impl ContainerTransport {
    /// Has the program there, and gives the path of it.
    ///
    /// # Errors
    ///
    /// When it is not there in time, or is not what was put there.
    pub(super) fn prepare(&self, program: &Program, wait: Wait<'_>) -> Result<String, Failure> {
        let prepared = self.try_prepare(program, wait);
        prepared.map_err(|failure| match failure {
            Failure::Failed { reason, .. } => {
                Failure::new(format!("cannot look from the container {}: {reason}", self.container.name))
            }
            Failure::Interrupted => failure,
        })
    }

    fn try_prepare(&self, program: &Program, wait: Wait<'_>) -> Result<String, Failure> {
        let session = EngineSession::open(self.engine.as_ref(), wait)?;
        let name = &self.container.name;
        session.ensure_running(name)?;
        let version: Version = session.json("/version")?;
        if version.os != "linux" {
            return Err(Failure::new(format!(
                "the containers of the engine are for {}, not linux",
                version.os
            )));
        }
        if let Some(misfit) = program.misfit(&version.arch) {
            return Err(Failure::new(misfit));
        }
        let path = format!("/{FOLDER}/{}", program.name());
        if session.digest(name, &path, program)?.as_deref() != Some(program.digest()) {
            session.put(name, program)?;
            let digest = session.digest(name, &path, program)?;
            if digest.as_deref() != Some(program.digest()) {
                let digest = digest.as_deref().unwrap_or("none");
                let what = "the copy of the program is not what was put there";
                return Err(Failure::new(format!("{what}: its digest is {digest}")));
            }
        }
        Ok(path)
    }

    /// What has the program run there.
    pub(super) fn order(&self, path: &str, role: &str) -> Result<ExecOrder, Failure> {
        let engine = Engine::new(self.engine.as_ref()).map_err(|error| Failure::new(format!("{error:#}")))?;
        Ok(ExecOrder {
            engine: engine.place().to_string(),
            container: self.container.name.clone(),
            user: self.container.user.clone(),
            command: vec![path.to_owned(), role.to_owned()],
        })
    }

    /// Has the program remove itself.
    ///
    /// # Errors
    ///
    /// When it does not do so in time.
    pub(super) fn remove(&self, path: &str, wait: Wait<'_>) -> Result<(), Failure> {
        let session = EngineSession::open(self.engine.as_ref(), wait)?;
        let order = ExecOrder { user: Some("0".to_owned()), ..self.order(path, super::Role::Remove.word())? };
        let id = session.create(&order)?;
        let start = session.engine.post(&start_path(&id), r#"{"Detach":true,"Tty":false}"#);
        session.send(&start)?;
        // Not every engine says how what it ran in the background has ended.
        while session.has(&self.container.name, path)? {
            if wait.deadline.has_passed() {
                return Err(Failure::new("it did not remove itself"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// The path by which a command that was created is started.
pub(super) fn start_path(id: &str) -> String {
    format!("/exec/{}/start", encode(id))
}

/// A session with an engine that has answered.
pub(super) struct EngineSession<'a> {
    pub(super) engine: Engine,
    wait: Wait<'a>,
}

impl<'a> EngineSession<'a> {
    /// The engine at this place, else at the usual one.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub(super) fn open(place: Option<&Place>, wait: Wait<'a>) -> Result<Self, Failure> {
        let engine = Engine::new(place).map_err(|error| Failure::new(format!("{error:#}")))?;
        let mut session = EngineSession { engine, wait };
        match session.engine.ping(session.limits(SOON)).level.reason() {
            Some(reason) => Err(session.failure(reason.to_owned())),
            None => Ok(session),
        }
    }

    /// Has a command created, and gives its id.
    ///
    /// # Errors
    ///
    /// When the engine does not.
    pub(super) fn create(&self, order: &ExecOrder) -> Result<String, Failure> {
        let wanted = json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": false,
            "Cmd": order.command, "User": order.user.clone().unwrap_or_default(),
        });
        let path = format!("/containers/{}/exec", encode(&order.container));
        let exchange = self.send(&self.engine.post(&path, &wanted.to_string()))?;
        exchange.json::<Created>(201).map(|created| created.id).map_err(|finding| self.found(&finding))
    }

    /// The exit code of a command, which has ended or is about to.
    ///
    /// # Errors
    ///
    /// When the engine does not say.
    pub(super) fn code(&self, id: &str) -> Result<i64, Failure> {
        let end = Deadline::after(SOON).earlier(self.wait.deadline);
        loop {
            let ended: Ended = self.json(&format!("/exec/{}/json", encode(id)))?;
            match ended.exit_code.filter(|_| !ended.running) {
                Some(code) => return Ok(code),
                None if end.has_passed() => {
                    return Err(self.failure("the engine does not say how it ended".to_owned()));
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn ensure_running(&self, name: &str) -> Result<(), Failure> {
        let exchange = self.engine.get(&format!("/containers/{}/json", encode(name)), self.limits(SOON));
        let response = exchange.answer().map_err(|finding| self.found(&finding))?;
        let nothing = || self.failure("there is no such container".to_owned());
        if response.status == 404 {
            return Err(nothing());
        }
        let found: Inspected = exchange.json(200).map_err(|finding| self.found(&finding))?;
        // Engines take the beginning of an id for the id.
        match found.state {
            _ if found.name.trim_start_matches('/') != name => Err(nothing()),
            State { running: true, paused: false, .. } => Ok(()),
            State { status, .. } => Err(self.failure(format!("it does not run: {status}"))),
        }
    }

    /// Whether a container has a file.
    fn has(&self, name: &str, path: &str) -> Result<bool, Failure> {
        let head = self.engine.get_request(&format!("{}?path={}", archive(name), encode(path)));
        let request = Request { method: "HEAD".to_owned(), ..head };
        let exchange = self.engine.client().send(&request, &one_operation(self.limits(SOON)));
        let response = exchange.answer().map_err(|finding| self.found(&finding))?;
        Ok(response.status != 404)
    }

    /// The digest of a file in a container, if it is there.
    fn digest(&self, name: &str, path: &str, program: &Program) -> Result<Option<String>, Failure> {
        let url = format!("{}?path={}", archive(name), encode(path));
        let exchange = self.engine.get_long(&url, program.content.len() + FRAME, self.limits(Duration::MAX));
        let response = exchange.answer().map_err(|finding| self.found(&finding))?;
        match response.status {
            200 => Ok(Some(digest_in(&response.body))),
            404 => Ok(None),
            _ => Err(self.failure(format!("the engine answers {}", response.describe()))),
        }
    }

    fn put(&self, name: &str, program: &Program) -> Result<(), Failure> {
        let body = packed(program).map_err(|error| Failure::new(error.to_string()))?;
        let url = format!("{}?path=%2F&noOverwriteDirNonDir=true", archive(name));
        let request = Request { method: "PUT".to_owned(), body, ..self.engine.get_request(&url) };
        let exchange = self.engine.client().send(&request, &one_operation(self.limits(Duration::MAX)));
        let response = exchange.answer().map_err(|finding| self.found(&finding))?;
        match response.status {
            200 => Ok(()),
            _ => Err(self.failure(format!("the program cannot be put there: {}", response.describe()))),
        }
    }

    fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.engine.json(path, self.limits(SOON)).map_err(|finding| self.found(&finding))
    }

    pub(super) fn send(&self, request: &Request) -> Result<Exchange, Failure> {
        let exchange = self.engine.client().send(request, &one_operation(self.limits(SOON)));
        match exchange.answer() {
            Ok(response) if response.status < 300 => Ok(exchange),
            Ok(response) => Err(self.failure(format!("the engine answers {}", response.describe()))),
            Err(finding) => Err(self.found(&finding)),
        }
    }

    fn limits(&self, operation: Duration) -> Limits<'a> {
        Limits { operation, deadline: self.wait.deadline, interrupt: self.wait.interrupt }
    }

    fn found(&self, finding: &Finding) -> Failure {
        self.failure(finding.level.reason().unwrap_or("the engine's answer is not valid").to_owned())
    }

    /// What failed, unless it is the signal that made it fail.
    fn failure(&self, reason: String) -> Failure {
        if self.wait.interrupt.has_come() { Failure::Interrupted } else { Failure::new(reason) }
    }
}

fn archive(name: &str) -> String {
    format!("/containers/{}/archive", encode(name))
}

/// An archive with the folder and the program.
fn packed(program: &Program) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::with_capacity(program.content.len() + FRAME));
    let header = |kind, mode, size: usize| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(u64::try_from(size).unwrap_or(u64::MAX));
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    let mut folder = header(tar::EntryType::Directory, 0o755, 0);
    archive.append_data(&mut folder, format!("{FOLDER}/"), &[][..])?;
    let mut file = header(tar::EntryType::Regular, 0o555, program.content.len());
    archive.append_data(&mut file, format!("{FOLDER}/{}", program.name()), program.content.as_slice())?;
    archive.into_inner()
}

/// The digest of the first file in an archive; of what is cut or none, a text that is not a digest.
fn digest_in(bytes: &[u8]) -> String {
    let read = || -> std::io::Result<String> {
        let mut archive = tar::Archive::new(Cursor::new(bytes));
        let mut content = Vec::new();
        if let Some(entry) = archive.entries()?.next() {
            entry?.read_to_end(&mut content)?;
        }
        Ok(Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect())
    };
    read().unwrap_or_else(|error| error.to_string())
}
