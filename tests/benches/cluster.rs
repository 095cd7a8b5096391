//! `make bench`: measures, prints the table, and keeps it in BENCHMARKS.md between two marks; the text around them is
//! written by hand. A measurement that is void is a result as well, and stands in the table with its reason.
//! `BENCH_QUICK=1` only shows in seconds that it works: what it prints means nothing. `BENCH_NODES`, `BENCH_STREAMS`,
//! `BENCH_JOBS` and `BENCH_RUNS` make another size, of which nothing is kept.

use std::process::ExitCode;

use tests::bench::{self, Size};

/// The one of the product, whose agents run here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let quick = number("BENCH_QUICK").is_some_and(|quick| quick > 0);
    let usual: &[Size] = if quick { &Size::QUICK } else { &Size::FULL };
    let one = own_size(usual[0]);
    let report = match bench::run(one.as_ref().map_or(usual, std::slice::from_ref)) {
        Ok(report) => report.to_string(),
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    };
    println!("{report}");
    if quick || one.is_some() {
        println!("Not the full size: nothing is kept.");
        return ExitCode::SUCCESS;
    }
    match bench::keep("cluster", &report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("BENCHMARKS.md: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// The size that was asked for, if one was.
fn own_size(usual: Size) -> Option<Size> {
    let [nodes, streams, jobs, runs] = ["BENCH_NODES", "BENCH_STREAMS", "BENCH_JOBS", "BENCH_RUNS"].map(number);
    let is_asked = [nodes, streams, jobs, runs].iter().any(Option::is_some);
    let nodes = nodes.unwrap_or(usual.nodes);
    let streams = streams.unwrap_or(nodes);
    // What runs nowhere never comes to rest.
    let latency_runs = if streams == nodes { usual.latency_runs } else { 0 };
    let (jobs, runs) = (jobs.unwrap_or(usual.jobs), runs.unwrap_or(usual.runs));
    is_asked.then_some(Size { nodes, streams, jobs, runs, latency_runs, ..usual })
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}
