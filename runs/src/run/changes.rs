//! What a run changed about what is failing.

use std::collections::HashSet;

use repository::Repository;

/// What is failing, to be compared with later.
pub(super) struct FailingBefore(HashSet<String>);

impl FailingBefore {
    pub(super) fn of(repository: &Repository) -> anyhow::Result<Self> {
        Ok(FailingBefore(failing(repository)?))
    }

    /// As the end of a sentence: how many tests fail now that did not, and how many were put right; empty where nothing
    /// changed.
    pub(super) fn changes(&self, repository: &Repository) -> anyhow::Result<String> {
        let now = failing(repository)?;
        let (broken, fixed) = (now.difference(&self.0).count(), self.0.difference(&now).count());
        Ok(match (broken, fixed) {
            (0, 0) => String::new(),
            (_, 0) => format!(": {broken} newly failing"),
            (0, _) => format!(": {fixed} fixed"),
            _ => format!(": {broken} newly failing, {fixed} fixed"),
        })
    }
}

fn failing(repository: &Repository) -> anyhow::Result<HashSet<String>> {
    Ok(repository.failing()?.tests.into_iter().map(|test| test.test_id).collect())
}
