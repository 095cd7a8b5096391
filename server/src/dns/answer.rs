//! Decides what a question is answered: values in, values out, no sockets.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::SRV;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use seams::Random;

use super::question::{Question, read};
use super::zone::Zone;
use super::{Endpoint, Lookup, Names};

/// Answers questions about the catalog.
pub struct Answers {
    zones: Vec<Zone>,
    ttl_seconds: u32,
    names: Arc<dyn Names>,
    random: Arc<dyn Random>,
}

/// What a question is answered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) code: ResponseCode,
    pub(super) answers: Vec<Record>,
    /// The SOA, where there is no answer and resolvers want to know for how long.
    pub(super) soa: Option<Record>,
    pub(super) additionals: Vec<Record>,
}

impl Answer {
    fn code(code: ResponseCode) -> Self {
        Self { code, ..Self::default() }
    }
}

impl Answers {
    /// Answers from `names` for names in `zones`, to be remembered for `ttl`, in an order that `random` gives.
    pub fn new(zones: Vec<Zone>, ttl: Duration, names: Arc<dyn Names>, random: Arc<dyn Random>) -> Self {
        let ttl_seconds = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
        Self { zones, ttl_seconds, names, random }
    }

    /// The answer to `name`, as it was written, and `kind`; `ours` are the addresses of this name server.
    pub(super) fn answer(&self, name: &Name, kind: RecordType, ours: &[IpAddr]) -> Answer {
        let zone = self.zones.iter().filter_map(|zone| Some((zone, zone.labels(name)?)));
        let Some((zone, labels)) = zone.max_by_key(|(zone, _)| zone.depth()) else {
            return Answer::code(ResponseCode::Refused);
        };
        let asked = Asked { answers: self, zone, name, kind };
        match read(&labels) {
            Question::Apex => asked.apex(ours),
            Question::NameServer => asked.addresses(ours.to_vec()),
            Question::Service { name, tag, datacenter } => {
                asked.service(self.names.service(&name, tag.as_deref()), datacenter.as_deref())
            }
            Question::Node { name, datacenter } => match self.names.node(&name) {
                Lookup::Unsynced => Answer::code(ResponseCode::ServFail),
                Lookup::Found(host) if is_in(&host.datacenter, datacenter.as_deref()) => {
                    asked.addresses(vec![host.address])
                }
                Lookup::Found(_) | Lookup::Unknown => asked.nothing(ResponseCode::NXDomain),
            },
            Question::Address(address) => asked.addresses(vec![address]),
            Question::Between { datacenter: Some(name) } if !self.names.is_datacenter(&name) => {
                asked.nothing(ResponseCode::NXDomain)
            }
            Question::Between { .. } => asked.nothing(ResponseCode::NoError),
            Question::Nothing => asked.nothing(ResponseCode::NXDomain),
        }
    }

    /// Puts `items` into a random order.
    fn shuffle<T>(&self, items: &mut [T]) {
        // One random number is enough as a start; asking the system for each step would cost more than the answer.
        let mut state = self.random.next_u64();
        for last in (1..items.len()).rev() {
            state = mix(state);
            let other = state % (last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}

/// The next of a sequence of well-distributed numbers (SplitMix64).
fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A question in one of our zones.
struct Asked<'a> {
    answers: &'a Answers,
    zone: &'a Zone,
    name: &'a Name,
    kind: RecordType,
}

impl Asked<'_> {
    fn nothing(&self, code: ResponseCode) -> Answer {
        Answer { code, soa: Some(self.zone.soa()), ..Answer::default() }
    }

    /// An answer with `answers`, or an empty one if there are none: the name exists.
    fn records(&self, answers: Vec<Record>, additionals: Vec<Record>) -> Answer {
        if answers.is_empty() {
            self.nothing(ResponseCode::NoError)
        } else {
            Answer { answers, additionals, ..Answer::default() }
        }
    }

    fn apex(&self, ours: &[IpAddr]) -> Answer {
        let ttl = self.answers.ttl_seconds;
        match self.kind {
            // To ANY, one kind of record is enough of an answer (RFC 8482).
            RecordType::SOA | RecordType::ANY => self.records(vec![self.zone.soa()], Vec::new()),
            RecordType::NS => {
                let server = self.zone.name_server();
                let glue = ours.iter().map(|address| address_record(server.clone(), *address, ttl)).collect();
                self.records(vec![self.zone.ns(ttl)], glue)
            }
            _ => self.nothing(ResponseCode::NoError),
        }
    }

    /// Of `addresses`, those of the kind that is asked for, each once.
    fn addresses(&self, mut addresses: Vec<IpAddr>) -> Answer {
        addresses.retain(|address| match self.kind {
            RecordType::A => address.is_ipv4(),
            RecordType::AAAA => address.is_ipv6(),
            RecordType::ANY => true,
            _ => false,
        });
        if self.kind == RecordType::ANY && addresses.iter().any(IpAddr::is_ipv4) {
            // One kind of record is enough (RFC 8482).
            addresses.retain(IpAddr::is_ipv4);
        }
        let ttl = self.answers.ttl_seconds;
        let mut records: Vec<Record> = Vec::with_capacity(addresses.len());
        let mut seen = std::collections::BTreeSet::new();
        for address in addresses {
            if seen.insert(address) {
                records.push(address_record(self.name.clone(), address, ttl));
            }
        }
        self.records(records, Vec::new())
    }

    fn service(&self, found: Lookup<Vec<Endpoint>>, datacenter: Option<&str>) -> Answer {
        let mut endpoints = match found {
            Lookup::Unsynced => return Answer::code(ResponseCode::ServFail),
            Lookup::Unknown => return self.nothing(ResponseCode::NXDomain),
            // The name is there, and whoever hears otherwise may remember that for it and all names below.
            Lookup::Found(endpoints) if endpoints.is_empty() => return self.nothing(ResponseCode::NoError),
            Lookup::Found(endpoints) => endpoints,
        };
        endpoints.retain(|endpoint| is_in(&endpoint.datacenter, datacenter));
        if endpoints.is_empty() {
            return self.nothing(ResponseCode::NXDomain);
        }
        self.answers.shuffle(&mut endpoints);
        match self.kind {
            RecordType::SRV => self.srv(&endpoints),
            _ => self.addresses(endpoints.iter().map(|endpoint| endpoint.address).collect()),
        }
    }

    fn srv(&self, endpoints: &[Endpoint]) -> Answer {
        let ttl = self.answers.ttl_seconds;
        let mut answers = Vec::with_capacity(endpoints.len());
        let mut additionals: Vec<Record> = Vec::with_capacity(endpoints.len());
        let mut seen = std::collections::BTreeSet::new();
        for endpoint in endpoints {
            let target = self.zone.target(endpoint.address, &endpoint.datacenter);
            let srv = SRV::new(1, 1, endpoint.port, target.clone());
            answers.push(Record::from_rdata(self.name.clone(), ttl, RData::SRV(srv)));
            if seen.insert(target.clone()) {
                additionals.push(address_record(target, endpoint.address, ttl));
            }
        }
        self.records(answers, additionals)
    }
}

fn address_record(name: Name, address: IpAddr, ttl: u32) -> Record {
    let data = match address {
        IpAddr::V4(address) => RData::A(address.into()),
        IpAddr::V6(address) => RData::AAAA(address.into()),
    };
    Record::from_rdata(name, ttl, data)
}

fn is_in(datacenter: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| datacenter.to_lowercase() == wanted)
}

#[cfg(test)]
mod tests;
