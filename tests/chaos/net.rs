//! A network of hosts on one machine: a network namespace for each, joined by a bridge in a namespace of its own, so that
//! no filter of the machine stands between them. Needs root, `ip` and `iptables`.
//!
//! What one host sends to another can be dropped by direction. The machine itself reaches every host always: clients see
//! servers that do not see each other. HTTP listens on loopback of its host only; what comes to the host's address on
//! that port is led there.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use crate::e2e::command::succeed;
use crate::e2e::config::HTTP_PORT;

/// The host number of the machine itself in every network.
const MACHINE: u8 = 254;

/// A network; it is gone when the sweeper of its cluster has removed all namespaces that begin with its name.
#[derive(Debug)]
pub struct Network {
    name: String,
    net: u8,
}

impl Network {
    /// Makes it, with these hosts. Two networks need two names (at most 8 characters) and two numbers.
    #[track_caller]
    pub fn new(name: &str, net: u8, hosts: &[&str]) -> Self {
        let network = Self { name: name.to_owned(), net };
        must_be_possible();
        let hub = format!("{name}-hub");
        let outside = format!("{name}-out");
        ip(&["netns", "add", &hub]);
        ip(&["-n", &hub, "link", "add", "bridge0", "type", "bridge"]);
        ip(&["-n", &hub, "link", "set", "dev", "bridge0", "up"]);
        ip(&["link", "add", &outside, "type", "veth", "peer", "name", "machine", "netns", &hub]);
        ip(&["-n", &hub, "link", "set", "dev", "machine", "master", "bridge0", "up"]);
        ip(&["address", "add", &format!("{}/24", network.number(MACHINE)), "dev", &outside]);
        ip(&["link", "set", "dev", &outside, "up"]);
        for host in hosts {
            network.add(&hub, host);
        }
        network
    }

    fn add(&self, hub: &str, host: &str) {
        let space = self.space(host);
        ip(&["netns", "add", &space]);
        ip(&["-n", hub, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", &space]);
        ip(&["-n", hub, "link", "set", "dev", host, "master", "bridge0", "up"]);
        ip(&["-n", &space, "address", "add", &format!("{}/24", self.address(host)), "dev", "eth0"]);
        ip(&["-n", &space, "link", "set", "dev", "eth0", "up"]);
        ip(&["-n", &space, "link", "set", "dev", "lo", "up"]);
        let within = |arguments: &[&str]| succeed("ip", &[&["netns", "exec", &space], arguments].concat());
        within(&["sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"]);
        let to_http = format!("-t nat -A PREROUTING -p tcp --dport {HTTP_PORT} -j DNAT --to-destination 127.0.0.1");
        within(&[&["iptables"], to_http.split(' ').collect::<Vec<_>>().as_slice()].concat());
    }

    /// The network namespace of a host.
    pub fn space(&self, host: &str) -> String {
        format!("{}-{host}", self.name)
    }

    /// The address of a host: `s3` has number 3.
    #[track_caller]
    pub fn address(&self, host: &str) -> Ipv4Addr {
        self.number(host[1..].parse().expect("a host is a letter and a number"))
    }

    fn number(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.net, number)
    }

    /// From now on `host` hears nothing from these, and everything from all others.
    #[track_caller]
    pub fn deafen(&self, host: &str, to: &[&str]) {
        let drops: String = to.iter().map(|other| format!("-A INPUT -s {} -j DROP\n", self.address(other))).collect();
        let rules = format!("*filter\n{drops}COMMIT\n");
        let mut restore = Command::new("ip");
        restore.args(["netns", "exec", &self.space(host), "iptables-restore"]).stdin(Stdio::piped());
        let mut restore = restore.spawn().expect("there is ip");
        let mut input = restore.stdin.take().expect("it is piped");
        input.write_all(rules.as_bytes()).expect("iptables-restore reads its rules");
        drop(input);
        assert!(restore.wait().expect("it ends").success(), "iptables-restore refused:\n{rules}");
    }
}

/// Removes everything of a network, as shell: `$3` is its name.
pub const SWEEP: &str = r#"
ip link delete "$3-out"
for space in $(ip netns list | cut -d ' ' -f 1); do
    case $space in "$3"-*) ip netns delete "$space" ;; esac
done
"#;

#[track_caller]
fn must_be_possible() {
    let user = succeed("id", &["-u"]);
    assert_eq!(user.trim(), "0", "network namespaces need root; hint: run this test as root");
}

#[track_caller]
fn ip(arguments: &[&str]) {
    succeed("ip", arguments);
}
