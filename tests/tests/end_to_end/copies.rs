//! Data folders of agents that were copied, whole or in part: a node stays its own agent's.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::e2e::cluster::Cluster;
use tests::e2e::{shared, wait};

const SOON: Duration = Duration::from_secs(20);

/// Copies the data folder of `n3`, without the files in `left_out`, and starts an agent called `name` with it.
fn launch_copy(cluster: &mut Cluster, name: &'static str, last_of_address: &str, left_out: Option<&str>) {
    let folder = cluster.folder().join(name);
    let copied = Command::new("cp").arg("-a").arg(cluster.folder().join("n3")).arg(&folder).status();
    assert!(copied.expect("there is a cp").success());
    if let Some(left_out) = left_out {
        std::fs::remove_dir_all(find(&folder, left_out)).expect("it was copied");
    }
    let address = cluster.address("n3");
    let (net, _) = address.rsplit_once('.').expect("it is an address");
    let file = std::fs::read_to_string(cluster.folder().join("n3.hcl")).expect("it was written");
    let data = |name: &str| cluster.folder().join(name).display().to_string();
    let docker = "docker {\n    enabled = true";
    assert!(file.contains(docker), "{file}");
    // Both would see the same engine, where a copy on another host has its own.
    let file = file
        .replace(docker, "docker {\n    enabled = false")
        .replace(&format!("\"{}\"", data("n3")), &format!("\"{}\"", data(name)))
        .replace(&format!("\"{address}\""), &format!("\"{net}.{last_of_address}\""));
    cluster.write(&format!("{name}.hcl"), file);
    cluster.launch(name);
}

/// The folder of that name, somewhere in `folder`.
fn find(folder: &Path, name: &str) -> std::path::PathBuf {
    let found = |folder: &Path| folder.join(name).is_dir().then(|| folder.join(name));
    let inner = || std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| found(&entry.path()));
    found(folder).or_else(inner).unwrap_or_else(|| panic!("no {name} in {}", folder.display()))
}

#[track_caller]
fn await_log(cluster: &Cluster, name: &str, word: &str) {
    let file = cluster.folder().join(format!("{name}.log"));
    wait::until(&format!("`{word}` in the log of {name}"), SOON, || {
        let log = std::fs::read_to_string(&file).unwrap_or_default();
        wait::check(log.contains(word), || log.lines().last().unwrap_or_default().to_owned())
    });
}

#[track_caller]
fn await_address(cluster: &Cluster, node: &str, address: &str) {
    wait::until(&format!("the agent of {node} at {address}"), SOON, || {
        let shown = cluster.try_get(&format!("/v1/node/{node}"))?;
        let is_there = shown["Attributes"]["unique.network.ip-address"].as_str().is_some_and(|found| found == address);
        wait::check(is_there && shown["Status"] == "ready", || {
            format!("{} at {}", shown["Status"], shown["Attributes"]["unique.network.ip-address"])
        })
    });
}

#[test]
fn a_copied_data_folder_gives_nobody_the_place_of_an_agent_that_is_heard() {
    let mut cluster = shared::cluster();
    let (node, own) = (cluster.node_id("n3"), cluster.address("n3"));
    await_address(&cluster, &node, &own);

    launch_copy(&mut cluster, "stranger", "29", Some("identity"));
    await_log(&cluster, "stranger", "belongs to an agent with another private key");
    launch_copy(&mut cluster, "copy", "39", None);
    await_log(&cluster, "copy", "is on another host, or in another folder, and is heard");
    await_address(&cluster, &node, &own);
    cluster.await_node("n3", "ready", SOON);

    cluster.kill("n3");
    let (net, _) = own.rsplit_once('.').expect("it is an address");
    await_address(&cluster, &node, &format!("{net}.39"));
    cluster.launch("n3");
    await_log(&cluster, "n3", "is on another host, or in another folder, and is heard");
    cluster.kill("copy");
    await_address(&cluster, &node, &own);
    cluster.kill("stranger");
}
