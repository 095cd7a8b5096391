//! Every file in `jobspecs/` runs as it stands and does what it says.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::e2e::cluster::{AGENTS, socket};
use tests::e2e::{http, shared, wait};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn basket_is_spread_healthy_and_in_the_catalog() {
    let cluster = shared::cluster();
    let ran = cluster.run_example("basket.hcl").expect(0);
    assert!(ran.stdout.contains("deployed basket v0"), "{}", ran.stdout);
    let nodes: BTreeSet<String> = cluster.running("basket").into_iter().map(|one| one.node).collect();
    assert_eq!(nodes, AGENTS.map(str::to_owned).into(), "one instance on each node");
    cluster.await_instances("basket", 3, SOON);
    for instance in cluster.instances("s2", "basket").unwrap() {
        let reply = http::send(socket(&instance), "GET", "/", b"").expect("the instance answers at its address");
        assert_eq!((reply.status, &reply.json()["allocation"]), (200, &instance["AllocID"]));
    }
}

#[test]
fn pack_runs_every_piece_once_to_its_end() {
    let cluster = shared::cluster();
    cluster.run_example("pack.hcl").expect(0);
    wait::until("six complete pieces", SOON, || {
        let allocations = cluster.try_get("/v1/job/pack/allocations")?;
        let all = allocations.as_array().cloned().unwrap_or_default();
        let complete = all.iter().filter(|one| one["ClientStatus"] == "complete").count();
        assert!(all.len() <= 6, "a piece was run twice: {allocations:#}");
        wait::check(complete == 6, || format!("{complete} of {} are complete", all.len()))
    });
    let nodes: BTreeSet<String> = cluster
        .get("/v1/job/pack/allocations")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["NodeName"].to_string())
        .collect();
    assert_eq!(nodes.len(), 1, "six small pieces fit one node, so they are packed onto it");
    assert_eq!(cluster.get("/v1/job/pack")["Status"], "dead");
}

#[test]
fn fake_ends_as_it_was_told() {
    let cluster = shared::cluster();
    cluster.run_example("fake.hcl").expect(0);
    wait::until("two complete tasks", SOON, || {
        let allocations = cluster.try_get("/v1/job/fake/allocations")?;
        let all = allocations.as_array().cloned().unwrap_or_default();
        let complete = all.iter().filter(|one| one["ClientStatus"] == "complete").count();
        wait::check(complete == 2 && all.len() == 2, || format!("{complete} of {} are complete", all.len()))
    });
    assert_eq!(cluster.containers(), [], "the fake driver starts no container");
}

#[test]
fn a_system_job_runs_once_on_every_node() {
    let cluster = shared::cluster();
    cluster.run_example("system.hcl").expect(0);
    cluster.await_instances("node-basket", 3, SOON);
    let mut nodes: Vec<String> = cluster.running("node-basket").into_iter().map(|one| one.node).collect();
    nodes.sort();
    assert_eq!(nodes, AGENTS);
}

#[test]
fn constraints_and_affinities_choose_the_nodes() {
    let cluster = shared::cluster();
    cluster.run_example("constrained.hcl").expect(0);
    let nodes: Vec<String> = cluster.running("constrained").into_iter().map(|one| one.node).collect();
    assert_eq!(nodes.len(), 2);
    assert_ne!(nodes[0], nodes[1], "hosts are distinct");
    assert!(nodes.contains(&"n1".into()), "n1 is in rack a1, which is better: {nodes:?}");
    let spec = cluster.variant("constrained.hcl", &[("\"^[a-z0-9.-]+$\"", "\"^n[23]$\"")]);
    cluster.sched(&["job", "run", &spec]).expect(0);
    wait::until("instances only where the constraint allows them", SOON, || {
        let mut nodes: Vec<String> = cluster.running("constrained").into_iter().map(|one| one.node).collect();
        nodes.sort();
        wait::check(nodes == ["n2", "n3"], || format!("they run on {nodes:?}"))
    });
}

#[test]
fn the_tasks_of_a_pod_share_a_network_namespace() {
    let cluster = shared::cluster();
    cluster.run_example("pod.hcl").expect(0);
    cluster.await_instances("pod", 1, SOON);
    let instance = cluster.instances("s1", "pod").unwrap().remove(0);
    assert_eq!(
        http::send(socket(&instance), "GET", "/health", b"").unwrap().status,
        200,
        "the pod's port is published"
    );
    wait::until("the probe's answer in its log", SOON, || {
        let log = cluster.sched(&["alloc", "logs", "-job", "pod", "-task", "probe"]);
        wait::check(log.stdout.contains("200"), || format!("{log:?}"))
    });
}

#[test]
fn a_job_that_fits_nowhere_waits_and_says_why() {
    let cluster = shared::cluster();
    let ran = cluster.run_example("too-big.hcl").expect(2);
    assert!(ran.stdout.contains("memory"), "{}", ran.stdout);
    let why = cluster.sched(&["job", "why", "too-big"]).expect(0).stdout;
    for word in ["1048576 MiB", "memory", "n1", "n2", "n3", "0 of 1 running"] {
        assert!(why.contains(word), "`{word}` is missing in:\n{why}");
    }
    let group = &cluster.get("/v1/job/too-big/why")["Groups"][0];
    assert_eq!((&group["Unplaced"], &group["NodesExhausted"]), (&1.into(), &3.into()), "{group:#}");
    assert!(group["BlockedEval"].is_string(), "{group:#}");
    let spec = cluster.variant("too-big.hcl", &[("1048576", "64")]);
    cluster.sched(&["job", "run", &spec]).expect(0);
    assert_eq!(cluster.running("too-big").len(), 1, "it runs once it fits");
}
