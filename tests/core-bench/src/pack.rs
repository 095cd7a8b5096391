//! `core-bench pack`: the core and its baselines on the same input.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use model::Algorithm;

use crate::baseline::{Baseline, Policy};
use crate::bound;
use crate::input::{Input, NodeSpec, fleet};
use crate::product::Product;
use crate::replay::{Manner, Outcome, Placer, replay};
use crate::report::{Line, Report};

/// Fleets of this many times the bound are the largest that are tried.
const FLEET_MAX: usize = 6;

/// Replay tasks over nodes, and measure how well they are packed
///
/// The core places them as in a server: nodes and jobs are registered, evaluations decided, plans
/// applied, ends observed. On the same input run first fit, a Nomad-like score over all nodes (the
/// least 10^free CPU share + 10^free memory share, ties to the first) and the same over two random
/// feasible nodes.
///
/// Nodes:  name,cpu,memory  and perhaps  disk,gpu_milli,class
/// Tasks:  arrival,job,cpu,memory  and perhaps  count,disk,gpu_milli,gpu_class,lifetime;  in order of arrival
/// Rules:  job,other_job,max_per_node  (0: never together; its own name: a cap)
///
/// CPU is in MHz, memory and disk in MiB, devices in thousandths of one (a node's are multiples of
/// 1000; a task asks for a share of one, or for whole ones), time in seconds. `gpu_class` may name
/// several models, `T4|P100`. An empty lifetime is for ever. The lifetime drives the replay only: no
/// policy sees it. What finds no node as it arrives is rejected for good. The gap is what the peak in
/// use, or the smallest fleet, has above the lower bound. Files that end with .gz are unpacked.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// The nodes
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// The tasks
    #[arg(long, value_name = "FILE")]
    tasks: PathBuf,
    /// Who may share a node; the core keeps caps, and what breaks other rules is counted
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// How the core chooses
    #[arg(long, value_enum, default_value = "binpack")]
    algorithm: Choice,
    /// Search the smallest fleet with zero rejections: the first nodes of the file, repeated if there are too few
    #[arg(long)]
    minimise_nodes: bool,
    /// All tasks as one list at once, and for ever
    #[arg(long)]
    batch: bool,
    /// Leave the core out
    #[arg(long)]
    baselines_only: bool,
    /// Print JSON in place of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Binpack,
    Spread,
}

/// Runs it; what is to be printed.
pub fn run(options: &Options) -> Result<String, String> {
    let input = Input::read(&options.nodes, &options.tasks, options.rules.as_deref())?;
    let manner = Manner { batch: options.batch, stop_at_rejection: false };
    let peak = if options.batch { bound::total(&input) } else { bound::peak(&input) };
    let bound = bound::nodes(peak, &input.nodes);
    let algorithm = match options.algorithm {
        Choice::Binpack => Algorithm::Binpack,
        Choice::Spread => Algorithm::Spread,
    };
    let core = if options.baselines_only { None } else { Some(Contestant::Core(algorithm)) };
    let mut lines = Vec::new();
    for contestant in core.into_iter().chain(Policy::ALL.map(Contestant::Baseline)) {
        let nodes = if options.minimise_nodes {
            let Some(count) = smallest(&input, contestant, manner, bound)? else {
                lines.push(Line::without_fleet(contestant.name(), FLEET_MAX));
                continue;
            };
            fleet(&input.nodes, count)
        } else {
            input.nodes.clone()
        };
        let outcome = contestant.play(&input, &nodes, manner)?;
        // What is compared with the bound: the fleet that was needed, or the nodes that were in use.
        let needed = if options.minimise_nodes { nodes.len() } else { outcome.peak_in_use };
        lines.push(Line::of(contestant.name(), nodes.len(), needed, bound, &outcome));
    }
    let report = Report { nodes: input.nodes.len(), instances: input.instances(), lower_bound: bound, lines };
    Ok(if options.json { report.json() } else { report.table() })
}

/// Who plays.
#[derive(Clone, Copy)]
enum Contestant {
    Core(Algorithm),
    Baseline(Policy),
}

impl Contestant {
    fn name(self) -> &'static str {
        match self {
            Contestant::Core(Algorithm::Binpack) => "core, binpack",
            Contestant::Core(Algorithm::Spread) => "core, spread",
            Contestant::Baseline(policy) => policy.as_str(),
        }
    }

    fn play(self, input: &Input, nodes: &[NodeSpec], manner: Manner) -> Result<Outcome, String> {
        let mut placer: Box<dyn Placer + '_> = match self {
            Contestant::Core(algorithm) => Box::new(Product::new(input, nodes, algorithm)?),
            Contestant::Baseline(policy) => Box::new(Baseline::new(policy, input, nodes)),
        };
        replay(input, nodes, &mut *placer, manner)
    }
}

/// The smallest fleet without rejections, by bisection above the bound; none below `FLEET_MAX` times it. That a larger
/// fleet rejects nothing either is near enough to the truth, but not always so.
fn smallest(
    input: &Input,
    contestant: Contestant,
    manner: Manner,
    bound: Option<usize>,
) -> Result<Option<usize>, String> {
    let bound = bound.ok_or("something is asked that no node has: there is no fleet without rejections")?.max(1);
    let manner = Manner { stop_at_rejection: true, ..manner };
    let suffices = |count: usize| -> Result<bool, String> {
        Ok(contestant.play(input, &fleet(&input.nodes, count), manner)?.rejected == 0)
    };
    let (mut too_small, mut enough) = (bound - 1, bound + bound / 16);
    while !suffices(enough)? {
        too_small = enough;
        enough += enough / 8 + 1;
        if enough > bound * FLEET_MAX {
            return Ok(None);
        }
    }
    while enough - too_small > 1 {
        let middle = (enough + too_small) / 2;
        if suffices(middle)? { enough = middle } else { too_small = middle }
    }
    Ok(Some(enough))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::input;

    const MANNER: Manner = Manner { batch: false, stop_at_rejection: false };

    #[test]
    fn the_smallest_fleet_is_found_for_the_core_and_for_each_baseline() {
        // Three pairs of 6 and 4 fill three nodes; first fit puts the fours together first.
        let tasks = "arrival,job,count,cpu,memory\n0,a,3,4,1\n0,b,3,6,1\n";
        let input = input("name,cpu,memory\nn,10,100\n", tasks, "").unwrap();
        let bound = bound::nodes(bound::peak(&input), &input.nodes);
        assert_eq!(bound, Some(3));
        for contestant in [Contestant::Core(Algorithm::Binpack), Contestant::Baseline(Policy::FirstFit)] {
            assert_eq!(smallest(&input, contestant, MANNER, bound), Ok(Some(4)), "{}", contestant.name());
        }
    }

    #[test]
    fn a_task_larger_than_every_node_has_no_fleet() {
        let input = input("name,cpu,memory\nn,10,100\n", "arrival,job,cpu,memory\n0,a,11,1\n", "").unwrap();
        let bound = bound::nodes(bound::peak(&input), &input.nodes);
        assert_eq!(smallest(&input, Contestant::Baseline(Policy::NomadAll), MANNER, bound), Ok(None));
    }

    #[test]
    fn the_core_and_the_baselines_agree_where_there_is_nothing_to_choose() {
        let tasks = "arrival,job,count,cpu,memory,lifetime\n0,a,2,10,10,5\n1,b,1,10,10,\n5,c,2,10,10,5\n";
        let input = input("name,cpu,memory\nn,10,10\nm,10,10\no,10,10\n", tasks, "").unwrap();
        for contestant in [Contestant::Core(Algorithm::Binpack), Contestant::Baseline(Policy::NomadTwo)] {
            let outcome = contestant.play(&input, &input.nodes, MANNER).unwrap();
            assert_eq!((outcome.placed, outcome.rejected, outcome.peak_in_use), (5, 0, 3), "{}", contestant.name());
        }
    }

    #[test]
    fn what_one_job_says_of_another_is_counted_for_the_core_and_kept_by_the_baselines() {
        let tasks = "arrival,job,count,cpu,memory\n0,a,1,1,1\n0,b,1,1,1\n";
        let rules = "job,other_job,max_per_node\na,b,0\n";
        let input = input("name,cpu,memory\nn,10,10\nm,10,10\n", tasks, rules).unwrap();
        let core = Contestant::Core(Algorithm::Binpack).play(&input, &input.nodes, MANNER).unwrap();
        assert_eq!((core.placed, core.violations), (2, 1));
        let baseline = Contestant::Baseline(Policy::FirstFit).play(&input, &input.nodes, MANNER).unwrap();
        assert_eq!((baseline.placed, baseline.violations), (2, 0));
    }
}
