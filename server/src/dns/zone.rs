//! One domain that we answer for, and the records that belong to the domain itself.

use std::net::IpAddr;

use hickory_proto::rr::rdata::{NS, SOA};
use hickory_proto::rr::{Name, RData, Record};
use thiserror::Error;

use super::NEGATIVE_TTL;
use super::question::{ADDRESS, NAME_SERVER, address_label};

/// The text is not a domain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{domain}` is not a domain that can be served: {reason}")]
pub struct DomainError {
    domain: String,
    reason: String,
}

/// A domain that we answer for.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Name,
}

impl Zone {
    /// The zone of `domain`, such as `sched` or `sched.example.com`.
    pub fn new(domain: &str) -> Result<Self, DomainError> {
        let wrong = |reason: String| DomainError { domain: domain.to_string(), reason };
        let mut name = Name::from_ascii(domain).map_err(|error| wrong(error.to_string()))?.to_lowercase();
        name.set_fqdn(true);
        if name.is_root() {
            return Err(wrong("all names would be ours".to_string()));
        }
        Ok(Self { name })
    }

    /// The labels of `name` before the domain, in lower case; none if the name is of another domain.
    pub(super) fn labels(&self, name: &Name) -> Option<Vec<String>> {
        if !self.name.zone_of(name) {
            return None;
        }
        let before = usize::from(name.num_labels() - self.name.num_labels());
        // A label that is no text names nothing of ours; what stands for it names nothing either.
        Some(name.iter().take(before).map(|label| String::from_utf8_lossy(label).to_lowercase()).collect())
    }

    /// How many labels the domain has; the zone with the most is the one that a name belongs to.
    pub(super) fn depth(&self) -> u8 {
        self.name.num_labels()
    }

    pub(super) fn soa(&self) -> Record {
        let seconds = u32::try_from(NEGATIVE_TTL.as_secs()).unwrap_or(u32::MAX);
        let person = self.under(&["hostmaster"]);
        // Nobody transfers the zone, so serial and times are only for the form.
        let soa = SOA::new(self.name_server(), person, 1, 3600, 600, 86_400, seconds);
        Record::from_rdata(self.name.clone(), seconds, RData::SOA(soa))
    }

    pub(super) fn ns(&self, ttl: u32) -> Record {
        Record::from_rdata(self.name.clone(), ttl, RData::NS(NS(self.name_server())))
    }

    pub(super) fn name_server(&self) -> Name {
        self.under(&[NAME_SERVER])
    }

    /// The name that stands for `address` in SRV records.
    pub(super) fn target(&self, address: IpAddr, datacenter: &str) -> Name {
        let digits = address_label(address);
        // A datacenter may have a name that DNS can't carry; the address is found without it as well.
        self.try_under(&[&digits, ADDRESS, datacenter]).unwrap_or_else(|| self.under(&[&digits, ADDRESS]))
    }

    fn under(&self, labels: &[&str]) -> Name {
        self.try_under(labels).unwrap_or_else(|| self.name.clone())
    }

    fn try_under(&self, labels: &[&str]) -> Option<Name> {
        Name::from_labels(labels.iter().map(|label| label.as_bytes())).ok()?.append_domain(&self.name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_domain_without_regard_to_case() {
        let zone = Zone::new("Sched.Example").unwrap();
        let labels = |name: &str| zone.labels(&Name::from_ascii(name).unwrap());
        assert_eq!(labels("Web.SERVICE.sched.example."), Some(vec!["web".to_string(), "service".to_string()]));
        assert_eq!(labels("sched.example."), Some(Vec::new()));
        assert_eq!(labels("example."), None);
        assert_eq!(labels("web.service.consul."), None);
    }

    #[test]
    fn a_target_is_found_even_if_its_datacenter_cannot_be_written() {
        let zone = Zone::new("sched").unwrap();
        let address = "10.0.0.1".parse().unwrap();
        assert_eq!(zone.target(address, "dc1").to_ascii(), "0a000001.addr.dc1.sched.");
        assert_eq!(zone.target(address, &"x".repeat(64)).to_ascii(), "0a000001.addr.sched.");
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for wrong in ["", ".", "a..b", &"x".repeat(64)] {
            assert!(Zone::new(wrong).is_err(), "{wrong}");
        }
        assert!(Zone::new("sched.").is_ok());
    }
}
