//! Tests that have begun and not ended, of a run that is under way.

use std::fmt::Write as _;
use std::time::Duration;

use crate::escape::Line;
use crate::words::{Id, count, grouped, took};

const MOST: usize = 20;

/// A test that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub test_id: String,
    /// Where it runs; empty where that is not said.
    pub place: String,
    /// For how long, where its beginning has a time.
    pub age: Option<Duration>,
}

/// Those that run, the longest first; nothing where the run is over.
pub(crate) fn running(tests: Option<&[Running]>, out: &mut String) {
    let Some(tests) = tests.filter(|tests| !tests.is_empty()) else { return };
    let _ = writeln!(
        out,
        "<section id=\"running\" aria-labelledby=\"s-running\"><h2 id=\"s-running\">Running now</h2>\
         <p>{}.</p><table class=\"stack\"><thead><tr><th scope=\"col\">Test</th><th scope=\"col\" class=\"num\">For</th>\
         <th scope=\"col\">On</th></tr></thead><tbody>",
        count(tests.len() as u64, "test")
    );
    let mut order: Vec<&Running> = tests.iter().collect();
    order.sort_by_key(|test| std::cmp::Reverse(test.age));
    for test in order.iter().take(MOST) {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><span class=\"id\">{}</span></th><td class=\"num\" data-l=\"for\">{}</td>\
             <td class=\"mono\" data-l=\"on\">{}</td></tr>",
            Id(&test.test_id),
            test.age.map(took).unwrap_or_default(),
            Line(&test.place)
        );
    }
    out.push_str("</tbody></table>");
    if order.len() > MOST {
        let _ = write!(out, "<p>and {} more.</p>", grouped((order.len() - MOST) as u64));
    }
    out.push_str("</section>\n");
}
