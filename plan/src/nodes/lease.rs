//! Who has which nodes: a state machine that neither reads, writes nor waits.
//!
//! Whoever needs nodes says all demands at once and gets all or none: nobody has some and waits for others, so nobody
//! waits for ever.

use std::fmt;

use super::{Cluster, Node};
use crate::file::nodes::DemandTable;

/// How many nodes, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    label: Option<String>,
    group: Option<String>,
    count: usize,
}

/// The nodes of each demand, by their places in the cluster; a node once in a demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease(pub Vec<Vec<usize>>);

/// What became of demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// These are theirs until they are given back.
    Now(Lease),
    /// Others have some of them.
    Later,
    /// There are not enough, whoever gives back what, for this reason.
    Never(String),
}

/// Who has which nodes of a cluster.
#[derive(Clone, Debug)]
pub struct Leases {
    nodes: Vec<Node>,
    /// How many have each.
    taken: Vec<usize>,
    /// Why each is not given to anybody any more.
    out: Vec<Option<String>>,
}

impl Demand {
    fn holds(&self, node: &Node) -> bool {
        self.label.as_ref().is_none_or(|label| node.labels.contains(label))
            && self.group.as_ref().is_none_or(|group| node.group.as_ref() == Some(group))
    }
}

impl From<&DemandTable> for Demand {
    fn from(table: &DemandTable) -> Self {
        let DemandTable { label, group, count } = table;
        Demand { label: label.clone(), group: group.clone(), count: count.unwrap_or(1) }
    }
}

/// `2 nodes labelled linux`
impl fmt::Display for Demand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", counted(self.count))?;
        if let Some(group) = &self.group {
            write!(formatter, " of {group}")?;
        }
        self.label.iter().try_for_each(|label| write!(formatter, " labelled {label}"))
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

impl Leases {
    /// Of a cluster of which nobody has anything.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let count = cluster.nodes.len();
        Leases { nodes: cluster.nodes.clone(), taken: vec![0; count], out: vec![None; count] }
    }

    /// Takes nodes for all demands of one task and its services, or none.
    pub fn take(&mut self, demands: &[Demand]) -> Taken {
        if let Some(lease) = self.assign(demands, &self.taken) {
            lease.0.iter().flatten().for_each(|node| self.count(*node, 1));
            return Taken::Now(lease);
        }
        self.impossible(demands).map_or(Taken::Later, Taken::Never)
    }

    /// Gives nodes back.
    pub fn give_back(&mut self, lease: &Lease) {
        lease.0.iter().flatten().for_each(|node| self.count(*node, -1));
    }

    /// Gives a node to nobody any more, for this reason.
    pub fn take_out(&mut self, node: usize, reason: impl Into<String>) {
        if let Some(out) = self.out.get_mut(node) {
            out.get_or_insert(reason.into());
        }
    }

    /// Why these demands cannot be met even when all is given back; with the numbers.
    #[must_use]
    pub fn impossible(&self, demands: &[Demand]) -> Option<String> {
        let nobody = vec![0; self.nodes.len()];
        if self.assign(demands, &nobody).is_some() {
            return None;
        }
        let there =
            |demand: &Demand| (0..self.nodes.len()).filter(|node| self.may_have(demand, *node)).count();
        let short = demands.iter().find(|demand| there(demand) < demand.count);
        let (wanted, found) = match short {
            Some(demand) => (demand.to_string(), there(demand)),
            None => {
                let all: Vec<String> = demands.iter().map(Demand::to_string).collect();
                let is_there = |node: &usize| demands.iter().any(|demand| self.may_have(demand, *node));
                (
                    format!("{} at the same time", all.join(" and ")),
                    (0..self.nodes.len()).filter(is_there).count(),
                )
            }
        };
        let verb = if found == 1 { "is" } else { "are" };
        let out: String =
            self.taken_out().map(|(name, why)| format!("; {name} was taken out: {why}")).collect();
        Some(format!("{wanted} wanted, {found} {verb} there{out}"))
    }

    /// The nodes that were taken out, with the reasons.
    fn taken_out(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().zip(&self.out).filter_map(|(node, out)| Some((node.name.as_str(), out.as_deref()?)))
    }

    fn count(&mut self, node: usize, change: isize) {
        if let Some(taken) = self.taken.get_mut(node) {
            *taken = taken.saturating_add_signed(change);
        }
    }

    fn may_have(&self, demand: &Demand, node: usize) -> bool {
        self.out.get(node).is_some_and(Option::is_none)
            && self.nodes.get(node).is_some_and(|node| demand.holds(node))
    }

    /// Nodes for all demands, where each node is already given to so many.
    fn assign(&self, demands: &[Demand], taken: &[usize]) -> Option<Lease> {
        let mut search =
            Search { leases: self, demands, taken: taken.to_vec(), lease: vec![Vec::new(); demands.len()] };
        for (number, demand) in demands.iter().enumerate() {
            for _ in 0..demand.count {
                if !search.give(number, &mut vec![false; self.nodes.len()]) {
                    return None;
                }
            }
        }
        search.lease.iter_mut().for_each(|nodes| nodes.sort_unstable());
        Some(Lease(search.lease))
    }
}

/// The search for nodes: a demand takes a free one, or one of another demand that finds another for it.
struct Search<'a> {
    leases: &'a Leases,
    demands: &'a [Demand],
    taken: Vec<usize>,
    lease: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn give(&mut self, number: usize, seen: &mut Vec<bool>) -> bool {
        for node in self.candidates(number) {
            if std::mem::replace(seen.get_mut(node).unwrap_or(&mut true), true) {
                continue;
            }
            if self.has_room(node) || self.is_made_free(node, number, seen) {
                self.add(number, node);
                return true;
            }
        }
        false
    }

    /// Those that a demand may have and has not, those first that fewest have.
    fn candidates(&self, number: usize) -> Vec<usize> {
        let (Some(demand), Some(own)) = (self.demands.get(number), self.lease.get(number)) else {
            return Vec::new();
        };
        let is_free = |node: &usize| self.leases.may_have(demand, *node) && !own.contains(node);
        let mut nodes: Vec<usize> = (0..self.leases.nodes.len()).filter(is_free).collect();
        nodes.sort_by_key(|node| self.taken.get(*node).copied());
        nodes
    }

    fn has_room(&self, node: usize) -> bool {
        let slots = self.leases.nodes.get(node).map_or(0, |node| node.slots);
        self.taken.get(node).is_some_and(|taken| *taken < slots)
    }

    /// Whether another demand has taken another one in its place.
    fn is_made_free(&mut self, node: usize, number: usize, seen: &mut Vec<bool>) -> bool {
        let others = (0..self.lease.len()).filter(|other| *other != number);
        let holders: Vec<usize> = others
            .filter(|other| self.lease.get(*other).is_some_and(|nodes| nodes.contains(&node)))
            .collect();
        for other in holders {
            if self.give(other, seen) {
                self.remove(other, node);
                return true;
            }
        }
        false
    }

    fn add(&mut self, number: usize, node: usize) {
        self.lease.get_mut(number).into_iter().for_each(|nodes| nodes.push(node));
        self.taken.get_mut(node).into_iter().for_each(|taken| *taken += 1);
    }

    fn remove(&mut self, number: usize, node: usize) {
        self.lease.get_mut(number).into_iter().for_each(|nodes| nodes.retain(|own| *own != node));
        self.taken.get_mut(node).into_iter().for_each(|taken| *taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::Way;

    /// Nodes by their labels, and how many may have each.
    fn leases(nodes: &[(&str, usize)]) -> Leases {
        let node = |(index, (labels, slots)): (usize, &(&str, usize))| Node {
            name: format!("n{index}"),
            group: Some("lab".to_owned()),
            way: Way::Here,
            address: None,
            labels: labels.split_whitespace().map(str::to_owned).collect(),
            slots: *slots,
        };
        Leases::of(&Cluster { nodes: nodes.iter().enumerate().map(node).collect() })
    }

    fn demand(label: &str, count: usize) -> Demand {
        Demand { label: Some(label.to_owned()).filter(|label| !label.is_empty()), group: None, count }
    }

    fn now(taken: Taken) -> Vec<Vec<usize>> {
        match taken {
            Taken::Now(lease) => lease.0,
            taken => panic!("{taken:?}"),
        }
    }

    #[test]
    fn nodes_are_taken_and_given_back() {
        let mut leases = leases(&[("", 1), ("", 1), ("", 1)]);
        let first = now(leases.take(&[demand("", 2)]));
        assert_eq!(first, [vec![0, 1]]);
        assert_eq!(leases.take(&[demand("", 2)]), Taken::Later);
        assert_eq!(now(leases.take(&[demand("", 1)])), [vec![2]]);
        leases.give_back(&Lease(first));
        assert_eq!(now(leases.take(&[demand("", 2)])), [vec![0, 1]]);
    }

    #[test]
    fn a_demand_makes_room_for_one_that_is_harder_to_meet() {
        let mut one = leases(&[("big", 1), ("", 1)]);
        assert_eq!(now(one.take(&[demand("", 1), demand("big", 1)])), [vec![1], vec![0]]);
        let mut two = leases(&[("a b", 1), ("b c", 1), ("c", 1)]);
        let all = [demand("c", 1), demand("b", 1), demand("a", 1)];
        assert_eq!(now(two.take(&all)), [vec![2], vec![1], vec![0]]);
    }

    #[test]
    fn a_node_is_given_to_as_many_as_it_has_slots_but_once_to_a_demand() {
        let mut leases = leases(&[("", 2)]);
        assert_eq!(now(leases.take(&[demand("", 1), demand("", 1)])), [vec![0], vec![0]]);
        assert_eq!(leases.take(&[demand("", 1)]), Taken::Later);
        assert_eq!(leases.impossible(&[demand("", 2)]).as_deref(), Some("2 nodes wanted, 1 is there"));
    }

    #[test]
    fn what_cannot_be_met_is_told_with_the_numbers() {
        let mut leases = leases(&[("linux", 1), ("", 1)]);
        let check = |leases: &Leases, demands: &[Demand], expected: Option<&str>| {
            assert_eq!(leases.impossible(demands).as_deref(), expected);
        };
        check(&leases, &[demand("linux", 2)], Some("2 nodes labelled linux wanted, 1 is there"));
        let other = Demand { group: Some("box".to_owned()), ..demand("", 1) };
        check(&leases, &[other], Some("1 node of box wanted, 0 are there"));
        check(
            &leases,
            &[demand("linux", 1), demand("", 2)],
            Some("1 node labelled linux and 2 nodes at the same time wanted, 2 are there"),
        );
        check(&leases, &[demand("", 2)], None);
        leases.take_out(0, "no room on its disk");
        let reason = "1 node labelled linux wanted, 0 are there; n0 was taken out: no room on its disk";
        assert_eq!(leases.take(&[demand("linux", 1)]), Taken::Never(reason.to_owned()));
    }
}
