//! Child processes: groups, deadlines, output; never left behind.
