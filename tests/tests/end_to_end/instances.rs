//! What instances do to themselves: leak, crash, turn unhealthy, write logs.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tests::e2e::cluster::{Cluster, socket};
use tests::e2e::command::succeed;
use tests::e2e::docker::containers;
use tests::e2e::{http, shared, wait};

const SOON: Duration = Duration::from_secs(15);

/// Runs one instance of basket and gives its entry in the catalog.
fn one_basket(cluster: &Cluster) -> Value {
    let spec = cluster.variant("basket.hcl", &[("count = 3", "count = 1")]);
    cluster.sched(&["job", "run", &spec]).expect(0);
    cluster.await_instances("basket", 1, SOON);
    cluster.instances("s1", "basket").expect("the catalog answers").remove(0)
}

/// The events of the only allocation's task, and how often it was restarted.
fn task(cluster: &Cluster) -> Result<Value, String> {
    let all = cluster.try_get("/v1/job/basket/allocations")?;
    Ok(all[0]["TaskStates"]["basket"].clone())
}

fn terminated(state: &Value) -> Option<Value> {
    state["Events"].as_array()?.iter().find(|event| event["Type"] == "Terminated").cloned()
}

#[test]
fn a_leak_ends_as_out_of_memory_and_a_crash_with_its_code_and_both_are_restarted() {
    let cluster = shared::cluster();
    let instance = one_basket(&cluster);
    let _ = http::send(socket(&instance), "GET", "/crash?code=3", b"");
    let (crashed, _) = wait::until("a restart after the crash", SOON, || {
        let state = task(&cluster)?;
        let again = state["State"] == "running" && state["Restarts"] == 1;
        wait::check(again, || format!("{state:#}")).map(|()| state)
    });
    let exit = terminated(&crashed).expect("the end is told");
    assert_eq!(exit["ExitCode"], 3, "{exit:#}");
    assert_ne!(exit["Details"]["oom_killed"], "true", "{exit:#}");

    cluster.await_instances("basket", 1, SOON);
    let instance = cluster.instances("s1", "basket").unwrap().remove(0);
    let _ = http::send(socket(&instance), "GET", "/leak?mb=512", b"");
    let (leaked, _) = wait::until("a restart after the leak", SOON, || {
        let state = task(&cluster)?;
        let again = state["State"] == "running" && state["Restarts"] == 2;
        wait::check(again, || format!("{state:#}")).map(|()| state)
    });
    let ends: Vec<&Value> =
        leaked["Events"].as_array().unwrap().iter().filter(|event| event["Type"] == "Terminated").collect();
    let oom = ends.iter().find(|event| event["Details"]["oom_killed"] == "true");
    assert!(oom.is_some(), "the exit is recorded as OOM: {leaked:#}");
    assert_eq!(oom.unwrap()["ExitCode"], 137, "{leaked:#}");
    let shown = cluster.sched(&["alloc", "status", "basket[0]"]).expect(0).stdout;
    assert!(shown.to_lowercase().contains("oom") || shown.to_lowercase().contains("out of memory"), "{shown}");
}

#[test]
fn a_failing_instance_leaves_catalog_and_dns_and_comes_back_healed() {
    let cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let sick = cluster.instances("s1", "basket").unwrap().remove(0);
    http::send(socket(&sick), "GET", "/fail", b"").unwrap();
    let took = cluster.await_instances("basket", 2, Duration::from_secs(4));
    println!("out of every server's catalog {took:?} after /fail");
    let address = sick["Address"].as_str().unwrap().to_owned();
    let found = cluster.dig("s3", "basket.service.sched", "A", &[]);
    assert!(found.records.len() == 2 && !found.records.contains(&address), "{}", found.text);
    http::send(socket(&sick), "GET", "/heal", b"").unwrap();
    cluster.await_instances("basket", 3, SOON);
    assert_eq!(cluster.dig("s3", "basket.service.sched", "A", &[]).records.len(), 3);
    for one in cluster.wanted("basket").unwrap() {
        assert_eq!(one["TaskStates"]["basket"]["Restarts"], 0, "an unhealthy instance is not restarted: {one:#}");
    }
}

#[test]
fn logs_are_followed_through_every_server() {
    let cluster = shared::cluster();
    let instance = one_basket(&cluster);
    for server in tests::e2e::cluster::SERVERS {
        let log = cluster.folder().join(format!("followed-{server}.log"));
        let output = std::fs::File::create(&log).unwrap();
        let address = format!("http://{}", cluster.http(server));
        let mut follower = cluster.command();
        follower.args(["-address", &address, "alloc", "logs", "-f", "basket[0]"]).stdout(output);
        let mut follower = follower.spawn().expect("the binary starts");
        let path = format!("/seen-through-{server}");
        let read = || std::fs::read_to_string(&log).map_err(|error| error.to_string());
        wait::until("what was there before", SOON, || {
            read().and_then(|text| wait::check(!text.is_empty(), || text.clone()))
        });
        http::send(socket(&instance), "GET", &path, b"").unwrap();
        let seen = || read().and_then(|text| wait::check(text.contains(&path), || text.clone()));
        let (_, took) = wait::until("the new line", SOON, seen);
        println!("{server}: a line was shown after {took:?}");
        follower.kill().unwrap();
        follower.wait().unwrap();
    }
}

#[test]
fn containers_of_others_are_never_touched() {
    let mut cluster = shared::cluster();
    let name = format!("e2e-foreign-{}", std::process::id());
    // It bears the label of this run for the sweeper, and none of those that make a container ours.
    let label = cluster.label();
    succeed("docker", &["run", "-d", "--name", &name, "--label", &label, "basket:demo"]);
    let inspect = || {
        let format = "{{.Id}} {{.State.StartedAt}} {{.State.Running}} {{.RestartCount}}";
        succeed("docker", &["inspect", "-f", format, &name])
    };
    let before = inspect();
    cluster.run_example("basket.hcl").expect(0);
    cluster.kill("n1");
    cluster.launch("n1");
    cluster.await_node("n1", "ready", SOON);
    cluster.sched(&["job", "stop", "-purge", "-yes", "basket"]).expect(0);
    wait::until("the end of our containers", SOON, || {
        let left = containers("sched.alloc").into_iter().filter(|one| one.running && one.job == "basket");
        let left: Vec<_> = left.filter(|one| cluster.containers().contains(one)).collect();
        wait::check(left.is_empty(), || format!("{left:#?}"))
    });
    assert_eq!(inspect(), before);
    assert!(before.contains("true"), "{before}");
    Command::new("docker").args(["rm", "-f", &name]).output().unwrap();
}
