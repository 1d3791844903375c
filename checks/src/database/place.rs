//! Where a database is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use probe::absolute;

/// A file, or a database of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Sqlite(PathBuf),
    Postgres(Remote),
}

/// A database of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    /// Without a driver and without a password.
    pub(super) url: String,
    /// The database's name.
    pub(super) name: String,
    /// Whether the server runs on this host, as far as the address tells.
    pub(super) is_here: bool,
}

/// Said when there is a password where everybody can see it. It does not repeat it.
const PASSWORD: &str = "the address of the database holds a password, which everyone can see in the list of \
                        processes; leave it out, and give it by --password-file, --password-env or ~/.pgpass";

impl Place {
    /// What a path, or an address as SQLAlchemy takes them, names.
    pub(super) fn parse(text: &OsStr) -> anyhow::Result<Self> {
        let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once("://")) else {
            return Ok(Place::Sqlite(absolute(Path::new(text))?));
        };
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" => {
                let path = rest.strip_prefix('/').filter(|path| !path.is_empty());
                let path = path.context("a database of SQLite is a file: sqlite:////PATH")?;
                Ok(Place::Sqlite(absolute(Path::new(path.split('?').next().unwrap_or_default()))?))
            }
            "postgres" | "postgresql" => Remote::parse(rest).map(Place::Postgres),
            other => bail!("{other}:// names no database of a kind that is known: sqlite, postgresql"),
        }
    }

    /// A short name.
    pub(super) fn short(&self) -> String {
        match self {
            Place::Sqlite(path) => {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Place::Postgres(remote) => remote.name.clone(),
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Place::Sqlite(path) => path.display().to_string(),
            Place::Postgres(remote) => remote.url.clone(),
        }
    }

    /// What a helper is given.
    pub(super) fn operand(&self) -> &OsStr {
        match self {
            Place::Sqlite(path) => path.as_os_str(),
            Place::Postgres(remote) => OsStr::new(&remote.url),
        }
    }
}

impl Remote {
    fn parse(rest: &str) -> anyhow::Result<Self> {
        let (front, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = front.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user).unwrap_or_default();
        let in_query = query.split('&').any(|pair| pair.starts_with("password="));
        ensure!(!user.contains(':') && !in_query, PASSWORD);
        // To verify is what is always done.
        let rest = rest
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let url = format!("postgresql://{rest}");
        let config: postgres::Config = url.parse().with_context(|| format!("cannot make sense of {url}"))?;
        ensure!(
            !config.get_hosts().is_empty(),
            "the address {url} names no host: postgresql://USER@HOST/NAME"
        );
        let name = config.get_dbname().or(config.get_user()).unwrap_or("postgres").to_owned();
        Ok(Remote { is_here: config.get_hosts().iter().all(is_here), url, name })
    }
}

fn is_here(host: &postgres::config::Host) -> bool {
    match host {
        postgres::config::Host::Unix(_) => true,
        postgres::config::Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, &str), &str>) {
        match (Place::parse(OsStr::new(text)), expected) {
            (Ok(place), Ok((shown, short))) => {
                assert_eq!((place.shown().as_str(), place.short().as_str()), (shown, short), "{text}");
            }
            (Err(error), Err(words)) => {
                let error = format!("{error:#}");
                assert!(error.contains(words) && !error.contains("hunter2"), "{text}: {error}");
            }
            (place, _) => panic!("{text}: {place:?}"),
        }
    }

    #[test]
    fn a_path_and_the_addresses_of_a_hub_name_a_database() {
        check("/srv/jupyterhub.sqlite", Ok(("/srv/jupyterhub.sqlite", "jupyterhub")));
        check("sqlite:////srv/a.b.sqlite", Ok(("/srv/a.b.sqlite", "a.b")));
        check("sqlite:////srv/hub.sqlite?timeout=5", Ok(("/srv/hub.sqlite", "hub")));
        check("postgresql://hub@db/jh", Ok(("postgresql://hub@db/jh", "jh")));
        check(
            "postgresql+psycopg2://hub@/jh?host=/run/pg&port=5433",
            Ok(("postgresql://hub@/jh?host=/run/pg&port=5433", "jh")),
        );
        check("sqlite://", Err("is a file"));
        check("mysql://hub@db/jh", Err("of a kind that is known"));
        check("postgresql:///jh", Err("names no host"));
        check("postgresql://hub@db:many/jh", Err("cannot make sense of"));
    }

    #[test]
    fn a_password_that_all_can_see_is_refused_and_not_repeated() {
        for text in [
            "postgresql://hub:hunter2@db/jh",
            "postgresql+psycopg://hub:hunter2@/jh?host=/run",
            "postgres://hub@db/jh?sslmode=require&password=hunter2",
        ] {
            check(text, Err("--password-file"));
        }
    }

    #[test]
    fn a_server_is_here_by_a_socket_or_the_loopback_address() {
        for (text, expected) in [
            ("postgresql://u@/jh?host=/run/pg", true),
            ("postgresql://u@127.0.0.1/jh", true),
            ("postgresql://u@[::1]/jh", true),
            ("postgresql://u@db.example/jh", false),
        ] {
            let Place::Postgres(remote) = Place::parse(OsStr::new(text)).unwrap() else { panic!("{text}") };
            assert_eq!(remote.is_here, expected, "{text}");
        }
    }
}
