//! The binary `core-bench`: measures the core alone, how well it packs and how fast it decides.
//!
//! `core-bench pack --nodes nodes.csv --tasks tasks.csv` replays arrivals and ends over the core itself (the state, its
//! commands and the scheduler, not a copy of the scorer) and, on the same input, over three baselines: first fit, a
//! Nomad-like score over all nodes, and the same over two sampled nodes. `core-bench convert` writes such files from
//! published data sets. `core-bench place` and `core-bench recover` are parts of `make bench`: they time decisions, and
//! saving and restoring a large state.
//!
//! Reading order: [`input`] is what is read, through [`csv`]; [`replay`] plays it over a [`replay::Placer`], of which
//! [`product`] is the core and [`baseline`] the others; [`cluster`] and [`bound`] are what is measured; [`pack`] runs
//! all of it and [`report`] prints. Called by people and by `make bench`.

mod csv;
mod input;

mod bound;
mod cluster;
mod replay;

mod baseline;
mod product;

mod pack;
mod report;

mod place;
mod recover;

mod convert;
mod files;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the core alone: how well it packs, and how fast it decides.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Pack(pack::Options),
    Place(place::Options),
    Recover(recover::Options),
    #[command(hide = true)]
    Weigh(recover::Weigh),
    Convert(convert::Options),
}

/// The one of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Pack(options) => pack::run(&options),
        Command::Place(options) => place::run(&options),
        Command::Recover(options) => recover::run(&options),
        Command::Weigh(options) => recover::weigh(&options),
        Command::Convert(options) => convert::run(&options),
    };
    match done {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
