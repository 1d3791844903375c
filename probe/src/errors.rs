//! What failed operations say about what is looked at.

use process::explain;
use rustix::io::Errno;

use super::{Finding, Level};

/// What it means that an operation failed on a path, a socket, an address: that it is broken or, without
/// permission, not to be told.
#[must_use]
pub fn failure(operation: &str, path: &str, errno: Option<i32>, message: &str) -> Finding {
    let text = explain(operation, path, errno, message);
    match errno.map(Errno::from_raw_os_error) {
        // The last ones are this host's trouble.
        Some(
            Errno::ACCESS | Errno::PERM | Errno::ADDRNOTAVAIL | Errno::NOBUFS | Errno::MFILE | Errno::NFILE,
        ) => Finding::new(Level::Unknown(text)),
        _ => Finding::broken(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_says_nothing_about_the_mount() {
        for errno in [1, 13, 99, 24] {
            assert!(matches!(failure("open", "/eos", Some(errno), "").level, Level::Unknown(_)));
        }
        assert!(matches!(failure("open", "/eos", Some(5), "").level, Level::Broken(_)));
        assert!(matches!(failure("open", "/eos", None, "no").level, Level::Broken(_)));
    }
}
