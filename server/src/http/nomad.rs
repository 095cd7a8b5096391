//! Nomad's dialect, and what is ours beside it: the one table of routes.
//!
//! A handler per route, a file per noun; what objects look like stands in `view`. The table is everything that the
//! listener answers, so a path that is not in it does not exist.

mod agent;
mod alarms;
mod allocations;
mod autopilot;
mod capacity;
mod client;
mod deployments;
mod document;
mod evaluations;
mod events;
mod explain;
mod find;
mod job;
mod jobs;
mod logs;
mod metrics;
mod nodes;
mod operator;
mod propose;
mod rebalance;
mod search;
mod services;
mod snapshot;
mod status;
mod view;
mod volumes;

use server_core::authorize::Action::*;

use super::route::Route;
use super::ui;

/// An async handler as the table takes it.
macro_rules! act {
    ($handler:path) => {
        |api, call| Box::pin($handler(api, call))
    };
}

/// Every route.
pub(super) static ROUTES: &[Route] = &[
    // Jobs.
    Route::read("/v1/jobs", ReadJobs, "Lists jobs.", jobs::list),
    Route::put("/v1/jobs", SubmitJobs, "Registers a job.", act!(jobs::register)).takes_document(),
    Route::read("/v1/jobs/statuses", ReadJobs, "Lists jobs with their allocations.", jobs::statuses),
    Route::put("/v1/jobs/statuses", ReadJobs, "Lists the named jobs with their allocations.", act!(jobs::statuses_of)),
    Route::put("/v1/jobs/parse", ParseJobs, "Reads a jobspec.", act!(jobs::parse)).takes_document(),
    Route::put("/v1/validate/job", ParseJobs, "Checks a job's document.", act!(jobs::validate)).takes_document(),
    Route::read("/v1/job/{id*}", ReadJobs, "Shows a job.", job::get),
    Route::put("/v1/job/{id*}", SubmitJobs, "Registers a job under that id.", act!(jobs::register_under))
        .takes_document(),
    Route::delete("/v1/job/{id*}", SubmitJobs, "Stops a job, and forgets it with `purge`.", act!(job::deregister)),
    Route::put("/v1/job/{id*}/evaluate", SubmitJobs, "Evaluates a job again.", act!(job::evaluate)),
    Route::put("/v1/job/{id*}/plan", SubmitJobs, "Shows what running a job would do.", act!(explain::plan))
        .takes_document(),
    Route::read("/v1/job/{id*}/why", ReadJobs, "Explains why a job does not run everywhere.", explain::why),
    Route::put("/v1/job/{id*}/revert", SubmitJobs, "Registers an older version anew.", act!(job::revert)),
    Route::put("/v1/job/{id*}/stable", SubmitJobs, "Marks a version as stable or not.", act!(job::set_stable)),
    Route::read("/v1/job/{id*}/allocations", ReadJobs, "Lists a job's allocations.", job::allocations),
    Route::read("/v1/job/{id*}/evaluations", ReadJobs, "Lists a job's evaluations.", job::evaluations),
    Route::read("/v1/job/{id*}/versions", ReadJobs, "Shows a job's versions, newest first.", job::versions),
    Route::read("/v1/job/{id*}/summary", ReadJobs, "Counts a job's instances by state.", job::summary),
    Route::read("/v1/job/{id*}/deployments", ReadJobs, "Lists a job's deployments.", job::deployments),
    Route::read("/v1/job/{id*}/deployment", ReadJobs, "Shows a job's newest deployment.", job::deployment),
    Route::read("/v1/job/{id*}/services", ReadJobs, "Lists the passing instances of a job's services.", job::services),
    Route::read("/v1/job/{id*}/submission", ReadJobs, "Shows what a version was registered with.", jobs::submission_of),
    // Evaluations.
    Route::read("/v1/evaluations", ReadJobs, "Lists evaluations.", evaluations::list),
    Route::read("/v1/evaluations/count", ReadJobs, "Counts evaluations.", evaluations::count),
    Route::read("/v1/evaluation/{id}", ReadJobs, "Shows an evaluation.", evaluations::get),
    Route::read("/v1/evaluation/{id}/allocations", ReadJobs, "Lists what it placed.", evaluations::allocations),
    // Allocations.
    Route::read("/v1/allocations", ReadJobs, "Lists allocations.", allocations::list),
    Route::read("/v1/allocation/{id}", ReadJobs, "Shows an allocation.", allocations::get),
    Route::read("/v1/allocation/{id}/services", ReadJobs, "Lists its passing instances.", allocations::services),
    Route::put("/v1/allocation/{id}/stop", SteerAllocations, "Has it replaced.", act!(allocations::stop)),
    // Deployments.
    Route::read("/v1/deployments", ReadJobs, "Lists deployments.", deployments::list),
    Route::read("/v1/deployment/{id}", ReadJobs, "Shows a deployment.", deployments::get),
    Route::read("/v1/deployment/allocations/{id}", ReadJobs, "Lists its allocations.", deployments::allocations),
    Route::put("/v1/deployment/fail/{id}", SubmitJobs, "Fails a deployment.", act!(deployments::fail)),
    Route::put("/v1/deployment/pause/{id}", SubmitJobs, "Pauses or resumes a deployment.", act!(deployments::pause)),
    Route::put("/v1/deployment/promote/{id}", SubmitJobs, "Promotes its canaries.", act!(deployments::promote)),
    Route::put(
        "/v1/deployment/allocation-health/{id}",
        SubmitJobs,
        "Says which of its allocations are healthy.",
        act!(deployments::set_health),
    ),
    // Nodes.
    Route::read("/v1/nodes", ReadNodes, "Lists nodes.", nodes::list),
    Route::get("/v1/nodes/usage", ReadNodes, "Shows what nodes have, have promised and use.", act!(nodes::usage)),
    Route::read("/v1/node/pools", ReadNodes, "Lists node pools.", nodes::pools),
    Route::read("/v1/node/{id}", ReadNodes, "Shows a node.", nodes::get),
    Route::read("/v1/node/{id}/allocations", ReadNodes, "Lists a node's allocations in full.", nodes::allocations),
    Route::read("/v1/node/{id}/drain/status", ReadNodes, "Shows how far a drain is.", nodes::drain_status),
    Route::put("/v1/node/{id}/drain", WriteNodes, "Begins or ends a drain.", act!(nodes::drain)),
    Route::put("/v1/node/{id}/eligibility", WriteNodes, "Opens or closes a node.", act!(nodes::set_eligibility)),
    Route::put("/v1/node/{id}/evaluate", WriteNodes, "Evaluates the jobs on a node.", act!(nodes::evaluate)),
    Route::put("/v1/node/{id}/purge", WriteNodes, "Forgets a node.", act!(nodes::purge)),
    Route::read("/v1/node/{id}/why", ReadNodes, "Explains a node, alone or for one job.", explain::why_node),
    Route::put(
        "/v1/node/{id}/why",
        ReadNodes,
        "Explains a node for a job that is not run.",
        act!(explain::why_node_for),
    )
    .takes_document(),
    Route::read("/v1/capacity", ReadNodes, "Shows what is held and what is free.", capacity::overview),
    Route::put("/v1/capacity", ReadNodes, "Foresees what would fit.", act!(capacity::foresee)).takes_document(),
    // Rebalances.
    Route::read("/v1/rebalance", ReadJobs, "Shows the rebalance that runs, or the last one.", rebalance::get),
    Route::put("/v1/rebalance", SteerAllocations, "Begins a rebalance.", act!(rebalance::begin)),
    Route::delete("/v1/rebalance", SteerAllocations, "Cancels a rebalance.", act!(rebalance::cancel)),
    Route::put("/v1/rebalance/plan", ReadJobs, "Shows which moves would pay.", act!(rebalance::plan)),
    // The catalog.
    Route::read("/v1/services", ReadServices, "Lists services by name.", services::list),
    Route::read("/v1/service/{name}", ReadServices, "Lists the passing instances of a service.", services::get),
    Route::read("/v1/sd/prometheus", ReadServices, "Lists scrape targets for Prometheus.", services::prometheus),
    // Volumes.
    Route::read("/v1/volumes", ReadVolumes, "Lists volumes.", volumes::list),
    Route::put("/v1/volume/host/create", WriteVolumes, "Has a node make a volume.", act!(volumes::create)),
    Route::put("/v1/volume/host/register", WriteVolumes, "Takes a folder of a node up.", act!(volumes::register)),
    Route::read("/v1/volume/host/{id}", ReadVolumes, "Shows a volume with who uses it.", volumes::get),
    Route::delete("/v1/volume/host/{id}", WriteVolumes, "Deletes a volume.", act!(volumes::delete)),
    Route::read("/v1/volumes/claims", ReadVolumes, "Lists what instances claim of sticky volumes.", volumes::claims),
    Route::delete("/v1/volumes/claim/{id}", WriteVolumes, "Frees an instance of it.", act!(volumes::delete_claim)),
    // What agents answer.
    Route::get("/v1/client/fs/logs/{id}", ReadLogs, "Reads or follows a task's output.", act!(logs::logs)),
    Route::get("/v1/client/allocation/{id}/stats", ReadJobs, "Measures an allocation.", act!(client::stats)),
    Route::read("/v1/client/allocation/{id}/checks", ReadJobs, "Lists its checks.", allocations::checks),
    Route::put("/v1/client/allocation/{id}/restart", SteerAllocations, "Restarts its tasks.", act!(client::restart)),
    Route::get("/v1/client/stats", ReadNodes, "Shows what a node's host uses.", act!(nodes::stats)),
    // Servers.
    Route::get("/v1/agent/self", ReadServers, "Shows this server.", act!(agent::own)),
    Route::get("/v1/agent/members", ReadServers, "Lists the servers.", act!(agent::members)),
    Route::get("/v1/agent/health", ReadServers, "Says whether this server works.", act!(agent::health)),
    Route::get("/v1/agent/servers", ReadServers, "Lists the servers' addresses.", act!(agent::servers)),
    Route::get("/v1/status/leader", ReadServers, "Says where the leader is.", act!(status::leader)),
    Route::get("/v1/status/peers", ReadServers, "Says where the voters are.", act!(status::peers)),
    Route::get("/v1/regions", ReadServers, "Lists regions.", act!(status::regions)),
    Route::read("/v1/namespaces", ReadJobs, "Lists namespaces.", status::namespaces),
    Route::get("/v1/operator/alarms", ReadServers, "Lists what must never be, and was.", act!(alarms::list)),
    Route::get("/v1/operator/raft/configuration", ReadServers, "Shows who votes.", act!(operator::raft)),
    Route::delete(
        "/v1/operator/raft/peer",
        WriteServers,
        "Takes a server out of the cluster.",
        act!(operator::remove_peer),
    ),
    Route::put(
        "/v1/operator/raft/transfer-leadership",
        WriteServers,
        "Hands leadership to another server.",
        act!(operator::transfer_leadership),
    ),
    Route::read(
        "/v1/operator/autopilot/configuration",
        ReadServers,
        "Shows how servers are judged.",
        autopilot::configuration,
    ),
    Route::put(
        "/v1/operator/autopilot/configuration",
        WriteServers,
        "Sets how servers are judged.",
        act!(autopilot::set_configuration),
    ),
    Route::get("/v1/operator/autopilot/health", ReadServers, "Shows how servers do.", act!(autopilot::health)),
    Route::get("/v1/operator/snapshot", TakeSnapshot, "Takes a backup of the cluster.", act!(snapshot::save)),
    Route::put(
        "/v1/operator/snapshot",
        RestoreSnapshot,
        "Takes the cluster back to a backup of it.",
        act!(snapshot::restore),
    )
    .takes_backup(),
    Route::read(
        "/v1/operator/scheduler/configuration",
        ReadServers,
        "Shows how the scheduler chooses.",
        operator::scheduler,
    ),
    Route::put(
        "/v1/operator/scheduler/configuration",
        WriteServers,
        "Sets how the scheduler chooses.",
        act!(operator::set_scheduler),
    ),
    Route::put("/v1/system/gc", WriteServers, "Forgets everything that is over.", act!(operator::collect)),
    Route::put(
        "/v1/server/join-token",
        WriteServers,
        "Makes a token with which one can join.",
        act!(operator::join_token),
    ),
    Route::delete("/v1/server/{id}", WriteServers, "Takes a server out of the cluster.", act!(operator::remove_server)),
    // Across.
    Route::get("/v1/event/stream", ReadEvents, "Streams what happens.", act!(events::stream)),
    Route::put("/v1/search", ReadJobs, "Finds ids by their beginning.", act!(search::search)),
    Route::get("/v1/metrics", ReadServers, "Shows figures, as JSON or for Prometheus.", act!(metrics::metrics)),
    Route::get("/v1/openapi.json", ReadPublic, "Describes this API.", act!(status::openapi)),
    // The web UI.
    Route::get("/", ReadPublic, "Leads to the web UI.", act!(ui::redirect)),
    Route::get("/ui", ReadPublic, "Leads to the web UI.", act!(ui::redirect)),
    Route::get("/ui/{path*}", ReadPublic, "Serves the web UI.", act!(ui::serve)),
];
