//! Another part of `make bench`: how fast jobspecs are read. `BENCH_QUICK=1` only shows that it works.

use std::process::ExitCode;

use tests::bench::{jobspecs, keep};

const RUNS: usize = 25;

fn main() -> ExitCode {
    let quick = std::env::var("BENCH_QUICK").is_ok_and(|quick| quick != "0");
    let done = jobspecs::run(if quick { 1 } else { RUNS }).map(|report| report.to_string()).and_then(|report| {
        println!("{report}");
        if quick { Ok(()) } else { keep("jobspecs", &report) }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
