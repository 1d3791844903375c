//! Whether users have a running server.

use probe::Finding;

use super::args::Expected;
use super::listening::Reached;
use super::state::{Hub, Server, Spawner, State};

/// What holds for each of these users' servers of this name. `reach` tells whether anybody listens there, and
/// `just_now` whether a time, as the database has it, is so recent that it may still be starting.
pub(super) fn users(
    hub: &Hub,
    users: &[String],
    name: &str,
    expected: Expected,
    just_now: impl Fn(&str) -> bool,
    mut reach: impl FnMut(&Server) -> Reached,
) -> Finding {
    let mut all: Vec<(&str, Finding)> = Vec::new();
    for user in users {
        let finding = match (hub.state(user, name), expected) {
            (State::NoUser, _) => Finding::broken("there is no user of that name".to_owned()),
            (State::Contradiction(how), _) => Finding::broken(how),
            (State::Stopped, Expected::Active) => Finding::broken("no server runs".to_owned()),
            (State::Stopped, Expected::Stopped) => Finding::fine("no server runs".to_owned()),
            (State::Active(spawner, server), Expected::Stopped) => {
                Finding::broken(format!("{} is active since {}", server.base_url, since(spawner)))
            }
            (State::Active(spawner, server), Expected::Active) => {
                active(spawner, server, reach(server), just_now(&spawner.started))
            }
        };
        all.push((user, finding));
    }
    let worst = ["broken", "warning", "fine"].iter().find_map(|level| {
        let mut matching = all.iter().filter(|(_, finding)| level_name(finding) == *level).peekable();
        matching.peek()?;
        let say = |(user, finding): &(&str, Finding)| {
            let text = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
            format!("{user}: {text}")
        };
        Some((*level, matching.map(say).collect::<Vec<_>>().join("; ")))
    });
    let lines = all.iter().map(|(user, finding)| {
        let text = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
        format!("{user}: {text}\n")
    });
    let finding = match worst {
        Some(("broken", text)) => Finding::broken(text),
        Some(("warning", text)) => Finding::warning(text),
        Some((_, text)) => Finding::fine(text),
        None => Finding::skipped("no user is named".to_owned()),
    };
    finding.with_text("users.txt", if all.len() > 1 { lines.collect() } else { String::new() })
}

fn level_name(finding: &Finding) -> &'static str {
    match &finding.level {
        probe::Level::Broken(_) => "broken",
        probe::Level::Warning(_) => "warning",
        _ => "fine",
    }
}

fn since(spawner: &Spawner) -> &str {
    if spawner.started.is_empty() { "an unknown time" } else { &spawner.started }
}

fn active(spawner: &Spawner, server: &Server, reached: Reached, is_new: bool) -> Finding {
    let Server { base_url, ip, port } = server;
    let text = format!("{base_url} is active since {}", since(spawner));
    match reached {
        Reached::Refused if is_new => {
            Finding::warning(format!("{text}, and does not listen on {ip}:{port} yet"))
        }
        Reached::Refused => Finding::broken(format!(
            "{text}, says the database, but nothing listens on {ip}:{port}: it is gone, and the hub has not noticed"
        )),
        Reached::Listens => Finding::fine(text),
        Reached::Elsewhere(why) | Reached::CannotTell(why) => {
            Finding::fine(format!("{text}; whether it listens cannot be told ({why})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use probe::Level;

    use super::*;
    use crate::database::sqlite::testing::hub_with;

    fn check(changes: &str, user: &str, expected: Expected, reached: &Reached, words: Result<&str, &str>) {
        let hub = hub_with(changes);
        let finding =
            users(&hub, &[user.to_owned()], "", expected, |started| started > "2026", |_| reached.clone());
        let text = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
        let is_broken = matches!(finding.level, Level::Broken(_));
        let (words, expected) = words.map_or_else(|words| (words, true), |words| (words, false));
        assert!(text.contains(words) && is_broken == expected, "{finding:?}");
    }

    #[test]
    fn active_is_who_has_a_server_that_listens() {
        use Expected::Active;
        check("", "alice", Active, &Reached::Listens, Ok("/user/alice/ is active since 2025-"));
        check("", "alice", Active, &Reached::CannotTell("far".to_owned()), Ok("cannot be told (far)"));
        check("", "alice", Active, &Reached::Refused, Err("nothing listens on 127.0.0.1:54181"));
        let now = "UPDATE spawners SET started = '2026-01-01 00:00:00'";
        check(now, "alice", Active, &Reached::Refused, Ok("does not listen on 127.0.0.1:54181 yet"));
        check("", "carol", Active, &Reached::Listens, Err("carol: no server runs"));
        check("", "nobody", Active, &Reached::Listens, Err("there is no user of that name"));
    }

    #[test]
    fn stopped_is_who_is_known_and_has_none() {
        use Expected::Stopped;
        check("", "carol", Stopped, &Reached::Listens, Ok("no server runs"));
        check("", "alice", Stopped, &Reached::Listens, Err("/user/alice/ is active"));
        check("", "nobody", Stopped, &Reached::Listens, Err("there is no user of that name"));
        check("DELETE FROM servers", "alice", Stopped, &Reached::Listens, Err("there is no such server"));
    }

    #[test]
    fn one_user_that_is_wrong_is_named_among_many() {
        let all = ["alice", "carol", "dora@cern.ch"].map(str::to_owned);
        let finding = users(&hub_with(""), &all, "", Expected::Active, |_| false, |_| Reached::Listens);
        assert_eq!(finding.level, Level::Broken("carol: no server runs".to_owned()));
        assert_eq!(finding.attachments.len(), 1);
    }
}
