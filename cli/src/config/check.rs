//! What a configuration must fulfil beyond its types. All faults that can be seen here are found before anything starts.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::Config;
use crate::failure::Failure;

const LOG_LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

impl Config {
    /// Refuses what could not work.
    pub fn check(&self) -> Result<(), Failure> {
        if !self.server.enabled && !self.client.enabled {
            return Err(Failure::new("this process is neither a server nor a client")
                .hint("say -server, -client or both, or enable one in the configuration")
                .hint("`sched agent -dev` is both, for trying things out"));
        }
        if self.data_dir.is_none() {
            return Err(Failure::new("there is no data_dir to keep the state in").hint("say -data-dir FOLDER"));
        }
        if self.name.is_empty() || self.name.chars().any(|one| one.is_whitespace() || one.is_control()) {
            return Err(fault("name", &self.name, "a name has at least one character and no spaces"));
        }
        if !LOG_LEVELS.contains(&self.log_level.as_str()) {
            return Err(fault("log_level", &self.log_level, &format!("known are {}", LOG_LEVELS.join(", "))));
        }
        self.check_network()?;
        self.check_servers()?;
        self.check_client()
    }

    fn check_network(&self) -> Result<(), Failure> {
        let single = [
            ("bind", Some(&self.bind)),
            ("addresses.http", self.addresses.http.as_ref()),
            ("addresses.rpc", self.addresses.rpc.as_ref()),
        ];
        let given = single.into_iter().filter_map(|(key, address)| Some((key, address?)));
        for (key, address) in given.chain(self.dns.addresses.iter().map(|address| ("dns.addresses", address))) {
            address.parse::<IpAddr>().map_err(|_| fault(key, address, "an IP address is needed, without a port"))?;
        }
        let ports = [("ports.http", self.ports.http), ("ports.rpc", self.ports.rpc), ("ports.dns", self.ports.dns)];
        for (position, (key, port)) in ports.iter().enumerate() {
            if *port == 0 {
                return Err(fault(key, "0", "a port is between 1 and 65535"));
            }
            if let Some((other, _)) = ports[..position].iter().find(|(_, other)| other == port) {
                return Err(fault(key, &port.to_string(), &format!("{other} has this port already")));
            }
        }
        Ok(())
    }

    fn check_servers(&self) -> Result<(), Failure> {
        for (key, list) in [("server.join", &self.server.join), ("client.servers", &self.client.servers)] {
            for address in list {
                let whole = address.parse::<SocketAddr>().is_ok() || address.parse::<IpAddr>().is_ok();
                if !whole {
                    return Err(fault(key, address, "an address is ip:port, or an IP address for the usual port"));
                }
            }
        }
        Ok(())
    }

    fn check_client(&self) -> Result<(), Failure> {
        let client = &self.client;
        if client.enabled && !self.server.enabled && client.servers.is_empty() {
            return Err(Failure::new("client.servers is empty: the agent would know no server")
                .hint("say -join ADDRESS, or name them in the configuration"));
        }
        if client.min_dynamic_port == 0 || client.min_dynamic_port > client.max_dynamic_port {
            let range = format!("{}-{}", client.min_dynamic_port, client.max_dynamic_port);
            return Err(fault(
                "client.min_dynamic_port",
                &range,
                "the lowest port is above 0 and not above the highest",
            ));
        }
        if !(1.0..=100.0).contains(&client.memory_oversubscription) {
            let given = client.memory_oversubscription.to_string();
            return Err(fault("client.memory_oversubscription", &given, "it is a factor between 1 and 100"));
        }
        self.check_equipment()?;
        client.reserved.ports().map(|_| ())
    }

    fn check_equipment(&self) -> Result<(), Failure> {
        let client = &self.client;
        client.cores()?;
        for (name, volume) in &client.host_volume {
            if !volume.path.is_absolute() {
                let key = format!("client.host_volume.{name}.path");
                return Err(fault(&key, &volume.path.display().to_string(), "it is a full path on the host"));
            }
        }
        for (name, network) in &client.host_network {
            let key = format!("client.host_network.{name}.address");
            network.address.parse::<IpAddr>().map_err(|_| fault(&key, &network.address, "an IP address is needed"))?;
            network.ports(name)?;
        }
        for mode in client.network_modes.iter().flatten() {
            if !model::usual_network_modes().contains(mode) {
                return Err(fault("client.network_modes", mode, "known are host, bridge and none"));
            }
        }
        for (name, network) in &client.cni_network {
            if network.docker_network.is_empty() {
                let key = format!("client.cni_network.{name}.docker_network");
                return Err(fault(&key, "", "it is what Docker calls the network"));
            }
        }
        if client.node_max_allocs == Some(0) {
            return Err(fault("client.node_max_allocs", "0", "it is at least 1; leave it out for as many as fit"));
        }
        for (vendor, kind, name, device) in client.devices() {
            for (id, instance) in &device.instance {
                if !(instance.path.is_empty() || instance.path.starts_with('/')) {
                    let key = format!("client.device.{vendor}.{kind}.{name}.instance.{id}.path");
                    return Err(fault(&key, &instance.path, "it is a full path on the host"));
                }
            }
        }
        Ok(())
    }
}

impl super::client::Client {
    /// The cores of `reservable_cores`; none unless given.
    pub fn cores(&self) -> Result<Option<BTreeSet<u16>>, Failure> {
        let Some(text) = &self.reservable_cores else { return Ok(None) };
        let ranges = ranges("client.reservable_cores", text, 0, "it is a list such as 0-3,6")?;
        Ok(Some(ranges.into_iter().flat_map(|(first, last)| first..=last).collect()))
    }

    /// The devices, each with its vendor, type and model.
    pub fn devices(&self) -> impl Iterator<Item = (&String, &String, &String, &super::client::Device)> {
        self.device.iter().flat_map(|(vendor, kinds)| {
            kinds
                .iter()
                .flat_map(move |(kind, names)| names.iter().map(move |(name, device)| (vendor, kind, name, device)))
        })
    }
}

impl super::client::HostNetwork {
    /// The ports of `reserved_ports` of the network of that name.
    pub fn ports(&self, name: &str) -> Result<Vec<u16>, Failure> {
        let key = format!("client.host_network.{name}.reserved_ports");
        let ranges = ranges(&key, &self.reserved_ports, 1, "it is a list such as 22,80-90")?;
        Ok(ranges.into_iter().flat_map(|(first, last)| first..=last).collect())
    }
}

impl super::client::Reserved {
    /// The ports of `reserved_ports`, as ranges with both ends.
    pub fn ports(&self) -> Result<Vec<(u16, u16)>, Failure> {
        ranges("client.reserved.reserved_ports", &self.reserved_ports, 1, "it is a list such as 22,80-90")
    }
}

/// `22,80-90` as ranges with both ends, of numbers from `least` on.
fn ranges(key: &str, text: &str, least: u16, rule: &str) -> Result<Vec<(u16, u16)>, Failure> {
    let wrong = || fault(key, text, rule);
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let range: (u16, u16) =
                (low.trim().parse().map_err(|_| wrong())?, high.trim().parse().map_err(|_| wrong())?);
            if range.0 < least || range.0 > range.1 { Err(wrong()) } else { Ok(range) }
        })
        .collect()
}

fn fault(key: &str, given: &str, rule: &str) -> Failure {
    Failure::new(format!("{key} is `{given}`, which cannot be")).at("the configuration").hint(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Config {
        let mut config = Config { data_dir: Some("/x".into()), ..Config::default() };
        config.server.enabled = true;
        config
    }

    #[track_caller]
    fn fails(bend: impl Fn(&mut Config), wanted: &str) {
        let mut config = good();
        bend(&mut config);
        let failure = config.check().expect_err("the fault is found").to_string();
        assert!(failure.contains(wanted), "{failure}");
    }

    #[test]
    fn each_fault_is_found_and_named() {
        good().check().unwrap();
        fails(|config| config.server.enabled = false, "neither a server nor a client");
        fails(|config| config.data_dir = None, "data_dir");
        fails(|config| config.name = "a b".into(), "name is `a b`");
        fails(|config| config.log_level = "loud".into(), "known are trace");
        fails(|config| config.bind = "localhost".into(), "bind is `localhost`");
        fails(|config| config.dns.addresses = vec!["x".into()], "dns.addresses");
        fails(|config| config.ports.rpc = 0, "ports.rpc is `0`");
        fails(|config| config.ports.dns = 4646, "ports.http has this port already");
        fails(|config| config.server.join = vec!["s1:4647".into()], "server.join");
        fails(|config| (config.server.enabled, config.client.enabled) = (false, true), "client.servers is empty");
        fails(|config| config.client.min_dynamic_port = 40_000, "min_dynamic_port");
        fails(|config| config.client.memory_oversubscription = 0.9, "memory_oversubscription");
        fails(|config| config.client.memory_oversubscription = f64::NAN, "memory_oversubscription");
        fails(|config| config.client.reserved.reserved_ports = "90-80".into(), "reserved_ports");
        fails(|config| config.client.reservable_cores = Some("3-0".into()), "reservable_cores");
        fails(
            |config| drop(config.client.host_volume.insert("data".into(), Default::default())),
            "host_volume.data.path",
        );
        fails(|config| drop(config.client.host_network.insert("lan".into(), Default::default())), "host_network.lan");
    }

    #[test]
    fn reserved_ports_are_ranges() {
        let reserved =
            |text: &str| super::super::client::Reserved { reserved_ports: text.into(), ..Default::default() };
        assert_eq!(reserved("22, 80-90").ports().unwrap(), [(22, 22), (80, 90)]);
        assert_eq!(reserved("").ports().unwrap(), []);
        assert!(reserved("70000").ports().is_err());
    }
}
