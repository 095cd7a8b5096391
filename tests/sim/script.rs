//! The script of a run: what happens when, all of it from the seed, each event with a number under which it can be left
//! out. What an event does in detail follows from its own number, so that leaving one out changes no other.

use std::collections::BTreeSet;
use std::time::Duration;

use super::deeds::Deed;
use super::faults::Fault;
use super::seed::SeededRandom;
use super::settings::Settings;

/// Agents have the numbers before this one.
pub const EVENTS_FROM: u32 = 101;
/// Jobs that a run begins with.
const JOBS: (u64, u64) = (3, 6);
/// Faults that strike right after the one before, in percent.
const BURST_PERCENT: u64 = 35;

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Under which it can be left out.
    pub number: u32,
    /// When, from the beginning of the run.
    pub at: Duration,
    /// What happens.
    pub what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Something goes wrong.
    Fault(Fault),
    /// Somebody does something.
    Deed(Deed),
}

impl Event {
    /// Chances of this event alone.
    pub fn random(&self, seed: u64) -> SeededRandom {
        SeededRandom::part(seed, 10_000 + u64::from(self.number))
    }
}

/// The events of a run, in their order in time.
pub fn script(settings: &Settings) -> Vec<Event> {
    let random = SeededRandom::part(settings.seed, 2);
    let mut events = Vec::new();
    let mut number = EVENTS_FROM;
    let mut add = |at: Duration, what: What| {
        events.push(Event { number, at, what });
        number += 1;
    };
    for job in 0..random.between(JOBS.0, JOBS.1) {
        add(random.milliseconds(2_000, 6_000), What::Deed(Deed::Register { job }));
    }
    let deeds_until = settings.warm_up + settings.trouble;
    for _ in 0..settings.deeds {
        let at = random.milliseconds(7_000, deeds_until.as_millis() as u64);
        add(at, What::Deed(Deed::draw(&random)));
    }
    let possible: Vec<Fault> = Fault::ALL
        .into_iter()
        .filter(|fault| settings.classes.contains(&fault.class()) && fault.is_possible(settings))
        .collect();
    let trouble_ms = settings.trouble.as_millis() as u64;
    let mut at = settings.warm_up;
    for _ in 0..settings.faults {
        let Some(fault) = random.pick(&possible) else { break };
        at = if random.chance(BURST_PERCENT) {
            at + random.milliseconds(0, 1_500)
        } else {
            settings.warm_up + random.milliseconds(0, trouble_ms)
        };
        add(at, What::Fault(fault));
    }
    events.sort_by_key(|event| (event.at, event.number));
    events
}

/// Every number that can be left out of a run.
pub fn numbers(settings: &Settings) -> Vec<u32> {
    let agents = (1..=settings.agents).map(|number| number as u32);
    script(settings).iter().map(|event| event.number).chain(agents).collect()
}

/// Numbers as `WITHOUT` gives them: `3,7,9`.
pub fn parse_without(text: &str) -> Result<BTreeSet<u32>, std::num::ParseIntError> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_follows_from_its_seed_and_has_ten_faults_and_more() {
        for seed in 0..100 {
            let settings = Settings::of(seed);
            let events = script(&settings);
            let again = script(&settings);
            assert!(events.iter().zip(&again).all(|(one, other)| one.number == other.number && one.at == other.at));
            let faults = events.iter().filter(|event| matches!(event.what, What::Fault(_))).count();
            assert!(faults >= 10, "seed {seed} has {faults} faults");
            let distinct: BTreeSet<u32> = numbers(&settings).into_iter().collect();
            assert_eq!(distinct.len(), events.len() + settings.agents as usize);
        }
    }

    #[test]
    fn what_to_leave_out_is_read() {
        assert_eq!(parse_without("3, 7,9").unwrap(), BTreeSet::from([3, 7, 9]));
        assert_eq!(parse_without("").unwrap(), BTreeSet::new());
        assert!(parse_without("x").is_err());
    }
}
