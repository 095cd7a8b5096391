//! Who makes the cluster suffer: a kind of strike, then a while of calm, until its time is over. Strikes go for the
//! leader mostly, because that is where something can be lost. In the end everything is whole again.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::cluster::{Cluster, REPLACEABLE};
use crate::sim::seed::SeededRandom;

/// How long a strike lasts, at least and by how much more at most, in milliseconds.
const STRIKE_MS: (u64, u64) = (1_500, 2_000);
/// How long the cluster is left alone after it.
const CALM_MS: (u64, u64) = (500, 1_500);

/// A kind of strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nemesis {
    /// `kill -9`, and a start later.
    Kill,
    /// SIGSTOP, and SIGCONT later.
    Pause,
    /// Some servers hear nothing of some others.
    Partition,
    /// A server is let go and a new one joins in its place, while the leader dies.
    Membership,
    /// Any of these.
    Mixed,
}

/// All kinds.
pub const ALL: [Nemesis; 5] = [Nemesis::Kill, Nemesis::Pause, Nemesis::Partition, Nemesis::Membership, Nemesis::Mixed];

/// How a network falls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The victim and one more on one side, the others on the other.
    Halves,
    /// The victim hears nobody, but is heard.
    Deaf,
    /// The victim is heard by nobody, but hears.
    Dumb,
    /// Two halves that only the victim still hears, and is heard by.
    Bridge,
}

const CUTS: [Cut; 4] = [Cut::Halves, Cut::Deaf, Cut::Dumb, Cut::Bridge];

impl Nemesis {
    /// Strikes until `until`, and longer while `goes_on` says so; tells what it does. Gives the number of strikes.
    pub fn run(
        self,
        cluster: &mut Cluster,
        seed: u64,
        until: Instant,
        mut goes_on: impl FnMut(&Cluster) -> bool,
    ) -> usize {
        let random = SeededRandom::new(seed);
        let mut strikes = 0;
        while Instant::now() < until || goes_on(cluster) {
            self.strike(cluster, &random, strikes);
            strikes += 1;
            cluster.await_leader();
            pause(&random, CALM_MS);
        }
        cluster.await_whole();
        strikes
    }

    fn strike(self, cluster: &mut Cluster, random: &SeededRandom, number: usize) {
        let leader = cluster.await_leader();
        // Every fourth strike goes for somebody else.
        let followers: Vec<&'static str> =
            cluster.servers().iter().copied().filter(|server| *server != leader).collect();
        let other = followers[random.below(followers.len() as u64) as usize];
        let victim = if number % 4 == 3 { other } else { leader };
        eprintln!("{self}: strike {number} on {victim}, {leader} leads");
        match self {
            Nemesis::Kill => {
                cluster.kill(victim);
                pause(random, STRIKE_MS);
                cluster.launch(victim);
            }
            Nemesis::Pause => {
                cluster.pause(victim);
                pause(random, STRIKE_MS);
                cluster.resume(victim);
            }
            Nemesis::Partition => {
                let cut = CUTS[number % CUTS.len()];
                cut.make(cluster, victim);
                pause(random, STRIKE_MS);
                cluster.connect_all();
            }
            Nemesis::Membership => {
                let replaceable: Vec<&'static str> = REPLACEABLE.into_iter().filter(|one| *one != leader).collect();
                let leaves = replaceable[random.below(replaceable.len() as u64) as usize];
                cluster.kill(leader);
                cluster.replace(leaves);
                cluster.launch(leader);
                // The next change must not find this one half done, or too few would be left to decide.
                cluster.await_whole();
            }
            Nemesis::Mixed => {
                let kinds = [Nemesis::Kill, Nemesis::Pause, Nemesis::Partition, Nemesis::Membership];
                kinds[random.below(kinds.len() as u64) as usize].strike(cluster, random, number);
            }
        }
    }
}

impl Cut {
    fn make(self, cluster: &Cluster, victim: &str) {
        let others: Vec<&str> = cluster.servers().iter().copied().filter(|server| *server != victim).collect();
        match self {
            Cut::Halves => part(cluster, &[victim, others[0]], &others[1..]),
            Cut::Deaf => cluster.deafen(victim, &others),
            Cut::Dumb => others.iter().for_each(|other| cluster.deafen(other, &[victim])),
            Cut::Bridge => part(cluster, &others[..others.len() / 2], &others[others.len() / 2..]),
        }
    }
}

/// Nobody of `one` and nobody of `other` hear each other.
fn part(cluster: &Cluster, one: &[&str], other: &[&str]) {
    one.iter().for_each(|server| cluster.deafen(server, other));
    other.iter().for_each(|server| cluster.deafen(server, one));
}

fn pause(random: &SeededRandom, (least, more): (u64, u64)) {
    std::thread::sleep(Duration::from_millis(least + random.below(more)));
}

impl fmt::Display for Nemesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nemesis::Kill => "kill",
            Nemesis::Pause => "pause",
            Nemesis::Partition => "partition",
            Nemesis::Membership => "membership",
            Nemesis::Mixed => "mixed",
        })
    }
}
