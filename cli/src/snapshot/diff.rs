//! `sched snapshot diff`: what differs between two backups, table by table. Speaks to no server.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::{Value, json};
use server::backup::{Compared, Difference, compare};

use super::contents::open;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, Tone, text};

/// Differences of a table that are listed, unless all are asked for.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// Arguments of `snapshot diff`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The older backup
    before: PathBuf,
    /// The newer backup
    after: PathBuf,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (before, before_state) = open(&args.before)?;
    let (after, after_state) = open(&args.after)?;
    let tables = compare(&before_state, &after_state);
    if session.json {
        let tables: Vec<Value> = tables.iter().map(json_of).collect();
        show::json(&json!({
            "Before": { "Cluster": before.header.cluster.to_string(), "Index": before.header.index },
            "After": { "Cluster": after.header.cluster.to_string(), "Index": after.header.index },
            "Tables": tables,
        }))?;
        return Ok(Exit::Done);
    }
    if before.header.cluster != after.header.cluster {
        show::warning("these are backups of two clusters");
    }
    show::line(format_args!("index {} -> {}", before.header.index, after.header.index));
    for table in tables {
        print(&table, session.verbose);
    }
    Ok(Exit::Done)
}

fn print(table: &Compared, all: bool) {
    let Compared { before, after, differences, .. } = table;
    if differences.is_empty() {
        show::line(format_args!("{}: {before}, the same", table.table.name()));
        return;
    }
    show::line(format_args!("{}: {before} -> {after}, {} differ", table.table.name(), differences.len()));
    let shown = if all { differences.len() } else { DIFFERENCES_SHOWN_MAX };
    for difference in differences.iter().take(shown) {
        let (tone, line) = match difference {
            Difference::Added(what) => (Tone::Good, format!("  + {}", text::escape(what))),
            Difference::Removed(what) => (Tone::Bad, format!("  - {}", text::escape(what))),
            Difference::Changed(id, was, is) if was == is => {
                (Tone::Busy, format!("  ~ {} {}", text::escape(id), text::escape(is)))
            }
            Difference::Changed(id, was, is) => {
                (Tone::Busy, format!("  ~ {} {} -> {}", text::escape(id), text::escape(was), text::escape(is)))
            }
        };
        show::line(tone.paint(&line));
    }
    if differences.len() > shown {
        show::line(format_args!("  ... and {} more", differences.len() - shown));
    }
}

fn json_of(table: &Compared) -> Value {
    let difference = |difference: &Difference| match difference {
        Difference::Added(what) => json!({ "Added": what }),
        Difference::Removed(what) => json!({ "Removed": what }),
        Difference::Changed(id, was, is) => json!({ "Changed": id, "Before": was, "After": is }),
    };
    json!({
        "Table": table.table.name(),
        "Before": table.before,
        "After": table.after,
        "Differences": table.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}
