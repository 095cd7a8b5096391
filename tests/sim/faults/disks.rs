//! Disks of servers that fail, fill, slow down or rot.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::ServerId;
use seams::testing::{Fault as DiskFault, MemoryDisk};
use tokio::time::sleep;

use super::Fault;
use crate::sim::cluster::SimCluster;
use crate::sim::seed::SeededRandom;

pub(super) async fn play(fault: Fault, cluster: &Arc<SimCluster>, random: &SeededRandom) {
    let Some(id) = random.pick(&cluster.server_ids()) else { return };
    let lasts = random.milliseconds(500, 10_000);
    match fault {
        Fault::TornWrite => {
            cluster.tear_server(id, random);
            sleep(random.milliseconds(100, 5_000)).await;
            cluster.start_server(id).await;
        }
        Fault::RottenLog => rot(cluster, random, id, "log").await,
        Fault::RottenSnapshot => rot(cluster, random, id, "snapshots").await,
        Fault::DiskFull => fail(cluster, id, DiskFault::Full, lasts).await,
        Fault::SyncFails => fail(cluster, id, DiskFault::Sync, lasts).await,
        Fault::WriteFails => fail(cluster, id, DiskFault::Write, lasts).await,
        Fault::ReadFails => {
            // A server that runs has all but its snapshots in memory; one that starts reads everything.
            let restarts = random.chance(70);
            if restarts {
                cluster.kill_server(id);
            }
            tokio::join!(fail(cluster, id, DiskFault::Read, lasts), async {
                if restarts {
                    cluster.start_server(id).await;
                }
            });
        }
        Fault::SlowDisk => {
            let slow = random.milliseconds(20, 3_000);
            cluster.trace.say(format_args!("-- SlowDisk: s{id} by {slow:?} for {lasts:?}"));
            set_slowness(cluster, id, slow);
            sleep(lasts).await;
            set_slowness(cluster, id, Duration::ZERO);
        }
        _ => {}
    }
}

fn set_slowness(cluster: &SimCluster, id: ServerId, slow: Duration) {
    cluster.with_server(id, |server| server.slowness.0.store(slow.as_nanos() as u64, Ordering::Relaxed));
}

async fn fail(cluster: &SimCluster, id: ServerId, fault: DiskFault, lasts: Duration) {
    cluster.trace.say(format_args!("-- the disk of s{id} fails: {fault:?} for {lasts:?}"));
    cluster.with_server(id, |server| server.disk.fail(fault));
    sleep(lasts).await;
    cluster.with_server(id, |server| server.disk.heal());
    cluster.trace.say(format_args!("-- the disk of s{id} works"));
}

/// Kills a server, flips a bit of what its disk holds or cuts a snapshot short, and starts it again: never so many that what
/// was acknowledged is nowhere whole.
async fn rot(cluster: &Arc<SimCluster>, random: &SeededRandom, id: ServerId, folder: &str) {
    if cluster.damage_left() == 0 {
        return;
    }
    cluster.kill_server(id);
    let flipped = cluster.with_server(id, |server| {
        let flipped = flip(&server.disk, random, folder);
        server.is_damaged |= flipped.is_some();
        flipped
    });
    if let Some(Some(what)) = flipped {
        cluster.trace.say(format_args!("-- s{id}: {what}"));
    }
    sleep(random.milliseconds(100, 3_000)).await;
    cluster.start_server(id).await;
}

fn flip(disk: &MemoryDisk, random: &SeededRandom, folder: &str) -> Option<String> {
    let in_folder = |path: &std::path::PathBuf| path.parent().is_some_and(|parent| parent.ends_with(folder));
    let files: Vec<_> = disk.files().into_iter().filter(in_folder).collect();
    let path = random.pick(&files)?;
    let mut bytes = disk.read(&path)?;
    // Beyond what was written is space that holds nothing yet.
    let used = bytes.iter().rposition(|byte| *byte != 0)? as u64 + 1;
    let is_log = folder == "log";
    // The end of a log that rots can't be told from a write that was cut off, so there it is the middle that rots.
    let at = random.below(if is_log { used / 2 } else { used }) as usize;
    let what = if is_log || random.chance(75) {
        bytes[at] ^= 1 << random.below(8);
        format!("a bit of {} flips at {at}", path.display())
    } else {
        bytes.truncate(at);
        format!("{} is cut short at {at}", path.display())
    };
    disk.overwrite(&path, bytes);
    Some(what)
}
