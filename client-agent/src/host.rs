//! The host as a seam: what it is, and what is used of it. The real one reads `/proc` and `/etc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
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
    /// The cores of each NUMA node; empty where the kernel does not say.
    pub numa_nodes: BTreeMap<u16, BTreeSet<u16>>,
    /// The NUMA node of each device of the PCI bus that has one, by its bus id, `0000:65:00.0`.
    pub pci_numa_nodes: BTreeMap<String, u16>,
}

impl HostFacts {
    /// The NUMA node of the device with that bus id, if it has one. Where there is no choice, it is known of any device.
    pub fn numa_node_of(&self, bus_id: Option<&str>) -> Option<u16> {
        let told = bus_id.and_then(|bus_id| self.pci_numa_nodes.get(&whole_bus_id(bus_id)));
        told.copied().or_else(|| match self.numa_nodes.len() {
            0 => Some(0),
            1 => self.numa_nodes.keys().next().copied(),
            _ => None,
        })
    }
}

/// A bus id as the kernel writes it: in small letters, with its domain, of which people leave out the usual one.
fn whole_bus_id(bus_id: &str) -> String {
    let bus_id = bus_id.trim().to_lowercase();
    let parts: Vec<_> = bus_id.split(':').collect();
    match parts.as_slice() {
        [bus, device] => format!("0000:{bus:0>2}:{device}"),
        // Some tools write the domain with eight digits.
        [domain, bus, device] => format!("{:0>4}:{bus:0>2}:{device}", domain.trim_start_matches('0')),
        _ => bus_id,
    }
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
        let numa_nodes = numa_nodes(Path::new(NUMA_NODES));
        if !numa_nodes.is_empty() {
            attributes.insert("numa.node.count".into(), numa_nodes.len().to_string());
        }
        for (node, cores) in &numa_nodes {
            let cores: Vec<_> = cores.iter().map(ToString::to_string).collect();
            attributes.insert(format!("numa.node{node}.cores"), cores.join(","));
        }
        HostFacts {
            cores,
            core_mhz: core_mhz.unwrap_or(CORE_MHZ_UNKNOWN),
            memory_bytes,
            disk_mb: disk_mb(),
            attributes,
            numa_nodes,
            pci_numa_nodes: pci_numa_nodes(Path::new(PCI_DEVICES)),
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

/// Where the kernel lists NUMA nodes.
const NUMA_NODES: &str = "/sys/devices/system/node";
/// Where the kernel lists the devices of the PCI bus.
const PCI_DEVICES: &str = "/sys/bus/pci/devices";

/// The cores of each NUMA node, as a folder like [`NUMA_NODES`] tells.
fn numa_nodes(folder: &Path) -> BTreeMap<u16, BTreeSet<u16>> {
    let node = |name: &str| name.strip_prefix("node")?.parse::<u16>().ok();
    let cores = |name: &str| core_list(&first_line(&folder.join(name).join("cpulist").display().to_string()));
    names(folder).iter().filter_map(|name| Some((node(name)?, cores(name)))).collect()
}

/// The NUMA node of each device that has one, as a folder like [`PCI_DEVICES`] tells. The kernel writes -1 for none.
fn pci_numa_nodes(folder: &Path) -> BTreeMap<String, u16> {
    let node = |name: &str| first_line(&folder.join(name).join("numa_node").display().to_string()).parse().ok();
    names(folder).into_iter().filter_map(|name| Some((name.to_lowercase(), node(&name)?))).collect()
}

/// The names in a folder; none where it can't be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Cores as the kernel lists them: `0-3,8-11`.
fn core_list(text: &str) -> BTreeSet<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse::<u16>().ok()?..=last.trim().parse::<u16>().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
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
    fn a_bus_id_is_the_same_however_it_is_written() {
        for text in ["0000:65:00.0", "65:00.0", "0000:65:00.0 ", "00000000:65:00.0"] {
            assert_eq!(whole_bus_id(text), "0000:65:00.0", "{text}");
        }
        assert_eq!(whole_bus_id("0001:AF:00.1"), "0001:af:00.1");
        assert_eq!(whole_bus_id("AF:00.1"), "0000:af:00.1");
        assert_ne!(whole_bus_id("65:00.0"), whole_bus_id("65:00.1"));
        assert_ne!(whole_bus_id("0001:65:00.0"), whole_bus_id("0000:65:00.0"));
        assert_eq!(whole_bus_id("usb1"), "usb1");
    }

    #[test]
    fn numa_nodes_and_those_of_devices_are_read_from_the_kernels_folders() {
        let folder = std::env::temp_dir().join(format!("sched-numa-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("node/node0/cpulist", "0-1,4\n");
        write("node/node1/cpulist", "2-3,5\n");
        write("node/possible", "0-1\n");
        write("pci/0000:65:00.0/numa_node", "1\n");
        write("pci/0000:66:00.0/numa_node", "-1\n");
        let facts = HostFacts {
            numa_nodes: numa_nodes(&folder.join("node")),
            pci_numa_nodes: pci_numa_nodes(&folder.join("pci")),
            ..HostFacts::default()
        };
        let nothing = numa_nodes(&folder.join("absent"));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(facts.numa_nodes, [(0, [0, 1, 4].into()), (1, [2, 3, 5].into())].into());
        assert_eq!(facts.numa_node_of(Some("65:00.0")), Some(1));
        assert_eq!(facts.numa_node_of(Some("66:00.0")), None, "the kernel does not know");
        assert_eq!(facts.numa_node_of(None), None);
        assert_eq!(nothing, BTreeMap::new());
        assert_eq!(HostFacts::default().numa_node_of(None), Some(0), "there is one memory for all");
    }

    #[test]
    fn this_host_has_cores_memory_and_a_frequency() {
        let facts = RealHost::default().facts();
        assert!(facts.cores > 0 && facts.core_mhz > 0 && facts.memory_bytes > 0 && facts.disk_mb > 0);
        assert_eq!(facts.attributes["kernel.name"], "linux");
    }
}
