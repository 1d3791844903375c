//! Checks of a running service, as subunit streams.
