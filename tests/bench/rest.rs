//! P6: what agents cost that only beat.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cluster::Cluster;
use super::cpu::{Cpu, seconds};
use super::fleet::{Fleet, Trouble};
use super::size::Size;

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// How long it was looked at.
    pub lasted: Duration,
    /// How often each agent was asked to beat.
    pub interval: Duration,
    /// Beats of all agents in that time.
    pub beats: f64,
    /// CPU time of each side.
    pub cpu: Cpu,
    /// What servers and agents missed of each other meanwhile.
    pub trouble: Trouble,
}

impl Rest {
    /// Milliseconds for a thousand beats, of so many seconds of CPU time.
    pub fn for_1000(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.beats
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lasted, interval, beats, cpu, trouble } = self;
        write!(
            f,
            "{beats:.0} beats in {}, of each agent one in {interval:?}: for 1000 of them {:.1} ms CPU of the servers, {:.1} ms of the agents; {trouble}",
            seconds(*lasted),
            self.for_1000(cpu.servers),
            self.for_1000(cpu.load),
        )
    }
}

/// Looks on for `size.rest` while nothing else happens.
pub async fn measure(size: Size, cluster: &Cluster, fleet: &Fleet) -> Result<Rest, String> {
    // What the last registrations bring shall be over.
    sleep(size.rest / 2).await;
    let interval = cluster.beat_interval().await?;
    let (trouble, cpu, began) = (fleet.trouble(cluster), cluster.cpu(), Instant::now());
    sleep(size.rest).await;
    let lasted = began.elapsed();
    let cpu = cluster.cpu().since(cpu);
    let trouble = fleet.trouble(cluster).since(trouble)?;
    let beats = size.streams as f64 * lasted.as_secs_f64() / interval.as_secs_f64();
    match cluster.beat_interval().await? {
        same if same == interval => Ok(Rest { lasted, interval, beats, cpu, trouble }),
        other => {
            Err(format!("agents were asked to beat each {interval:?}, and each {other:?} when all shall be at rest"))
        }
    }
}
