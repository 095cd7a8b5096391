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
mod host;
pub mod jobspecs;
mod latency;
mod place;
mod report;
mod size;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::timeout;

pub use report::Report;
pub use size::Size;

use cluster::Cluster;
use fleet::Fleet;

use crate::e2e::checkout;

/// Whatever hangs, a run ends.
const RUN_WITHIN: Duration = Duration::from_secs(400);

/// Replaces the table of that name in BENCHMARKS.md.
pub fn keep(name: &str, report: &str) -> Result<(), String> {
    core_bench::keep(&checkout().join("BENCHMARKS.md"), name, report)
}

/// Runs everything at `size`. Whatever is wrong (an instance that does not run, a node that is lost) voids it.
pub fn run(size: Size) -> Result<Report, String> {
    let host = host::describe(&runs_folder())?;
    let mut report = Report::new(size, host);
    for number in 1..=size.runs {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
        let cluster = Cluster::start(number)?;
        let outcome = runtime.block_on(async {
            let run = timeout(RUN_WITHIN, run_once(size, number, &cluster, &mut report));
            run.await.unwrap_or_else(|_| Err(format!("not over within {RUN_WITHIN:?}")))
        });
        // The agents end with the runtime, and the servers, by -9, with the cluster.
        runtime.shutdown_background();
        outcome.map_err(|error| format!("run {number} is void: {error}\n{}", cluster.tails()))?;
    }
    Ok(report)
}

/// One run on a cluster of its own; the last ones go on with the second measurement on what the first left.
async fn run_once(size: Size, number: usize, cluster: &Cluster, report: &mut Report) -> Result<(), String> {
    let fleet = Fleet::start(size, cluster).await?;
    eprintln!("run {number}: {} nodes are ready", size.nodes);
    let placed = place::measure(size, cluster, &fleet).await?;
    eprintln!("run {number}: {placed}");
    report.placed.push(placed);
    if number + size.latency_runs > size.runs {
        for rate in size.rates {
            place::calm(cluster).await?;
            // What was measured before stands, whatever becomes of this.
            match latency::measure(size, rate, cluster, &fleet).await {
                Ok(latency) => {
                    eprintln!("run {number}: {latency}");
                    report.latencies.push(latency);
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
