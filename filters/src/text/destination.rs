//! Where the report and the live part go, and what is known of it.

use std::env;
use std::ffi::OsString;

use cli::Terminal;

use super::progress::Size;
use crate::report::ReportArgs;

/// Rows of a terminal that does not say how many it has.
const ROWS: usize = 24;
const COLUMNS: usize = 80;

/// What is known of where the report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// Whether the report is for a terminal.
    pub(super) on_terminal: bool,
    /// Whether the report goes to a file that was named.
    pub(super) to_file: bool,
    /// Whether stderr shows how far the run is.
    pub(super) live: bool,
    /// Whether the terminal knows UTF-8.
    pub(super) unicode: bool,
    pub(super) terminal: Terminal,
}

impl Destination {
    /// Asks the arguments and the environment.
    pub(super) fn find(args: &ReportArgs, terminal: &Terminal) -> Self {
        Destination::of(args, terminal, |name| env::var_os(name))
    }

    fn of(args: &ReportArgs, terminal: &Terminal, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let to_file = !args.output.is_stdout();
        let on_terminal = match (to_file, args.forward.forward) {
            (true, _) => false,
            (false, true) => terminal.errors,
            (false, false) => terminal.output,
        };
        // When stdout is a pipe, its reader may use the terminal: a pager does, and a `tee`.
        let is_ours = on_terminal || to_file || args.forward.forward;
        let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let unicode = is_unicode(variable);
        let live = terminal.errors && is_ours && !is_dumb;
        Destination { on_terminal, to_file, live, unicode, terminal: *terminal }
    }
}

/// Whether the locale has UTF-8: the first of the variables that is set says so.
fn is_unicode(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Tells how large the terminal of stderr is, each time it is called.
pub(super) fn size_of(terminal: &Terminal) -> impl Fn() -> Size + use<> {
    let usual = terminal.width.map_or(COLUMNS, usize::from);
    move || {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok();
        let known = |count: u16, usual| if count == 0 { usual } else { usize::from(count) };
        size.map_or(Size { columns: usual, rows: ROWS }, |size| Size {
            columns: known(size.ws_col, usual),
            rows: known(size.ws_row, ROWS),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use cli::{ForwardArgs, OutputArgs};

    use super::*;

    /// `terminals` are those among stdout (`o`) and stderr (`e`).
    fn check(output_to: Option<&str>, forward: bool, terminals: &str, on_terminal: bool, live: bool) {
        let args = ReportArgs {
            output: OutputArgs { output_to: output_to.map(PathBuf::from) },
            forward: ForwardArgs { forward },
            ..ReportArgs::default()
        };
        let terminal = Terminal {
            output: terminals.contains('o'),
            errors: terminals.contains('e'),
            ..Terminal::default()
        };
        let destination = Destination::of(&args, &terminal, |_| None);
        assert_eq!(
            (destination.on_terminal, destination.live),
            (on_terminal, live),
            "{output_to:?} {forward} {terminals}"
        );
        let dumb = Destination::of(&args, &terminal, |name| (name == "TERM").then(|| "dumb".into()));
        assert!(!dumb.live);
    }

    #[test]
    fn it_is_live_where_nobody_else_writes_on_the_terminal() {
        check(None, false, "oe", true, true);
        check(None, false, "e", false, false);
        check(None, false, "o", true, false);
        check(None, false, "", false, false);
        check(None, true, "e", true, true);
        check(Some("report.txt"), false, "oe", false, true);
        check(Some("-"), false, "e", false, false);
    }

    fn check_locale(variables: &[(&str, &str)], expected: bool) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(is_unicode(variable), expected, "{variables:?}");
    }

    #[test]
    fn the_locale_says_whether_the_terminal_knows_utf8() {
        check_locale(&[("LANG", "de_DE.UTF-8")], true);
        check_locale(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], false);
        check_locale(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")], true);
        check_locale(&[], false);
    }
}
