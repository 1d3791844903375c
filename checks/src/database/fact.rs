//! What the tasks of this check find out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What only these tasks find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum DatabaseFact {
    /// It was locked.
    Locked,
    /// A user, and the names of the servers that run.
    Running { user: String, servers: BTreeSet<String> },
}

/// What a task finds out.
pub(super) type Fact = probe::helper::Fact<DatabaseFact>;
/// To whom it says it.
pub(super) type Reporter = process::helper::Reporter<Fact>;
