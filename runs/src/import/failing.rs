//! The failing set: the other tool's, and how ours differs from it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write};
use std::path::Path;

use formats::v1;
use repository::Repository;
use streamresult::{DAMAGE_ID, Records, drive, record_fn};
use subunit::SIGNATURE;

use super::source::{Source, in_file, open};

/// How many tests are named at most.
const MOST: usize = 20;

/// The tests that fail in a file with events of either version.
pub(super) fn of_file(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    let mut records = Records::new(record_fn(|record| {
        if record.outcome().is_failure() {
            ids.insert(record.test_id().to_owned());
        }
        Ok(())
    }))
    .cap(0);
    let mut file = open(path)?;
    let mut head = Vec::new();
    in_file(file.by_ref().take(1).read_to_end(&mut head), path)?;
    let is_v2 = head == [SIGNATURE];
    let all = head.chain(file);
    in_file(if is_v2 { drive(all, &mut records) } else { v1::drive(all, &mut records) }, path)?;
    drop(records);
    Ok(ids)
}

/// Tells what fails there and not here, and the other way round.
pub(super) fn compare(
    repository: &Repository,
    source: &Source,
    errors: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(failing) = &source.failing else { return Ok(()) };
    let ours = repository.failing()?;
    let damaged = (!ours.runs.is_empty()).then(|| DAMAGE_ID.to_owned());
    let ours: BTreeSet<String> =
        ours.tests.into_iter().map(|failure| failure.test_id).chain(damaged).collect();
    let path = source.path.display();
    let only_there: Vec<&String> = failing.difference(&ours).collect();
    let only_here: Vec<&String> = ours.difference(failing).collect();
    tell(&only_there, &format!("fails in {path}, but in none of its runs that are left"), errors)?;
    tell(
        &only_here,
        &format!("fails here, but not in {path}, which forgets what a later run left out"),
        errors,
    )
}

fn tell(ids: &[&String], what: &str, errors: &mut dyn Write) -> anyhow::Result<()> {
    for id in ids.iter().take(MOST) {
        writeln!(errors, "{}: {what}", formats::visible::line(id))?;
    }
    if let Some(more @ 1..) = ids.len().checked_sub(MOST) {
        writeln!(errors, "and {more} more tests: {what}")?;
    }
    Ok(())
}
