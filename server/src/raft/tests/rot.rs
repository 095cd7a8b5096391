//! Bit rot on one server: a bit flips, or a file is cut. Whatever it is, the server refuses and names file and place, or
//! finds what it had; the others go on, and it comes back under a new id.
//!
//! `ROT_DAMAGES` sets how many damages are tried.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::ServerId;
use seams::Disk;
use seams::testing::MemoryDisk;

use super::cluster::{Cluster, Opened, SECOND};
use super::power::{Draw, how_many};
use super::run;
use crate::raft::StartError;
use crate::raft::log::Contents;

/// The server whose disk rots.
const ROTTEN: ServerId = 2;
/// One of so many damages is tried in a running cluster.
const IN_A_CLUSTER: u64 = 200;

/// Three servers that were stopped, after elections, snapshots and purges.
fn stopped_servers() -> BTreeMap<ServerId, MemoryDisk> {
    run(31, async {
        let mut cluster = Cluster::of_three(31).await;
        for number in 0..230 {
            cluster.write(&format!("command {number} of this cluster")).await;
            if number % 70 == 69 {
                let leader = cluster.leader().await;
                cluster.stop(leader).await;
                cluster.write(&format!("command {number} once more")).await;
                cluster.start(leader).await;
            }
        }
        cluster.settle().await;
        for id in 1..=3 {
            cluster.stop(id).await;
        }
        (1..=3).map(|id| (id, cluster.disk(id).copy())).collect()
    })
}

/// What happened to a file.
#[derive(Debug)]
enum Damage {
    Flip { at: usize, bit: u32 },
    Cut { length: usize },
}

impl Damage {
    fn draw(bytes: &[u8], draw: &mut Draw) -> Self {
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        // Segments end in zeros that say nothing; most damages hit what does.
        let bound = if draw.below(8) == 0 { bytes.len() } else { used };
        let at = draw.below(bound as u64) as usize;
        match draw.below(10) {
            0 => Self::Cut { length: at },
            _ => Self::Flip { at, bit: draw.below(8) as u32 },
        }
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Flip { at, bit } => bytes[*at] ^= 1 << bit,
            Self::Cut { length } => bytes.truncate(*length),
        }
    }
}

/// An error with its causes.
fn chain(error: &StartError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The same, but for the last known commit position, which is no promise.
fn same(one: &Opened, other: &Opened) -> bool {
    let contents = Contents { committed: other.contents.committed, ..one.contents.clone() };
    contents == other.contents && one.commands == other.commands
}

#[test]
fn damage_to_a_servers_files_is_refused_with_file_and_offset_or_changes_nothing() {
    let damages = how_many("ROT_DAMAGES", 2000);
    let disks = stopped_servers();
    let whole = &disks[&ROTTEN];
    let sound = Cluster::open(whole, ROTTEN).unwrap();
    assert!(sound.contents.vote.is_some() && sound.contents.purged.is_some() && !sound.commands.is_empty());
    let files: Vec<PathBuf> =
        ["/data/log", "/data/snapshots"].iter().flat_map(|folder| whole.list(Path::new(folder)).unwrap()).collect();
    assert!(files.len() >= 3, "several segments and a snapshot: {files:?}");

    let mut draw = Draw::new(31);
    let (mut refused, mut harmless, mut rejoined) = (0, 0, 0);
    for number in 0..damages {
        let file = &files[draw.below(files.len() as u64) as usize];
        let mut bytes = whole.read(file).unwrap();
        let damage = Damage::draw(&bytes, &mut draw);
        damage.apply(&mut bytes);
        let disk = whole.copy();
        disk.overwrite(file, bytes);
        let what = format!("{damage:?} in {}", file.display());
        let is_refused = match Cluster::open(&disk.copy(), ROTTEN) {
            Ok(found) => {
                assert!(same(&found, &sound), "{what} is silent: {found:#?}");
                harmless += 1;
                false
            }
            Err(error) => {
                let text = chain(&error);
                assert!(text.contains(&file.display().to_string()) && text.contains("at offset"), "{what}: {text}");
                assert!(text.contains("sched server rejoin"), "{what}: {text}");
                refused += 1;
                true
            }
        };
        if number % IN_A_CLUSTER == 0 {
            go_on(&disks, disk, is_refused, &what);
            rejoined += u64::from(is_refused);
        }
    }
    println!(
        "R13: {damages} damages to one server's log, votes and snapshot: {refused} refused with file and offset, \
         {harmless} without effect, 0 silent; {rejoined} servers rejoined while the others served"
    );
    assert!(refused > damages / 2 && rejoined > 0, "{refused} refused, {rejoined} rejoined");
}

/// The others serve; the damaged server starts with what it had, or comes back under a new id.
fn go_on(disks: &BTreeMap<ServerId, MemoryDisk>, damaged: MemoryDisk, is_refused: bool, what: &str) {
    let others = disks.iter().filter(|(id, _)| **id != ROTTEN).map(|(id, disk)| (*id, disk.copy())).collect();
    run(32, async {
        let mut cluster = Cluster::of_disks(32, others).await.unwrap();
        cluster.write("without it").await;
        cluster.put_disk(ROTTEN, damaged);
        let back = if is_refused {
            assert!(cluster.start_as(ROTTEN, ROTTEN).await.is_err(), "{what}");
            let leader = cluster.leader().await;
            cluster.raft(leader).remove_server(ROTTEN, 10 * SECOND).await.unwrap();
            cluster.start(4).await;
            let leader = cluster.leader().await;
            cluster.raft(leader).add_server(4, "server-4", 10 * SECOND).await.unwrap();
            4
        } else {
            cluster.start(ROTTEN).await;
            ROTTEN
        };
        cluster.write("with it").await;
        cluster.settle().await;
        assert_eq!(cluster.commands(back), cluster.commands(1), "{what}");
        assert!(cluster.commands(back).ends_with(&["without it".to_string(), "with it".to_string()]), "{what}");
    });
}

#[test]
fn a_log_whose_snapshot_is_gone_is_refused() {
    let disks = stopped_servers();
    let disk: Arc<MemoryDisk> = Arc::new(disks[&ROTTEN].copy());
    for path in disk.list(Path::new("/data/snapshots")).unwrap() {
        disk.remove(&path).unwrap();
    }
    let error = chain(&Cluster::open(&disk, ROTTEN).err().unwrap());
    assert!(error.contains("the newest snapshot holds less: nothing"), "{error}");
}
