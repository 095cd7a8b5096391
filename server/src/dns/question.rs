//! Reads what a name asks for. Labels are those before the domain, in lower case.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a name asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The domain itself.
    Apex,
    /// The name server of the domain: us.
    NameServer,
    /// A service.
    Service { name: String, tag: Option<String>, datacenter: Option<String> },
    /// A node.
    Node { name: String, datacenter: Option<String> },
    /// An address, written in the name.
    Address(IpAddr),
    /// A name under which others are, and nothing itself. If it stands for a datacenter, that has to exist.
    Between { datacenter: Option<String> },
    /// Nothing that there could be.
    Nothing,
}

/// The label of the name server.
pub(super) const NAME_SERVER: &str = "ns";
/// The label under which addresses are.
pub(super) const ADDRESS: &str = "addr";

/// Reads the labels of a name.
pub(super) fn read(labels: &[String]) -> Question {
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    match labels[..] {
        [] => return Question::Apex,
        [NAME_SERVER] => return Question::NameServer,
        _ => {}
    }
    // The kind is the last label, or the last but one with a datacenter behind it.
    let split = |behind: usize| {
        let (kind_at, datacenter) = (labels.len().checked_sub(1 + behind)?, labels.get(labels.len() - behind));
        let kind = Kind::read(labels[kind_at])?;
        Some(kind.read_name(&labels[..kind_at], datacenter.map(ToString::to_string)))
    };
    match (split(0).or_else(|| split(1)), &labels[..]) {
        (Some(question), _) => question,
        (None, [datacenter]) => Question::Between { datacenter: Some(datacenter.to_string()) },
        (None, _) => Question::Nothing,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Service,
    Node,
    Address,
}

impl Kind {
    fn read(label: &str) -> Option<Self> {
        match label {
            "service" => Some(Kind::Service),
            "node" => Some(Kind::Node),
            ADDRESS => Some(Kind::Address),
            _ => None,
        }
    }

    fn read_name(self, labels: &[&str], datacenter: Option<String>) -> Question {
        if labels.is_empty() {
            return Question::Between { datacenter };
        }
        match self {
            Kind::Service => read_service(labels, datacenter),
            // Host names may have dots.
            Kind::Node => Question::Node { name: labels.join("."), datacenter },
            Kind::Address => match labels {
                [digits] => read_address(digits).map_or(Question::Nothing, Question::Address),
                _ => Question::Nothing,
            },
        }
    }
}

fn read_service(labels: &[&str], datacenter: Option<String>) -> Question {
    match labels {
        [service, tag] if service.starts_with('_') && tag.starts_with('_') => {
            let tag = match &tag[1..] {
                "tcp" | "udp" => None,
                tag => Some(tag.to_string()),
            };
            Question::Service { name: service[1..].to_string(), tag, datacenter }
        }
        [protocol] if protocol.starts_with('_') => Question::Between { datacenter },
        [tag @ .., service] => {
            // Tags may have dots.
            let tag = (!tag.is_empty()).then(|| tag.join("."));
            Question::Service { name: (*service).to_string(), tag, datacenter }
        }
        [] => Question::Between { datacenter },
    }
}

fn read_address(digits: &str) -> Option<IpAddr> {
    // `from_str_radix` would accept a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        8 => u32::from_str_radix(digits, 16).ok().map(|bits| Ipv4Addr::from_bits(bits).into()),
        32 => u128::from_str_radix(digits, 16).ok().map(|bits| Ipv6Addr::from_bits(bits).into()),
        _ => None,
    }
}

/// The label that [`Question::Address`] is read from.
pub(super) fn address_label(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{:08x}", address.to_bits()),
        IpAddr::V6(address) => format!("{:032x}", address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str) -> Question {
        read(&name.split('.').filter(|label| !label.is_empty()).map(str::to_string).collect::<Vec<_>>())
    }

    fn service(name: &str, tag: Option<&str>, datacenter: Option<&str>) -> Question {
        let owned = |text: Option<&str>| text.map(str::to_string);
        Question::Service { name: name.to_string(), tag: owned(tag), datacenter: owned(datacenter) }
    }

    #[test]
    fn services_are_read_with_tag_and_datacenter() {
        assert_eq!(question("web.service"), service("web", None, None));
        assert_eq!(question("web.service.dc1"), service("web", None, Some("dc1")));
        assert_eq!(question("v1.web.service"), service("web", Some("v1"), None));
        assert_eq!(question("v1.2.web.service.dc1"), service("web", Some("v1.2"), Some("dc1")));
        assert_eq!(question("_web._tcp.service"), service("web", None, None));
        assert_eq!(question("_web._udp.service.dc1"), service("web", None, Some("dc1")));
        assert_eq!(question("_web._v1.service"), service("web", Some("v1"), None));
        assert_eq!(question("service.service"), service("service", None, None));
        assert_eq!(question("node.service"), service("node", None, None));
    }

    #[test]
    fn nodes_and_addresses_are_read() {
        let node = |name: &str, datacenter: Option<&str>| Question::Node {
            name: name.to_string(),
            datacenter: datacenter.map(str::to_string),
        };
        assert_eq!(question("n1.node"), node("n1", None));
        assert_eq!(question("n1.example.node.dc1"), node("n1.example", Some("dc1")));
        for address in ["10.0.0.1", "2001:db8::1"] {
            let address: IpAddr = address.parse().unwrap();
            for place in ["addr", "addr.dc1"] {
                let name = format!("{}.{place}", address_label(address));
                assert_eq!(question(&name), Question::Address(address), "{name}");
            }
        }
        for wrong in ["0a00001.addr", "+a000001.addr", "0a00000g.addr", "x.0a000001.addr"] {
            assert_eq!(question(wrong), Question::Nothing, "{wrong}");
        }
    }

    #[test]
    fn what_is_between_is_told_from_what_is_nothing() {
        let between = |datacenter: Option<&str>| Question::Between { datacenter: datacenter.map(str::to_string) };
        assert_eq!(question(""), Question::Apex);
        assert_eq!(question("ns"), Question::NameServer);
        assert_eq!(question("service"), between(None));
        assert_eq!(question("_tcp.service"), between(None));
        assert_eq!(question("addr.dc1"), between(Some("dc1")));
        assert_eq!(question("dc1"), between(Some("dc1")));
        assert_eq!(question("web.nonsense"), Question::Nothing);
        assert_eq!(question("a.web.service.dc1.more"), Question::Nothing);
    }
}
