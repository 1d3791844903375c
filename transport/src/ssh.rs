//! Over ssh: the system's own program, with the user's configuration, known hosts and keys, and never a question.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use formats::human::show_duration;
use process::{Cause, Exit, Finished, Wait};

use super::binary::Program;
use super::command::{Failure, run};
use super::site::Host;
use crate::all::child::last_line;

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
/// Takes the program from the input, and removes what nobody has used for long.
const TAKE: &str = r#"p="$d/$n-$$"; { cat > "$p" && chmod 700 "$p" && mv -f "$p" "$d/$n"; } || { rm -f "$p"; exit 3; }; find "$d" -name "check-all-*" -mtime +30 -exec rm -f {} ";" 2>/dev/null;"#;
/// Says what is there: the system, the machine, the copy's digest (or its length, where nothing can digest), `$d`.
const TELL: &str = r#"f="$d/$n"; s=none; if [ -f "$f" ]; then s=$({ sha256sum "$f" || busybox sha256sum "$f" || openssl dgst -sha256 -r "$f"; } 2>/dev/null | cut -c 1-64); [ -n "$s" ] || s=$(wc -c < "$f" | tr -d " "); fi; echo "subunit-checks $(uname -s) $(uname -m) $s $d""#;

/// Runs programs on a host, through ssh.
#[derive(Clone, Debug)]
pub(super) struct Ssh {
    pub(super) host: Host,
    /// As they are given.
    pub(super) options: Vec<String>,
    pub(super) config: Option<PathBuf>,
    /// How long connecting may take.
    pub(super) time: Duration,
}

/// What a script reports about the far end.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    system: String,
    machine: String,
    digest: String,
    folder: String,
}

impl Ssh {
    /// Has the program there, and gives the path of it.
    ///
    /// # Errors
    ///
    /// When it is not there in time, or is not what was copied.
    pub(super) fn prepare(&self, program: &Program, wait: Wait<'_>) -> Result<String, Failure> {
        let ask = |script: String, input: &[u8]| {
            let name = program.name();
            let script = format!("umask 077; n={name}; {script}");
            let done = run(&mut self.command(&format!("exec sh -c '{script}'")), input, wait)?;
            self.answer(done)
        };
        let mut answer = ask(format!("{FIND} {TELL}"), &[])?;
        if answer.system != "Linux" {
            return Err(Failure::new(format!("the system of {} is {}, not Linux", self.host, answer.system)));
        }
        if let Some(misfit) = program.misfit(&answer.machine) {
            return Err(Failure::new(format!("cannot look from {}: {misfit}", self.host)));
        }
        if !answer.has(program) {
            answer = ask(format!("d={}; {TAKE} {TELL}", answer.folder), &program.content)?;
        }
        if !answer.has(program) {
            let what = "the copy of the program is not what was sent";
            return Err(Failure::new(format!(
                "{what} to {}: its digest there is {}",
                self.host, answer.digest
            )));
        }
        Ok(format!("{}/{}", answer.folder, program.name()))
    }

    /// What runs the program there.
    pub(super) fn far(&self, path: &str, role: &str) -> Command {
        self.command(&format!("exec {path} {role}"))
    }

    /// Removes the program, and its folder when there is nothing else in it.
    ///
    /// # Errors
    ///
    /// When that does not come through in time.
    pub(super) fn remove(&self, path: &str, wait: Wait<'_>) -> Result<(), Failure> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let script = format!("exec sh -c 'rm -f {path}; rmdir {folder} 2>/dev/null; :'");
        self.ended(run(&mut self.command(&script), &[], wait)?).map(|_| ())
    }

    /// ssh with a command for the shell there.
    fn command(&self, remote: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-T");
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        // Of two that say the same, ssh takes the first.
        let time = format!("ConnectTimeout={}", self.time.as_secs().max(1));
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
    fn answer(&self, done: Finished) -> Result<Answer, Failure> {
        let done = self.ended(done)?;
        let (stdout, stderr) = (done.stdout.text(), done.stderr.text());
        let failed = |reason: String| Failure::Failed { reason, stderr: stderr.clone() };
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

    fn ended(&self, done: Finished) -> Result<Finished, Failure> {
        let (host, stderr) = (&self.host, done.stderr.text());
        let line = last_line(&stderr).unwrap_or("it does not say why");
        let reason = match (done.ending.cause, &done.ending.exit) {
            (Cause::Itself, Exit::Exited(0)) => return Ok(done),
            (Cause::Itself, Exit::Exited(255)) => format!("ssh does not get to {host}: {line}"),
            (Cause::Itself, outcome) => format!("{host} cannot have the program: {line} ({outcome})"),
            _ => format!(
                "{host} was not reached by ssh, and the program copied, in {}",
                show_duration(self.time)
            ),
        };
        Err(Failure::Failed { reason, stderr })
    }
}

impl Answer {
    fn parse(words: &str) -> Option<Self> {
        let mut words = words.lines().next()?.splitn(4, ' ').map(str::to_owned);
        let [system, machine, digest, folder] = std::array::from_fn(|_| words.next().unwrap_or_default());
        // It becomes a part of commands.
        let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
        let is_sound = folder.starts_with('/') && folder.chars().all(is_plain);
        is_sound.then_some(Answer { system, machine, digest, folder })
    }

    fn has(&self, program: &Program) -> bool {
        self.digest == program.digest() || self.digest == program.content.len().to_string()
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
        Ssh { host: host.parse().unwrap(), options, config: None, time: Duration::from_secs(7) }
    }

    #[test]
    fn what_the_user_says_comes_first_and_the_host_last() {
        let command = ssh("a@h:22", &["BatchMode=no"]).far("/x/check-all-1", "--far");
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let position = |word: &str| args.iter().position(|arg| arg == word).unwrap();
        assert!(position("BatchMode=no") < position("BatchMode=yes"));
        assert!(args.contains(&"ConnectTimeout=7".to_owned()));
        assert_eq!(args[args.len() - 7..], ["-l", "a", "-p", "22", "--", "h", "exec /x/check-all-1 --far"]);
    }

    #[test]
    fn scripts_are_one_line_that_every_shell_takes_as_one_word() {
        for script in [FIND, TAKE, TELL] {
            assert!(!script.contains(['\'', '\n', '\\', '!']), "{script}");
        }
    }

    #[test]
    fn only_a_folder_that_is_safe_in_a_command_is_taken() {
        let check = |words: &str, expected: Option<&str>| {
            assert_eq!(Answer::parse(words).map(|answer| answer.folder).as_deref(), expected, "{words}");
        };
        check("Linux x86_64 none /var/tmp/.subunit-checks-0\n", Some("/var/tmp/.subunit-checks-0"));
        check("Linux x86_64 none /tmp/a b\n", None);
        check("Linux x86_64 none /tmp/$(x)\n", None);
        check("Linux x86_64 none\n", None);
        check("", None);
    }

    #[test]
    fn what_went_wrong_is_told_apart() {
        let check = |(outcome, cause), stdout: &str, stderr: &str, words: &str| {
            let [stdout, stderr] = [stdout, stderr].map(captured);
            let done = Finished { ending: Ending::new(outcome, cause), stdout, stderr };
            let Err(Failure::Failed { reason, .. }) = ssh("h", &[]).answer(done) else { panic!("{words}") };
            assert!(reason.contains(words), "{reason}");
        };
        let code = |code| (Exit::Exited(code), Cause::Itself);
        check(
            (Exit::Exited(0), Cause::TimedOut),
            "",
            "",
            "h was not reached by ssh, and the program copied, in 7",
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
        let program = Program::find(Some(std::path::Path::new("/no/such")));
        assert!(program.is_err());
        let folder = tempfile::tempdir().unwrap();
        let run_script = |script: &str, input: &[u8]| {
            let script = format!("umask 077; d={}; n=check-all-1; {script}", folder.path().display());
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
