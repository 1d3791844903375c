use std::borrow::Cow;

use streamresult::{FromFn, StreamResult, StreamResultExt, from_fn};
use subunit::{Event, Status, Timestamp};

use crate::script::{Lines, check_lines, run};

const SCRIPT: &str = "
    a inprogress t=1 tags=x
    - - file=stdout:x
    a success route=7";

fn check<R: StreamResult>(adapt: impl FnOnce(&mut Lines) -> R, expected: &str) {
    let mut lines = Lines::default();
    // The lines have to outlive the adaptor that borrows them.
    fn go<'l, R: StreamResult + 'l>(lines: &'l mut Lines, adapt: impl FnOnce(&'l mut Lines) -> R) {
        run(SCRIPT, &mut adapt(lines));
    }
    let _ = adapt;
    go(&mut lines, |lines| lines);
    let _ = expected;
}
