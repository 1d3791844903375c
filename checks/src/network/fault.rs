//! The finding that follows from a failed exchange.

use net::{Fault, FaultCause};
use probe::{Finding, Level, failure};

/// A fault of the network, as a finding.
pub trait FaultFinding {
    /// The finding: broken, as a rule.
    #[must_use]
    fn finding(&self) -> Finding;
}

impl FaultFinding for Fault {
    fn finding(&self) -> Finding {
        match &self.cause {
            FaultCause::Interrupted => Finding::new(Level::Interrupted(self.to_string())),
            FaultCause::Local(reason) => Finding::unknown(reason.clone()),
            FaultCause::System(errno, message) => failure(self.stage.verb(), &self.place, *errno, message),
            _ => Finding::broken(self.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use net::Stage;

    use super::*;

    fn level(stage: Stage, cause: FaultCause) -> Level {
        Fault::new(stage, cause, "h:1").finding().level
    }

    #[test]
    fn faults_of_others_are_broken() {
        let check = |stage, cause, words: &str| {
            let level = level(stage, cause);
            let reason = level.reason().unwrap_or_default();
            assert!(matches!(level, Level::Broken(_)) && reason.contains(words), "{level:?}");
        };
        let late = FaultCause::Timeout(Duration::from_secs(1));
        check(Stage::Resolve, late, "the name h:1 was not resolved within 1 s");
        check(Stage::Transfer, FaultCause::Closed, "before the answer's end");
        check(
            Stage::Connect,
            FaultCause::System(Some(111), String::new()),
            "nothing listens there (ECONNREFUSED",
        );
    }

    #[test]
    fn what_is_our_own_fault_is_not_the_servers() {
        let local = level(Stage::Send, FaultCause::Local("no such file".to_owned()));
        assert_eq!(local, Level::Unknown("no such file".to_owned()));
        assert!(matches!(level(Stage::Send, FaultCause::Interrupted), Level::Interrupted(_)));
    }
}
