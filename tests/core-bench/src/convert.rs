//! `core-bench convert`: published data sets become files for `pack`.
//!
//! Each converter is a function from the texts of a set to tables; only this file reads and writes.

mod azure;
mod openb;
mod tianchi;
mod vbp;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::files;
use crate::input::{NodeSpec, WHOLE};

/// Turn a published data set into files for `pack`
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    set: Set,
}

#[derive(Subcommand)]
enum Set {
    Azure(azure::Options),
    Openb(openb::Options),
    Tianchi(tianchi::Options),
    Vbp(vbp::Options),
}

/// Where the files go.
#[derive(Args)]
struct To {
    /// The folder for nodes.csv, tasks.csv and, where there are any, rules.csv
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// What a converter makes.
struct Tables {
    nodes: Vec<NodeSpec>,
    tasks: Vec<Row>,
    /// Job, other job, how many of that at most; none if the set knows of no rules.
    rules: Vec<(String, String, u64)>,
}

/// A line of tasks.csv.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Row {
    arrival: u64,
    job: String,
    count: u64,
    cpu: u64,
    memory: u64,
    disk: u64,
    gpu_milli: u64,
    gpu_class: String,
    lifetime: Option<u64>,
}

/// Runs it; what is to be printed.
pub fn run(options: &Options) -> Result<String, String> {
    let (tables, to) = match &options.set {
        Set::Azure(options) => (azure::convert(options)?, &options.to.to),
        Set::Openb(options) => (openb::convert(options)?, &options.to.to),
        Set::Tianchi(options) => (tianchi::convert(options)?, &options.to.to),
        Set::Vbp(options) => (vbp::convert(options)?, &options.to.to),
    };
    write(&tables, to)
}

fn write(tables: &Tables, to: &Path) -> Result<String, String> {
    let nodes = files::write_in(to, "nodes.csv", &nodes_csv(&tables.nodes))?;
    let tasks = files::write_in(to, "tasks.csv", &tasks_csv(&tables.tasks))?;
    let instances: u64 = tables.tasks.iter().map(|row| row.count).sum();
    let lines = tables.tasks.len();
    let mut text = format!("{}: {} nodes\n", nodes.display(), tables.nodes.len());
    let _ = writeln!(text, "{}: {instances} instances in {lines} lines", tasks.display());
    if !tables.rules.is_empty() {
        let rules = files::write_in(to, "rules.csv", &rules_csv(&tables.rules))?;
        let _ = writeln!(text, "{}: {} rules", rules.display(), tables.rules.len());
    }
    Ok(text)
}

fn rules_csv(rules: &[(String, String, u64)]) -> String {
    let mut text = String::from("job,other_job,max_per_node\n");
    for (job, other, max) in rules {
        let _ = writeln!(text, "{job},{other},{max}");
    }
    text
}

fn nodes_csv(nodes: &[NodeSpec]) -> String {
    let mut text = String::from("name,cpu,memory,disk,gpu_milli,class\n");
    for node in nodes {
        let [cpu, memory, disk] = node.capacity;
        let _ = writeln!(text, "{},{cpu},{memory},{disk},{},{}", node.name, node.devices as u64 * WHOLE, node.class);
    }
    text
}

fn tasks_csv(tasks: &[Row]) -> String {
    let mut text = String::from("arrival,job,count,cpu,memory,disk,gpu_milli,gpu_class,lifetime\n");
    for row in tasks {
        let lifetime = row.lifetime.map(|lifetime| lifetime.to_string()).unwrap_or_default();
        let Row { arrival, job, count, cpu, memory, disk, gpu_milli, gpu_class, .. } = row;
        let _ = writeln!(text, "{arrival},{job},{count},{cpu},{memory},{disk},{gpu_milli},{gpu_class},{lifetime}");
    }
    text
}

/// `count` equal nodes.
fn equal_nodes(count: usize, capacity: [u64; 3]) -> Vec<NodeSpec> {
    let node = |at: usize| NodeSpec { name: format!("node-{at:05}"), capacity, devices: 0, class: String::new() };
    (0..count).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::input;

    #[test]
    fn what_is_written_can_be_read_and_is_the_same() {
        let nodes = vec![NodeSpec { name: "a".into(), capacity: [1, 2, 3], devices: 2, class: "T4".into() }];
        let row = Row {
            arrival: 7,
            job: "j".into(),
            count: 2,
            cpu: 4,
            memory: 5,
            disk: 6,
            gpu_milli: 500,
            gpu_class: "T4|P100".into(),
            lifetime: Some(8),
        };
        let tasks = vec![row.clone(), Row { lifetime: None, ..row }];
        let read = input(&nodes_csv(&nodes), &tasks_csv(&tasks), &rules_csv(&[("j".into(), "j".into(), 3)])).unwrap();
        assert_eq!(read.rules.len(), 1);
        assert_eq!(read.nodes, nodes);
        assert_eq!(read.tasks[0].lifetime, Some(8));
        assert_eq!(read.tasks[1].lifetime, None);
        assert_eq!(read.tasks[0].ask.amounts, [4, 5, 6]);
        assert_eq!(read.tasks[0].ask.classes, ["T4", "P100"]);
    }
}
