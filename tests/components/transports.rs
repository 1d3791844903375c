//! The ways to other places, each against the same law: what is put there is there, what runs there is heard.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Cause, ChildInput, Deadline, Ending, Exit, Follow, Mark, Signal, Source, Timeouts, Wait};
use transport::{
    Container, Leading, Led, LedEnd, Local, Node, NodeCommand, NodeExit, NodeFile, NodeProgram, Order, Place,
    Ssh, Told, Transport,
};

use crate::container::{DOCKER, Engine, IMAGE, PODMAN};
use crate::remote::far::Far;
use crate::remote::program::{self, program};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.transport.local", &[], local),
    scenario("components.transport.ssh", SSH, ssh),
    scenario("components.transport.docker", ON_DOCKER, docker),
    scenario("components.transport.podman", ON_PODMAN, podman),
];

const SSH: &[Need] = &[
    Need::Program("sshd"),
    Need::Program("ssh"),
    Need::Program("ssh-keygen"),
    Need::Brought(program::missing),
];
const ON_DOCKER: &[Need] = &[DOCKER[0], DOCKER[1], DOCKER[2], DOCKER[3], Need::Brought(program::missing)];
const ON_PODMAN: &[Need] = &[PODMAN[0], PODMAN[1], PODMAN[2], PODMAN[3], Need::Brought(program::missing)];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

fn local() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    files(&Local, &folder.path().display().to_string())?;
    commands(&Local)?;
    led(&Place::Here)
}

fn ssh() -> anyhow::Result<()> {
    let (far, folder) = (Far::start()?, tempfile::tempdir()?);
    let way = Ssh {
        host: "far".parse().map_err(anyhow::Error::msg)?,
        options: Vec::new(),
        config: Some(far.config()),
        connect_timeout: Duration::from_secs(10),
    };
    files(&way, &folder.path().display().to_string())?;
    brought(&way)?;
    let place = led_at("ssh:far", way.clone())?;
    let (leading, told) = lead(&place, "echo ready; sleep 1000")?;
    far.stop()?;
    let lost = told.iter().last();
    leading.join();
    ensure!(matches!(lost, Some(Told::Lost(_))), "{lost:?}");
    let lost = way.get("/etc/passwd", 1 << 20, wait()).err().context("it was reached")?;
    ensure!(lost.to_string().starts_with("ssh does not get to far: "), "{lost}");
    let (ending, _) = run(&way, &NodeCommand::new("true"), ChildInput::Bytes(b"".into()), wait())?;
    ensure!(way.exit(&ending.exit) == NodeExit::Lost, "{ending:?}");
    Ok(())
}

fn docker() -> anyhow::Result<()> {
    let engine = Engine::docker()?;
    engine.container("box", &[IMAGE])?;
    in_container(&engine)
}

fn podman() -> anyhow::Result<()> {
    let engine = Engine::podman()?;
    let root = engine.root()?.display().to_string();
    engine.container("box", &["--rootfs", &root, "/bin/sleep", "600"])?;
    in_container(&engine)
}

fn in_container(engine: &Engine) -> anyhow::Result<()> {
    let place = || engine.place().parse().map_err(anyhow::Error::msg);
    let way =
        |name: &str| anyhow::Ok(Container::new(name.parse().map_err(anyhow::Error::msg)?, Some(place()?)));
    let boxed = way("box")?;
    brought(&boxed)?;
    // Now there is a program of ours, which removes what the engine cannot.
    let program = NodeProgram::find(Some(program()?))?;
    let look = boxed.look(&program, wait())?;
    boxed.put(&NodeFile { path: &look.path, content: program.content(), mode: look.mode }, wait())?;
    files(&boxed, "/tmp")?;
    boxed.remove(&look.path, wait())?;
    ensure!(!boxed.look(&program, wait())?.has_program, "it is still there");
    led_at("container:box", way("box")?)?;
    let missing = way("no-such")?.look(&program, wait()).err().context("there is none")?;
    ensure!(missing.to_string().ends_with("no-such: there is no such container"), "{missing}");
    Ok(())
}

fn wait() -> Wait<'static> {
    Wait::until(Deadline::after(Duration::from_secs(60)))
}

/// The program is put there, found again, run and removed.
fn brought(way: &dyn Transport) -> anyhow::Result<()> {
    let program = NodeProgram::find(Some(program()?))?;
    let look = way.look(&program, wait())?;
    ensure!(look.system == "Linux" && !look.machine.is_empty() && !look.has_program, "{look:?}");
    way.put(&NodeFile { path: &look.path, content: program.content(), mode: look.mode }, wait())?;
    let again = way.look(&program, wait())?;
    ensure!(again.has_program && again.path == look.path, "{again:?}");
    commands(way)?;
    way.remove(&look.path, wait())?;
    ensure!(!way.look(&program, wait())?.has_program, "it is still there");
    Ok(())
}

/// Files in this folder come back as they were put there, whatever is in them.
fn files(way: &dyn Transport, folder: &str) -> anyhow::Result<()> {
    let all: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for name in ["plain", "a blank,and=more"] {
        let path = format!("{folder}/{name}");
        ensure!(way.get(&path, 10, wait())?.is_none(), "{path} is there");
        for content in [&b"one\n"[..], b"", &all] {
            way.put(&NodeFile { path: &path, content, mode: 0o640 }, wait())?;
            ensure!(way.get(&path, content.len(), wait())?.as_deref() == Some(content), "{path} is another");
        }
        let long = way.get(&path, all.len() - 1, wait()).err().context("it is longer")?;
        ensure!(long.to_string() == format!("{path} is longer than {} bytes", all.len() - 1), "{long}");
        way.remove(&path, wait())?;
        ensure!(way.get(&path, 10, wait())?.is_none(), "{path} is still there");
        way.remove(&path, wait())?;
    }
    let nowhere = format!("{folder}/no/such/folder");
    ensure!(way.put(&NodeFile { path: &nowhere, content: b"", mode: 0o600 }, wait()).is_err(), "{nowhere}");
    ensure!(way.get(folder, 10, wait()).is_err(), "a folder is not a file");
    Ok(())
}

/// What is run there reads, writes and ends as it would here.
fn commands(way: &dyn Transport) -> anyhow::Result<()> {
    let word = "it's; echo \"$HOME\"";
    let shell = NodeCommand::new("/bin/sh").arg("-c").arg("cat; echo \"$1\"; exit 3").arg("sh").arg(word);
    let input: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let expected = [&input[..], word.as_bytes(), b"\n"].concat();
    let (ending, output) = run(way, &shell, ChildInput::Bytes(input.as_slice().into()), wait())?;
    let exit = way.exit(&ending.exit);
    ensure!(
        exit == NodeExit::Process(Exit::Exited(3)) && output == expected,
        "{exit:?}: {} bytes",
        output.len()
    );
    // It reads for as long as somebody holds its input.
    let soon = Wait::until(Deadline::after(Duration::from_secs(2)));
    let (ending, output) = run(way, &shell, ChildInput::Held(b"held\n".into()), soon)?;
    ensure!(ending.cause == Cause::TimedOut && output.starts_with(b"held\n"), "{ending:?}: {output:?}");
    match run(way, &NodeCommand::new("/no/such/program"), ChildInput::Bytes(b"".into()), wait()) {
        Ok((ending, _)) => {
            let exit = way.exit(&ending.exit);
            ensure!(exit == NodeExit::NotStarted, "{exit:?}");
        }
        Err(failure) => {
            ensure!(failure.to_string().starts_with("cannot start /no/such/program"), "{failure}")
        }
    }
    Ok(())
}

/// Leads commands at a node that is reached like this, and leaves no program there.
fn led_at(site: &str, way: impl Transport + 'static) -> anyhow::Result<Place> {
    let site = site.parse().map_err(anyhow::Error::msg)?;
    let program = NodeProgram::find(Some(program()?))?;
    let node = Arc::new(Node::new(site, Box::new(way), program, Duration::from_secs(60)));
    let place = Place::There(Arc::clone(&node));
    led(&place)?;
    ensure!(node.remove_program(wait()).is_none(), "the program is left there");
    Ok(place)
}

/// What is led there hears orders, says how it ended and what it left, and ends when nobody wants it.
fn led(place: &Place) -> anyhow::Result<()> {
    let (leading, told) =
        lead(place, "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done")?;
    until_ready(&told)?;
    leading.order(&Order::Signal(Signal::STOP.as_raw()));
    leading.order(&Order::Stop { signal: Signal::TERM.as_raw(), grace: Duration::from_secs(60) });
    let end = ended(&told)?;
    leading.join();
    ensure!((&end.exit, end.was_stopped) == (&Exit::Exited(3), true) && end.left.is_empty(), "{end:?}");
    let (leading, told) = lead(place, "kill -9 $$")?;
    let end = ended(&told)?;
    leading.join();
    ensure!(end.exit == Exit::Signalled { signal: 9, core: false } && !end.was_stopped, "{end:?}");
    let (leading, told) = lead(place, "sleep 1000 >&- 2>&- & echo gone")?;
    let end = ended(&told)?;
    leading.join();
    ensure!(end.is_success() && end.left.iter().any(|name| name.ends_with("(sleep)")), "{end:?}");
    let (leading, told) = lead(place, "echo ready; sleep 1000")?;
    until_ready(&told)?;
    drop(leading);
    ensure!(told.iter().any(|told| matches!(told, Told::Ended(_) | Told::Lost(_))), "it goes on");
    Ok(())
}

fn lead(place: &Place, script: &str) -> anyhow::Result<(Leading, Receiver<Told>)> {
    let mark = Mark::new().value().to_owned();
    let led = Led { script: script.to_owned(), mark, ..Led::default() };
    let (sender, told) = channel();
    Ok((place.lead(led, wait(), Box::new(move |told| drop(sender.send(told))))?, told))
}

fn until_ready(told: &Receiver<Told>) -> anyhow::Result<()> {
    match told.iter().find(|told| !matches!(told, Told::Started(_))) {
        Some(Told::Wrote(Source::Stdout, bytes)) if bytes == b"ready\n" => Ok(()),
        told => bail!("{told:?}"),
    }
}

fn ended(told: &Receiver<Told>) -> anyhow::Result<LedEnd> {
    match told.iter().find(|told| matches!(told, Told::Ended(_) | Told::Lost(_))) {
        Some(Told::Ended(end)) => Ok(end),
        told => bail!("{told:?}"),
    }
}

/// How a command there ended, and what it wrote.
fn run(
    way: &dyn Transport,
    command: &NodeCommand,
    input: ChildInput<'_>,
    wait: Wait<'_>,
) -> anyhow::Result<(Ending, Vec<u8>)> {
    let follow = Follow { input: Some(input), ..Follow::new(wait, Timeouts::PROBE) };
    let mut output = Vec::new();
    let ending = way.spawn(command, follow)?.to_the_end(&mut |source: Source, bytes: &[u8]| {
        if source == Source::Stdout {
            output.extend_from_slice(bytes);
        }
        Ok(())
    })?;
    Ok((ending, output))
}

/// What a process of these tests is that a transport has started, if it is one.
pub(crate) fn role(args: &[std::ffi::OsString]) -> Option<std::process::ExitCode> {
    let role = transport::Role::of(args.first().map_or(OsStr::new(""), |word| word))?;
    Some(role.main(args.get(1..).unwrap_or_default()))
}
