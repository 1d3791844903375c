//! Lists that a hub gives page by page.

use std::collections::BTreeSet;

use net::{Request, Url};
use probe::{Finding, Limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::hub::{Hub, accepted, ended};
use crate::network::Evidence as _;

/// Makes a hub say where a page ends; without it, it gives everything, or silently a part of it.
const PAGED: &str = "application/jupyterhub-pagination+json";
/// Bytes of a page.
const PAGE: usize = 64 << 20;
/// Pages to read, at most.
const MOST: u32 = 10_000;

/// An answer: a page, or all there is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Page {
        items: T,
        #[serde(rename = "_pagination")]
        place: Place,
    },
    All(T),
}

/// Where a page is in the list.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    total: Option<u64>,
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    offset: u64,
}

/// A list that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pages<T> {
    /// The items of each page.
    pub(super) pages: Vec<T>,
    /// How many items there are, as the last page says.
    pub(super) total: Option<u64>,
}

/// Reads all pages of a list.
pub(super) fn read<T: DeserializeOwned>(
    hub: &Hub,
    path: &str,
    size: u32,
    limits: Limits<'_>,
) -> Result<Pages<T>, Box<Finding>> {
    let mut found = Pages { pages: Vec::new(), total: None };
    let mut offset = 0;
    for number in 1..=MOST {
        let request = hub.request("GET", path).header("accept", PAGED);
        let url = page(&request.url, offset, size);
        let exchange = hub.send(&Request { url, max_body: PAGE, ..request }, limits);
        accepted(&exchange)?;
        let next = match exchange.json(200)? {
            Answer::Page { items, place } => {
                found.pages.push(items);
                found.total = place.total.or(found.total);
                place.next
            }
            Answer::All(items) => {
                found.pages.push(items);
                None
            }
        };
        match next {
            None => return Ok(found),
            Some(Next { offset: next }) if next > offset => offset = next,
            Some(Next { offset: next }) => {
                let reason = format!(
                    "page {number} of {path} begins at {offset}, and says that the next begins at {next}"
                );
                return Err(Box::new(exchange.witness(Finding::broken(reason))));
            }
        }
        if let Some(finding) = ended(limits, &format!("it read {path}, after page {number}")) {
            return Err(Box::new(finding));
        }
        if limits.deadline.has_passed() {
            let reason =
                format!("the time was up after {number} pages of {path}, of {} items", shown(found.total));
            return Err(Box::new(Finding::broken(reason)));
        }
    }
    Err(Box::new(Finding::unknown(format!("{path} has more than {MOST} pages"))))
}

/// The address of a page. What the hub says of the next one is not used: behind another proxy it may be wrong.
fn page(url: &Url, offset: u64, size: u32) -> Url {
    let path = url.path();
    let mark = if path.contains('?') { '&' } else { '?' };
    url.at(&format!("{path}{mark}offset={offset}&limit={size}"))
}

fn shown(total: Option<u64>) -> String {
    total.map_or_else(|| "an unknown number".to_owned(), |total| total.to_string())
}

/// Whether each item was listed once, and all of them.
pub(super) fn judge(names: &[&str], total: Option<u64>) -> Finding {
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = names.iter().filter(|name| !seen.insert(**name)).copied().collect();
    let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    if let Some(name) = twice.first() {
        return Finding::warning(format!("{} users are listed twice, {name} being the first", twice.len()));
    }
    match total.filter(|total| *total != count) {
        // Someone may have come or gone meanwhile.
        Some(total) => {
            Finding::warning(format!("{count} users are listed, but the hub says there are {total}"))
        }
        None => Finding::fine(format!("{count} users")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_is_to_be_listed_once() {
        let check = |names: &[&str], total, expected: &str| {
            let finding = judge(names, total);
            let words = finding.level.reason().map(str::to_owned).or(finding.summary).unwrap_or_default();
            assert!(words.contains(expected), "{words}");
        };
        check(&["a", "b"], Some(2), "2 users");
        check(&["a", "b"], None, "2 users");
        check(&["a", "b"], Some(50), "but the hub says there are 50");
        check(&["a", "b", "a"], Some(3), "listed twice, a being the first");
    }

    #[test]
    fn pages_have_addresses_of_their_own() {
        let check = |url: &str, expected: &str| {
            assert_eq!(page(&url.parse().unwrap(), 4, 2).to_string(), expected);
        };
        check("http://h/b/hub/api/users", "http://h/b/hub/api/users?offset=4&limit=2");
        check("http://h/users?state=active", "http://h/users?state=active&offset=4&limit=2");
    }
}
