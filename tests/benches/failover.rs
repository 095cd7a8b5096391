//! The part of `make bench` that kills leaders (P11): prints how long the cluster took no write, and keeps the table in
//! BENCHMARKS.md. `BENCH_KILLS` says how often; `BENCH_QUICK=1` only shows that it works. Of these nothing is kept.

use std::process::ExitCode;

use tests::bench;
use tests::bench::host::Host;
use tests::chaos::cluster::Cluster;
use tests::chaos::failover::{Failover, kill_leaders};

const SERVERS: usize = 3;
const WRITES_PER_SECOND: u32 = 200;
const KILLS: usize = 100;
const KILLS_QUICK: usize = 3;

fn main() -> ExitCode {
    let quick = number("BENCH_QUICK").is_some_and(|quick| quick > 0);
    let asked = number("BENCH_KILLS");
    let kills = asked.unwrap_or(if quick { KILLS_QUICK } else { KILLS });
    match run(kills, !quick && asked.is_none()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(kills: usize, kept: bool) -> Result<(), String> {
    let host = bench::host()?;
    let failover = kill_leaders(&mut Cluster::start("failover", SERVERS), kills, WRITES_PER_SECOND);
    let table = table(&host, &failover);
    println!("{table}");
    if kept {
        return bench::keep("failover", &table);
    }
    println!("Not the full size: nothing is kept.");
    Ok(())
}

fn table(host: &Host, failover: &Failover) -> String {
    let Host { model, cores, memory_mb, kernel, sync, load, date, commit } = host;
    let ms = |time: std::time::Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    let Failover { servers, per_second, acknowledged, first_writes, .. } = failover;
    let what = format!("P11: kill -9 of the leader of {servers} servers at {per_second} writes/s");
    let row = |what: String, of: &dyn Fn(u32) -> std::time::Duration| {
        let [p50, p99, most] = [50, 99, 100].map(|percent| format!("{:.0} ms", of(percent).as_secs_f64() * 1e3));
        format!("| {what} | {p50} | {p99} | {most} | {} |\n", first_writes.len())
    };
    format!(
        "Measured {date}, commit {commit}, on {cores} cores of {model} with {memory_mb} MiB, Linux {kernel}.\n\
         `fdatasync` of 4 KiB before it: p50 {}, p99 {}. Load average before it: {load}. Of {acknowledged} acknowledged \
         writes none was lost.\n\n\
         | measured | p50 | p99 | longest | kills |\n|---|---|---|---|---|\n{}{}",
        ms(sync[0]),
        ms(sync[1]),
        row(format!("{what}, until the first write is acknowledged"), &|percent| failover.first_write(percent)),
        row(format!("{what}, longest time without an acknowledgement"), &|percent| failover.gap(percent)),
    )
}

fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}
