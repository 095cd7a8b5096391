//! The Tianchi scheduling contest of Alibaba, 2018: instances of apps with anti-affinity, all there from the start.
//!
//! The files have no heads. Machines: `id,cpu,memory,disk,p,m,pm`. Apps: `id,cpu,memory,disk,p,m,pm`, where CPU and memory
//! are series over a day with `|` between the values. Instances: `id,app,machine`. Interference: `app,other,k`, at most k
//! of the other beside the app; of the app itself beside one, so k + 1. CPU is in cores, memory and disk in GiB. An
//! instance asks for the peaks of its app; `p`, `m` and `pm`, three labels of the contest, and where an instance ran
//! before are left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::{Row, Tables, To};
use crate::files;
use crate::input::NodeSpec;

/// The Tianchi scheduling contest of Alibaba, 2018
#[derive(Args)]
pub(super) struct Options {
    /// Machine resources
    #[arg(long, value_name = "FILE")]
    machines: PathBuf,
    /// App resources
    #[arg(long, value_name = "FILE")]
    apps: PathBuf,
    /// Instances, in the order of their arrival
    #[arg(long, value_name = "FILE")]
    instances: PathBuf,
    /// App interference
    #[arg(long, value_name = "FILE")]
    interference: Option<PathBuf>,
    #[command(flatten)]
    pub(super) to: To,
}

pub(super) fn convert(options: &Options) -> Result<Tables, String> {
    let read = |path: &PathBuf| Ok::<_, String>((path.display().to_string(), files::read(path)?));
    let (file, text) = read(&options.machines)?;
    let nodes = nodes(&file, &text)?;
    let (file, text) = read(&options.apps)?;
    let apps = apps(&file, &text)?;
    let (file, text) = read(&options.instances)?;
    let tasks = tasks(&file, &text, &apps)?;
    let rules = match &options.interference {
        None => Vec::new(),
        Some(path) => {
            let (file, text) = read(path)?;
            rules(&file, &text)?
        }
    };
    Ok(Tables { nodes, tasks, rules })
}

fn nodes(file: &str, text: &str) -> Result<Vec<NodeSpec>, String> {
    let node = |(line, fields): (usize, Vec<&str>)| {
        let [name, cpu, memory, disk, ..] = fields.as_slice() else { return Err(wrong(file, line, "7 fields")) };
        let capacity = amounts([cpu, memory, disk]).ok_or_else(|| wrong(file, line, "numbers"))?;
        Ok(NodeSpec { name: (*name).into(), capacity, devices: 0, class: String::new() })
    };
    lines(text).map(node).collect()
}

fn apps(file: &str, text: &str) -> Result<BTreeMap<String, [u64; 3]>, String> {
    let app = |(line, fields): (usize, Vec<&str>)| {
        let [name, cpu, memory, disk, ..] = fields.as_slice() else { return Err(wrong(file, line, "7 fields")) };
        let ask = amounts([cpu, memory, disk]).ok_or_else(|| wrong(file, line, "numbers with `|` between them"))?;
        Ok(((*name).to_string(), ask))
    };
    lines(text).map(app).collect()
}

fn tasks(file: &str, text: &str, apps: &BTreeMap<String, [u64; 3]>) -> Result<Vec<Row>, String> {
    let task = |(line, fields): (usize, Vec<&str>)| {
        let [_, app, ..] = fields.as_slice() else { return Err(wrong(file, line, "`instance,app,machine`")) };
        let [cpu, memory, disk] = *apps.get(*app).ok_or_else(|| wrong(file, line, "an app of the apps' file"))?;
        Ok(Row { job: (*app).into(), count: 1, cpu, memory, disk, ..Row::default() })
    };
    lines(text).map(task).collect()
}

fn rules(file: &str, text: &str) -> Result<Vec<(String, String, u64)>, String> {
    let rule = |(line, fields): (usize, Vec<&str>)| {
        let [app, other, most] = fields.as_slice() else { return Err(wrong(file, line, "`app,other,k`")) };
        let most: u64 = most.parse().map_err(|_| wrong(file, line, "a whole number for k"))?;
        Ok(((*app).to_string(), (*other).to_string(), most + u64::from(app == other)))
    };
    lines(text).map(rule).collect()
}

fn lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| (at + 1, line.split(',').map(str::trim).collect()))
}

/// Cores, GiB and GiB, each the peak of its series, in MHz, MiB and MiB; what is asked is never rounded down.
fn amounts([cpu, memory, disk]: [&str; 3]) -> Option<[u64; 3]> {
    let peak = |series: &str, unit: f64| {
        let values: Option<Vec<f64>> = series.split('|').map(|value| value.parse().ok()).collect();
        let peak = values?.into_iter().fold(0.0, f64::max);
        // What exceeds a unit by less than a thousandth is an error of the representation, not a need.
        Some((peak * unit - 0.001).ceil().max(0.0) as u64)
    };
    Some([peak(cpu, 1000.0)?, peak(memory, 1024.0)?, peak(disk, 1024.0)?])
}

fn wrong(file: &str, line: usize, wanted: &str) -> String {
    format!("{file}, line {line}: should be {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_asks_for_the_peaks_of_its_app() {
        let apps = apps("apps", "app_1,0.5|2.25|1,1|1.5,60,0,0,0\n").unwrap();
        let tasks = tasks("instances", "inst_1,app_1,\ninst_2,app_1,machine_3\n", &apps).unwrap();
        assert_eq!(tasks.len(), 2);
        assert_eq!(
            (tasks[0].job.as_str(), tasks[0].cpu, tasks[0].memory, tasks[0].disk),
            ("app_1", 2250, 1536, 61_440)
        );
        assert_eq!(
            nodes("machines", "machine_1,92,288,1024,7,7,9\n").unwrap()[0].capacity,
            [92_000, 294_912, 1_048_576]
        );
    }

    #[test]
    fn an_app_beside_itself_is_counted_too() {
        let read = rules("rules", "app_1,app_2,0\napp_1,app_1,1\n").unwrap();
        assert_eq!(read, [("app_1".into(), "app_2".into(), 0), ("app_1".into(), "app_1".into(), 2)]);
    }

    #[test]
    fn what_can_not_be_read_is_said_with_file_and_line() {
        assert_eq!(
            tasks("i", "inst_1,app_9,\n", &BTreeMap::new()).unwrap_err(),
            "i, line 1: should be an app of the apps' file"
        );
        assert_eq!(
            apps("a", "\napp_1,x,1,1,0,0,0\n").unwrap_err(),
            "a, line 2: should be numbers with `|` between them"
        );
    }
}
