//! Foreign test result formats, to and from events.
