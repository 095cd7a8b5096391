//! The machine that the figures are of: cores, memory, disk, and the commit that was measured.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::e2e::{checkout, command};
use core_bench::numbers::percentile;

/// How many writes are timed.
const SYNCS: usize = 300;
/// Bytes of each.
const SYNC_BYTES: usize = 4096;

/// The machine, the moment and the commit.
#[derive(Clone, Debug)]
pub struct Host {
    /// The processor, as the kernel calls it.
    pub model: String,
    /// Cores.
    pub cores: usize,
    /// Memory, in MiB.
    pub memory_mb: u64,
    /// The kernel.
    pub kernel: String,
    /// How long 4 KiB take to the disk: p50 and p99 of `fdatasync`.
    pub sync: [Duration; 2],
    /// The load average of one minute before it began.
    pub load: String,
    /// The day.
    pub date: String,
    /// The commit, with a mark if the tree differs from it.
    pub commit: String,
}

/// Describes the machine; the disk is that of `folder`.
pub fn describe(folder: &Path) -> Result<Host, String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let memory_kb: u64 = memory.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or(0);
    let git = |arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        command::run(git.current_dir(checkout()).args(arguments)).stdout.trim().to_owned()
    };
    let differs = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    Ok(Host {
        model: field(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        memory_mb: memory_kb / 1024,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        sync: time_syncs(folder).map_err(|error| format!("{}: {error}", folder.display()))?,
        load: read("/proc/loadavg").split_whitespace().next().unwrap_or_default().to_owned(),
        date: command::succeed("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).trim().to_owned(),
        commit: git(&["rev-parse", "--short", "HEAD"]) + if differs { " (and changes)" } else { "" },
    })
}

fn time_syncs(folder: &Path) -> std::io::Result<[Duration; 2]> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("sync-{}", std::process::id()));
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&[0x5a; SYNC_BYTES])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort();
    Ok([percentile(&times, 50), percentile(&times, 99)])
}
