//! CPU time of the servers, of the load, and of everybody else on the machine, from `/proc`.

use std::time::Duration;

/// Ticks of `/proc` in a second: fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time since some origin, or between two looks, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cpu {
    /// The three servers.
    pub servers: f64,
    /// This process: client and agents.
    pub load: f64,
    /// All other processes.
    pub others: f64,
}

impl Cpu {
    /// Looks at `/proc`; `servers` are process ids.
    pub fn look(servers: &[u32]) -> Self {
        let of_servers: f64 = servers.iter().map(|id| of_process(&id.to_string())).sum();
        let load = of_process("self");
        Self { servers: of_servers, load, others: busy() - of_servers - load }
    }

    /// What was used since an earlier look.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            servers: self.servers - earlier.servers,
            load: self.load - earlier.load,
            others: (self.others - earlier.others).max(0.0),
        }
    }
}

/// Memory of processes that is in RAM, in MiB.
pub fn resident_mb(processes: &[u32]) -> u64 {
    let of = |id: &u32| -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    processes.iter().filter_map(of).sum::<u64>() / 1024
}

/// How long a span was, for people.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn of_process(id: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / TICKS_PER_SECOND
}

/// All cores together: user, nice, system, interrupts, and what the host of a virtual machine took away.
fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().filter_map(|at| ticks.get(*at)).sum::<f64>() / TICKS_PER_SECOND
}
