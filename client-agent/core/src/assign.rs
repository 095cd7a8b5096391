//! The wanted set against what the agent knows: what begins, what changes, what is forgotten, what is lacking.
//!
//! Whole sets are compared, so a lost message costs nothing. Called whenever a wanted set or bodies arrive.

use std::collections::{BTreeMap, BTreeSet};

use model::{AllocationId, Assignment, Index};

/// What the agent knows of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Generation of the assignment that it acts by; none where only containers are known.
    pub generation: Option<Index>,
    /// Whether its containers were observed gone.
    pub gone: bool,
}

/// What the wanted set asks of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Changes {
    /// Assignments whose body is lacking or out of date.
    pub lacking: Vec<AllocationId>,
    /// Allocations that are not known yet and whose body is at hand.
    pub begin: Vec<AllocationId>,
    /// Known allocations whose assignment changed.
    pub change: Vec<AllocationId>,
    /// Known allocations that are not wanted any more and still run: they must end.
    pub end: Vec<AllocationId>,
    /// Known allocations that are not wanted any more and are gone: their remains may be collected.
    pub forget: Vec<AllocationId>,
}

/// Compares `wanted` (allocation to generation) with the `bodies` at hand and what is `known`.
pub fn assign(
    wanted: &BTreeMap<AllocationId, Index>,
    bodies: &BTreeMap<AllocationId, Assignment>,
    known: &BTreeMap<AllocationId, Known>,
) -> Changes {
    let mut changes = Changes::default();
    for (id, generation) in wanted {
        let current = known.get(id).and_then(|known| known.generation).is_some_and(|has| has >= *generation);
        if current {
            continue;
        }
        match bodies.get(id) {
            Some(body) if body.generation >= *generation => match known.get(id).and_then(|known| known.generation) {
                Some(_) => changes.change.push(*id),
                None => changes.begin.push(*id),
            },
            _ => changes.lacking.push(*id),
        }
    }
    for (id, known) in known {
        if !wanted.contains_key(id) {
            if known.gone { &mut changes.forget } else { &mut changes.end }.push(*id);
        }
    }
    changes
}

/// Those of `after` that are not gone yet. One that the agent has never heard of holds nothing.
pub fn held_by(after: &[AllocationId], alive: &BTreeSet<AllocationId>) -> Vec<AllocationId> {
    after.iter().filter(|id| alive.contains(id)).copied().collect()
}

#[cfg(test)]
mod tests {
    use model::{Desired, DocumentId, JobKey};

    use super::*;

    fn id(name: &str) -> AllocationId {
        AllocationId::derive(&[name.as_bytes()])
    }

    fn body(name: &str, generation: Index) -> Assignment {
        Assignment {
            allocation: id(name),
            document: DocumentId { job: JobKey::new("default", "web"), create_index: 1, version: 0 },
            group: "web".into(),
            index: 0,
            ports: Vec::new(),
            cores: Vec::new(),
            devices: Vec::new(),
            after: Vec::new(),
            deployment: None,
            desired: Desired::Run,
            generation,
        }
    }

    /// `wanted`, `bodies` as `name:generation`; `known` as `name:generation` (`?` for containers only), `!` for gone.
    fn check(wanted: &str, bodies: &str, known: &str, expected: &str) {
        let pairs = |text: &str| -> Vec<(String, String)> {
            text.split_whitespace()
                .map(|word| word.split_once(':').map(|(a, b)| (a.to_string(), b.to_string())).unwrap())
                .collect()
        };
        let wanted = pairs(wanted).into_iter().map(|(name, at)| (id(&name), at.parse().unwrap())).collect();
        let bodies =
            pairs(bodies).into_iter().map(|(name, at)| (id(&name), body(&name, at.parse().unwrap()))).collect();
        let known = pairs(known)
            .into_iter()
            .map(|(name, at)| {
                let gone = at.ends_with('!');
                (id(&name), Known { generation: at.trim_end_matches('!').parse().ok(), gone })
            })
            .collect();
        let changes = assign(&wanted, &bodies, &known);
        let names: BTreeMap<AllocationId, &str> = ["a", "b", "c", "d", "e"].map(|name| (id(name), name)).into();
        let mut words = Vec::new();
        for (verb, ids) in [
            ("lacking", changes.lacking),
            ("begin", changes.begin),
            ("change", changes.change),
            ("end", changes.end),
            ("forget", changes.forget),
        ] {
            words.extend(ids.iter().map(|id| format!("{verb} {}", names[id])));
        }
        assert_eq!(words.join(", "), expected);
    }

    #[test]
    fn a_body_is_fetched_once_and_begins_the_allocation() {
        check("a:1", "", "", "lacking a");
        check("a:1", "a:1", "", "begin a");
        check("a:1", "a:1", "a:1", "");
    }

    #[test]
    fn a_higher_generation_is_fetched_and_a_lower_one_ignored() {
        check("a:2", "a:1", "a:1", "lacking a");
        check("a:2", "a:2", "a:1", "change a");
        check("a:1", "", "a:2", "");
    }

    #[test]
    fn what_is_not_wanted_ends_and_is_forgotten_when_gone() {
        check("", "", "a:1", "end a");
        check("", "", "a:1!", "forget a");
        check("a:1", "", "a:1!", "");
    }

    #[test]
    fn containers_without_a_record_are_adopted_when_wanted_and_ended_when_not() {
        check("a:1", "", "a:?", "lacking a");
        check("a:1", "a:1", "a:?", "begin a");
        check("", "", "a:?", "end a");
    }

    #[test]
    fn a_successor_waits_for_those_that_are_alive() {
        let alive = BTreeSet::from([id("a"), id("c")]);
        assert_eq!(held_by(&[id("a"), id("b")], &alive), [id("a")]);
        assert_eq!(held_by(&[id("b")], &alive), []);
    }
}
