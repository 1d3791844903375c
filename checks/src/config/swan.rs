//! The `test.yaml` of SWAN's testing framework, taken as it is.
//!
//! What it calls a test is an aspect, or several, of a target here; tests of the same target become one. Its keys
//! are known by all the spellings that its files, its code and its documentation have used.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use cli::suggest;
use serde_json::{Map, Value};
use subunit::text_part;
use toml::Table;

use super::{Config, Places, TargetConfig};

/// A file without a name that holds a secret: the processes of this user can read it as long as this lives.
#[derive(Debug)]
pub(super) struct SecretFile(File);

impl SecretFile {
    fn new(secret: &str) -> anyhow::Result<Self> {
        let mut file = tempfile::tempfile()?;
        writeln!(file, "{secret}")?;
        Ok(SecretFile(file))
    }

    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }
}

/// The keys of each test, without regard to case, `_` and `-`; of twins, the first one.
const TESTS: &[(&str, &str, &[&str])] = &[
    ("storage", "mount_sanity", &["timeout", "mountpoints"]),
    ("storage", "mount", &["mode"]),
    ("storage", "write", &["fileSize", "filePath", "fileName"]),
    ("storage", "exists", &["filePath", "fileName"]),
    ("storage", "delete", &["filePath", "fileName"]),
    ("storage", "throughput", &["fileNumber", "fileSize", "filePath"]),
    ("storage", "checksum", &["fileNumber", "fileSize", "filePath"]),
    ("storage", "statFile", &["filePath"]),
    ("cvmfs", "mount", &["repoName", "repoPath"]),
    ("cvmfs", "ttfb", &["repoName", "repoPath", "filePath"]),
    ("cvmfs", "throughput", &["num", "repoName", "repoPath", "filePath"]),
    ("database", "token", DATABASE),
    ("database", "servers", DATABASE),
    ("database", "spawners", DATABASE),
    ("jupyterhub_api", "check_api", HUB),
    ("jupyterhub_api", "token", HUB),
    (
        "jupyterhub_api",
        "create_session",
        &["hostname", "port", "token", "base_path", "verify", "users", "params", "delay"],
    ),
    ("jupyterhub_api", "check_session", HUB),
    ("jupyterhub_api", "stop_session", HUB),
    ("user_docker", "docker", &["container_name", "timeout"]),
];
const DATABASE: &[&str] = &["path", "user", "mode", "table_name"];
const HUB: &[&str] = &["hostname", "port", "token", "base_path", "verify", "users"];

/// Other words for the same key.
const TWINS: [(&str, &str); 6] = [
    ("timedelay", "delay"),
    ("tls", "verify"),
    ("table", "tablename"),
    ("usermode", "mode"),
    ("mountpoint", "mountpoints"),
    ("path", "filepath"),
];

/// The keys whose values may be lists, and those whose values may be tables.
const LISTS: [&str; 2] = ["users", "mountpoints"];
const TABLES: [&str; 1] = ["params"];

/// What `output` may hold; where results go is said on the command line here.
const OUTPUT: &[(&str, &[&str])] = &[
    ("stdout", &[]),
    ("logfile", &["logging", "filepath"]),
    ("grafana", &["push", "hostname", "port", "namespace", "modules"]),
];

/// Reads the text of such a file.
///
/// # Errors
///
/// When it is not such a file, or has a key that such files do not have.
pub(super) fn parse(text: &str) -> anyhow::Result<Config> {
    let file: Map<String, Value> = serde_saphyr::from_str(text).map_err(|error| {
        let text = error.to_string();
        anyhow::anyhow!(
            "{}",
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        )
    })?;
    let lines = Lines::new(text);
    for (key, value) in &file {
        match key.as_str() {
            "tests" => {}
            "output" => ensure_output(value, &lines)?,
            _ => bail!("{}there is no `{key}`{}", lines.at(&[key]), suggest(key, ["tests", "output"])),
        }
    }
    let mut drafts = Drafts::default();
    let directories = object(file.get("tests").unwrap_or(&Value::Null), "tests", &lines, &["tests"])?;
    drafts.path = usual_path(directories);
    for (directory, tests) in lines.in_order(directories, &["tests"]) {
        let above = ["tests", directory.as_str()];
        let names = TESTS.iter().map(|(directory, ..)| *directory);
        let Some(known) = names.clone().find(|name| plain(name) == plain(directory)) else {
            let suggestion = suggest(directory, names);
            bail!("{}there are no tests of `{directory}`{suggestion}", lines.at(&above));
        };
        for (test, keys) in lines.in_order(object(tests, directory, &lines, &above)?, &above) {
            drafts.add_test(known, directory, (test, keys), &lines)?;
        }
    }
    drafts.finish()
}

/// A key without what its spellings differ in.
fn plain(key: &str) -> String {
    let letters = key.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.collect::<String>().to_lowercase()
}

fn object<'a>(
    value: &'a Value,
    name: &str,
    lines: &Lines,
    path: &[&str],
) -> anyhow::Result<&'a Map<String, Value>> {
    value.as_object().with_context(|| format!("{}`{name}` holds keys and values", lines.at(path)))
}

fn ensure_output(value: &Value, lines: &Lines) -> anyhow::Result<()> {
    for (key, value) in object(value, "output", lines, &["output"])? {
        let known = OUTPUT.iter().find(|(name, _)| plain(name) == plain(key));
        let words = || OUTPUT.iter().map(|(name, _)| *name);
        let Some((_, keys)) = known else {
            bail!("{}`output` has no `{key}`{}", lines.at(&["output", key]), suggest(key, words()));
        };
        for inner in value.as_object().into_iter().flat_map(Map::keys) {
            let is_known = keys.iter().any(|name| plain(name) == plain(inner));
            let place = || lines.at(&["output", key, inner]);
            let suggestion = || suggest(inner, keys.iter().copied());
            ensure!(is_known, "{}`{key}` has no `{inner}`{}", place(), suggestion());
        }
    }
    Ok(())
}

/// The path of the tests that name none: that of `statFile`.
fn usual_path(directories: &Map<String, Value>) -> String {
    let storage = directories.iter().find(|(name, _)| plain(name) == "storage");
    let stat = storage.and_then(|(_, tests)| tests.get("statFile")).and_then(Value::as_object);
    let path = stat.and_then(|keys| keys.iter().find(|(key, _)| plain(key) == "filepath"));
    path.and_then(|(_, path)| path.as_str()).map_or_else(|| "/eos/user".to_owned(), absolute)
}

/// The path from the root, where all of SWAN's paths begin.
fn absolute(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

/// The keys of a test, by their plain names.
struct Keys(Vec<(String, Value)>);

impl Keys {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text of a key that is not empty.
    fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(text).filter(|text| !text.is_empty())
    }

    /// The texts of a list, or of the one there is.
    fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(word) => Some(word.to_string()),
        _ => None,
    }
}

/// A target whose options are still being collected.
struct Draft {
    name: String,
    check: &'static str,
    /// Which tests of SWAN's it stands for.
    only: Vec<String>,
    options: Table,
    line: Option<usize>,
}

#[derive(Default)]
struct Drafts {
    drafts: Vec<Draft>,
    /// Where storage is looked at that has no path of its own.
    path: String,
    tokens: Vec<(String, Arc<SecretFile>)>,
}

impl Drafts {
    /// Adds a test of the directory `known`, however the file spells it.
    fn add_test(
        &mut self,
        known: &str,
        directory: &str,
        (test, keys): (&str, &Value),
        lines: &Lines,
    ) -> anyhow::Result<()> {
        let path = ["tests", directory, test];
        let tests = TESTS.iter().filter(|(directory, ..)| *directory == known);
        let Some((_, name, allowed)) = tests.clone().find(|(_, name, _)| plain(name) == plain(test)) else {
            let suggestion = suggest(test, tests.map(|(_, name, _)| *name));
            bail!("{}`{directory}` has no test `{test}`{suggestion}", lines.at(&path));
        };
        let mut all: Vec<(String, Value)> = Vec::new();
        ensure!(keys.is_object() || keys.is_null(), "{}`{test}` holds keys and values", lines.at(&path));
        for (key, value) in keys.as_object().into_iter().flatten() {
            let is = |name: &str| allowed.iter().any(|allowed| plain(allowed) == name);
            let twin = TWINS.iter().find(|(twin, _)| *twin == plain(key)).map(|(_, name)| (*name).to_owned());
            let Some(name) = [Some(plain(key)), twin].into_iter().flatten().find(|name| is(name)) else {
                let place = lines.at(&["tests", directory, test, key]);
                bail!("{place}`{test}` has no `{key}`{}", suggest(key, allowed.iter().copied()));
            };
            let place = || lines.at(&["tests", directory, test, key]);
            let fits = match value {
                Value::Array(_) => LISTS.contains(&name.as_str()),
                Value::Object(_) => TABLES.contains(&name.as_str()),
                _ => true,
            };
            ensure!(fits, "{}`{key}` is one value", place());
            ensure!(all.iter().all(|(other, _)| *other != name), "{}`{key}` is there already", place());
            all.push((name, value.clone()));
        }
        let line = lines.line(&path);
        let context = || lines.at(&path).trim_end_matches(": ").to_owned();
        self.add(known, name, &Keys(all), line).with_context(context)
    }

    fn add(&mut self, directory: &str, test: &str, keys: &Keys, line: Option<usize>) -> anyhow::Result<()> {
        match directory {
            "storage" => self.add_storage(test, keys, line)?,
            "cvmfs" => self.add_cvmfs(test, keys, line)?,
            "database" => self.add_database(test, keys, line)?,
            "jupyterhub_api" => self.add_hub(test, keys, line)?,
            _ => {
                let container = keys.text("containername").context("`container_name` is missing")?;
                let mut options = Options::default();
                options.set("container", container.clone());
                options.set_seconds("timeout", keys.text("timeout"));
                self.put("container", &container, test, options, line);
            }
        }
        Ok(())
    }

    fn add_storage(&mut self, test: &str, keys: &Keys, line: Option<usize>) -> anyhow::Result<()> {
        if test == "statFile" {
            return Ok(());
        }
        let path = keys.text("filepath").map(|path| match test {
            // The path of a file, of which only the folder counts: probes have names of their own.
            "write" | "exists" | "delete" if !path.ends_with('/') => {
                let path = PathBuf::from(absolute(&path));
                path.parent().unwrap_or(Path::new("/")).display().to_string()
            }
            _ => absolute(&path),
        });
        let points = keys
            .texts("mountpoints")
            .into_iter()
            .map(|point| absolute(&format!("eos/{}", point.trim_matches('/'))));
        let mut paths: Vec<_> = points.chain(path).collect();
        if paths.is_empty() {
            paths.push(self.path.clone());
        }
        for path in paths {
            let mut options = Options::default();
            let name = last_part(&path);
            options.set("path", path);
            options.set_seconds("timeout", keys.text("timeout"));
            if let Some(size) = keys.text("filesize") {
                options.set("size", binary_size(&size)?);
            }
            if let Some(number) = keys.text("filenumber") {
                options.set("samples", number);
            }
            self.put("eos", &name, test, options, line);
        }
        Ok(())
    }

    fn add_cvmfs(&mut self, test: &str, keys: &Keys, line: Option<usize>) -> anyhow::Result<()> {
        let named = keys.text("reponame").map(|name| format!("/cvmfs/{name}"));
        let path = keys.text("repopath").map(|path| absolute(&path)).or(named);
        let path = path.context("`repoPath` and `repoName` are missing")?;
        let mut options = Options::default();
        // A file to read; a folder of them is looked for by the check itself.
        let file = keys.text("filepath").filter(|file| !file.ends_with('/')).map(|file| absolute(&file));
        let below =
            file.as_deref().and_then(|file| file.strip_prefix(&path)).map(|file| file.trim_matches('/'));
        if let Some(file) = below {
            options.set("file", file.to_owned());
        }
        if let Some(number) = keys.text("num") {
            options.set("samples", number);
        }
        let name = last_part(&path);
        options.set("path", path);
        self.put("cvmfs", &name, test, options, line);
        Ok(())
    }

    fn add_database(&mut self, test: &str, keys: &Keys, line: Option<usize>) -> anyhow::Result<()> {
        let path = keys.text("path").context("`path` is missing")?;
        let name = Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut options = Options::default();
        options.set("path", path);
        if let Some(user) = keys.text("user") {
            options.set("user", user);
            let state = match keys.text("mode").as_deref() {
                Some("delete" | "0" | "2") => "stopped",
                Some("active" | "1") | None => "active",
                Some(other) => bail!("the mode `{other}` is neither active nor delete"),
            };
            options.set("expect", state.to_owned());
        }
        self.put("database", &name, test, options, line);
        Ok(())
    }

    fn add_hub(&mut self, test: &str, keys: &Keys, line: Option<usize>) -> anyhow::Result<()> {
        let host = keys.text("hostname").unwrap_or_else(|| "localhost".to_owned());
        let port = keys.text("port").map_or_else(String::new, |port| format!(":{port}"));
        let base = keys.text("basepath").unwrap_or_default();
        let url = format!("https://{host}{port}{}", absolute(&base).trim_end_matches('/'));
        let mut users: Vec<_> = keys.texts("users").into_iter().map(Some).collect();
        if users.is_empty() {
            users.push(None);
        }
        for user in users {
            let mut options = Options::default();
            options.set("url", url.clone());
            // Not to verify was all that there was, whatever the file said; here it takes that the file says it.
            if keys.get("verify").and_then(Value::as_bool) == Some(false) {
                options.0.insert("insecure".to_owned(), true.into());
            }
            if let Some(user) = user {
                options.set("user", user);
            }
            options.set_seconds("timeout", keys.text("delay"));
            if let Some(token) = keys.text("token") {
                options.set("token-file", self.token(&token)?);
            }
            let params = keys.get("params").and_then(Value::as_object).into_iter().flatten();
            let params: Vec<_> = params.map(|(name, value)| format!("{name}={value}").into()).collect();
            if !params.is_empty() {
                options.0.insert("option".to_owned(), toml::Value::Array(params));
            }
            self.put("jupyterhub", "hub", test, options, line);
        }
        Ok(())
    }

    /// The path from which the processes of this user can read a token.
    fn token(&mut self, token: &str) -> anyhow::Result<String> {
        if let Some((_, kept)) = self.tokens.iter().find(|(other, _)| other == token) {
            return Ok(kept.path());
        }
        let kept = Arc::new(SecretFile::new(token).context("cannot keep a token")?);
        let path = kept.path();
        self.tokens.push((token.to_owned(), kept));
        Ok(path)
    }

    /// Adds a test to the target that it is of, or to a new one.
    fn put(&mut self, check: &'static str, name: &str, test: &str, options: Options, line: Option<usize>) {
        let Options(options) = options;
        let agrees = |draft: &&mut Draft| {
            let is_same = |key: &str| draft.options.get(key) == options.get(key);
            draft.check == check
                && is_same("path")
                && is_same("url")
                && options
                    .iter()
                    .all(|(key, value)| draft.options.get(key).is_none_or(|other| other == value))
        };
        if let Some(draft) = self.drafts.iter_mut().find(agrees) {
            draft.options.extend(options);
            draft.only.push(test.to_owned());
            return;
        }
        let taken = |name: &str| self.drafts.iter().any(|draft| draft.name == name);
        let mut distinct = name.to_owned();
        let mut number = 2;
        while taken(&distinct) {
            distinct = format!("{name}-{number}");
            number += 1;
        }
        self.drafts.push(Draft { name: distinct, check, only: vec![test.to_owned()], options, line });
    }

    fn finish(mut self) -> anyhow::Result<Config> {
        self.share_tokens();
        let mut places = Places::default();
        let mut targets = Vec::new();
        for Draft { name, check, mut only, mut options, line } in self.drafts {
            if let Some(line) = line {
                places.add(&name, "", line);
            }
            only.dedup();
            options.insert("only".to_owned(), toml::Value::Array(only.into_iter().map(Into::into).collect()));
            let (check, after, on) = (check.to_owned(), Vec::new(), Vec::new());
            targets.push(TargetConfig { name, check, after, on, options });
        }
        let kept = self.tokens.into_iter().map(|(_, kept)| kept).collect();
        Ok(Config { targets, places, _kept: kept, ..Config::parse("")? })
    }

    /// Only the test that starts a server has a token in SWAN's own file; the others need it as well.
    fn share_tokens(&mut self) {
        let tokens: Vec<_> = self
            .drafts
            .iter()
            .filter_map(|draft| {
                Some((draft.options.get("url")?.clone(), draft.options.get("token-file")?.clone()))
            })
            .collect();
        for draft in self.drafts.iter_mut().filter(|draft| draft.check == "jupyterhub") {
            let url = draft.options.get("url");
            let token = tokens.iter().find(|(other, _)| Some(other) == url).map(|(_, token)| token.clone());
            if let (None, Some(token)) = (draft.options.get("token-file"), token) {
                draft.options.insert("token-file".to_owned(), token);
            }
        }
    }
}

/// Options of a target.
#[derive(Default)]
struct Options(Table);

impl Options {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn set_seconds(&mut self, key: &str, seconds: Option<String>) {
        if let Some(seconds) = seconds {
            self.set(key, format!("{seconds}s"));
        }
    }
}

fn last_part(path: &str) -> String {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

/// SWAN's units are powers of 1024, by their first letters.
fn binary_size(size: &str) -> anyhow::Result<String> {
    let digits = size.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match text_part(size, digits.len()..).trim().to_uppercase().as_str() {
        "" | "B" => "B",
        "K" | "KB" | "KIB" => "KiB",
        "M" | "MB" | "MIB" => "MiB",
        "G" | "GB" | "GIB" => "GiB",
        _ => bail!("`{size}` is not a size: 1K, 10M, 1G"),
    };
    Ok(format!("{digits}{unit}"))
}

/// The lines of keys, by the keys above them; as far as a file is written in lines.
struct Lines(Vec<(Vec<String>, usize)>);

impl Lines {
    fn new(text: &str) -> Self {
        let mut above: Vec<(usize, String)> = Vec::new();
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let content = line.trim_start();
            let Some((key, _)) = content.split_once(':').filter(|_| !content.starts_with(['#', '-'])) else {
                continue;
            };
            let indent = line.len() - content.len();
            above.retain(|(other, _)| *other < indent);
            above.push((indent, key.trim().trim_matches(['"', '\'']).to_owned()));
            lines.push((above.iter().map(|(_, key)| key.clone()).collect(), number + 1));
        }
        Lines(lines)
    }

    fn line(&self, path: &[&str]) -> Option<usize> {
        self.0.iter().find(|(keys, _)| keys == path).map(|(_, line)| *line)
    }

    /// The keys as they stand in the file.
    fn in_order<'a>(&self, keys: &'a Map<String, Value>, above: &[&str]) -> Vec<(&'a String, &'a Value)> {
        let mut keys: Vec<_> = keys.iter().collect();
        let line = |key: &str| self.line(&[above, &[key]].concat()).unwrap_or(usize::MAX);
        keys.sort_by_key(|(key, _)| line(key));
        keys
    }

    /// `line 7: `, where that is known.
    fn at(&self, path: &[&str]) -> String {
        self.line(path).map_or_else(String::new, |line| format!("line {line}: "))
    }
}
