//! The addresses of places.

use std::fmt;
use std::str::FromStr;

/// What this machine is called.
pub const LOCAL: &str = "local";

/// A place that commands run at: `local`, `ssh:[USER@]HOST[:PORT]` or `container:[USER@]NAME`.
///
/// ```
/// let site: transport::Site = "ssh:root@worker1:2222".parse()?;
/// assert_eq!(site.name().as_deref(), Some("worker1:2222"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// This machine.
    Here,
    /// A host, as the system's ssh knows it.
    Ssh(Host),
    /// A container of Docker or Podman.
    Container(ContainerName),
}

/// A host that ssh gets to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As whom; else as ssh's configuration says.
    pub user: Option<String>,
    /// Its name or address, or what ssh's configuration calls it.
    pub host: String,
    /// Never 0.
    pub port: Option<u16>,
}

/// A container, and as whom commands run in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerName {
    /// A name or a number, perhaps with a group: `1000:100`.
    pub user: Option<String>,
    /// Its name or id, as the engine knows it.
    pub name: String,
}

impl Site {
    /// Whether it is anywhere but this machine.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        *self != Site::Here
    }

    /// What stands for the host in route codes, of a place elsewhere.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Site::Here => None,
            Site::Ssh(Host { host, port: Some(port), .. }) => Some(format!("{host}:{port}")),
            Site::Ssh(Host { host, .. }) => Some(host.clone()),
            Site::Container(ContainerName { name, .. }) => Some(name.clone()),
        }
    }
}

impl ContainerName {
    /// Of a session of SWAN or JupyterHub, as its user.
    ///
    /// # Errors
    ///
    /// When there can be no such container.
    pub fn of_session(session: &str) -> Result<Self, String> {
        let name = Some(format!("jupyter-{session}")).filter(|_| !session.is_empty());
        let container: ContainerName = name.unwrap_or_default().parse()?;
        Ok(ContainerName { user: Some(session.to_owned()), ..container })
    }
}

impl FromStr for Site {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == LOCAL => Ok(Site::Here),
            Some(("ssh", host)) => host.parse().map(Site::Ssh),
            Some(("container", name)) => name.parse().map(Site::Container),
            _ => Err(format!(
                "`{text}` is not a place to look from: ssh:[USER@]HOST[:PORT], container:NAME, local"
            )),
        }
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a host for ssh: [USER@]HOST[:PORT]");
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, "")) => (address, None),
            Some((address, port)) => (address, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
            // An address with colons has no port unless there are brackets around it.
            None if place.matches(':').count() > 1 => (place, None),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port =
            port.map(|port| port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)).transpose()?;
        // Whatever the shell or ssh itself could take for something else is none of either.
        let is_word = |word: &str, also: &str| {
            let is_plain = |letter: char| letter.is_alphanumeric() || also.contains(letter);
            !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain)
        };
        let is_sound = is_word(host, ".-_:%") && user.is_none_or(|user| is_word(user, ".-_@\\$+"));
        if !is_sound {
            return Err(wrong());
        }
        Ok(Host { user: user.map(str::to_owned), host: host.to_owned(), port })
    }
}

impl FromStr for ContainerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, name) = text.rsplit_once('@').map_or((None, text), |(user, name)| (Some(user), name));
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
        let begins = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if !begins || !name.chars().all(is_plain) || user.is_some_and(|user| !is_user(user)) {
            return Err(format!("`{text}` is not a container: [USER@]NAME"));
        }
        Ok(ContainerName { user: user.map(str::to_owned), name: name.to_owned() })
    }
}

/// Whether there can be a user of this name or number, perhaps with a group.
#[must_use]
pub fn is_user(user: &str) -> bool {
    !user.is_empty() && !user.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Site::Here => formatter.write_str(LOCAL),
            Site::Ssh(host) => write!(formatter, "ssh:{host}"),
            Site::Container(container) => write!(formatter, "container:{container}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.contains(':') => write!(formatter, "[{}]:{port}", self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
            None => formatter.write_str(&self.host),
        }
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_shown_as_they_are_written() {
        let check = |text: &str, name: Option<&str>| {
            let site: Site = text.parse().unwrap();
            assert_eq!((site.to_string().as_str(), site.name().as_deref()), (text, name));
        };
        check("local", None);
        check("ssh:worker1", Some("worker1"));
        check("ssh:root@worker1.example.org:2222", Some("worker1.example.org:2222"));
        check("ssh:alice@realm@worker1", Some("worker1"));
        check("ssh:::1", Some("::1"));
        check("ssh:[::1]:22", Some("::1:22"));
        check("container:jupyter-alice", Some("jupyter-alice"));
        check("container:1000:100@jupyter-alice", Some("jupyter-alice"));
    }

    #[test]
    fn what_could_mean_something_else_to_a_shell_is_refused() {
        for wrong in [
            "",
            "here",
            "ssh",
            "ssh:",
            "ssh:-oProxyCommand=x",
            "ssh:a b",
            "ssh:h:0",
            "ssh:h:65536",
            "ssh:h:x",
            "ssh:$(x)",
            "ssh:h;x",
            "ssh:@h",
            "ssh:-l@h",
            "ssh:[::1]22",
            "docker:x",
            "container:",
            "container:-x",
            "container:a/b",
            "container:@x",
            "container:a b@x",
        ] {
            assert!(wrong.parse::<Site>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_session_is_a_container_of_its_user() {
        let check = |session: &str, expected: Option<&str>| {
            let found = ContainerName::of_session(session).ok().map(|container| container.to_string());
            assert_eq!(found.as_deref(), expected);
        };
        check("alice", Some("alice@jupyter-alice"));
        check("a/b", None);
        check("", None);
    }
}
