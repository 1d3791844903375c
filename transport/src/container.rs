//! In a container of Docker or Podman, by the engine's API: files come and go as archives.
//!
//! A container may have nothing in it, no shell and no `rm`. So what cannot be done by the engine is done by our own
//! program there: it removes files, itself included.

use std::io::{Cursor, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use net::{Exchange, Patience, Place, Request, encode};
use process::{Deadline, Exit, Follow, Following, Wait};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::engine::{CreatedExec, Engine, ExecState, permission_hint};
use super::file::folder_and_name;
use super::local::too_long;
use super::program::digest;
use super::{
    ContainerName, Look, NodeCommand, NodeExit, NodeFailure, NodeFile, NodeProgram, PROGRAM, Role, Transport,
};

/// Where the program is put: in the root, which no mount hides. It is root's, and everyone may run it.
const FOLDER: &str = "/.subunit-checks";
/// How long the engine may take for what it does at once.
const SOON: Duration = Duration::from_secs(10);
/// How often to look whether something has ended.
const INTERVAL: Duration = Duration::from_millis(20);
/// What an archive has besides the file.
const FRAME: usize = 64 << 10;

/// A container, reached through the API of its engine.
#[derive(Debug)]
pub struct Container {
    name: ContainerName,
    engine: Option<Place>,
    /// Where the program is there, once somebody has looked.
    program: Mutex<Option<String>>,
}

/// What the process that carries bytes between us and the engine is asked to start: one line of JSON on its input,
/// before what the command reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExecOrder {
    /// Where the engine listens.
    pub(crate) engine: String,
    pub(crate) container: String,
    pub(crate) user: Option<String>,
    pub(crate) command: Vec<String>,
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

impl Container {
    /// The container of this name, of the engine at this place or at the usual one.
    #[must_use]
    pub fn new(name: ContainerName, engine: Option<Place>) -> Self {
        Container { name, engine, program: Mutex::default() }
    }

    fn open<'w>(&self, wait: Wait<'w>) -> Result<EngineSession<'w>, NodeFailure> {
        EngineSession::open(self.engine.as_ref(), wait)
    }

    fn try_look(&self, program: &NodeProgram, wait: Wait<'_>) -> Result<Look, NodeFailure> {
        let session = self.open(wait)?;
        let name = &self.name.name;
        session.ensure_running(name)?;
        let Version { os, arch } = session.json("/version")?;
        let path = format!("{FOLDER}/{}", program.name());
        let found = session.file(name, &path, program.content().len())?;
        let has_program = found.is_some_and(|content| digest(&content) == program.digest());
        *self.program.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.clone());
        let system = if os == "linux" { "Linux".to_owned() } else { os };
        Ok(Look { system, machine: arch, path, mode: 0o555, has_program })
    }

    fn try_put(&self, file: &NodeFile<'_>, wait: Wait<'_>) -> Result<(), NodeFailure> {
        let session = self.open(wait)?;
        session.put(&self.name.name, file)?;
        let found = session.file(&self.name.name, file.path, file.content.len())?;
        if found.as_deref() == Some(file.content) {
            return Ok(());
        }
        let digest = found.map_or_else(|| "none".to_owned(), |content| digest(&content));
        Err(NodeFailure::new(format!(
            "the copy of {} is not what was put there: its digest is {digest}",
            file.path
        )))
    }

    fn try_remove(&self, path: &str, wait: Wait<'_>) -> Result<(), NodeFailure> {
        let session = self.open(wait)?;
        if !session.has(&self.name.name, path)? {
            return Ok(());
        }
        let program = self.program.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let program =
            program.ok_or_else(|| NodeFailure::new("no program of ours is there that could remove it"))?;
        let command = NodeCommand::new(program).arg(Role::Remove.word()).arg(path);
        let order = ExecOrder { user: Some("0".to_owned()), ..self.order(&session.engine, &command)? };
        let id = session.create(&order)?;
        let start = session.engine.post(&start_path(&id), r#"{"Detach":true,"Tty":false}"#);
        session.send(&start)?;
        // Not every engine says how what it ran in the background has ended.
        while session.has(&self.name.name, path)? {
            if !wait.sleep(INTERVAL) {
                return Err(session.failure(format!("{path} was not removed in time")));
            }
        }
        Ok(())
    }

    /// What has the command run there.
    fn order(&self, engine: &Engine, command: &NodeCommand) -> Result<ExecOrder, NodeFailure> {
        let mut words = vec![command.program.clone()];
        for arg in &command.args {
            let word =
                arg.to_str().ok_or_else(|| NodeFailure::new(format!("{} is not text", arg.display())))?;
            words.push(word.to_owned());
        }
        Ok(ExecOrder {
            engine: engine.place().to_string(),
            container: self.name.name.clone(),
            user: self.name.user.clone(),
            command: words,
        })
    }

    fn about<T>(&self, done: Result<T, NodeFailure>) -> Result<T, NodeFailure> {
        done.map_err(|failure| {
            failure.about(format_args!("cannot get into the container {}", self.name.name))
        })
    }
}

impl Transport for Container {
    fn look(&self, program: &NodeProgram, wait: Wait<'_>) -> Result<Look, NodeFailure> {
        self.about(self.try_look(program, wait))
    }

    fn spawn<'a>(&self, command: &NodeCommand, mut follow: Follow<'a>) -> Result<Following<'a>, NodeFailure> {
        let engine = Engine::new(self.engine.as_ref())
            .map_err(|error| NodeFailure::new(process::chain(error.as_ref())))?;
        let order = self.order(&engine, command)?;
        let mut line = serde_json::to_vec(&order).map_err(|error| NodeFailure::new(error.to_string()))?;
        line.push(b'\n');
        let input = follow.input.take().unwrap_or(process::ChildInput::Bytes(b"".into()));
        follow.input = Some(input.behind(line));
        let mut carrier = Command::new(PROGRAM);
        carrier.arg0(&command.called).arg(Role::Carry.word());
        follow.start(&mut carrier).map_err(|error| command.not_started(&error))
    }

    fn exit(&self, exit: &Exit) -> NodeExit {
        NodeExit::through(exit)
    }

    fn put(&self, file: &NodeFile<'_>, wait: Wait<'_>) -> Result<(), NodeFailure> {
        self.about(self.try_put(file, wait))
    }

    fn get(&self, path: &str, limit: usize, wait: Wait<'_>) -> Result<Option<Vec<u8>>, NodeFailure> {
        let session = self.about(self.open(wait))?;
        let found = self.about(session.file(&self.name.name, path, limit))?;
        match found {
            Some(content) if content.len() > limit => Err(too_long(path, limit)),
            found => Ok(found),
        }
    }

    fn remove(&self, path: &str, wait: Wait<'_>) -> Result<(), NodeFailure> {
        self.try_remove(path, wait)
    }
}

/// The path by which a command that was created is started.
pub(crate) fn start_path(id: &str) -> String {
    format!("/exec/{}/start", encode(id))
}

/// A session with an engine that has answered.
pub(crate) struct EngineSession<'a> {
    pub(crate) engine: Engine,
    wait: Wait<'a>,
}

impl<'a> EngineSession<'a> {
    /// The engine at this place, else at the usual one.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub(crate) fn open(place: Option<&Place>, wait: Wait<'a>) -> Result<Self, NodeFailure> {
        let engine = Engine::new(place).map_err(|error| NodeFailure::new(process::chain(error.as_ref())))?;
        let mut session = EngineSession { engine, wait };
        let patience = session.patience(SOON);
        match session.engine.ping(&patience).result {
            Ok(response) if response.status == 200 => Ok(session),
            Ok(response) => {
                let place = session.engine.place();
                Err(session.failure(format!("the engine at {place} answers {}", response.describe())))
            }
            Err(fault) => {
                let reason = fault.to_string();
                let hint = permission_hint(&reason);
                Err(session.failure(reason + hint))
            }
        }
    }

    /// Has a command created, and gives its id.
    ///
    /// # Errors
    ///
    /// When the engine does not.
    pub(crate) fn create(&self, order: &ExecOrder) -> Result<String, NodeFailure> {
        let wanted = json!({
            "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Tty": false,
            "Cmd": order.command, "User": order.user.clone().unwrap_or_default(),
        });
        let path = format!("/containers/{}/exec", encode(&order.container));
        let exchange = self.send(&self.engine.post(&path, &wanted.to_string()))?;
        self.read::<CreatedExec>(&exchange, 201).map(|created| created.id)
    }

    /// The exit code of a command, which has ended or is about to.
    ///
    /// # Errors
    ///
    /// When the engine does not say.
    pub(crate) fn code(&self, id: &str) -> Result<i64, NodeFailure> {
        let wait = Wait { deadline: Deadline::after(SOON).earlier(self.wait.deadline), ..self.wait };
        loop {
            let state: ExecState = self.json(&format!("/exec/{}/json", encode(id)))?;
            match state.exit_code.filter(|_| !state.running) {
                Some(code) => return Ok(code),
                None if !wait.sleep(INTERVAL) => {
                    return Err(self.failure("the engine does not say how it ended".to_owned()));
                }
                None => {}
            }
        }
    }

    fn ensure_running(&self, name: &str) -> Result<(), NodeFailure> {
        let path = format!("/containers/{}/json", encode(name));
        let exchange = self.engine.send(&self.engine.get(&path), &self.patience(SOON));
        let nothing = || self.failure("there is no such container".to_owned());
        if exchange.result.as_ref().is_ok_and(|response| response.status == 404) {
            return Err(nothing());
        }
        let found: Inspected = self.read(&exchange, 200)?;
        // Engines take the beginning of an id for the id.
        match found.state {
            _ if found.name.trim_start_matches('/') != name => Err(nothing()),
            State { running: true, paused: false, .. } => Ok(()),
            State { status, .. } => Err(self.failure(format!("it does not run: {status}"))),
        }
    }

    /// Whether a container has a file.
    fn has(&self, name: &str, path: &str) -> Result<bool, NodeFailure> {
        let head = self.engine.get(&format!("{}?path={}", archive(name), encode(path)));
        let request = Request { method: "HEAD".to_owned(), ..head };
        let exchange = self.engine.send(&request, &self.patience(SOON));
        exchange
            .result
            .map(|response| response.status != 404)
            .map_err(|fault| self.failure(fault.to_string()))
    }

    /// The content of a file in a container, if it is there; of one that is longer than this, more than this.
    fn file(&self, name: &str, path: &str, limit: usize) -> Result<Option<Vec<u8>>, NodeFailure> {
        let get = self.engine.get(&format!("{}?path={}", archive(name), encode(path)));
        let request = Request { max_body: limit.saturating_add(FRAME), ..get };
        let exchange = self.engine.send(&request, &self.patience(Duration::MAX));
        let response = exchange.result.map_err(|fault| self.failure(fault.to_string()))?;
        match response.status {
            200 => unpacked(&response.body, limit).map(Some).map_err(|error| {
                self.failure(format!("{path} is not a file, or did not come whole: {error}"))
            }),
            404 => Ok(None),
            _ => Err(self.failure(format!("the engine answers {}", response.describe()))),
        }
    }

    fn put(&self, name: &str, file: &NodeFile<'_>) -> Result<(), NodeFailure> {
        let (folder, file_name) = folder_and_name(file.path)?;
        let packed = packed(file, folder, file_name);
        let (folder, body) = packed.map_err(|error| NodeFailure::new(error.to_string()))?;
        // Podman would make it.
        if folder != "/" && !self.has(name, folder)? {
            return Err(self.failure(format!("{} cannot be put there: there is no {folder}", file.path)));
        }
        let url = format!("{}?path={}&noOverwriteDirNonDir=true", archive(name), encode(folder));
        let request = Request { method: "PUT".to_owned(), body, ..self.engine.get(&url) };
        let exchange = self.engine.send(&request, &self.patience(Duration::MAX));
        match exchange.result {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => {
                Err(self.failure(format!("{} cannot be put there: {}", file.path, response.describe())))
            }
            Err(fault) => Err(self.failure(fault.to_string())),
        }
    }

    fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, NodeFailure> {
        self.read(&self.engine.send(&self.engine.get(path), &self.patience(SOON)), 200)
    }

    /// The JSON of an answer, which is to have this status.
    fn read<T: DeserializeOwned>(&self, exchange: &Exchange, status: u16) -> Result<T, NodeFailure> {
        match &exchange.result {
            Ok(response) if response.status == status => {
                response.json().map_err(|error| self.failure(format!("{}: {error}", exchange.url)))
            }
            Ok(response) => Err(self.failure(format!("{} answers {}", exchange.url, response.describe()))),
            Err(fault) => Err(self.failure(fault.to_string())),
        }
    }

    pub(crate) fn send(&self, request: &Request) -> Result<Exchange, NodeFailure> {
        let exchange = self.engine.send(request, &self.patience(SOON));
        match &exchange.result {
            Ok(response) if response.status < 300 => Ok(exchange),
            Ok(response) => Err(self.failure(format!("the engine answers {}", response.describe()))),
            Err(fault) => Err(self.failure(fault.to_string())),
        }
    }

    fn patience(&self, most: Duration) -> Patience {
        Patience::new(most, self.wait.deadline, self.wait.interrupt)
    }

    /// What failed, unless it is the signal that made it fail.
    fn failure(&self, reason: String) -> NodeFailure {
        if self.wait.interrupt.has_come() { NodeFailure::Interrupted } else { NodeFailure::new(reason) }
    }
}

fn archive(name: &str) -> String {
    format!("/containers/{}/archive", encode(name))
}

/// An archive with the file, and the folder in which it is to be unpacked. The folder of the program is in the archive,
/// too; any other one has to be there.
fn packed<'a>(file: &NodeFile<'a>, folder: &'a str, name: &str) -> std::io::Result<(&'a str, Vec<u8>)> {
    let mut archive = tar::Builder::new(Vec::with_capacity(file.content.len() + FRAME));
    let header = |kind, mode, size: usize| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(u64::try_from(size).unwrap_or(u64::MAX));
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    let is_own = folder == FOLDER;
    let name = if is_own { file.path.trim_start_matches('/') } else { name };
    if is_own {
        let mut entry = header(tar::EntryType::Directory, 0o755, 0);
        archive.append_data(&mut entry, format!("{}/", FOLDER.trim_start_matches('/')), &[][..])?;
    }
    let mut entry = header(tar::EntryType::Regular, file.mode, file.content.len());
    archive.append_data(&mut entry, name, file.content)?;
    Ok((if is_own || folder.is_empty() { "/" } else { folder }, archive.into_inner()?))
}

/// The first file in an archive, or one byte more than the limit of it.
fn unpacked(bytes: &[u8], limit: usize) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let Some(entry) = archive.entries()?.next() else { return Err(std::io::ErrorKind::UnexpectedEof.into()) };
    let entry = entry?;
    if !entry.header().entry_type().is_file() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
    let mut content = Vec::new();
    entry.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() < size.min(limit.saturating_add(1)) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_into_an_archive_and_comes_out_of_it() {
        let check = |path: &str, folder: &str, names: &[&str]| {
            let file = NodeFile { path, content: b"content", mode: 0o640 };
            let (parent, name) = folder_and_name(path).unwrap();
            let (into, archive) = packed(&file, parent, name).unwrap();
            assert_eq!(into, folder);
            let mut read = tar::Archive::new(Cursor::new(archive.as_slice()));
            let found: Vec<_> = read
                .entries()
                .unwrap()
                .map(|entry| entry.unwrap().path().unwrap().display().to_string())
                .collect();
            assert_eq!(found, names);
            if names.len() == 1 {
                assert_eq!(unpacked(&archive, 7).unwrap(), b"content");
                assert_eq!(unpacked(&archive, 3).unwrap(), b"cont", "one byte more tells that it is longer");
                assert!(unpacked(&archive[..514], 7).is_err(), "it is cut");
            } else {
                assert!(unpacked(&archive, 7).is_err(), "a folder is not a file");
            }
        };
        check("/etc/app.conf", "/etc", &["app.conf"]);
        check("/app.conf", "/", &["app.conf"]);
        check("/.subunit-checks/check-all-1", "/", &[".subunit-checks/", ".subunit-checks/check-all-1"]);
        assert!(folder_and_name("etc/x").is_err());
        assert!(unpacked(b"", 7).is_err());
    }
}
