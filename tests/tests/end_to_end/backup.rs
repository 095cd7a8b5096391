//! All servers are lost, twice: the first time a backup is restored, the second time one folder is left. Containers run on
//! through all of it, and the others join anew.

use std::path::Path;
use std::time::Duration;

use tests::e2e::cluster::{AGENTS, Cluster, SERVERS};
use tests::e2e::config::RPC_PORT;
use tests::e2e::docker::Container;
use tests::e2e::{shared, wait};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_lost_cluster_goes_on_from_a_backup_and_from_one_folder_and_no_container_is_restarted() {
    let mut cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    let before = cluster.running("basket");
    assert!(!before.is_empty());
    let index = last_index(&cluster);

    let passphrase = cluster.write("passphrase", "correct horse battery staple\n");
    let backup = path(&cluster, "backup");
    cluster.sched(&["snapshot", "save", &backup, "-passphrase-file", &passphrase]).expect(0);
    cluster.sched(&["snapshot", "verify", &backup, "-passphrase-file", &passphrase]).expect(0);
    let wrong = cluster.write("wrong", "correct horse battery stable\n");
    let refused = cluster.sched(&["snapshot", "verify", &backup, "-passphrase-file", &wrong]);
    refused.expect(1).complains(&["does not open"]);
    let damaged = cluster.write("damaged", flipped(&backup));
    cluster.sched(&["snapshot", "inspect", &damaged]).expect(1).complains(&["damaged at offset"]);
    cluster.sched(&["snapshot", "save", &backup]).expect(1).complains(&["never overwritten"]);

    restore(&mut cluster, &backup, &passphrase);
    await_agents(&cluster);
    assert_eq!(cluster.running("basket"), before, "containers were restarted by the restore");
    assert!(last_index(&cluster) > index);
    let second = path(&cluster, "second");
    cluster.sched(&["snapshot", "save", &second]).expect(0);
    let differs = cluster.sched(&["snapshot", "diff", &backup, &second, "-json"]).expect(0).json();
    let tables = differs["Tables"].as_array().cloned().unwrap_or_default();
    let servers = tables.iter().find(|table| table["Table"] == "servers");
    assert_eq!(servers.map(|table| table["After"].clone()), Some(3.into()), "{differs}");
    let jobs = tables.iter().find(|table| table["Table"] == "jobs");
    assert_eq!(jobs.map(|table| (table["Before"].clone(), table["After"].clone())), Some((1.into(), 1.into())));

    recover(&mut cluster);
    await_agents(&cluster);
    assert_eq!(cluster.running("basket"), before, "containers were restarted by the recovery");
    join_others(&mut cluster, &before);
}

/// New servers at the old addresses, from the backup.
fn restore(cluster: &mut Cluster, backup: &str, passphrase: &str) {
    for server in SERVERS {
        cluster.kill(server);
    }
    let addresses = SERVERS.map(|server| format!("{server}={}:{RPC_PORT}", cluster.address(server))).join(",");
    let folder = path(cluster, "restored");
    let arguments = ["-dir", &folder, "-servers", &addresses, "-passphrase-file", passphrase];
    cluster.sched(&[&["snapshot", "restore", backup][..], &arguments].concat()).expect(0);
    for server in SERVERS {
        let data = path(cluster, server);
        change(
            cluster,
            server,
            &[
                (&format!("\"{data}\""), &format!("\"{data}-restored\"")),
                (&format!("\"{}\"", path(cluster, "cluster")), &format!("\"{folder}\"")),
            ],
        );
        cluster.launch(server);
    }
    await_voters(cluster, 3);
}

/// One server goes on alone, from what its folder holds.
fn recover(cluster: &mut Cluster) {
    let data = format!("{}-restored", path(cluster, "s1"));
    let arguments = ["server", "recover", "-data-dir", &data, "-yes"];
    cluster.sched(&arguments).expect(1).complains(&["a server runs on this folder"]);
    for server in SERVERS {
        cluster.kill(server);
    }
    let shown = cluster.sched(&["server", "recover", "-data-dir", &data, "-dry-run"]).expect(0);
    assert!(shown.stdout.contains("Last entry"), "{}", shown.stdout);
    cluster.sched(&arguments).expect(0);
    cluster.launch("s1");
    await_voters(cluster, 1);
}

/// The others join with a token, under new ids; leadership is handed to one of them.
fn join_others(cluster: &mut Cluster, before: &[Container]) {
    let token = cluster.sched(&["server", "join", "-json"]).expect(0).json();
    let token = token["Token"].as_str().expect("a token").to_owned();
    let first = format!("{}:{RPC_PORT}", cluster.address("s1"));
    for server in ["s2", "s3"] {
        let data = path(cluster, server);
        let cluster_dir = format!("cluster_dir = \"{}\"", path(cluster, "restored"));
        change(
            cluster,
            server,
            &[
                (&format!("\"{data}-restored\""), &format!("\"{data}-joined\"\njoin_token = \"{token}\"")),
                (&cluster_dir, &format!("join = [\"{first}\"]")),
            ],
        );
        cluster.launch(server);
    }
    await_voters(cluster, 3);
    wait::until("s2 leads", SOON, || {
        let asked = cluster.sched(&["server", "transfer", "s2"]);
        wait::check(asked.code == 0 && cluster.leader() == "s2", || asked.stderr.clone())
    });
    wait::until("healthy servers", SOON, || {
        let health = cluster.sched(&["server", "health"]);
        wait::check(health.code == 0, || health.stdout.clone())
    });
    assert_eq!(cluster.running("basket"), before);
}

/// Changes the configuration of a process; every pair must occur in it.
#[track_caller]
fn change(cluster: &Cluster, name: &str, changes: &[(&str, &str)]) {
    let file = format!("{name}.hcl");
    let mut text = std::fs::read_to_string(cluster.folder().join(&file)).expect("it was written before");
    for (from, to) in changes {
        assert!(text.contains(from), "`{from}` is missing in\n{text}");
        text = text.replace(from, to);
    }
    cluster.write(&file, text);
}

fn path(cluster: &Cluster, name: &str) -> String {
    cluster.folder().join(name).display().to_string()
}

/// The file with one bit changed in its middle.
fn flipped(file: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(Path::new(file)).expect("it was just written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

fn last_index(cluster: &Cluster) -> u64 {
    let own = cluster.get("/v1/agent/self");
    let index = own["stats"]["raft"]["last_log_index"].as_str().unwrap_or_default();
    index.parse().unwrap_or_else(|_| panic!("`{index}` is no index"))
}

#[track_caller]
fn await_voters(cluster: &Cluster, count: usize) {
    wait::until(&format!("{count} servers that vote"), SOON, || {
        let members = cluster.try_get("/v1/agent/members")?;
        let votes = |one: &&serde_json::Value| one["Status"] == "alive" && one["Tags"]["voter"] == "true";
        let voters = members["Members"].as_array().into_iter().flatten().filter(votes).count();
        wait::check(voters == count, || members.to_string())
    });
}

/// Waits until every agent answers through the servers.
#[track_caller]
fn await_agents(cluster: &Cluster) {
    for agent in AGENTS {
        let id = cluster.node_id(agent);
        wait::until(&format!("{agent} answers"), SOON, || {
            cluster.try_get(&format!("/v1/client/stats?node_id={id}")).map(drop)
        });
        cluster.await_node(agent, "ready", SOON);
    }
}
