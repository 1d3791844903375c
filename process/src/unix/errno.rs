//! Error numbers in words that say what is wrong.

use nix::errno::Errno;

/// That an operation failed on a path, a socket, an address, and what that means: in words for people, with the name of
/// the error number. Where there is no number, `message` is all that is known.
///
/// ```
/// let words = process::explain("statfs", "/eos/user", Some(107), "");
/// assert!(words.starts_with("statfs failed on /eos/user: the daemon behind the mount is gone"), "{words}");
/// ```
#[must_use]
pub fn explain(operation: &str, place: &str, errno: Option<i32>, message: &str) -> String {
    let failed = format!("{operation} failed on {place}");
    let Some(number) = errno else { return format!("{failed}: {message}") };
    let errno = Errno::from_raw(number);
    match meaning(errno) {
        Some(words) => format!("{failed}: {words} ({errno:?}, {})", errno.desc()),
        None => format!("{failed}: {} ({errno:?})", errno.desc()),
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
        Errno::EADDRNOTAVAIL => "this machine has no such address, or no port left to call from",
        Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM => "this machine has run out of what it takes",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(errno: i32, words: &str) {
        let reason = explain("statfs", "/eos/user", Some(errno), "");
        assert!(reason.contains(words), "{reason}");
    }

    #[test]
    fn each_error_has_its_own_words() {
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
}
