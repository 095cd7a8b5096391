//! The table, with the machine that it is of and a sentence on what each row measures.

use std::fmt;
use std::time::Duration;

use super::host::Host;
use super::latency::Latency;
use super::place::Placed;
use super::rest::Rest;
use super::size::{FULL_PERCENT, Size};
use core_bench::numbers::median;

/// What all runs came to. Its text is Markdown.
pub struct Report {
    host: Host,
    /// A row for each run on nodes that all have an agent.
    pub rests: Vec<(Size, Rest)>,
    /// A row each run.
    pub placed: Vec<(Size, Placed)>,
    /// A row for each run that went on.
    pub latencies: Vec<(Size, Latency)>,
    /// Why measurements do not count.
    pub void: Vec<String>,
}

impl Report {
    /// An empty one.
    pub fn new(host: Host) -> Self {
        Self { host, rests: Vec::new(), placed: Vec::new(), latencies: Vec::new(), void: Vec::new() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine(f)?;
        self.summary(f)?;
        for reason in &self.void {
            writeln!(f, "{reason}\n")?;
        }
        self.deciles(f)?;
        self.cpu(f)
    }
}

impl Report {
    fn machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { model, cores, memory_mb, kernel, sync, load, date, commit } = &self.host;
        let [p50, p99] = sync;
        writeln!(
            f,
            "Measured {date}, commit {commit}, on {cores} cores of {model} with {memory_mb} MiB, Linux {kernel}."
        )?;
        writeln!(
            f,
            "`fdatasync` of 4 KiB before the first run: p50 {}, p99 {}. Load average before it: {load}.",
            fine(*p50),
            fine(*p99)
        )?;
        writeln!(f, "Three servers, all agents and the client share these cores; CPU time is given for each side.\n")
    }

    /// The sizes, in the order in which they were run.
    fn sizes(&self) -> Vec<Size> {
        let placed = self.placed.iter().map(|(size, _)| *size);
        let mut sizes = Vec::new();
        for size in self.rests.iter().map(|(size, _)| *size).chain(placed) {
            if !sizes.contains(&size) {
                sizes.push(size);
            }
        }
        sizes
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | median | worst | runs |\n|---|---|---|---|")?;
        let mut row = |name: String, unit: &str, values: Vec<f64>, worst: fn(f64, f64) -> f64| {
            let Some(worst) = values.iter().copied().reduce(worst) else { return Ok(()) };
            let runs = values.len();
            writeln!(f, "| {name} | {:.0} {unit} | {worst:.0} {unit} | {runs} |", median(values))
        };
        for size in self.sizes() {
            let of_size = || self.rests.iter().filter(|(of, _)| *of == size).map(|(_, rest)| rest);
            let rests = |value: fn(&Rest) -> f64| of_size().map(value).collect::<Vec<_>>();
            let load = format!("P6: {} agents that only beat, before {} jobs", size.streams, size.jobs);
            row(
                format!("{load}, CPU of the servers for 1000 beats"),
                "ms",
                rests(|run| run.for_1000(run.cpu.servers)),
                f64::max,
            )?;
            row(
                format!("{load}, CPU of the agents for 1000 beats"),
                "ms",
                rests(|run| run.for_1000(run.cpu.load)),
                f64::max,
            )?;
        }
        for size in self.sizes() {
            let of_size = || self.placed.iter().filter(|(of, _)| *of == size).map(|(_, placed)| placed);
            let placed = |value: fn(&Placed) -> f64| of_size().map(value).collect::<Vec<_>>();
            row(format!("P1: {size}, placements per second"), "/s", placed(Placed::rate), f64::min)?;
            row(
                format!("P1: {size}, last plan committed after"),
                "ms",
                placed(|run| ms(run.until_committed)),
                f64::max,
            )?;
            row(format!("P1: {size}, last task started after"), "ms", placed(|run| ms(run.until_started)), f64::max)?;
            row(format!("P1: {size}, all known to run after"), "ms", placed(|run| ms(run.until_running)), f64::max)?;
            let memory = |run: &Placed| run.servers_mb as f64 * f64::from(1 << 20) / 3.0 / run.placements as f64;
            row(format!("P1: {size}, memory of a server per instance at the end"), "B", placed(memory), f64::max)?;
        }
        for size in self.sizes() {
            let Size { nodes, rates, during, .. } = size;
            for rate in rates {
                let of_rate = || self.latencies.iter().filter(|(of, run)| *of == size && run.rate == rate);
                let latencies = |value: fn(&Latency) -> f64| of_rate().map(|(_, run)| value(run)).collect::<Vec<_>>();
                let seconds = during.as_secs();
                let load =
                    format!("P3: {rate} one-task jobs/s for {seconds} s on {nodes} nodes, {FULL_PERCENT} % full");
                row(format!("{load}, submit to running p50"), "ms", latencies(|run| ms(run.running[0])), f64::max)?;
                row(format!("{load}, submit to running p99"), "ms", latencies(|run| ms(run.running[1])), f64::max)?;
                row(
                    format!("{load}, submit to running, slowest"),
                    "ms",
                    latencies(|run| ms(run.running[2])),
                    f64::max,
                )?;
                row(format!("{load}, submit to answer p50"), "ms", latencies(|run| ms(run.answered[0])), f64::max)?;
                row(format!("{load}, submit to answer p99"), "ms", latencies(|run| ms(run.answered[1])), f64::max)?;
            }
        }
        writeln!(f)
    }

    fn deciles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "P1, placements per second in each tenth of the jobs, in the order of their commits:\n")?;
        let columns = self.placed.iter().map(|(_, run)| run.deciles.len()).max().unwrap_or_default();
        let heads: Vec<_> = (1..=columns).map(|decile| decile.to_string()).collect();
        writeln!(f, "| run | {} |\n|---|{}", heads.join(" | "), "---|".repeat(columns))?;
        for (number, (_, run)) in (1..).zip(&self.placed) {
            let rates: Vec<_> = run.deciles.iter().map(|rate| format!("{rate:.0}")).collect();
            writeln!(f, "| {number} | {} |", rates.join(" | "))?;
        }
        writeln!(f)
    }

    fn cpu(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "CPU seconds of each side, and what else was seen:\n")?;
        writeln!(
            f,
            "| run | seconds | servers | agents and client | other processes | servers' memory | streams opened anew | times a node was suspect |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for (number, (_, run)) in (1..).zip(&self.placed) {
            let (cpu, all) = (run.cpu_committed, run.cpu_running);
            let seconds = run.until_committed.as_secs_f64();
            writeln!(
                f,
                "| {number}, P1 until committed | {seconds:.1} | {:.1} | {:.1} | {:.1} | | | |",
                cpu.servers, cpu.load, cpu.others
            )?;
            writeln!(
                f,
                "| {number}, P1 until all run | {:.1} | {:.1} | {:.1} | {:.1} | {} MiB | {} | {} |",
                run.until_running.as_secs_f64(),
                all.servers,
                all.load,
                all.others,
                run.servers_mb,
                run.trouble.reopened,
                run.trouble.silences.suspect
            )?;
        }
        for (_, run) in &self.latencies {
            let Latency { cpu, lasted, trouble, .. } = run;
            writeln!(
                f,
                "| P3 at {}/s | {:.1} | {:.1} | {:.1} | {:.1} | | {} | {} |",
                run.rate,
                lasted.as_secs_f64(),
                cpu.servers,
                cpu.load,
                cpu.others,
                trouble.reopened,
                trouble.silences.suspect
            )?;
        }
        Ok(())
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn fine(duration: Duration) -> String {
    format!("{:.2} ms", ms(duration))
}
