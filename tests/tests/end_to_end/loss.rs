//! The loss of a host, and of less than a host.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use invariants::{AgentRestarts, ServersAway};
use model::NodeId;
use tests::e2e::cluster::{AGENTS, Cluster};
use tests::e2e::docker::Container;
use tests::e2e::{clock, shared, wait};

const SOON: Duration = Duration::from_secs(15);
/// Within this the instances of a lost node are found by nobody any more.
const GONE_WITHIN: Duration = Duration::from_secs(4);

/// Loses `node` and waits until every instance on it has a replacement elsewhere. Gives the longest time from the loss
/// to the start of a replacement, by Docker's clock.
fn replaced_after(cluster: &mut Cluster, node: &'static str, leader: Option<&'static str>) -> Duration {
    let before: Vec<Container> = cluster.running("basket");
    let lost_address = cluster.address(node);
    let lost_at = clock::now_ns();
    if let Some(leader) = leader {
        cluster.kill(leader);
    }
    let lost = cluster.lose_node(node);
    assert!(!lost.is_empty(), "{node} ran nothing: {before:#?}");
    let server = if leader == Some("s1") { "s2" } else { "s1" };
    let (_, gone_after) = wait::until("the lost instances leave catalog and DNS", GONE_WITHIN, || {
        let listed = cluster.instances(server, "basket")?;
        let shown = listed.iter().filter(|one| one["Address"] == lost_address.as_str()).count();
        wait::check(shown == 0, || format!("the catalog shows {shown} on {node}"))?;
        let found = cluster.dig(server, "basket.service.sched", "A", &[]);
        wait::check(found.status == "NOERROR" && !found.records.contains(&lost_address), || found.text.clone())
    });
    let (replacements, _) = wait::until("replacements", Duration::from_secs(20), || {
        let now = cluster.running("basket");
        let fresh: Vec<Container> = now.iter().filter(|one| !before.contains(one)).cloned().collect();
        wait::check(now.len() == before.len() && fresh.len() == lost.len(), || format!("{now:#?}")).map(|()| fresh)
    });
    assert!(replacements.iter().all(|one| one.node != node), "{replacements:#?}");
    let last = replacements.iter().map(Container::started_ns).max().expect("there is one for each that was lost");
    let after = Duration::from_nanos(u64::try_from(last - lost_at).expect("started after the loss"));
    println!("{node} lost (leader {leader:?}): out of catalog and DNS after {gone_after:?}, replaced after {after:?}");
    after
}

/// What runs stays what it is for a while: no name twice, none missing, no container exchanged.
fn runs_once(cluster: &Cluster, count: usize) {
    let settled = cluster.running("basket");
    wait::holds("nothing runs twice", Duration::from_secs(4), || {
        let now = cluster.running("basket");
        wait::check(now == settled && now.len() == count, || format!("{now:#?}"))
    });
    let wanted = cluster.wanted("basket").expect("the job is known");
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for one in &wanted {
        *by_name.entry(one["Name"].to_string()).or_default() += 1;
    }
    assert!(by_name.len() == count && by_name.values().all(|times| *times == 1), "{by_name:?}");
}

#[test]
fn a_lost_node_is_replaced_within_10_s_and_runs_nothing_twice_when_it_returns() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let after = replaced_after(&mut cluster, "n2", None);
    assert!(after <= Duration::from_secs(10), "replaced only after {after:?}");
    cluster.await_instances("basket", 3, SOON);
    cluster.launch("n2");
    cluster.await_node("n2", "ready", SOON);
    runs_once(&cluster, 3);
}

#[test]
fn with_the_leader_lost_as_well_a_node_is_replaced_within_15_s() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let leader = cluster.leader();
    let after = replaced_after(&mut cluster, "n3", Some(leader));
    assert!(after <= Duration::from_secs(15), "replaced only after {after:?}");
    cluster.launch(leader);
    cluster.launch("n3");
    cluster.await_node("n3", "ready", SOON);
    runs_once(&cluster, 3);
}

fn node_of(cluster: &Cluster, agent: &str) -> NodeId {
    cluster.node_id(agent).parse().expect("a node's id")
}

fn found_on(agent: &str, containers: &[Container]) -> Vec<invariants::Container> {
    containers.iter().filter(|one| one.node == agent).map(Container::found).collect()
}

#[test]
fn an_agent_killed_alone_adopts_its_containers_when_it_is_back() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let before = cluster.running("basket");
    let mut restarts = AgentRestarts::default();
    for agent in AGENTS {
        restarts.began(node_of(&cluster, agent), &found_on(agent, &before));
        cluster.kill(agent);
        cluster.launch(agent);
    }
    for agent in AGENTS {
        cluster.await_node(agent, "ready", SOON);
    }
    cluster.await_instances("basket", 3, SOON);
    runs_once(&cluster, 3);
    let now = cluster.running("basket");
    let wanted = before.iter().filter_map(|one| one.allocation.parse().ok()).collect();
    for agent in AGENTS {
        assert_eq!(restarts.ended(node_of(&cluster, agent), &found_on(agent, &now), &wanted), []);
    }
    assert_eq!(now, before, "the same containers, the same processes, started at the same times");
    for one in cluster.wanted("basket").unwrap() {
        assert_eq!(one["TaskStates"]["basket"]["Restarts"], 0, "{one:#}");
    }
}

#[test]
fn an_agent_that_was_given_up_comes_back_with_its_containers_and_nothing_runs_twice() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    cluster.kill("n1");
    cluster.await_node("n1", "down", SOON);
    // Its container still runs, unseen, so now there may be four.
    wait::until("a replacement", SOON, || {
        let elsewhere = cluster.running("basket").iter().filter(|one| one.node != "n1").count();
        wait::check(elsewhere == 3, || format!("{elsewhere} run elsewhere"))
    });
    cluster.await_instances("basket", 3, SOON);
    cluster.launch("n1");
    cluster.await_node("n1", "ready", SOON);
    wait::until("three containers", SOON, || {
        let now = cluster.running("basket");
        wait::check(now.len() == 3, || format!("{now:#?}"))
    });
    runs_once(&cluster, 3);
}

/// A leader that has lost its majority keeps its hands off: it can't tell a lost node from agents that can't register. And
/// where no server is left, agents go on alone.
#[test]
fn servers_that_are_away_for_a_while_move_nothing() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    let before = cluster.running("basket");
    let nodes = AGENTS.map(|agent| (agent, node_of(&cluster, agent)));
    let leader = cluster.leader();
    cluster.kill(leader);
    let next = cluster.leader();
    let third = cluster.servers_up().into_iter().find(|server| *server != next).expect("two servers are up");
    cluster.kill(third);
    wait::until("the last server to know of no leader", SOON, || {
        let known = cluster.request(next, "GET", "/v1/status/leader", "").map_err(|error| error.to_string())?;
        wait::check(known.status == 500, || format!("{} {}", known.status, known.text()))
    });
    // Longer than the silence after which a node is down.
    wait::holds("what runs stays", Duration::from_secs(8), || {
        let now = cluster.running("basket");
        wait::check(now == before, || format!("{now:#?}"))
    });
    cluster.kill(next);
    let mut away = ServersAway::default();
    for (agent, node) in &nodes {
        away.began(*node, &found_on(agent, &before));
    }
    wait::holds("what runs stays without any server", Duration::from_secs(8), || {
        let now = cluster.running("basket");
        let of = |(agent, node): &(&str, NodeId)| away.found(*node, &found_on(agent, &now), &BTreeSet::new());
        let violations: Vec<_> = nodes.iter().flat_map(of).collect();
        wait::check(violations.is_empty(), || format!("{violations:?}"))
    });
    for server in [leader, third, next] {
        cluster.launch(server);
    }
    for node in AGENTS {
        cluster.await_node(node, "ready", SOON);
    }
    runs_once(&cluster, before.len());
    assert_eq!(cluster.running("basket"), before, "nothing was moved");
}
