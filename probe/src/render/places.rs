//! From where results come, where that tells them apart.

use std::collections::{BTreeMap, BTreeSet};

/// The routes of all results.
#[derive(Debug, Default)]
pub(super) struct Places {
    hosts: BTreeSet<String>,
    /// The routes of each test id.
    routes: BTreeMap<String, BTreeSet<String>>,
}

impl Places {
    /// Notes from where something is said of a test.
    pub(super) fn add(&mut self, id: &str, route: Option<&str>) {
        let route = route.unwrap_or_default();
        if !self.hosts.contains(host(route)) {
            self.hosts.insert(host(route).to_owned());
        }
        let routes = self.routes.entry(id.to_owned()).or_default();
        if !routes.contains(route) {
            routes.insert(route.to_owned());
        }
    }

    /// What has to be said with a test for it to be known which one it is: its host where there are several, its whole
    /// route where the same test comes by several from one host.
    pub(super) fn place<'a>(&self, id: &str, route: Option<&'a str>) -> Option<&'a str> {
        let route = route.filter(|route| !route.is_empty())?;
        let of_host = |other: &&String| host(other) == host(route);
        let alike = self.routes.get(id).map_or(0, |routes| routes.iter().filter(of_host).count());
        if alike > 1 { Some(route) } else { (self.hosts.len() > 1).then(|| host(route)) }
    }

    /// The same with a word before it, to stand behind the test's id.
    pub(super) fn behind(&self, id: &str, route: Option<&str>) -> String {
        self.place(id, route).map_or_else(String::new, |place| format!(" on {place}"))
    }
}

fn host(route: &str) -> &str {
    route.split('/').next().unwrap_or(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: &[(&str, &str)], expected: &[&str]) {
        let mut places = Places::default();
        all.iter().for_each(|(id, route)| places.add(id, Some(route)));
        let found: Vec<_> = all.iter().map(|(id, route)| places.behind(id, Some(route))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_place_is_said_where_there_are_several() {
        check(&[("a", "vm"), ("b", "vm")], &["", ""]);
        check(&[("a", "vm/x"), ("b", "vm/y")], &["", ""]);
        check(&[("a", "n1/x"), ("a", "n2/x"), ("b", "n2/y")], &[" on n1", " on n2", " on n2"]);
        check(&[("a", "vm/x"), ("a", "vm/y"), ("b", "vm/y")], &[" on vm/x", " on vm/y", ""]);
        check(&[("a", ""), ("b", "n2")], &["", " on n2"]);
    }
}
