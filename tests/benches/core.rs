//! The first part of `make bench`: how fast the core decides, alone. `BENCH_QUICK=1` only shows that it works.

use std::process::ExitCode;

use tests::bench::{core, keep};

fn main() -> ExitCode {
    let quick = std::env::var("BENCH_QUICK").is_ok_and(|quick| quick != "0");
    let size = if quick { core::Size::QUICK } else { core::Size::FULL };
    let done = core::run(size).map(|report| report.to_string()).and_then(|report| {
        println!("{report}");
        if quick { Ok(()) } else { keep("core", &report) }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
