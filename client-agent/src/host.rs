//! The host as a seam: what it is, and what is used of it. The real one reads `/proc` and `/etc`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// MHz that a core counts for where the kernel does not say.
pub const CORE_MHZ_UNKNOWN: u64 = 1000;

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HostFacts {
    /// CPU cores.
    pub cores: u64,
    /// MHz of a core; never 0.
    pub core_mhz: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk in MiB.
    pub disk_mb: u64,
    /// Facts such as `kernel.name`.
    pub attributes: BTreeMap<String, String>,
}

/// What is used of a host now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct HostUsage {
    /// CPU in use since the last look, in MHz.
    pub cpu_mhz: u64,
    /// Memory in use, in MiB.
    pub memory_mb: u64,
}

/// Describes a host.
pub trait Host: Send + Sync + 'static {
    /// What it is.
    fn facts(&self) -> HostFacts;
    /// What is used of it.
    fn usage(&self) -> HostUsage;
}

/// The host on which the agent runs.
#[derive(Default)]
pub struct RealHost {
    /// Busy ticks of all cores at the last look.
    last: Mutex<Option<(Instant, u64)>>,
}

/// Ticks of `/proc/stat` in a second: fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: u64 = 100;

impl Host for RealHost {
    fn facts(&self) -> HostFacts {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cores = (cpu.lines().filter(|line| line.starts_with("processor")).count() as u64).max(1);
        let core_mhz = core_mhz(&cpu);
        let memory_bytes = memory_kb("MemTotal:") * 1024;
        let mut attributes = BTreeMap::new();
        let mut set = |name: &str, value: String| {
            if !value.is_empty() {
                attributes.insert(name.to_string(), value);
            }
        };
        set("cpu.arch", arch().into());
        set("cpu.numcores", cores.to_string());
        set("cpu.frequency", core_mhz.map(|mhz| mhz.to_string()).unwrap_or_default());
        set("cpu.modelname", field(&cpu, "model name", ':'));
        set("memory.totalbytes", memory_bytes.to_string());
        set("kernel.name", "linux".into());
        set("kernel.arch", std::env::consts::ARCH.into());
        set("kernel.version", first_line("/proc/sys/kernel/osrelease"));
        set("unique.hostname", first_line("/proc/sys/kernel/hostname"));
        let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
        set("os.name", field(&os, "ID", '='));
        set("os.version", field(&os, "VERSION_ID", '='));
        HostFacts {
            cores,
            core_mhz: core_mhz.unwrap_or(CORE_MHZ_UNKNOWN),
            memory_bytes,
            disk_mb: disk_mb(),
            attributes,
        }
    }

    fn usage(&self) -> HostUsage {
        let facts_mhz = core_mhz(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        let used_kb = memory_kb("MemTotal:").saturating_sub(memory_kb("MemAvailable:"));
        let busy = busy_ticks(&fs::read_to_string("/proc/stat").unwrap_or_default());
        let now = Instant::now();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace((now, busy));
        let cpu_mhz = last.map_or(0, |(at, before)| {
            let elapsed_ms = (now.duration_since(at).as_millis() as u64).max(1);
            busy.saturating_sub(before) * 1000 * facts_mhz.unwrap_or(CORE_MHZ_UNKNOWN) / TICKS_PER_SECOND / elapsed_ms
        });
        HostUsage { cpu_mhz, memory_mb: used_kb / 1024 }
    }
}

/// Size of the root file system in MiB, as `df` tells; 0 where it does not.
fn disk_mb() -> u64 {
    let told = std::process::Command::new("df").args(["-Pk", "/"]).output();
    let text = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let kb = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kb.unwrap_or(0) / 1024
}

/// A host that always says the same: the twin for tests and the simulation.
#[derive(Clone, Debug, Default)]
pub struct FixedHost {
    /// What it is.
    pub facts: HostFacts,
    /// What is used of it.
    pub usage: HostUsage,
}

impl Host for FixedHost {
    fn facts(&self) -> HostFacts {
        self.facts.clone()
    }

    fn usage(&self) -> HostUsage {
        self.usage
    }
}

/// The base frequency, or what the kernel says that the first core runs at.
fn core_mhz(cpu: &str) -> Option<u64> {
    let base = first_line("/sys/devices/system/cpu/cpu0/cpufreq/base_frequency").parse::<u64>().ok();
    let now = || field(cpu, "cpu MHz", ':').split('.').next().and_then(|mhz| mhz.parse().ok());
    base.map(|khz| khz / 1000).or_else(now).filter(|mhz| *mhz > 0)
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn first_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().trim().to_string()
}

/// The value of the first line `name<separator>value`, without quotes.
fn field(text: &str, name: &str, separator: char) -> String {
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let value = pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().trim_matches('"'));
    value.unwrap_or_default().to_string()
}

fn memory_kb(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Ticks in which the cores were neither idle nor waiting for disks.
fn busy_ticks(stat: &str) -> u64 {
    let numbers: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|word| word.parse().ok())
        .collect();
    let idle = numbers.get(3).copied().unwrap_or(0) + numbers.get(4).copied().unwrap_or(0);
    numbers.iter().sum::<u64>().saturating_sub(idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(busy_ticks("cpu  10 1 5 100 7 0 2 0 0 0\ncpu0 1 1 1"), 18);
        assert_eq!(field("ID=debian\nVERSION_ID=\"12\"\n", "VERSION_ID", '='), "12");
        assert_eq!(field("model name\t: Example CPU\n", "model name", ':'), "Example CPU");
    }

    #[test]
    fn this_host_has_cores_memory_and_a_frequency() {
        let facts = RealHost::default().facts();
        assert!(facts.cores > 0 && facts.core_mhz > 0 && facts.memory_bytes > 0 && facts.disk_mb > 0);
        assert_eq!(facts.attributes["kernel.name"], "linux");
    }
}
