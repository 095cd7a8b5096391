//! The harness of the benchmarks: three server processes, thousands of real agents with a driver that starts nothing, a
//! client over HTTP, and the table that comes out.
//!
//! It measures and judges nothing; what is slow is shown slow. Servers and load share the machine, so the CPU time of
//! each side, and that of strangers, stands beside every figure. Called by `benches/cluster.rs`, and in its quick form
//! by a test.

mod browse;
mod cluster;
mod cpu;
mod driver;
mod fleet;
pub mod host;
pub mod jobspecs;
mod latency;
mod place;
mod report;
mod rest;
mod shadows;
mod size;

use std::path::PathBuf;

use tokio::time::timeout;

pub use report::Report;
pub use size::Size;

use cluster::Cluster;
use fleet::Fleet;

use crate::e2e::checkout;

/// Replaces the table of that name in BENCHMARKS.md.
pub fn keep(name: &str, report: &str) -> Result<(), String> {
    core_bench::keep(&checkout().join("BENCHMARKS.md"), name, report)
}

/// The machine that is measured, now.
pub fn host() -> Result<host::Host, String> {
    host::describe(&runs_folder())
}

/// Runs everything at each of `sizes`. Whatever is wrong (an instance that does not run, a node that is lost) voids a run.
pub fn run(sizes: &[Size]) -> Result<Report, String> {
    let mut report = Report::new(host()?);
    let runs = sizes.iter().flat_map(|size| (1..=size.runs).map(move |of_size| (*size, of_size)));
    for (number, (size, of_size)) in (1..).zip(runs) {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
        let cluster = Cluster::start(number)?;
        let goes_on = of_size + size.latency_runs > size.runs;
        let outcome = runtime.block_on(async {
            let run = timeout(size.run_within(), run_once(size, number, goes_on, &cluster, &mut report));
            run.await.unwrap_or_else(|_| Err(format!("not over within {:?}", size.run_within())))
        });
        // The agents end with the runtime, and the servers, by -9, with the cluster.
        runtime.shutdown_background();
        if let Err(reason) = outcome {
            let reason = format!("run {number} ({size}) is void: {reason}");
            eprintln!("{reason}\n{}", cluster.tails());
            report.void.push(reason);
        }
    }
    Ok(report)
}

/// One run on a cluster of its own; some go on with the second measurement on what the first left.
async fn run_once(
    size: Size,
    number: usize,
    goes_on: bool,
    cluster: &Cluster,
    report: &mut Report,
) -> Result<(), String> {
    let fleet = Fleet::start(size, cluster).await?;
    eprintln!("run {number}: {} nodes are ready", size.nodes);
    if size.streams == size.nodes {
        let rest = rest::measure(size, cluster, &fleet).await?;
        eprintln!("run {number}: {rest}");
        report.rests.push((size, rest));
    }
    let placed = place::measure(size, cluster, &fleet).await?;
    eprintln!("run {number}: {placed}");
    report.placed.push((size, placed));
    if goes_on {
        for rate in size.rates {
            place::calm(cluster).await?;
            // What was measured before stands, whatever becomes of this.
            match latency::measure(size, rate, cluster, &fleet).await {
                Ok(latency) => {
                    eprintln!("run {number}: {latency}");
                    report.latencies.push((size, latency));
                }
                Err(reason) => {
                    eprintln!("run {number}: P3 at {rate}/s is void: {reason}");
                    report.void.push(format!("P3 at {rate}/s in run {number} is void: {reason}"));
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Where runs keep state and logs: on the disk of the checkout.
fn runs_folder() -> PathBuf {
    crate::e2e::runs_folder().with_file_name("bench")
}
