//! Alibaba's GPU cluster of 2023, "openb": 6,212 GPUs, pods with shares of one or several whole ones.
//!
//! As in the published experiment, pods are drawn at random, each once and then again, until what they ask of GPUs is a
//! given percentage of what there is; they arrive one after the other and stay. Without that percentage they come and go
//! as recorded. A thousandth of a core is a MHz.

use std::path::PathBuf;

use clap::Args;

use super::{Row, Tables, To};
use crate::csv::Table;
use crate::files;
use crate::input::{NodeSpec, WHOLE};

const NODE_COLUMNS: [&str; 5] = ["sn", "cpu_milli", "memory_mib", "gpu", "model"];
const POD_COLUMNS: [&str; 11] = [
    "name",
    "cpu_milli",
    "memory_mib",
    "num_gpu",
    "gpu_milli",
    "gpu_spec",
    "qos",
    "pod_phase",
    "creation_time",
    "deletion_time",
    "scheduled_time",
];

/// Alibaba's GPU cluster of 2023 (openb)
#[derive(Args)]
pub(super) struct Options {
    /// The folder of the set
    folder: PathBuf,
    #[command(flatten)]
    pub(super) to: To,
    /// The pods: default, cpu250, gpushare100 …
    #[arg(long, default_value = "default")]
    pods: String,
    /// The nodes: all_node or gpu_node
    #[arg(long, default_value = "all_node")]
    nodes: String,
    /// Draw pods until they ask this percentage of all GPUs, for ever; without it, replay what was recorded
    #[arg(long, value_name = "PERCENT")]
    arrivals: Option<u64>,
    /// The seed of the draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn convert(options: &Options) -> Result<Tables, String> {
    let name = format!("openb_node_list_{}.csv", options.nodes);
    let nodes = nodes(&name, &files::read_in(&options.folder, &name)?)?;
    let name = format!("openb_pod_list_{}.csv", options.pods);
    let mut tasks = pods(&name, &files::read_in(&options.folder, &name)?)?;
    if let Some(percent) = options.arrivals {
        let gpus: u64 = nodes.iter().map(|node| node.devices as u64 * WHOLE).sum();
        tasks = drawn(&tasks, gpus * percent / 100, options.seed)?;
    }
    Ok(Tables { nodes, tasks, rules: Vec::new() })
}

fn nodes(file: &str, text: &str) -> Result<Vec<NodeSpec>, String> {
    let table = Table::parse(file, text, &NODE_COLUMNS, &[])?;
    let number = |row: crate::csv::Row<'_>, column| Ok::<u64, String>(row.number(column)?.unwrap_or(0));
    let node = |row: crate::csv::Row<'_>| {
        Ok(NodeSpec {
            name: row.text("sn").into(),
            capacity: [number(row, "cpu_milli")?, number(row, "memory_mib")?, 0],
            devices: number(row, "gpu")? as usize,
            class: row.text("model").into(),
        })
    };
    table.rows().map(node).collect()
}

/// The pods in the order of their creation.
fn pods(file: &str, text: &str) -> Result<Vec<Row>, String> {
    let table = Table::parse(file, text, &POD_COLUMNS, &[])?;
    let number = |row: crate::csv::Row<'_>, column| Ok::<u64, String>(row.number(column)?.unwrap_or(0));
    let pod = |row: crate::csv::Row<'_>| {
        let (count, milli) = (number(row, "num_gpu")?, number(row, "gpu_milli")?);
        let (arrival, end) = (number(row, "creation_time")?, row.number("deletion_time")?);
        Ok(Row {
            arrival,
            job: row.text("name").into(),
            count: 1,
            cpu: number(row, "cpu_milli")?,
            memory: number(row, "memory_mib")?,
            gpu_milli: if count == 1 { milli } else { count * WHOLE },
            gpu_class: row.text("gpu_spec").into(),
            lifetime: end.map(|end| end.saturating_sub(arrival)),
            ..Row::default()
        })
    };
    let mut rows = table.rows().map(pod).collect::<Result<Vec<Row>, String>>()?;
    rows.sort_by_key(|row| row.arrival);
    Ok(rows)
}

/// Pods in random order, each once and then at random, until they ask `wanted` thousandths of devices.
fn drawn(pods: &[Row], wanted: u64, seed: u64) -> Result<Vec<Row>, String> {
    if pods.iter().all(|pod| pod.gpu_milli == 0) {
        return Err("no pod asks for GPUs: they never reach a percentage of them".into());
    }
    let mut random = seed;
    let mut below = |number: usize| {
        // splitmix64
        random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % number as u64) as usize
    };
    let mut order: Vec<usize> = (0..pods.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, below(at + 1));
    }
    let mut rows = Vec::new();
    let mut asked = 0;
    while asked < wanted {
        let at = order.pop().unwrap_or_else(|| below(pods.len()));
        let number = rows.len() as u64;
        rows.push(Row {
            arrival: number,
            job: format!("{}-{number}", pods[at].job),
            lifetime: None,
            ..pods[at].clone()
        });
        asked += pods[at].gpu_milli;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PODS: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n\
        b,1000,10,8,1000,,LS,Running,50,60,50\n\
        a,500,10,1,460,T4|P100,LS,Running,20,45,20\n\
        c,500,10,0,0,,BE,Running,70,90,\n";

    #[test]
    fn several_gpus_are_whole_ones_and_a_part_of_one_is_a_share() {
        let pods = pods("pods", PODS).unwrap();
        let read: Vec<_> = pods.iter().map(|pod| (pod.job.as_str(), pod.gpu_milli, pod.lifetime)).collect();
        assert_eq!(read, [("a", 460, Some(25)), ("b", 8000, Some(10)), ("c", 0, Some(20))]);
        assert_eq!(pods[0].gpu_class, "T4|P100");
    }

    #[test]
    fn pods_are_drawn_each_once_and_then_again_until_enough_is_asked() {
        let pods = pods("pods", PODS).unwrap();
        let rows = drawn(&pods, 20_000, 3).unwrap();
        let asked: u64 = rows.iter().map(|row| row.gpu_milli).sum();
        assert!(asked >= 20_000 && asked - rows.last().unwrap().gpu_milli < 20_000, "{asked}");
        let mut first: Vec<_> = rows[..3].iter().map(|row| row.job[..1].to_string()).collect();
        first.sort();
        assert_eq!(first, ["a", "b", "c"]);
        assert!(rows.iter().all(|row| row.lifetime.is_none()));
        assert_eq!(drawn(&pods, 20_000, 3).unwrap(), rows);
        assert!(drawn(&pods[2..], 1, 3).is_err());
    }

    #[test]
    fn nodes_have_whole_devices_of_their_model() {
        let nodes = nodes("nodes", "sn,cpu_milli,memory_mib,gpu,model\nn,64000,262144,2,P100\nm,96000,1,0,\n").unwrap();
        assert_eq!((nodes[0].devices, nodes[0].class.as_str()), (2, "P100"));
        assert_eq!((nodes[1].devices, nodes[1].capacity), (0, [96_000, 1, 0]));
    }
}
