//! What every command shares: arguments, streams, exit codes.
