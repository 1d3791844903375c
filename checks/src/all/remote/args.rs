//! The options that say from where to look, and how to get there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use cli::suggest;
use cli::value::positive_duration;
use net::Place;
use transport::{ContainerName, LOCAL, Site, is_user};

use crate::all::registry::Entry;
use crate::config::{Config, TargetConfig};

/// How much longer than here a check may take elsewhere.
pub(super) const DELAY: Duration = Duration::from_secs(2);

/// The options that say from where to look, and how to get there.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Elsewhere")]
pub struct RemoteArgs {
    /// Look from this place, instead of where the file says: `ssh:[USER@]HOST[:PORT]`, `container:[USER@]NAME` or
    /// `local`; from each of them when repeated
    #[arg(long = "target", value_name = "PLACE")]
    pub targets: Vec<Site>,
    /// Run the storage and CVMFS checks in the container `jupyter-NAME`, as its user NAME; may be repeated
    #[arg(long = "session", value_name = "NAME")]
    pub sessions: Vec<String>,
    /// The user to run as in containers, by name or number (default: the session's name, else the user that the
    /// container itself runs as)
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The engine of the containers, unix:PATH or HOST:PORT (default: $DOCKER_HOST, $CONTAINER_HOST, else the usual
    /// sockets of Docker and Podman)
    #[arg(long, value_name = "PLACE")]
    pub engine: Option<Place>,
    /// An option for ssh, as in its configuration file: `IdentityFile=/etc/checks/key`; may be repeated
    #[arg(long = "ssh-option", value_name = "NAME=VALUE", value_parser = ssh_option)]
    pub ssh_options: Vec<String>,
    /// The configuration file of ssh (default: ssh's own)
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// The statically linked check-all to copy (default: $SUBUNIT_REMOTE_BINARY, else this program)
    #[arg(long, value_name = "FILE")]
    pub remote_binary: Option<PathBuf>,
    /// How long it may take to get there, and to copy the program
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = positive_duration)]
    pub reach_timeout: Duration,
    /// Remove the program that was copied when all is done
    #[arg(long)]
    pub no_cache: bool,
}

fn ssh_option(text: &str) -> Result<String, String> {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(char::is_alphanumeric);
    match text.split_once(['=', ' ']) {
        Some((name, value)) if is_name(name) && !value.is_empty() => Ok(text.to_owned()),
        _ => Err("it is NAME=VALUE".to_owned()),
    }
}

impl RemoteArgs {
    /// How much longer a check takes that is run elsewhere.
    pub(in crate::all) fn way(&self) -> Duration {
        self.reach_timeout.saturating_add(DELAY)
    }

    /// From where a target is looked at.
    ///
    /// # Errors
    ///
    /// When that is not a place.
    pub(in crate::all) fn sites(&self, target: &TargetConfig, config: &Config) -> anyhow::Result<Vec<Site>> {
        let blame = |error| anyhow!("{}: {error}", config.place(target, "on"));
        let sites: Result<Vec<Site>, String> = if self.is_of_session(target) {
            self.sessions.iter().map(|name| ContainerName::of_session(name).map(Site::Container)).collect()
        } else if !self.targets.is_empty() {
            Ok(self.targets.clone())
        } else if target.on.is_empty() {
            Ok(vec![Site::Here])
        } else {
            target.on.iter().map(|place| self.place(place)).collect()
        };
        let sites: Vec<_> = sites.map_err(blame)?.into_iter().map(|site| self.with_user(site)).collect();
        for (index, site) in sites.iter().enumerate() {
            let is_same = |other: &Site| other.name() == site.name();
            let before = sites.get(..index).unwrap_or_default();
            ensure!(
                !before.iter().any(is_same),
                "{}",
                blame(format!(
                    "{site} is named twice, or a place with the same name: their results would be one"
                ))
            );
        }
        Ok(sites)
    }

    /// Checks that no option is given in vain.
    ///
    /// # Errors
    ///
    /// When nothing is looked at from where it is about.
    pub(in crate::all) fn ensure_used(
        &self,
        targets: &[&TargetConfig],
        config: &Config,
    ) -> anyhow::Result<()> {
        ensure!(
            self.sessions.is_empty() || targets.iter().any(|target| self.is_of_session(target)),
            "--session runs storage and CVMFS checks, of which {} has none",
            config.path.display()
        );
        let Some(user) = &self.user else { return Ok(()) };
        ensure!(is_user(user), "`{user}` is not a user");
        for target in targets {
            if self.sites(target, config)?.iter().any(|site| matches!(site, Site::Container(_))) {
                return Ok(());
            }
        }
        Err(anyhow!("--user is about containers, from which nothing is looked at"))
    }

    fn is_of_session(&self, target: &TargetConfig) -> bool {
        !self.sessions.is_empty() && Entry::of(&target.check).is_some_and(|entry| entry.of_sessions)
    }

    /// A place that the file names.
    fn place(&self, text: &str) -> Result<Site, String> {
        text.parse().map_err(|error| {
            const KINDS: [&str; 3] = ["ssh", "container", LOCAL];
            let kind = text.split(':').next().unwrap_or_default();
            let is_known = KINDS.contains(&kind);
            format!("{error}{}", if is_known { String::new() } else { suggest(kind, KINDS) })
        })
    }

    fn with_user(&self, site: Site) -> Site {
        match (site, &self.user) {
            (Site::Container(container), Some(user)) => {
                Site::Container(ContainerName { user: Some(user.clone()), ..container })
            }
            (site, _) => site,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::all::CheckAll;

    fn sites(args: &[&str], text: &str) -> Result<Vec<String>, String> {
        let config = Config::parse(text).map_err(|error| format!("{error:#}"))?;
        let remote =
            CheckAll::try_parse_from([&["check-all"], args].concat()).map_err(|e| e.to_string())?.remote;
        let of = |target| {
            let all = remote.sites(target, &config).map_err(|error| error.to_string())?;
            Ok(all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        let targets: Vec<_> = config.targets.iter().collect();
        remote.ensure_used(&targets, &config).map_err(|error| error.to_string())?;
        config.targets.iter().map(of).collect()
    }

    const FILE: &str = "[[target]]\nname = 'a'\ncheck = 'eos'\n[[target]]\nname = 'b'\ncheck = 'http'\non = 'ssh:w'\n\
                        [[target]]\nname = 'c'\ncheck = 'tcp'\non = ['local', 'container:hub']\n";

    #[test]
    fn the_command_line_says_from_where_before_the_file_does() {
        let check = |args: &[&str], expected: [&str; 3]| {
            assert_eq!(sites(args, FILE).unwrap(), expected, "{args:?}");
        };
        check(&[], ["local", "ssh:w", "local container:hub"]);
        check(&["--target=ssh:x", "--target=local"], ["ssh:x local"; 3]);
        check(&["--session=u"], ["container:u@jupyter-u", "ssh:w", "local container:hub"]);
        check(&["--session=u", "--target=ssh:x"], ["container:u@jupyter-u", "ssh:x", "ssh:x"]);
        check(
            &["--session=u", "--session=v", "--user=1000"],
            ["container:1000@jupyter-u container:1000@jupyter-v", "ssh:w", "local container:1000@hub"],
        );
    }

    #[test]
    fn a_place_of_the_defaults_is_that_of_all_that_name_none() {
        let text = format!("[defaults]\non = 'ssh:d'\n{FILE}");
        assert_eq!(sites(&[], &text).unwrap(), ["ssh:d", "ssh:w", "local container:hub"]);
    }

    #[test]
    fn an_option_without_effect_is_a_mistake() {
        let check = |args: &[&str], text: &str, words: &str| {
            let error = sites(args, text).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        let one = |on: &str| format!("[[target]]\nname = 'a'\ncheck = 'http'\non = {on}\n");
        check(&["--session=u"], &one("'local'"), "--session runs storage and CVMFS checks");
        check(&["--user=u"], &one("'ssh:w'"), "--user is about containers");
        check(&["--target=shh:w"], FILE, "not a place to look from");
        check(&["--ssh-option=-x"], FILE, "NAME=VALUE");
        check(
            &[],
            &one("'shh:w'"),
            "line 4: target a: `shh:w` is not a place to look from: ssh:[USER@]HOST[:PORT]",
        );
        check(&[], &one("'shh:w'"), "is it `ssh`?");
        check(&[], &one("['ssh:a@w', 'ssh:b@w']"), "their results would be one");
        check(&[], &one("7"), "expected a place or a list of places");
    }
}
