//! Arrivals of virtual machines at Azure in 2017, in the form of trace_generation_rnn.
//!
//! `v1.<split>.txt` has a line per five minutes: seconds, a space, and letters of flavours with `|` after each tenant's
//! batch. `v1.<split>.c<second>.txt` has the same shape: `U<bin>` for a known lifetime, `C<bin>` for what was alive at
//! the end. `flav_map.txt` says what a flavour asks, `v1.interval_map.txt` which seconds a bin holds; the middle of a
//! bin is the lifetime. Equal machines that follow each other in a batch become one line. A vCPU is 1000 MHz.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::{Row, Tables, To, equal_nodes};
use crate::files;

/// Arrivals of virtual machines at Azure in 2017 (trace_generation_rnn)
#[derive(Args)]
pub(super) struct Options {
    /// The folder of the set
    folder: PathBuf,
    #[command(flatten)]
    pub(super) to: To,
    /// The split that has lifetimes
    #[arg(long, default_value = "dev")]
    split: String,
    /// The second at which the split's lifetimes end
    #[arg(long, default_value_t = 2_100_000)]
    until: u64,
    /// vCPU of a node
    #[arg(long, default_value_t = 40)]
    vcpu: u64,
    /// Memory of a node in GiB
    #[arg(long, default_value_t = 112)]
    memory_gb: u64,
    /// Nodes
    #[arg(long, default_value_t = 1)]
    nodes: usize,
}

pub(super) fn convert(options: &Options) -> Result<Tables, String> {
    let read = |name: &str| files::read_in(&options.folder, name);
    let flavours = flavours(&read("flav_map.txt")?)?;
    let lifetimes = lifetimes(&read("v1.interval_map.txt")?)?;
    let kinds = read(&format!("v1.{}.txt", options.split))?;
    let ends = read(&format!("v1.{}.c{}.txt", options.split, options.until))?;
    let nodes = equal_nodes(options.nodes, [options.vcpu * 1000, options.memory_gb * 1024, 0]);
    Ok(Tables { nodes, tasks: tasks(&kinds, &ends, &flavours, &lifetimes)?, rules: Vec::new() })
}

/// What each letter asks: MHz and MiB.
fn flavours(text: &str) -> Result<BTreeMap<String, (u64, u64)>, String> {
    let flavour = |line: &str| {
        let (ask, letter) = line.split_once(' ')?;
        let (vcpu, memory_gb) = ask.split_once(',')?;
        let memory_gb: f64 = memory_gb.parse().ok()?;
        Some((letter.trim().to_string(), (vcpu.parse::<u64>().ok()? * 1000, (memory_gb * 1024.0) as u64)))
    };
    let known = |(at, line)| flavour(line).ok_or_else(|| wrong("flav_map.txt", at, "`vcpu,memory letter`"));
    text.lines().enumerate().map(known).collect()
}

/// The middle of each bin, in seconds.
fn lifetimes(text: &str) -> Result<BTreeMap<u64, u64>, String> {
    let mut bins: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let numbers: Option<Vec<u64>> = line.split_whitespace().map(|number| number.parse().ok()).collect();
        let Some([seconds, bin]) = numbers.as_deref() else {
            return Err(wrong("v1.interval_map.txt", at, "`seconds bin`"));
        };
        let known = bins.entry(*bin).or_insert((*seconds, *seconds));
        *known = (known.0.min(*seconds), known.1.max(*seconds));
    }
    Ok(bins.into_iter().map(|(bin, (first, last))| (bin, (first + last) / 2)).collect())
}

fn tasks(
    kinds: &str,
    ends: &str,
    flavours: &BTreeMap<String, (u64, u64)>,
    lifetimes: &BTreeMap<u64, u64>,
) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    let mut batch = 0;
    for (at, (kinds, ends)) in kinds.lines().zip(ends.lines()).enumerate() {
        let wrong = || wrong("the trace", at, "the same seconds and batches in both files, of known flavours and bins");
        let (arrival, kinds) = kinds.split_once(' ').ok_or_else(wrong)?;
        let (same, ends) = ends.split_once(' ').ok_or_else(wrong)?;
        let arrival = arrival.parse().ok().filter(|_| arrival == same).ok_or_else(wrong)?;
        for (kind, end) in kinds.split(',').zip(ends.split(',')).filter(|(kind, _)| !kind.is_empty()) {
            if kind == "|" {
                batch += 1;
                continue;
            }
            let (cpu, memory) = *flavours.get(kind).ok_or_else(wrong)?;
            let lifetime = match end.split_at_checked(1) {
                Some(("C", _)) => None,
                Some(("U", bin)) => {
                    let bin = bin.parse().map_err(|_| wrong())?;
                    Some(*lifetimes.get(&bin).ok_or_else(wrong)?)
                }
                _ => return Err(wrong()),
            };
            let row = Row { arrival, job: format!("batch-{batch}"), count: 1, cpu, memory, lifetime, ..Row::default() };
            match rows.last_mut().filter(|last| Row { count: 1, ..(*last).clone() } == row) {
                Some(last) => last.count += 1,
                None => rows.push(row),
            }
        }
    }
    Ok(rows)
}

fn wrong(file: &str, at: usize, wanted: &str) -> String {
    format!("{file}, line {}: should be {wanted}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kinds: &str, ends: &str) -> Result<Vec<Row>, String> {
        let flavours = flavours("1,1.75 b\n2,3.5 g\n")?;
        tasks(kinds, ends, &flavours, &lifetimes("0 0\n300 1\n600 1\n900 1\n")?)
    }

    #[test]
    fn equal_machines_of_a_batch_are_one_line_and_lifetimes_are_the_middle_of_their_bin() {
        let rows = read("300 b,b,g,|,g,|,\n600 b,|,\n", "300 U1,U1,C7,|,C7,|,\n600 U0,|,\n").unwrap();
        let lines: Vec<_> = rows
            .iter()
            .map(|row| (row.arrival, row.job.as_str(), row.count, row.cpu, row.memory, row.lifetime))
            .collect();
        let wanted = [
            (300, "batch-0", 2, 1000, 1792, Some(600)),
            (300, "batch-0", 1, 2000, 3584, None),
            (300, "batch-1", 1, 2000, 3584, None),
            (600, "batch-2", 1, 1000, 1792, Some(0)),
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused_with_the_line() {
        assert!(read("300 b,|,\n", "600 U1,|,\n").unwrap_err().starts_with("the trace, line 1"));
        assert!(read("300 z,|,\n", "300 U1,|,\n").unwrap_err().starts_with("the trace, line 1"));
        assert!(read("300 b,|,\n", "300 U9,|,\n").unwrap_err().starts_with("the trace, line 1"));
        assert_eq!(flavours("1;2 b\n").unwrap_err(), "flav_map.txt, line 1: should be `vcpu,memory letter`");
    }
}
