//! When what ran where: a lane for each place, words, a picture and a table.

mod bars;
mod lanes;
mod picture;
mod sentences;

use std::fmt::Write as _;

use crate::collect::PageRecords;
use crate::escape::Line;
use crate::failures::Numbered;
use crate::words::{clock, grouped, rest, took};

use lanes::{Lane, lanes};

/// Rows of the table; the list has them all.
const MOST_ROWS: usize = 200;

/// Writes the section; nothing where the stream has no times.
pub(crate) fn timeline(records: &PageRecords, marked: &[Numbered], out: &mut String) {
    let lanes = lanes(&records.tests);
    if lanes.is_empty() || records.tests.length().is_zero() {
        return;
    }
    out.push_str(
        "<section id=\"timeline\" aria-labelledby=\"s-timeline\"><h2 id=\"s-timeline\">Timeline</h2>\n",
    );
    sentences::sentences(&records.tests, &lanes, out);
    picture::picture(&records.tests, &lanes, marked, out);
    table(&lanes, out);
    out.push_str("</section>\n");
}

fn table(lanes: &[Lane], out: &mut String) {
    out.push_str(
        "<details><summary>The timeline as a table</summary><div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\">Where</th><th scope=\"col\" class=\"num\">Tests</th><th scope=\"col\" class=\"num\">Failed</th>\
         <th scope=\"col\" class=\"num\">Busy</th><th scope=\"col\">Longest gap</th>\
         <th scope=\"col\" class=\"num\">Last test ended</th></tr></thead><tbody>\n",
    );
    for lane in lanes.iter().take(MOST_ROWS) {
        let gap = lane.gaps.iter().max_by_key(|gap| gap.1);
        let gap =
            gap.map_or("–".to_owned(), |(from, length)| format!("{} from {}", took(*length), clock(*from)));
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\" class=\"mono\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{} %</td><td class=\"num\">{gap}</td><td class=\"num\">{}</td></tr>",
            Line(lane.title()),
            grouped(lane.tests.len() as u64),
            grouped(lane.failed),
            lane.busy_percent,
            clock(lane.end),
        );
    }
    out.push_str("</tbody></table></div>");
    if let Some(rest) = rest(lanes.len(), MOST_ROWS) {
        let _ = write!(out, "<p class=\"small\">{rest} more are not in this table.</p>");
    }
    out.push_str("</details>\n");
}
