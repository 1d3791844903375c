//! Over ssh: the system's own program, with the user's configuration, known hosts and keys, and never a question.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use process::{Cause, Exit, Finished, Follow, Following, Timeouts, Wait, last_line};

use super::command::{run, run_keeping};
use super::file::folder_and_name;
use super::local::too_long;
use super::program::digest;
use super::{Host, Look, NodeCommand, NodeExit, NodeFailure, NodeFile, NodeProgram, Transport};

/// What holds unless the user says otherwise: nothing is asked, nothing is forwarded, every byte comes through, and
/// a peer that has stopped answering is noticed.
const OPTIONS: [&str; 10] = [
    "BatchMode=yes",
    "RequestTTY=no",
    "RemoteCommand=none",
    "EscapeChar=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=2",
];

/// What begins the one line that a script says.
const MARK: &str = "subunit-checks ";

/// A folder of this user alone, in which programs can be run; `$d` afterwards.
const FIND: &str = r#"ok=; for b in /var/tmp /tmp "$HOME"; do d="$b/.subunit-checks-$(id -u)"; mkdir "$d" 2>/dev/null; [ -L "$d" ] && continue; [ -d "$d" ] && [ -O "$d" ] && chmod 700 "$d" && t="$d/test-$$" && echo : 2>/dev/null > "$t" && chmod 700 "$t" || continue; "$t" 2>/dev/null; r=$?; rm -f "$t"; [ $r = 0 ] && ok=1 && break; done; [ -n "$ok" ] || { echo "no folder there can have programs: /var/tmp, /tmp and the home were tried" >&2; exit 3; };"#;
/// Takes the file from the input; of programs, removes those that nobody has put there for long.
const TAKE: &str = r#"p="$d/$n-$$"; { cat > "$p" && chmod $m "$p" && mv -f "$p" "$d/$n"; } || { rm -f "$p"; exit 3; }; case "$n" in check-all-*) find "$d" -name "check-all-*" -mtime +30 -exec rm -f {} ";" 2>/dev/null;; esac;"#;
/// Says what is there: the system, the machine, the copy's digest (or its length, where nothing can digest), `$d`.
const TELL: &str = r#"f="$d/$n"; s=none; if [ -f "$f" ]; then s=$({ sha256sum "$f" || busybox sha256sum "$f" || openssl dgst -sha256 -r "$f"; } 2>/dev/null | cut -c 1-64); [ -n "$s" ] || s=$(wc -c < "$f" | tr -d " "); fi; echo "subunit-checks $(uname -s) $(uname -m) $s $d""#;
/// Gives the file, or ends with [`MISSING`].
const GIVE: &str = r#"f="$d/$n"; [ -e "$f" ] || exit 44; cat "$f""#;
/// Removes the file, and its folder when it is for programs and nothing else is in it.
const REMOVE: &str =
    r#"rm -f "$d/$n" || exit 3; case "$d" in */.subunit-checks-*) rmdir "$d" 2>/dev/null;; esac; :"#;
/// The exit code of [`GIVE`] where there is no such file.
const MISSING: i32 = 44;

/// A host, reached through ssh: the system's own program, which finds the host's key among those that are known, and
/// never asks anything.
#[derive(Clone, Debug)]
pub struct Ssh {
    /// Which host.
    pub host: Host,
    /// Options for ssh, as in its configuration file, which come before ours.
    pub options: Vec<String>,
    /// The configuration file; else ssh's own.
    pub config: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// What a script is for.
#[derive(Debug)]
struct Errand {
    /// What the host cannot do when it fails.
    what: String,
    /// What is then not done.
    result: String,
}

impl Errand {
    fn new(what: impl Into<String>, result: impl Into<String>) -> Self {
        Errand { what: what.into(), result: result.into() }
    }
}

/// What a script reports about the far end.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    system: String,
    machine: String,
    digest: String,
    folder: String,
}

impl Transport for Ssh {
    fn look(&self, program: &NodeProgram, wait: Wait<'_>) -> Result<Look, NodeFailure> {
        let name = program.name();
        let done = run(&mut self.script(&format!("n={name}; {FIND} {TELL}")), &[], wait)?;
        let answer = self.answer(done, &Errand::new("have the program", "the program copied"))?;
        let has_program = answer.has(program.digest(), program.content().len());
        let path = format!("{}/{name}", answer.folder);
        Ok(Look { system: answer.system, machine: answer.machine, path, mode: 0o700, has_program })
    }

    fn spawn<'a>(&self, command: &NodeCommand, follow: Follow<'a>) -> Result<Following<'a>, NodeFailure> {
        let mut line = OsString::from("exec ");
        line.push(command.shell_line());
        follow.start(&mut self.command(&line)).map_err(|error| command.not_started(&error))
    }

    fn exit(&self, exit: &Exit) -> NodeExit {
        NodeExit::through(exit)
    }

    fn put(&self, file: &NodeFile<'_>, wait: Wait<'_>) -> Result<(), NodeFailure> {
        let script = format!("m={:o}; {} {TAKE} {TELL}", file.mode, variables(file.path)?);
        let done = run(&mut self.script(&script), file.content, wait)?;
        let errand = Errand::new(format!("have {}", file.path), format!("{} copied", file.path));
        let answer = self.answer(done, &errand)?;
        if answer.has(&digest(file.content), file.content.len()) {
            return Ok(());
        }
        let (host, digest) = (&self.host, &answer.digest);
        Err(NodeFailure::new(format!(
            "the copy of {} is not what was sent to {host}: its digest there is {digest}",
            file.path
        )))
    }

    fn get(&self, path: &str, limit: usize, wait: Wait<'_>) -> Result<Option<Vec<u8>>, NodeFailure> {
        let script = format!("{} {GIVE}", variables(path)?);
        // What is kept is a head and a tail: one more byte than the limit tells that it is longer.
        let keep = limit.saturating_add(1).saturating_mul(2);
        let done = run_keeping(&mut self.script(&script), Follow::new(wait, Timeouts::PROBE), keep)?;
        if (done.ending.cause, &done.ending.exit) == (Cause::Itself, &Exit::Exited(MISSING)) {
            return Ok(None);
        }
        let errand = Errand::new(format!("give {path}"), format!("{path} read"));
        let bytes = self.ended(done, &errand)?.stdout.into_bytes();
        bytes.filter(|bytes| bytes.len() <= limit).ok_or_else(|| too_long(path, limit)).map(Some)
    }

    fn remove(&self, path: &str, wait: Wait<'_>) -> Result<(), NodeFailure> {
        let script = format!("{} {REMOVE}", variables(path)?);
        let errand = Errand::new(format!("remove {path}"), format!("{path} removed"));
        self.ended(run(&mut self.script(&script), &[], wait)?, &errand).map(|_| ())
    }
}

impl Ssh {
    /// ssh with a script, for whatever shell is there.
    fn script(&self, script: &str) -> Command {
        self.command(OsStr::new(&format!("exec sh -c 'umask 077; {script}'")))
    }

    /// ssh with a command for the shell there.
    fn command(&self, remote: &OsStr) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-T");
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        // Of two that say the same, ssh takes the first.
        let time = format!("ConnectTimeout={}", self.connect_timeout.as_secs().max(1));
        let own = OPTIONS.into_iter().map(OsString::from).chain([OsString::from(time)]);
        for option in self.options.iter().map(OsString::from).chain(own) {
            command.arg("-o").arg(option);
        }
        if let Some(user) = &self.host.user {
            command.arg("-l").arg(user);
        }
        if let Some(port) = self.host.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg("--").arg(&self.host.host).arg(remote);
        command
    }

    /// What a script that ended well has said.
    fn answer(&self, done: Finished, errand: &Errand) -> Result<Answer, NodeFailure> {
        let done = self.ended(done, errand)?;
        let (stdout, stderr) = (done.stdout.text(), done.stderr.text());
        let failed = |reason: String| NodeFailure::Failed { reason, stderr: stderr.clone() };
        let Some((noise, words)) = stdout.split_once(MARK) else {
            return Err(failed(format!("the shell of {} does not say what it is asked for", self.host)));
        };
        if let Some(line) = last_line(noise) {
            let what = "the shell says something of its own before it runs a command";
            return Err(failed(format!("{what} on {}, which spoils every stream: {line}", self.host)));
        }
        Answer::parse(words).ok_or_else(|| {
            failed(format!("what the shell of {} says is not an answer: {}", self.host, words.trim_end()))
        })
    }

    fn ended(&self, done: Finished, errand: &Errand) -> Result<Finished, NodeFailure> {
        let (host, stderr, Errand { what, result }) = (&self.host, done.stderr.text(), errand);
        let line = last_line(&stderr).unwrap_or("it does not say why");
        let reason = match (done.ending.cause, &done.ending.exit) {
            (Cause::Itself, Exit::Exited(0)) => return Ok(done),
            (Cause::Itself, Exit::Exited(255)) => format!("ssh does not get to {host}: {line}"),
            (Cause::Itself, exit) => format!("{host} cannot {what}: {line} ({exit})"),
            _ => {
                let limit = net::shown_limit(self.connect_timeout);
                format!("{host} was not reached by ssh, and {result}, within {limit}")
            }
        };
        Err(NodeFailure::Failed { reason, stderr })
    }
}

/// The folder and the name of a file, as the scripts know them.
fn variables(path: &str) -> Result<String, NodeFailure> {
    let (folder, name) = folder_and_name(path)?;
    if !is_plain(path) {
        return Err(NodeFailure::new(format!("`{path}` has characters that a shell could misread")));
    }
    Ok(format!("d=\"{}\"; n=\"{name}\";", if folder.is_empty() { "/" } else { folder }))
}

/// Whether a path can become a part of a command within quotes.
fn is_plain(path: &str) -> bool {
    path.chars().all(|letter| letter.is_alphanumeric() || "/._-+=:,@% ".contains(letter))
}

impl Answer {
    fn parse(words: &str) -> Option<Self> {
        let mut words = words.lines().next()?.splitn(4, ' ').map(str::to_owned);
        let [system, machine, digest, folder] = std::array::from_fn(|_| words.next().unwrap_or_default());
        let is_sound = folder.starts_with('/') && is_plain(&folder);
        is_sound.then_some(Answer { system, machine, digest, folder })
    }

    fn has(&self, digest: &str, length: usize) -> bool {
        self.digest == digest || self.digest == length.to_string()
    }
}

#[cfg(test)]
mod tests {
    use process::{Captured, Ending};

    use super::*;

    fn captured(text: &str) -> Captured {
        let mut captured = Captured::new(1 << 10);
        captured.push(text.as_bytes());
        captured
    }

    fn ssh(host: &str, options: &[&str]) -> Ssh {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Ssh { host: host.parse().unwrap(), options, config: None, connect_timeout: Duration::from_secs(7) }
    }

    #[test]
    fn what_the_user_says_comes_first_and_the_host_last() {
        let line = NodeCommand::new("/x/check-all-1").arg("--far").shell_line();
        let command = ssh("a@h:22", &["BatchMode=no"]).command(&line);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let position = |word: &str| args.iter().position(|arg| arg == word).unwrap();
        assert!(position("BatchMode=no") < position("BatchMode=yes"));
        assert!(args.contains(&"ConnectTimeout=7".to_owned()));
        assert_eq!(args[args.len() - 7..], ["-l", "a", "-p", "22", "--", "h", "/x/check-all-1 --far"]);
    }

    #[test]
    fn scripts_are_one_line_that_every_shell_takes_as_one_word() {
        for script in [FIND, TAKE, TELL, GIVE, REMOVE] {
            assert!(!script.contains(['\'', '\n', '\\', '!']), "{script}");
        }
    }

    #[test]
    fn only_a_folder_that_is_safe_in_a_command_is_taken() {
        let check = |words: &str, expected: Option<&str>| {
            assert_eq!(Answer::parse(words).map(|answer| answer.folder).as_deref(), expected, "{words}");
        };
        check("Linux x86_64 none /var/tmp/.subunit-checks-0\n", Some("/var/tmp/.subunit-checks-0"));
        check("Linux x86_64 none /tmp/a b\n", Some("/tmp/a b"));
        check("Linux x86_64 none /tmp/$(x)\n", None);
        check("Linux x86_64 none\n", None);
        check("", None);
    }

    #[test]
    fn what_went_wrong_is_told_apart() {
        let check = |(outcome, cause), stdout: &str, stderr: &str, words: &str| {
            let [stdout, stderr] = [stdout, stderr].map(captured);
            let done = Finished { ending: Ending::new(outcome, cause), stdout, stderr };
            let Err(NodeFailure::Failed { reason, .. }) =
                ssh("h", &[]).answer(done, &Errand::new("have the program", "the program copied"))
            else {
                panic!("{words}")
            };
            assert!(reason.contains(words), "{reason}");
        };
        let code = |code| (Exit::Exited(code), Cause::Itself);
        check(
            (Exit::Exited(0), Cause::TimedOut),
            "",
            "",
            "h was not reached by ssh, and the program copied, within 7",
        );
        check(code(255), "", "x\nConnection refused\r\n", "ssh does not get to h: Connection refused");
        check(code(3), "", "cat: no space", "cannot have the program: cat: no space (exit code 3)");
        check(
            code(0),
            "welcome\nsubunit-checks Linux x86_64 none /tmp/x\n",
            "",
            "spoils every stream: welcome",
        );
        check(code(0), "", "", "does not say what it is asked for");
    }

    #[test]
    fn the_scripts_do_what_they_say() {
        let program = NodeProgram::find(Some(std::path::Path::new("/no/such")));
        assert!(program.is_err());
        let folder = tempfile::tempdir().unwrap();
        let run_script = |script: &str, input: &[u8]| {
            let script = format!("umask 077; d={}; n=check-all-1; m=700; {script}", folder.path().display());
            let mut command = Command::new("sh");
            run(command.args(["-c", &script]), input, Wait::FOREVER).ok().unwrap()
        };
        let digest = |done: &Finished| {
            let words = done.stdout.text().strip_prefix(MARK).unwrap().to_owned();
            Answer::parse(&words).unwrap().digest
        };
        assert_eq!(digest(&run_script(TELL, b"")), "none");
        let done = run_script(&format!("{TAKE} {TELL}"), b"abc");
        assert_eq!(digest(&done), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let copy = folder.path().join("check-all-1");
        assert_eq!(std::fs::read(&copy).unwrap(), b"abc");
        let found = run_script(&format!("HOME=/no/such; {FIND} {TELL}"), b"");
        assert_eq!(digest(&found), "none", "{}", found.stderr.text());
    }
}
