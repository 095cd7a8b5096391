//! Rolling updates: to a version that works, and to one that does not.

use std::time::Duration;

use tests::e2e::cluster::{Cluster, socket};
use tests::e2e::{http, shared, wait};

const SOON: Duration = Duration::from_secs(15);

/// Versions that the instances in the catalog answer with.
fn versions(cluster: &Cluster) -> Vec<String> {
    let found = cluster.instances("s1", "basket").unwrap_or_default();
    let version = |one| http::send(socket(one), "GET", "/", b"").ok().map(|reply| reply.json()["version"].to_string());
    let mut versions: Vec<String> = found.iter().filter_map(version).collect();
    versions.sort();
    versions
}

/// Runs a command in the background while `look` must hold; gives the command's exit code.
fn while_running(cluster: &Cluster, arguments: &[&str], within: Duration, look: impl Fn()) -> i32 {
    let log = std::fs::File::create(cluster.folder().join("command.log")).expect("the folder can be written to");
    let mut command = cluster.command();
    command.args(arguments).stdout(log.try_clone().expect("a file can be shared")).stderr(log);
    let mut child = command.spawn().expect("the binary starts");
    let (status, _) = wait::until(&format!("{arguments:?}"), within, || {
        look();
        child.try_wait().ok().flatten().ok_or_else(|| "it still runs".to_owned())
    });
    status.code().unwrap_or(-1)
}

#[test]
fn a_rolling_update_keeps_all_but_one_instance_in_the_catalog() {
    let cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let spec = cluster.variant("basket.hcl", &[("VERSION = \"1\"", "VERSION = \"2\"")]);
    let code = while_running(&cluster, &["job", "run", &spec], Duration::from_secs(60), || {
        let passing = cluster.instances("s1", "basket").map_or(3, |found| found.len());
        assert!(passing >= 2, "only {passing} instances pass during the update");
        let running = cluster.running("basket").len();
        assert!(running <= 4, "{running} containers run during the update");
    });
    assert_eq!(code, 0);
    cluster.await_instances("basket", 3, SOON);
    assert_eq!(versions(&cluster), ["\"2\"", "\"2\"", "\"2\""]);

    let history = cluster.sched(&["job", "history", "basket"]).expect(0).stdout;
    assert!(
        history.contains("Version") && history.lines().filter(|line| line.contains("Stable")).count() == 2,
        "{history}"
    );
    cluster.sched(&["job", "revert", "basket", "0"]).expect(0);
    cluster.await_instances("basket", 3, SOON);
    assert_eq!(versions(&cluster), ["\"1\"", "\"1\"", "\"1\""]);
    assert_eq!(cluster.get("/v1/job/basket")["Version"], 2, "a revert is a version of its own");
}

#[test]
fn a_version_that_does_not_work_is_reverted_and_nobody_notices() {
    let cluster = shared::cluster();
    let short = [
        ("healthy_deadline  = \"30s\"", "healthy_deadline  = \"6s\""),
        ("progress_deadline = \"60s\"", "progress_deadline = \"8s\""),
    ];
    let good = cluster.variant("basket.hcl", &short);
    cluster.sched(&["job", "run", &good]).expect(0);
    cluster.await_instances("basket", 3, SOON);
    let bad: Vec<(&str, &str)> = short
        .into_iter()
        .chain([("path     = \"/health\"", "path     = \"/nothing\""), ("VERSION = \"1\"", "VERSION = \"bad\"")])
        .collect();
    let bad = cluster.variant("basket.hcl", &bad);
    let code = while_running(&cluster, &["job", "run", &bad], Duration::from_secs(60), || {
        let passing = cluster.instances("s1", "basket").map_or(3, |found| found.len());
        assert!(passing >= 2, "only {passing} instances pass while the bad version is tried");
    });
    assert_eq!(code, 1, "a script sees that the deployment failed");
    wait::until("the version that worked", Duration::from_secs(40), || {
        let found = versions(&cluster);
        wait::check(found == ["\"1\"", "\"1\"", "\"1\""], || format!("{found:?}"))
    });
    let deployments = cluster.get("/v1/job/basket/deployments");
    let failed = deployments.as_array().unwrap().iter().find(|one| one["JobVersion"] == 1).cloned().unwrap();
    assert_eq!(failed["Status"], "failed", "{failed:#}");
    let said = failed["StatusDescription"].as_str().unwrap();
    assert!(said.contains("rolling back to job version 0"), "{said}");
    assert_eq!(cluster.get("/v1/job/basket")["Version"], 2);
}
