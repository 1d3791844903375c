//! A suite of a run: how many workers it has, where, and which tests.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use process::Interrupt;
use runner::suite::{self, Instances, Limits, Listing, Retries, Suite};

/// A suite whose tests are listed.
pub(super) struct Part<'a> {
    pub(super) suite: &'a Suite,
    pub(super) workers: usize,
    pub(super) instances: Instances<'a>,
    pub(super) listing: Listing,
    pub(super) limits: Limits,
    pub(super) retries: Retries,
    /// What a test is called that is about its listing.
    pub(super) listing_id: String,
}

impl<'a> Part<'a> {
    /// Makes the suite's environments, and lists its tests.
    pub(super) fn prepare(
        suite: &'a Suite,
        workers: usize,
        limits: Limits,
        listing_id: String,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Self> {
        let instances = Instances::provision(suite, workers, interrupt)?;
        let instance = instances.names().first().map(String::as_str);
        let listing = suite::list(suite, instance, &limits, interrupt)?;
        Ok(Part { suite, workers, instances, listing, limits, retries: suite.retries, listing_id })
    }

    /// Removes the environments of all.
    pub(super) fn dispose(parts: Vec<Part<'_>>) -> anyhow::Result<()> {
        let disposed: Vec<_> = parts.into_iter().map(|part| part.instances.dispose()).collect();
        disposed.into_iter().collect::<Result<Vec<()>, _>>().context("cannot remove the instances")?;
        Ok(())
    }

    /// Refuses an id that two suites have.
    pub(super) fn are_apart(parts: &[Part<'_>]) -> anyhow::Result<()> {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for part in parts {
            let Listing::Tests(tests) = &part.listing else { continue };
            for test in &tests.all {
                if let Some(other) = seen.insert(&test.id, &part.suite.name) {
                    bail!(
                        "{} and {} both have a test {:?}: one of them needs a prefix (subunit.toml)",
                        other,
                        part.suite.name,
                        test.id
                    );
                }
            }
        }
        Ok(())
    }
}
