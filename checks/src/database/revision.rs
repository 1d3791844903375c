//! Which revision of the schema a database is of.

use probe::Finding;

use super::fault::Fault;
use super::store::{Store, text};

/// All revisions there are, from the first one to that of JupyterHub 6.1.
const REVISIONS: &[&str] = &[
    "19c0846f6344",
    "eeb276e51423",
    "af4cbdb2d13c",
    "3ec6993fe20c",
    "1cebaf56856c",
    "56cc5a70207e",
    "99a28a4418e1",
    "d68c98b66cd4",
    "896818069c98",
    "4dc2d5a8c53c",
    "833da8570507",
    "651f5419b74d",
    "0eee8c825d24",
    "3c2384c5aae1",
    "4621fec11365",
    "be8ecf03ddac",
    "afd65840b69e",
    "ff1860e38070",
    "f460b0348206",
];
/// What every hub has.
const TABLES: &[(&str, &[&str])] = &[
    ("users", &["id", "name"]),
    ("servers", &["id", "port", "base_url"]),
    ("spawners", &["user_id", "server_id", "name"]),
    ("api_tokens", &["user_id", "note"]),
];

/// What is read of the schema.
pub(super) fn schema(store: &mut dyn Store, accepted: &[String]) -> Result<Finding, Fault> {
    for (table, columns) in TABLES {
        let found = store.columns(table)?;
        if found.is_empty() {
            let hint = store.hint();
            return Err(Fault::broken(format!(
                "it is not the database of a hub: it has no table {table}{hint}"
            )));
        }
        if let Some(column) = columns.iter().find(|column| !found.iter().any(|other| other == *column)) {
            return Err(Fault::broken(format!(
                "it is not the database of a hub: its table {table} has no column {column}"
            )));
        }
    }
    if store.columns("alembic_version")?.is_empty() {
        return Err(Fault::broken(
            "it has no alembic_version: no hub since 0.8 has made it, or it was not finished",
        ));
    }
    let rows = store.rows("SELECT version_num FROM alembic_version")?;
    let found: Vec<_> = rows.iter().map(|row| text(row, 0)).collect();
    Ok(judge(&found, accepted))
}

fn judge(found: &[&str], accepted: &[String]) -> Finding {
    let revision = match found {
        [one] => *one,
        [] => return Finding::broken("alembic_version is empty: an upgrade was not finished".to_owned()),
        many => {
            return Finding::broken(format!(
                "it is of {} revisions at once: {}",
                many.len(),
                many.join(", ")
            ));
        }
    };
    let known = position(revision);
    let shown = match known.map(|known| REVISIONS.len() - 1 - known) {
        None => revision.to_owned(),
        Some(0) => format!("{revision}, the newest that is known"),
        Some(count) => format!("{revision}, {count} before the newest that is known"),
    };
    if accepted.is_empty() {
        return match known {
            Some(_) => Finding::fine(format!("its revision is {shown}")),
            None => Finding::warning(format!(
                "its revision {revision} is not known: of a hub newer than this check; --revision says that it is right"
            )),
        };
    }
    if accepted.iter().any(|other| other == revision) {
        return Finding::fine(format!("its revision is {shown}"));
    }
    let wanted = accepted.join(" or ");
    let newest = accepted.iter().filter_map(|other| position(other)).max();
    let how = match (known, newest) {
        (Some(found), Some(newest)) if found < newest => {
            ": it is older than the hub, which does not start until `jupyterhub upgrade-db` was run"
        }
        (Some(_) | None, Some(_)) => ": it is newer than the hub, which does not start on it",
        _ => "",
    };
    Finding::broken(format!("its revision is {shown}, not {wanted}{how}"))
}

fn position(revision: &str) -> Option<usize> {
    REVISIONS.iter().position(|other| *other == revision)
}

#[cfg(test)]
mod tests {
    use probe::Level;

    use super::*;
    use crate::database::sqlite::testing::store_with;

    fn check(changes: &str, accepted: &[&str], expected: Result<&str, &str>) {
        let accepted: Vec<_> = accepted.iter().map(|text| (*text).to_owned()).collect();
        let finding = schema(&mut store_with(changes), &accepted)
            .unwrap_or_else(|fault| Finding::broken(fault.message));
        let text = finding.level.reason().or(finding.summary.as_deref()).unwrap_or_default();
        let (words, is_fine) = expected.map_or_else(|words| (words, false), |words| (words, true));
        assert!(text.contains(words) && (finding.level == Level::Fine) == is_fine, "{finding:?}");
    }

    #[test]
    fn a_revision_is_one_of_those_that_are_accepted() {
        check("", &[], Ok("its revision is f460b0348206, the newest"));
        check("", &["afd65840b69e", "f460b0348206"], Ok("f460b0348206"));
        check("", &["afd65840b69e"], Err("not afd65840b69e: it is newer than the hub"));
        let old = "UPDATE alembic_version SET version_num = '4dc2d5a8c53c'";
        check(
            old,
            &["f460b0348206"],
            Err("9 before the newest that is known, not f460b0348206: it is older than the hub"),
        );
        check(old, &[], Ok("9 before the newest"));
        check("UPDATE alembic_version SET version_num = 'aaaa'", &[], Err("is not known"));
    }

    #[test]
    fn a_database_without_the_tables_of_a_hub_is_refused() {
        check("DROP TABLE spawners", &[], Err("it has no table spawners"));
        check(
            "ALTER TABLE servers RENAME COLUMN base_url TO url",
            &[],
            Err("table servers has no column base_url"),
        );
        check("DROP TABLE alembic_version", &[], Err("it has no alembic_version"));
        check("DELETE FROM alembic_version", &[], Err("an upgrade was not finished"));
        check("INSERT INTO alembic_version VALUES ('afd65840b69e')", &[], Err("2 revisions at once"));
    }
}
