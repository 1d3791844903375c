//! The password of a server's user: from a file, the environment, or the file that all of PostgreSQL's tools use.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cli::OptionFacts;
use postgres::config::{Config, Host};
use probe::Secret;
use serde::{Deserialize, Serialize};

/// The variable that libraries of PostgreSQL take the password from, too.
pub(super) const VARIABLE: &str = "PGPASSWORD";

/// `--password-file`, `--password-env`: never a password in the command line, which everyone can see.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordArgs {
    /// Read the password for PostgreSQL from this file
    #[arg(long, value_name = "FILE", conflicts_with = "password_env", add = OptionFacts::SECRET)]
    pub password_file: Option<PathBuf>,
    /// Take the password for PostgreSQL from this variable of the environment (default: `PGPASSWORD`, else the line
    /// of ~/.pgpass that fits)
    #[arg(long, value_name = "NAME", add = OptionFacts::secret_variable("password-file"))]
    pub password_env: Option<String>,
}

impl PasswordArgs {
    /// The same, for a process in another folder.
    pub(super) fn absolute(&self) -> anyhow::Result<Self> {
        let password_file = self.password_file.as_deref().map(probe::absolute).transpose()?;
        Ok(PasswordArgs { password_file, ..self.clone() })
    }

    /// The password for the server at this address, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be read from where it should be.
    pub(super) fn password(&self, server: &Config) -> anyhow::Result<Option<Secret>> {
        let text = match (&self.password_file, &self.password_env) {
            (Some(path), _) => fs::read_to_string(path)
                .with_context(|| format!("cannot read the password from {}", path.display()))?,
            (None, Some(name)) => {
                std::env::var(name).with_context(|| format!("cannot read the password from ${name}"))?
            }
            (None, None) => return Ok(usual(server)),
        };
        let password = text.trim_end_matches(['\r', '\n']);
        ensure!(!password.is_empty(), "the password is empty");
        ensure!(!password.contains(['\r', '\n']), "the password is more than a line");
        Ok(Some(Secret::new(password)))
    }
}

fn usual(server: &Config) -> Option<Secret> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(password) = variable(VARIABLE) {
        return password.to_str().map(Secret::new);
    }
    let file = variable("PGPASSFILE").map(PathBuf::from);
    let file = file.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".pgpass")))?;
    // As libpq does: a file that others can read is not to be relied on.
    let is_private = fs::metadata(&file).is_ok_and(|found| found.is_file() && found.mode() & 0o077 == 0);
    let text = fs::read_to_string(&file).ok().filter(|_| is_private)?;
    let host = server.get_hosts().first()?;
    let host = match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.to_string_lossy().into_owned(),
    };
    let port = server.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = server.get_user().unwrap_or_default();
    let name = server.get_dbname().unwrap_or(user);
    let hosts = [host.as_str(), if host.starts_with('/') { "localhost" } else { &host }];
    find(&text, &hosts, &[&port, name, user])
}

/// The password in the first line `HOST:PORT:DATABASE:USER:PASSWORD` that fits.
fn find(text: &str, hosts: &[&str], others: &[&str]) -> Option<Secret> {
    let fits = |field: &str, value: &str| field == "*" || field == value;
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [host, others_found @ .., password] = fields.as_slice() else { return None };
        let fit = others_found.len() == others.len()
            && hosts.iter().any(|name| fits(host, name))
            && others_found.iter().zip(others).all(|(field, value)| fits(field, value));
        fit.then(|| Secret::new(password))
    })
}

/// The fields between colons; a backslash takes away the meaning of the character after it.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut letters) = (Vec::new(), String::new(), line.chars());
    while let Some(letter) = letters.next() {
        match letter {
            ':' => fields.push(std::mem::take(&mut field)),
            '\\' => field.extend(letters.next()),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = find(text, &["/run/pg", "localhost"], &["5432", "jh", "hub"]);
        assert_eq!(found.as_ref().map(Secret::reveal), expected, "{text}");
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        check("# a comment\nlocalhost:5432:jh:hub:one\n*:*:*:*:two", Some("one"));
        check("db:5432:jh:hub:one\n*:*:*:*:two", Some("two"));
        check("localhost:5432:jh:other:one", None);
        check(r"*:*:*:hub:a\:b\\c", Some(r"a:b\c"));
        check("*:*:hub:short", None);
    }

    #[test]
    fn a_password_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let args = PasswordArgs { password_file: Some(file.clone()), password_env: None };
        for (text, expected) in [("a b\n", Some("a b")), ("", None), ("a\nb\n", None)] {
            fs::write(&file, text).unwrap();
            let found = args.password(&Config::new()).ok().flatten();
            assert_eq!(found.as_ref().map(Secret::reveal), expected, "{text:?}");
        }
    }
}
