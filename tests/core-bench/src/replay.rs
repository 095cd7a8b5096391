//! Plays arrivals and ends over a policy, and counts what it does.

use std::time::{Duration, Instant};

use crate::bound;
use crate::cluster::{Cluster, mix};
use crate::input::{Input, NodeSpec};

/// Who decides where instances go: the core, or a baseline.
pub trait Placer {
    /// The task's instances arrive; the node of each that was placed. What finds no room now is rejected for good.
    fn arrive(&mut self, task: usize) -> Result<Vec<usize>, String>;
    /// All tasks arrive at once; in the order of tasks, the nodes of each one's instances. None of them ends.
    fn arrive_all(&mut self) -> Result<Vec<Vec<usize>>, String>;
    /// What was placed of the task ends.
    fn end(&mut self, task: usize) -> Result<(), String>;
}

/// Something happens to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It arrives.
    Arrival(usize),
    /// It has run for its lifetime.
    End(usize),
}

/// How to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// All tasks as one list at once, for ever, instead of one after the other.
    pub batch: bool,
    /// Whether the first rejection is the end: only whether there is one matters.
    pub stop_at_rejection: bool,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Instances that found a node.
    pub placed: u64,
    /// Those that did not.
    pub rejected: u64,
    /// Instances that were placed against a rule.
    pub violations: u64,
    /// Nodes that ever ran something.
    pub touched: usize,
    /// The most nodes that ran something at the same time.
    pub peak_in_use: usize,
    /// CPU and memory stranded when the most was asked, in percent of the fleet's.
    pub stranded: [f64; 2],
    /// The most of the devices that was given away, in percent.
    pub device_percent: Option<f64>,
    /// Time that the policy took for arrivals.
    pub took: Duration,
}

/// What happens, in order: ends before arrivals of the same second. A lifetime of 0 counts as one second.
pub fn events(input: &Input) -> Vec<Event> {
    let mut events = Vec::new();
    for (at, task) in input.tasks.iter().enumerate() {
        events.push((task.arrival, true, at));
        if let Some(lifetime) = task.lifetime {
            events.push((task.arrival + lifetime.max(1), false, at));
        }
    }
    events.sort_unstable();
    let event = |(_, arrives, at): (u64, bool, usize)| if arrives { Event::Arrival(at) } else { Event::End(at) };
    events.into_iter().map(event).collect()
}

/// Plays `input` on `fleet`.
pub fn replay(input: &Input, fleet: &[NodeSpec], placer: &mut dyn Placer, manner: Manner) -> Result<Outcome, String> {
    let mut play = Play {
        input,
        cluster: Cluster::new(fleet, &input.rules),
        nodes_of: vec![Vec::new(); input.tasks.len()],
        placed: 0,
        rejected: 0,
        took: Duration::ZERO,
    };
    let mix = mix(input);
    let mut stranded = [0.0; 2];
    if manner.batch {
        let began = Instant::now();
        let nodes = placer.arrive_all()?;
        play.took = began.elapsed();
        for (task, nodes) in nodes.into_iter().enumerate() {
            play.begin(task, nodes)?;
        }
        stranded = play.cluster.stranded(&mix);
    } else {
        let fullest = fullest(input);
        for (number, event) in events(input).into_iter().enumerate() {
            match event {
                Event::Arrival(task) => {
                    let began = Instant::now();
                    let nodes = placer.arrive(task)?;
                    play.took += began.elapsed();
                    play.begin(task, nodes)?;
                }
                Event::End(task) => {
                    placer.end(task)?;
                    play.end(task);
                }
            }
            if number == fullest {
                stranded = play.cluster.stranded(&mix);
            }
            if manner.stop_at_rejection && play.rejected > 0 {
                break;
            }
        }
    }
    Ok(Outcome {
        placed: play.placed,
        rejected: play.rejected,
        violations: play.cluster.violations(),
        touched: play.cluster.touched(),
        peak_in_use: play.cluster.peak_in_use(),
        stranded,
        device_percent: play.cluster.device_percent(),
        took: play.took,
    })
}

struct Play<'a> {
    input: &'a Input,
    cluster: Cluster<'a>,
    nodes_of: Vec<Vec<usize>>,
    placed: u64,
    rejected: u64,
    took: Duration,
}

impl Play<'_> {
    fn begin(&mut self, at: usize, nodes: Vec<usize>) -> Result<(), String> {
        let task = &self.input.tasks[at];
        for node in &nodes {
            self.cluster.begin(*node, task.job, &task.ask)?;
        }
        self.placed += nodes.len() as u64;
        self.rejected += u64::from(task.count) - nodes.len() as u64;
        self.nodes_of[at] = nodes;
        Ok(())
    }

    fn end(&mut self, at: usize) {
        let task = &self.input.tasks[at];
        for node in std::mem::take(&mut self.nodes_of[at]) {
            self.cluster.end(node, task.job, &task.ask);
        }
    }
}

/// The event after which the most is asked, each dimension in shares of its own peak.
fn fullest(input: &Input) -> usize {
    let peak = bound::peak(input);
    let (mut most, mut at_most) = (0.0, 0);
    for (number, asked) in bound::demand(input).enumerate() {
        let shares = (0..4).filter(|of| peak[*of] > 0).map(|of| asked[of] as f64 / peak[of] as f64);
        let full: f64 = shares.sum();
        if full > most {
            (most, at_most) = (full, number);
        }
    }
    at_most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::input;

    #[test]
    fn ends_come_before_arrivals_of_the_same_second_and_nothing_ends_as_it_arrives() {
        let tasks = "arrival,job,cpu,memory,lifetime\n0,a,1,1,5\n5,b,1,1,0\n5,c,1,1,\n";
        let input = input("name,cpu,memory\nn,9,9\n", tasks, "").unwrap();
        let wanted = [Event::Arrival(0), Event::End(0), Event::Arrival(1), Event::Arrival(2), Event::End(1)];
        assert_eq!(events(&input), wanted);
    }
}
