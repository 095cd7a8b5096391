//! Draining a node: what runs there moves, one after the other, and is healthy elsewhere before it stops.

use std::time::Duration;

use tests::e2e::cluster::Cluster;
use tests::e2e::{shared, wait};

const SOON: Duration = Duration::from_secs(15);
const DRAINED_WITHIN: Duration = Duration::from_secs(60);

/// Three instances, two of them on n1: two to move, and the job moves one at a time.
fn two_on_n1(cluster: &Cluster) {
    for node in ["n2", "n3"] {
        cluster.sched(&["node", "eligibility", "-disable", node]).expect(0);
    }
    let spec = cluster.variant("basket.hcl", &[("count = 3", "count = 2")]);
    cluster.sched(&["job", "run", &spec]).expect(0);
    for node in ["n2", "n3"] {
        cluster.sched(&["node", "eligibility", "-enable", node]).expect(0);
    }
    cluster.await_instances("basket", 2, SOON);
    assert!(cluster.running("basket").iter().all(|one| one.node == "n1"));
}

/// Watches a drain of n1 until it is complete: never fewer than two passing, never more than one too many.
fn watch(cluster: &Cluster) {
    let id = cluster.node_id("n1");
    wait::until("a complete drain", DRAINED_WITHIN, || {
        let passing = cluster.try_get("/v1/service/basket").map(|found| found.as_array().map_or(0, Vec::len));
        if let Ok(passing) = passing {
            assert!(passing >= 2, "only {passing} instances pass: one was stopped before its replacement was healthy");
        }
        let running = cluster.running("basket").len();
        assert!(running <= 3, "{running} run: more than one moves at a time");
        let status = cluster.try_get(&format!("/v1/node/{id}/drain/status"))?;
        let left = cluster.running("basket").iter().filter(|one| one.node == "n1").count();
        if status["Status"] == "complete" {
            assert_eq!(left, 0, "complete, but containers are left");
        }
        wait::check(status["Status"] == "complete", || format!("{left} left, {status}"))
    });
    let now = cluster.running("basket");
    assert!(now.len() == 2 && now.iter().all(|one| one.node != "n1"), "{now:#?}");
}

#[test]
fn a_drain_moves_one_at_a_time_and_is_undone() {
    let cluster = shared::cluster();
    two_on_n1(&cluster);
    cluster.sched(&["node", "drain", "-enable", "-yes", "-detach", "n1"]).expect(0);
    watch(&cluster);
    let shown = cluster.sched(&["node", "status", "n1"]).expect(0).stdout;
    assert!(shown.contains("ineligible"), "{shown}");
    cluster.sched(&["node", "drain", "-disable", "-yes", "n1"]).expect(0);
    wait::until("an eligible node", SOON, || {
        let node = cluster.try_get(&format!("/v1/node/{}", cluster.node_id("n1")))?;
        let eligible = node["SchedulingEligibility"] == "eligible" && node["Drain"] == false;
        wait::check(eligible, || format!("{node:#}"))
    });
    let spec = cluster.variant("basket.hcl", &[("count = 3", "count = 3")]);
    cluster.sched(&["job", "run", &spec]).expect(0);
    assert!(cluster.running("basket").iter().any(|one| one.node == "n1"), "it takes work again");
}

#[test]
fn the_command_follows_a_drain_to_its_end() {
    let cluster = shared::cluster();
    two_on_n1(&cluster);
    let shown = cluster.sched(&["node", "drain", "-enable", "-yes", "n1"]).expect(0);
    let text = format!("{}{}", shown.stdout, shown.stderr);
    assert!(text.contains("drained n1 in") && text.contains("2 allocations observed gone"), "{text}");
    assert!(cluster.running("basket").iter().all(|one| one.node != "n1"), "the command ended before the drain");
}

#[test]
fn a_leader_killed_in_the_middle_of_a_drain_changes_nothing() {
    let mut cluster = shared::cluster();
    two_on_n1(&cluster);
    let leader = cluster.leader();
    cluster.sched(&["node", "drain", "-enable", "-yes", "-detach", "n1"]).expect(0);
    wait::until("the first move", SOON, || {
        let running = cluster.running("basket").len();
        wait::check(running == 3, || format!("{running} run"))
    });
    cluster.kill(leader);
    watch(&cluster);
    let audited = cluster.audit();
    assert_eq!(audited.violations, []);
    assert!(audited.entries > 0, "nothing is in the logs of {} servers", audited.servers);
}
