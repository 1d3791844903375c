//! Whether exactly the servers that run have a token.

use std::collections::BTreeSet;

use probe::{Finding, listed};

use super::fault::Fault;
use super::state::Hub;
use super::store::{Row, Store, number, text};

/// How the hub notes what a token is for, before the path of the server.
const NOTE: &str = "Server at ";

/// A token, without anything that is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    user_id: Option<i64>,
    note: String,
    expires_at: Option<String>,
}

/// All of them.
pub(super) fn read(store: &mut dyn Store) -> Result<Vec<Token>, Fault> {
    let rows = store.select("api_tokens", &["user_id", "note", "expires_at"])?;
    let token = |row: &Row| Token {
        user_id: number(row, 0),
        note: text(row, 1).to_owned(),
        expires_at: row.get(2).cloned().flatten(),
    };
    Ok(rows.iter().map(token).collect())
}

/// What is wrong between servers and tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mismatch {
    /// A server without a token: it cannot speak to the hub.
    Missing(String),
    /// The token of a server that does not run.
    Leftover(String),
}

/// All that is wrong.
pub(super) fn mismatches(hub: &Hub, tokens: &[Token]) -> BTreeSet<Mismatch> {
    // Service tokens have no user, and come first: what the first row says does not help.
    let noted = tokens.iter().filter_map(|token| {
        let path = token.note.strip_prefix(NOTE)?;
        Some((hub.users.get(&token.user_id?)?.as_str(), path))
    });
    let noted: BTreeSet<_> = noted.collect();
    let active: BTreeSet<_> =
        hub.active().into_iter().map(|((user, _), server)| (user, server.base_url.as_str())).collect();
    let missing = active.difference(&noted);
    let missing =
        missing.map(|(user, path)| Mismatch::Missing(format!("{path} of {user} runs without a token")));
    let left = noted.difference(&active);
    let left = left.map(|(user, path)| {
        Mismatch::Leftover(format!("a token of {user} is for {path}, which does not run"))
    });
    missing.chain(left).collect()
}

/// The finding; `now` is a time as the database has it.
pub(super) fn tokens(tokens: &[Token], mismatches: &BTreeSet<Mismatch>, now: &str) -> Finding {
    let missing = mismatches.iter().filter(|one| matches!(one, Mismatch::Missing(_))).count();
    let lines =
        mismatches.iter().map(|(Mismatch::Missing(line) | Mismatch::Leftover(line))| format!("{line}\n"));
    let lines: Vec<_> = lines.collect();
    let is_expired = |token: &&Token| token.expires_at.as_deref().is_some_and(|time| time < now);
    let of_servers = tokens.iter().filter(|token| token.note.starts_with(NOTE)).count();
    let endless = tokens.iter().filter(|token| {
        token.expires_at.is_none() && token.user_id.is_some() && !token.note.starts_with(NOTE)
    });
    let (count, who) = (tokens.len(), listed(&lines));
    Finding::fine(format!("{count} tokens, {of_servers} of them of servers{who}"))
        .with_metric("tokens", tokens.len() as f64)
        .with_metric("missing_tokens", missing as f64)
        .with_metric("leftover_tokens", (mismatches.len() - missing) as f64)
        .with_metric("expired_tokens", tokens.iter().filter(is_expired).count() as f64)
        .with_metric("endless_tokens", endless.count() as f64)
        .with_text("tokens.txt", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::sqlite::testing::store_with;

    fn check(changes: &str, lines: &[&str], expired_and_endless: (f64, f64)) {
        let mut store = store_with(changes);
        let hub = Hub::read(&mut store).unwrap();
        let all = read(&mut store).unwrap();
        let finding = tokens(&all, &mismatches(&hub, &all), "2026-01-01 00:00:00");
        let text = finding.attachments.first().map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
        assert_eq!(text.unwrap_or_default().lines().collect::<Vec<_>>(), lines, "{changes}");
        let metric = |name| finding.metrics.iter().find(|metric| metric.name == name).unwrap().value;
        assert_eq!((metric("expired_tokens"), metric("endless_tokens")), expired_and_endless, "{changes}");
    }

    #[test]
    fn exactly_the_servers_that_run_have_a_token() {
        check("", &[], (0.0, 0.0));
        check(
            "DELETE FROM api_tokens WHERE user_id = 2",
            &["/user/alice/ of alice runs without a token"],
            (0.0, 0.0),
        );
        check(
            "UPDATE spawners SET server_id = NULL WHERE user_id = 2",
            &["a token of alice is for /user/alice/, which does not run"],
            (0.0, 0.0),
        );
    }

    #[test]
    fn the_token_of_another_user_does_not_count() {
        check(
            "UPDATE api_tokens SET user_id = 4 WHERE note = 'Server at /user/alice/'",
            &[
                "/user/alice/ of alice runs without a token",
                "a token of carol is for /user/alice/, which does not run",
            ],
            (0.0, 0.0),
        );
    }

    #[test]
    fn tokens_that_expired_and_that_never_will_are_counted() {
        let mine = "INSERT INTO api_tokens (id, user_id, note, expires_at) VALUES (90, 2, 'mine', ";
        check(&format!("{mine} NULL)"), &[], (0.0, 1.0));
        check(&format!("{mine} '2025-12-31 23:59:59.5')"), &[], (1.0, 0.0));
        check(&format!("{mine} '2026-12-31 23:59:59')"), &[], (0.0, 0.0));
        // The hub of 2019 had no such column.
        check("ALTER TABLE api_tokens DROP COLUMN expires_at", &[], (0.0, 0.0));
    }
}
