//! `sched agent -dev`: one process, no configuration file, ready at once, nothing lost by a crash.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::MutexGuard;
use std::time::Duration;

use serde_json::Value;
use tests::e2e::command::{self, Outcome};
use tests::e2e::docker::{self, Container};
use tests::e2e::process::Process;
use tests::e2e::sweeper::Sweeper;
use tests::e2e::{binary, checkout, http, runs_folder, wait};
use tests::machine;

const SOON: Duration = Duration::from_secs(15);
/// What is asserted of the time to be ready; the time itself is printed. Other work may go on on this machine.
const READY_WITHIN: Duration = Duration::from_secs(3);

/// A name, an address and a folder of its own for a `-dev` process.
struct Dev {
    name: String,
    address: Ipv4Addr,
    folder: PathBuf,
    _sweeper: Sweeper,
    _machine: MutexGuard<'static, ()>,
}

impl Dev {
    fn new(purpose: &str, last: u8) -> Self {
        let machine = machine::alone();
        docker::must_be_ready();
        let process = std::process::id();
        let name = format!("e2e-{purpose}-{process}");
        let folder = runs_folder().join(&name);
        std::fs::create_dir_all(&folder).expect("the target folder can be written to");
        let address = Ipv4Addr::new(127, 0, 7 + u8::try_from(process % 240).expect("less than 240"), last);
        let sweeper = Sweeper::new(&folder, &format!("sched.node_name={name}"));
        Self { name, address, folder, _sweeper: sweeper, _machine: machine }
    }

    /// Starts it; gives the process and how long it took until its node was ready for work.
    fn start(&self, more: &[&str]) -> (Process, Duration) {
        let (data, address) = (self.folder.join("data").display().to_string(), self.address.to_string());
        let arguments = ["-dev", "-name", &self.name, "-bind", &address, "-data-dir", &data];
        let process = Process::agent(&[&arguments, more].concat(), &self.folder.join("dev.log"));
        let (_, took) = wait::until("a ready node", SOON, || {
            let nodes = self.get("/v1/nodes")?;
            wait::check(nodes[0]["Status"] == "ready", || format!("{nodes}"))
        });
        (process, took)
    }

    fn http(&self) -> SocketAddr {
        (self.address, 4646).into()
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        let reply = http::send(self.http(), "GET", path, b"").map_err(|error| error.to_string())?;
        wait::check(reply.status == 200, || reply.text())?;
        Ok(reply.json())
    }

    fn sched(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(binary());
        command.env("SCHED_ADDR", format!("http://{}", self.http())).current_dir(checkout());
        command::run(command.args(arguments))
    }

    fn running(&self) -> Vec<Container> {
        let all = docker::containers(&format!("sched.node_name={}", self.name));
        all.into_iter().filter(|one| one.running).collect()
    }
}

#[test]
fn dev_is_ready_at_once_and_finds_its_containers_after_a_crash() {
    let dev = Dev::new("dev", 31);
    let (process, took) = dev.start(&[]);
    println!("sched agent -dev is ready after {took:?}");
    assert!(took <= READY_WITHIN, "ready only after {took:?}");
    dev.sched(&["job", "run", "jobspecs/basket.hcl"]).expect(0);
    let before = dev.running();
    assert_eq!(before.len(), 3);
    process.kill();
    let (process, took) = dev.start(&[]);
    println!("and again after {took:?}");
    wait::until("the instances in the catalog", SOON, || {
        let found = dev.get("/v1/service/basket")?;
        wait::check(found.as_array().map_or(0, Vec::len) == 3, || found.to_string())
    });
    assert_eq!(dev.running(), before, "the same containers, started at the same times");
    for one in dev.get("/v1/job/basket/allocations").unwrap().as_array().unwrap() {
        assert_eq!(one["TaskStates"]["basket"]["Restarts"], 0, "{one:#}");
    }
    process.stop();
    assert_eq!(dev.running(), before, "a stop does not touch what runs");
}

#[test]
fn ephemeral_leaves_nothing_behind() {
    let dev = Dev::new("ephemeral", 32);
    let (process, _) = dev.start(&["-ephemeral"]);
    dev.sched(&["job", "run", "jobspecs/basket.hcl"]).expect(0);
    assert_eq!(dev.running().len(), 3);
    process.stop();
    let left = docker::containers(&format!("sched.node_name={}", dev.name));
    assert_eq!(left, [], "containers");
    assert!(!dev.folder.join("data").exists(), "the state");
}
