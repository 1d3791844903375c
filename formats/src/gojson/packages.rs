//! The packages that have not ended.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::package::Package;

/// The packages that have not ended, by name. Most lines are about the same one as the line before.
#[derive(Debug, Default)]
pub(super) struct Packages {
    current: Option<(String, Box<Package>)>,
    others: HashMap<String, Box<Package>, RandomState>,
    begun: u64,
}

impl Packages {
    /// The package of this name, which begins with this if it has not before.
    pub(super) fn get(&mut self, name: &str) -> &mut Package {
        if self.current.as_ref().is_none_or(|(current, _)| current != name) {
            self.others.extend(self.current.take());
            self.current = self.others.remove_entry(name);
        }
        let begun = &mut self.begun;
        let (_, package) = self.current.get_or_insert_with(|| {
            *begun += 1;
            (name.to_owned(), Box::new(Package { number: *begun, ..Package::default() }))
        });
        package
    }

    /// The package of this name, which ends.
    pub(super) fn take(&mut self, name: &str) -> Package {
        self.get(name);
        self.current.take().map(|(_, package)| *package).unwrap_or_default()
    }

    /// All packages, in order of their start.
    pub(super) fn take_all(&mut self) -> Vec<(String, Box<Package>)> {
        let mut packages: Vec<_> = self.others.drain().chain(self.current.take()).collect();
        packages.sort_unstable_by_key(|(_, package)| package.number);
        packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_kept_until_they_end() {
        let mut packages = Packages::default();
        for name in ["b", "a", "b", "c", "a"] {
            packages.get(name).line.push_str(name);
        }
        assert_eq!(packages.take("a").line, "aa");
        assert_eq!(packages.take("a").line, "", "it is another one");
        let left: Vec<_> =
            packages.take_all().into_iter().map(|(name, package)| (name, package.line)).collect();
        assert_eq!(left, [("b".to_owned(), "bb".to_owned()), ("c".to_owned(), "c".to_owned())]);
    }
}
