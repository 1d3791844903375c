//! Error numbers in words that say what is wrong.

use nix::errno::Errno;

use super::{Finding, Level};

/// What it means that an operation failed on a path, a socket, an address: that it is broken or, without
/// permission, not to be told.
#[must_use]
pub fn failure(operation: &str, path: &str, errno: Option<i32>, message: &str) -> Finding {
    let place = format!("{operation} failed on {path}");
    let Some(number) = errno else { return Finding::broken(format!("{place}: {message}")) };
    let errno = Errno::from_raw(number);
    let text = match meaning(errno) {
        Some(words) => format!("{place}: {words} ({errno:?}, {})", errno.desc()),
        None => format!("{place}: {} ({errno:?})", errno.desc()),
    };
    match errno {
        Errno::EACCES | Errno::EPERM => Finding::new(Level::Unknown(text)),
        _ => Finding::broken(text),
    }
}

fn meaning(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        Errno::ENOTCONN => "the daemon behind the mount is gone, the mount is dead",
        Errno::ECONNABORTED => "the connection to the daemon behind the mount was cut while it had to answer",
        Errno::ESTALE => "what was mounted is no longer the same on the server, it has to be mounted anew",
        Errno::EIO => "the file system could not do it, its storage or its server fails",
        Errno::ETIMEDOUT => "the server did not answer in the time that the file system gives it",
        Errno::ECONNREFUSED => "nothing listens there",
        Errno::ECONNRESET | Errno::EPIPE => "the other side cut the connection",
        Errno::EHOSTDOWN | Errno::EHOSTUNREACH | Errno::ENETUNREACH => "the server cannot be reached",
        Errno::ENOSPC => "no room is left",
        Errno::EDQUOT => "the quota is used up",
        Errno::EROFS => "it is mounted read-only",
        Errno::EACCES | Errno::EPERM => {
            "this user may not do it, perhaps because a ticket or token is missing or has expired"
        }
        Errno::ENOENT => "it does not exist",
        Errno::ENOTDIR => "a part of the path is not a directory",
        Errno::EEXIST => "there is a file already of a name that no one else should have",
        Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM => "this machine has run out of what it takes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(errno: i32, words: &str) {
        let reason = failure("statfs", "/eos/user", Some(errno), "").level.reason().unwrap().to_owned();
        assert!(reason.contains(words), "{reason}");
    }

    #[test]
    fn each_fault_has_its_own_words() {
        check(107, "daemon behind the mount is gone, the mount is dead (ENOTCONN");
        check(103, "cut while it had to answer (ECONNABORTED");
        check(116, "mounted anew (ESTALE");
        check(5, "its storage or its server fails (EIO");
        check(110, "did not answer in the time");
        check(28, "no room is left (ENOSPC");
        check(122, "the quota is used up (EDQUOT");
        check(30, "read-only (EROFS");
        check(2, "does not exist (ENOENT");
        check(71, "(EPROTO)");
    }

    #[test]
    fn a_missing_permission_says_nothing_about_the_mount() {
        for errno in [1, 13] {
            assert!(matches!(failure("open", "/eos", Some(errno), "").level, Level::Unknown(_)));
        }
    }
}
