//! Whole processes: their CPU time, their memory, and what they say.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A program and its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<String>,
    /// What stands on its standard input.
    pub stdin: Option<PathBuf>,
    /// Exit codes that are no failure: 0, and for reports 1.
    pub exit_codes: &'static [i32],
}

/// What a process took.
#[derive(Clone, Debug)]
pub struct Usage {
    /// User and system, in seconds.
    pub cpu: f64,
    /// From start to end, in seconds.
    pub wall: f64,
    /// The largest resident set, in bytes.
    pub memory: u64,
    /// What it wrote on stderr.
    pub said: String,
}

impl Program {
    pub fn new(path: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Program { path: path.into(), arguments, stdin: None, exit_codes: &[0] }
    }

    pub fn reading(self, stdin: impl Into<PathBuf>) -> Self {
        Program { stdin: Some(stdin.into()), ..self }
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stderr(Stdio::piped());
        command.stdin(match &self.stdin {
            Some(path) => File::open(path).map_err(|error| format!("{}: {error}", path.display()))?.into(),
            None => Stdio::null(),
        });
        Ok(command)
    }

    /// Runs it with its output thrown away.
    pub fn run(&self) -> Result<Usage> {
        let began = Instant::now();
        let child = self.start(self.command()?.stdout(Stdio::null()))?;
        self.finish(child, began)
    }

    /// Runs it with its output in a pipe to another program.
    pub fn run_into(&self, reader: &Program) -> Result<Usage> {
        let began = Instant::now();
        let mut child = self.start(self.command()?.stdout(Stdio::piped()))?;
        let pipe = child.stdout.take().ok_or("the output is no pipe")?;
        let drain = reader.start(reader.command()?.stdin(pipe).stdout(Stdio::null()))?;
        let mut usage = self.finish(child, began)?;
        reader.finish(drain, began)?;
        usage.wall = began.elapsed().as_secs_f64();
        Ok(usage)
    }

    fn start(&self, command: &mut Command) -> Result<Child> {
        Ok(command.spawn().map_err(|error| format!("{}: {error}", self.path.display()))?)
    }

    fn finish(&self, mut child: Child, began: Instant) -> Result<Usage> {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        let (status, resources) = wait(&child)?;
        let wall = began.elapsed().as_secs_f64();
        if !status.code().is_some_and(|code| self.exit_codes.contains(&code)) {
            return Err(format!("{} {:?}: {status}: {said}", self.path.display(), self.arguments).into());
        }
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
        let cpu = seconds(resources.ru_utime) + seconds(resources.ru_stime);
        Ok(Usage { cpu, wall, memory: resources.ru_maxrss as u64 * 1024, said })
    }
}

/// Waits for a process and learns what it took, which the standard library does not say.
fn wait(child: &Child) -> Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    // SAFETY: all zeros is a value of this plain structure.
    let mut resources: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live variables, and the child was not waited for before.
        let waited = unsafe { libc::wait4(child.id() as i32, &mut status, 0, &mut resources) };
        if waited > 0 {
            return Ok((ExitStatus::from_raw(status), resources));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
}

/// How many instructions a program takes, by callgrind.
pub fn instructions(program: &Program) -> Result<u64> {
    let mut arguments = vec!["--tool=callgrind".to_owned(), "--callgrind-out-file=/dev/null".to_owned()];
    arguments.push(program.path.display().to_string());
    arguments.extend(program.arguments.iter().cloned());
    let said = Program { path: "valgrind".into(), arguments, ..program.clone() }.run()?.said;
    let collected = said.lines().find_map(|line| line.split("Collected : ").nth(1));
    Ok(collected.ok_or_else(|| format!("callgrind says no number: {said}"))?.trim().parse()?)
}

/// The middle one of an odd number of figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
