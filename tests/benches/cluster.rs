//! `make bench`: measures, prints the table, and keeps it in BENCHMARKS.md between two marks; the text around them is
//! written by hand. A measurement that is void is a result as well, and stands in the table with its reason.
//! `BENCH_QUICK=1` only shows in seconds that it works: what it prints means nothing. `BENCH_NODES`, `BENCH_JOBS` and
//! `BENCH_RUNS` make another size, of which nothing is kept.

use std::process::ExitCode;

use tests::bench::{self, Size};

fn main() -> ExitCode {
    let quick = number("BENCH_QUICK").is_some_and(|quick| quick > 0);
    let mut size = if quick { Size::QUICK } else { Size::FULL };
    size.nodes = number("BENCH_NODES").unwrap_or(size.nodes);
    size.jobs = number("BENCH_JOBS").unwrap_or(size.jobs);
    size.runs = number("BENCH_RUNS").unwrap_or(size.runs);
    let report = match bench::run(size) {
        Ok(report) => report.to_string(),
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    };
    println!("{report}");
    if size != Size::FULL {
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

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}
