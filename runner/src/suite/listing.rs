//! Which tests a suite has.

use std::io;
use std::time::Instant;

use process::{Cause, Deadline, Exit, Follow, Interrupt, Timeouts, Wait};

use super::{Limits, Suite, Test, Tests};
use crate::preset::Listed;

/// More of a listing is too much: some ten million tests.
const MOST: usize = 1 << 30;

/// What came of listing the tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The suite cannot list its tests.
    Unknown,
    /// The tests, each once, in the order of the listing.
    Tests(Tests),
    /// The listing failed, and why: what the command said, too.
    Failed(String),
    /// A signal ended it.
    Interrupted,
}

/// Lists the tests of a suite, in one of its environments where it has any.
///
/// # Errors
///
/// When the command cannot be started or watched.
pub fn list(
    suite: &Suite,
    instance: Option<&str>,
    limits: &Limits,
    interrupt: &Interrupt,
) -> io::Result<Listing> {
    let Some((mut command, shown)) = suite.lister(instance) else { return Ok(Listing::Unknown) };
    let deadline = limits.listing.map_or(Deadline::NEVER, Deadline::after);
    let follow = Follow::new(Wait { deadline, interrupt }, Timeouts::COMMAND);
    let begun = Instant::now();
    let finished = process::run(&mut command, follow, MOST)?;
    let ending = finished.ending;
    let stderr = finished.stderr.text();
    let Some(stdout) = finished.stdout.into_bytes() else {
        return Ok(Listing::Failed(format!("more than {} MiB of listing\n", MOST >> 20)));
    };
    let Listed { tests, text, failures } = listed(suite, &stdout)?;
    let tests = Tests::new(tests, begun.elapsed());
    let how = match ending.cause {
        Cause::Interrupted => return Ok(Listing::Interrupted),
        Cause::TimedOut | Cause::Stopped => "it took too long, and was ended".to_owned(),
        Cause::Itself if !failures.is_empty() => format!("{} failed", failures.join(", ")),
        Cause::Itself if ending.exit.success() || is_nothing(suite, &tests, &ending.exit) => {
            return Ok(Listing::Tests(described(suite, tests)));
        }
        Cause::Itself => ending.exit.to_string(),
    };
    let why = format!("listing the tests failed: {how}: {shown}\n{text}{stderr}");
    if suite.recipe.is_none() || tests.all.is_empty() {
        return Ok(Listing::Failed(why));
    }
    // What it did list can be run all the same: a package that cannot be built is not all packages.
    Ok(Listing::Tests(described(suite, Tests { failure: Some(why), ..tests })))
}

/// Whether an exit code says that there are no tests.
fn is_nothing(suite: &Suite, tests: &Tests, exit: &Exit) -> bool {
    let nothing = suite.recipe.as_ref().map_or(&[][..], |recipe| &recipe.preset.list.nothing);
    tests.all.is_empty() && matches!(exit, Exit::Exited(code) if nothing.contains(code))
}

/// With what the suite says of all of them.
fn described(suite: &Suite, mut tests: Tests) -> Tests {
    for test in &mut tests.all {
        test.id.insert_str(0, &suite.prefix);
    }
    tests.subtests = suite.subtests().map(str::to_owned);
    tests.are_files = suite.naming().is_some_and(|naming| naming.files);
    tests
}

fn listed(suite: &Suite, listing: &[u8]) -> io::Result<Listed> {
    if let Some(recipe) = &suite.recipe {
        return recipe.preset.listed(listing);
    }
    let (mut listed, has_packets) = Listed::of_stream(listing, |id| Some(Test::from(id)))?;
    if !has_packets {
        let lines = listed.text.lines().map(str::trim).filter(|line| !line.is_empty());
        listed.tests.extend(lines.map(Test::from));
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(command: &str, expected: &Result<&[&str], &str>) {
        let suite = Suite {
            folder: ".".into(),
            command: format!("{command} $LISTOPT"),
            list_option: Some("--list".to_owned()),
            ..Suite::default()
        };
        let limits = Limits { listing: Some(Duration::from_secs(60)), ..Limits::default() };
        match (list(&suite, None, &limits, &Interrupt::never()).unwrap(), expected) {
            (Listing::Tests(tests), Ok(expected)) => assert_eq!(&tests.ids(), expected),
            (Listing::Failed(why), Err(expected)) => assert_eq!(&why, expected),
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn tests_are_packets_or_lines() {
        check(
            r"printf '\263\051\001\014\003foo\010\125\137\033\263\051\001\014\003foo\010\125\137\033'; #",
            &Ok(&["foo"]),
        );
        check("printf 'a\nb c\n\na\n'; #", &Ok(&["a", "b c"]));
        check("true; #", &Ok(&[]));
    }

    #[test]
    fn a_listing_that_fails_says_what_was_said() {
        check(
            "echo lost; echo why >&2; exit 3; #",
            &Err(
                "listing the tests failed: exit code 3: echo lost; echo why >&2; exit 3; # --list\nlost\nwhy\n",
            ),
        );
    }

    #[test]
    fn a_listing_that_is_damaged_or_tells_of_a_failure_is_none() {
        let whole = r"printf '\263\051\001\014\003foo\010\125\137\033'; ";
        let suite = |rest: &str| Suite {
            folder: ".".into(),
            command: format!("{whole}{rest} # $LISTOPT"),
            list_option: Some("--list".to_owned()),
            ..Suite::default()
        };
        let cut = r"printf '\263\051\001\014\003ba'";
        let listed = list(&suite(cut), None, &Limits::default(), &Interrupt::never()).unwrap();
        let Listing::Failed(why) = listed else { panic!("{listed:?}") };
        assert!(why.starts_with("listing the tests failed: subunit.parser failed: printf"), "{why}");
        let listed = list(&suite("true"), None, &Limits::default(), &Interrupt::never()).unwrap();
        assert!(matches!(listed, Listing::Tests(tests) if tests.ids() == ["foo"]));
    }

    #[test]
    fn a_suite_may_be_unable_to_list() {
        let listed = list(&Suite::default(), None, &Limits::default(), &Interrupt::never()).unwrap();
        assert_eq!(listed, Listing::Unknown);
    }
}
