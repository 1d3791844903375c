//! A folder on an XRootD or EOS server, by its own protocol and without a mount.

mod tools;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use formats::human::show_duration;
use probe::{Finding, Generator, Limits, Percentiles, Secret, Target, host, nonce, rounded};
use subunit::part;
use tempfile::TempDir;
use tools::{Done, Failed, Tools};

use super::args::CheckEos;
use super::task::{Compare, Digests, opinion};

/// How often to write and read by default: each time takes several programs.
const SAMPLES: u32 = 3;
const BLOCK: usize = 1 << 20;

/// The server and the path of `root://host:port//path`.
pub(super) fn split(url: &str) -> Option<(&str, &str)> {
    let begin =
        ["root://", "roots://", "xroot://", "xroots://"].iter().find(|scheme| url.starts_with(*scheme))?;
    let slash = url.get(begin.len()..)?.find('/')? + begin.len();
    let (server, path) = url.split_at(slash);
    Some((server, path.trim_start_matches('/'))).filter(|(server, _)| server.len() > begin.len())
}

/// A folder on a server.
pub(super) struct NativeTarget {
    name: String,
    url: String,
    /// The folder, from the root.
    path: String,
    tools: Tools,
    token: Option<Secret>,
    args: CheckEos,
    /// What was made and is not known to be gone.
    created: Vec<String>,
}

impl NativeTarget {
    /// The folder that the URL names; `None` when it is not such a URL.
    pub(super) fn new(url: &str, name: String, token: Option<Secret>, args: CheckEos) -> Option<Self> {
        let (server, path) = split(url)?;
        let tools = Tools::new(server.to_owned(), token.clone());
        let path = format!("/{}", path.trim_end_matches('/'));
        Some(NativeTarget { name, url: url.to_owned(), path, tools, token, args, created: Vec::new() })
    }

    pub(super) fn respond(&self, limits: Limits<'_>) -> Result<Finding, Failed> {
        let done = self.tools.ask(&["stat", &self.path], limits)?;
        // What it cannot tell does not matter.
        let version = self.tools.ask(&["query", "config", "version"], limits).map(|done| done.output);
        Ok(Finding::fine(format!("it answered in {}", show_duration(done.elapsed)))
            .with_metric("response_seconds", done.elapsed.as_secs_f64())
            .with_text("stat.txt", done.output)
            .with_text("version.txt", version.unwrap_or_default()))
    }

    pub(super) fn space(&self, limits: Limits<'_>) -> Result<Finding, Failed> {
        let done = self.tools.ask(&["spaceinfo", &self.path], limits)?;
        let number = |name: &str| {
            let line = done.output.lines().find_map(|line| line.trim().strip_prefix(name));
            line.and_then(|rest| rest.trim().parse::<f64>().ok())
        };
        let (Some(total), Some(free)) = (number("Total:"), number("Free:")) else {
            return Ok(Finding::unknown("the server does not report its size".to_owned())
                .with_text("spaceinfo.txt", done.output));
        };
        let percent = free / total.max(1.0) * 100.0;
        Ok(Finding::fine(format!("{:.1} GB ({percent:.0} %) are free", free / 1e9))
            .with_metric("total_bytes", total)
            .with_metric("free_bytes", free)
            .with_metric("free_percent", percent))
    }

    pub(super) fn writable(&mut self, limits: Limits<'_>) -> Result<Finding, Failed> {
        let samples = self.args.probe.samples.unwrap_or(SAMPLES);
        let mut times = Vec::new();
        for number in 1..=samples {
            times.push(self.round(number, limits)?.as_secs_f64());
        }
        let summary = Percentiles::of(times);
        let half = show_duration(Duration::from_secs_f64(summary.percentile(50).unwrap_or_default()));
        Ok(Finding::fine(format!("{samples} files written, read back and deleted, {half} each"))
            .with_metric("samples", samples.into())
            .with_summary("round_seconds", &summary))
    }

    fn round(&mut self, number: u32, limits: Limits<'_>) -> Result<Duration, Failed> {
        let local = Local::new()?;
        let content = format!("subunit check {:016x} {number}\n", nonce());
        local.write(content.as_bytes())?;
        let remote = self.new_name();
        let put = self.put(&local.path(), &remote, limits)?;
        let back = self.get(&remote, &local.back(), limits)?;
        if fs::read(local.back()).map_err(local_error)? != content.as_bytes() {
            return Err(Box::new(Finding::broken(format!(
                "what is read back of {remote} is not what was written"
            ))));
        }
        let renamed = format!("{remote}.renamed");
        self.created.push(renamed.clone());
        let moved = self.tools.ask(&["mv", &remote, &renamed], limits)?;
        self.created.retain(|path| *path != remote);
        let removed = self.remove(&renamed, limits)?;
        if self.tools.ask(&["stat", &renamed], limits).is_ok() {
            return Err(Box::new(Finding::broken(format!("{renamed} is still there after it was deleted"))));
        }
        Ok([put, back, moved, removed].iter().map(|done| done.elapsed).sum())
    }

    pub(super) fn throughput(&mut self, reads: bool, limits: Limits<'_>) -> Result<Finding, Failed> {
        let (size, samples) = (self.args.size, self.args.probe.samples.unwrap_or(SAMPLES));
        let local = Local::new()?;
        local.generate(size, nonce(), |_| {})?;
        let mut times = Vec::new();
        let mut remote = self.new_name();
        for number in 0..samples {
            if !reads || number == 0 {
                remote = self.new_name();
                let put = self.put(&local.path(), &remote, limits)?;
                times.extend((!reads).then_some(put.elapsed));
            }
            if reads {
                times.push(self.get(&remote, &local.back(), limits)?.elapsed);
            } else {
                self.remove(&remote, limits)?;
            }
        }
        if reads {
            self.remove(&remote, limits)?;
        }
        let word = if reads { "read" } else { "write" };
        let total = times.iter().sum::<Duration>().as_secs_f64();
        let speed = size as f64 * f64::from(samples) / 1e6 / total.max(1e-9);
        let summary = Percentiles::of(times.iter().map(Duration::as_secs_f64).collect());
        let text = format!(
            "{} MB/s ({samples} × {:.1} MB by xrdcp, its start included)",
            rounded(speed),
            size as f64 / 1e6
        );
        Ok(Finding::fine(text)
            .with_metric(&format!("{word}_mbps"), speed)
            .with_metric("samples", samples.into())
            .with_metric("size_bytes", size as f64)
            .with_summary(&format!("{word}_seconds"), &summary))
    }

    pub(super) fn integrity(&mut self, limits: Limits<'_>) -> Result<Finding, Failed> {
        let (local, seed, size) = (Local::new()?, nonce(), self.args.size);
        let mut written = Digests::new(self.args.checksum);
        local.generate(size, seed, |bytes| written.update(bytes))?;
        let written = written.finish();
        let remote = self.new_name();
        self.put(&local.path(), &remote, limits)?;
        // A server without checksums is not a broken one.
        let server = self.tools.ask(&["query", "checksum", &remote], limits).ok();
        let server =
            server.and_then(|done| done.output.split_whitespace().next_back().map(str::to_lowercase));
        self.get(&remote, &local.back(), limits)?;
        let (mut compare, mut back) = (Compare::new(seed), Digests::new(self.args.checksum));
        let total = local.read_back(|bytes| {
            compare.add(bytes);
            back.update(bytes);
        })?;
        self.remove(&remote, limits)?;
        let differing = compare.differing().saturating_add(size.abs_diff(total));
        let server = server.map(|digits| opinion(&digits, &written));
        let said = server.as_ref().map_or_else(String::new, |(_, text)| format!("; {text}"));
        let finding = match (differing, &server) {
            (0, Some((false, text))) => Finding::warning(format!("what is read back is right, but {text}")),
            (0, _) => Finding::fine(format!("{total} bytes were read back as they were written{said}")),
            _ => Finding::broken(format!(
                "what is read back is not what was written: {differing} of {size} bytes differ{said}; {}",
                compare.first().unwrap_or("the length differs")
            )),
        };
        Ok(finding.with_metric("size_bytes", size as f64).with_metric("mismatched_bytes", differing as f64))
    }

    fn new_name(&self) -> String {
        let folder = self.args.dir.as_deref().map_or_else(String::new, |dir| format!("/{}", dir.display()));
        format!("{}{folder}/.probe-{}-{}-{:016x}", self.path, host(), std::process::id(), nonce())
    }

    fn put(&mut self, local: &Path, remote: &str, limits: Limits<'_>) -> Result<Done, Failed> {
        self.created.push(remote.to_owned());
        self.tools.copy(local.as_os_str(), OsStr::new(&self.tools.url(remote)), limits)
    }

    fn get(&self, remote: &str, local: &Path, limits: Limits<'_>) -> Result<Done, Failed> {
        match fs::remove_file(local) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(local_error(error)),
            _ => {}
        }
        self.tools.copy(OsStr::new(&self.tools.url(remote)), local.as_os_str(), limits)
    }

    fn remove(&mut self, remote: &str, limits: Limits<'_>) -> Result<Done, Failed> {
        let done = self.tools.ask(&["rm", remote], limits)?;
        self.created.retain(|path| path != remote);
        Ok(done)
    }
}

impl Target for NativeTarget {
    fn name(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        self.url.clone()
    }

    fn finish(&mut self, limits: Limits<'_>) -> Option<Finding> {
        let mut left = Vec::new();
        for path in std::mem::take(&mut self.created) {
            // What was never made cannot be removed: only what is there is left.
            let removed = self.tools.ask(&["rm", &path], limits);
            if removed
                .is_err_and(|failed| !failed.level.reason().is_some_and(|reason| reason.contains("[3011]")))
            {
                left.push(format!("{path}\n"));
            }
        }
        (!left.is_empty()).then(|| {
            let reason = format!("{} files could not be removed from {}", left.len(), self.url);
            Finding::warning(reason).with_text("left-behind.txt", left.concat())
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        self.token.iter().cloned().collect()
    }
}

/// The files on this side.
struct Local(TempDir);

impl Local {
    fn new() -> Result<Self, Failed> {
        tempfile::tempdir().map(Local).map_err(local_error)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("file")
    }

    fn back(&self) -> PathBuf {
        self.0.path().join("back")
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failed> {
        fs::write(self.path(), bytes).map_err(local_error)
    }

    fn generate(&self, size: u64, seed: u64, mut seen: impl FnMut(&[u8])) -> Result<(), Failed> {
        let mut generator = Generator::new(seed);
        let mut file = File::create(self.path()).map_err(local_error)?;
        let mut block = vec![0; BLOCK];
        let mut left = size;
        while left > 0 {
            let len = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
            generator.fill(&mut block);
            let bytes = part(&block, ..len);
            seen(bytes);
            file.write_all(bytes).map_err(local_error)?;
            left -= len as u64;
        }
        Ok(())
    }

    fn read_back(&self, mut seen: impl FnMut(&[u8])) -> Result<u64, Failed> {
        let mut file = File::open(self.back()).map_err(local_error)?;
        let (mut block, mut total) = (vec![0; BLOCK], 0);
        loop {
            let count = file.read(&mut block).map_err(local_error)?;
            if count == 0 {
                return Ok(total);
            }
            seen(part(&block, ..count));
            total += count as u64;
        }
    }
}

fn local_error(error: io::Error) -> Failed {
    Box::new(Finding::unknown(format!("cannot keep files in the temporary folder: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_server_and_a_path() {
        let check = |url, expected| assert_eq!(split(url), expected, "{url}");
        check("root://eos.cern.ch//eos/user", Some(("root://eos.cern.ch", "eos/user")));
        check("root://host:1094//eos", Some(("root://host:1094", "eos")));
        check("roots://host/eos", Some(("roots://host", "eos")));
        check("root://host", None);
        check("root:///eos", None);
        check("/eos/user", None);
        check("http://host/eos", None);
    }
}
