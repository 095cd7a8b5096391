//! The binary `sched`.
//!
//! `sched agent` starts a server and/or a client agent in this process; every other command speaks HTTP to a server and
//! nothing else, but for those that work on files alone: `server init`, `server recover`, and most of `snapshot`. One subcommand is one file. Data goes to standard output, everything else to standard error; the exit
//! codes stand in [`exit`].
//!
//! Reading order: [`arguments`] lists the commands, [`http`] is how they reach a server, [`api`] is what they read,
//! [`find`] turns names into ids, [`show`] prints.

mod arguments;
mod argv;
mod exit;
mod failure;
mod session;

mod api;
mod find;
mod http;
mod jobspec;
mod show;

mod follow;
mod job;

mod alloc;
mod capacity;
mod completion;
mod deployment;
mod events;
mod node;
mod rebalance;
mod server;
mod service;
mod snapshot;
mod status;
mod version;
mod volume;

mod agent;
mod config;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::arguments::Arguments;
use crate::exit::Exit;

/// Servers hold millions of small objects for long, and free them on other threads than they were made on: the system's
/// allocator takes a quarter more CPU time for a burst of placements.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let root = Arguments::command();
    let argv = argv::normalise(std::env::args_os(), &root);
    let plans = argv.windows(2).any(|pair| (pair[0] == "job" || pair[0] == "rebalance") && pair[1] == "plan");
    let failed = if plans { Exit::PlanFailed } else { Exit::Failed };

    let parsed = root.try_get_matches_from(argv).and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // The closed pipe of `sched help | head` is no failure; clap's own code for misuse would read as
            // "placements failed".
            let _ = error.print();
            return if error.use_stderr() { failed.into() } else { Exit::Done.into() };
        }
    };
    match arguments::run(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            anstream::eprintln!("{failure}");
            failed.into()
        }
    }
}
