//! Questions and their answers, without a socket.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::{Host, NEGATIVE_TTL};
use super::*;

/// Two datacenters: `web` runs in both, `idle` has no passing instance.
struct Catalog;

impl Names for Catalog {
    fn service(&self, service: &str, tag: Option<&str>) -> Lookup<Vec<Endpoint>> {
        let endpoint = |address: &str, port, datacenter: &str| Endpoint {
            address: address.parse().unwrap(),
            port,
            node: "n1".to_string(),
            datacenter: datacenter.to_string(),
        };
        match (service, tag) {
            ("web", None) => Lookup::Found(vec![
                endpoint("10.0.0.1", 8001, "DC1"),
                endpoint("10.0.0.1", 8002, "DC1"),
                endpoint("10.0.0.2", 8003, "dc2"),
                endpoint("2001:db8::1", 8004, "dc2"),
            ]),
            ("web", Some("v1")) => Lookup::Found(vec![endpoint("10.0.0.1", 8001, "DC1")]),
            ("web", Some(_)) | ("idle", _) => Lookup::Found(Vec::new()),
            ("early", _) => Lookup::Unsynced,
            _ => Lookup::Unknown,
        }
    }

    fn node(&self, name: &str) -> Lookup<Host> {
        match name {
            "n1" => Lookup::Found(Host { address: "10.0.0.1".parse().unwrap(), datacenter: "DC1".to_string() }),
            "early" => Lookup::Unsynced,
            _ => Lookup::Unknown,
        }
    }

    fn is_datacenter(&self, name: &str) -> bool {
        matches!(name, "dc1" | "dc2")
    }
}

struct Seed(AtomicU64);

impl Random for Seed {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

fn answers() -> Answers {
    let zones = ["sched", "consul"].map(|domain| Zone::new(domain).unwrap()).to_vec();
    Answers::new(zones, Duration::from_secs(3), Arc::new(Catalog), Arc::new(Seed(AtomicU64::new(0))))
}

fn ask(name: &str, kind: RecordType) -> Answer {
    let ours = ["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    answers().answer(&Name::from_ascii(name).unwrap(), kind, &ours)
}

/// The answers in order, without TTL and class.
fn lines(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<_> =
        records.iter().map(|record| format!("{} {} {}", record.name, record.record_type(), record.data)).collect();
    lines.sort();
    lines
}

#[test]
fn a_service_has_the_addresses_of_its_passing_instances_each_once() {
    let found = ask("Web.Service.SCHED.", RecordType::A);
    assert_eq!(found.code, ResponseCode::NoError);
    assert_eq!(lines(&found.answers), ["Web.Service.SCHED. A 10.0.0.1", "Web.Service.SCHED. A 10.0.0.2"]);
    assert!(found.answers.iter().all(|record| record.ttl == 3));
    assert_eq!(lines(&ask("web.service.consul.", RecordType::AAAA).answers), ["web.service.consul. AAAA 2001:db8::1"]);
    let v1 = ask("v1.web.service.sched.", RecordType::A);
    assert_eq!(lines(&v1.answers), ["v1.web.service.sched. A 10.0.0.1"]);
    let there = ask("web.service.dc2.sched.", RecordType::A);
    assert_eq!(lines(&there.answers), ["web.service.dc2.sched. A 10.0.0.2"]);
}

#[test]
fn srv_answers_bring_the_address_of_each_target_which_can_be_asked_for_too() {
    let found = ask("_web._tcp.service.dc1.sched.", RecordType::SRV);
    assert_eq!(
        lines(&found.answers),
        [
            "_web._tcp.service.dc1.sched. SRV 1 1 8001 0a000001.addr.DC1.sched.",
            "_web._tcp.service.dc1.sched. SRV 1 1 8002 0a000001.addr.DC1.sched.",
        ]
    );
    assert_eq!(lines(&found.additionals), ["0a000001.addr.DC1.sched. A 10.0.0.1"]);
    for target in ask("web.service.sched.", RecordType::SRV).additionals {
        assert_eq!(lines(&ask(&target.name.to_ascii(), target.record_type()).answers), lines(&[target]));
    }
}

#[test]
fn a_node_has_its_address_in_its_own_datacenter() {
    for name in ["n1.node.sched.", "n1.node.dc1.sched."] {
        assert_eq!(lines(&ask(name, RecordType::A).answers), [format!("{name} A 10.0.0.1")]);
    }
    assert_eq!(ask("n1.node.dc2.sched.", RecordType::A).code, ResponseCode::NXDomain);
}

#[test]
fn what_does_not_exist_is_told_from_what_has_another_type() {
    for name in
        ["none.service.sched.", "web.service.dc3.sched.", "none.node.sched.", "web.nonsense.sched.", "dc3.sched."]
    {
        let answer = ask(name, RecordType::A);
        assert_eq!(answer.code, ResponseCode::NXDomain, "{name}");
        let soa = answer.soa.unwrap();
        let RData::SOA(data) = &soa.data else { panic!("{soa:?}") };
        assert_eq!((u64::from(data.minimum), u64::from(soa.ttl)), (NEGATIVE_TTL.as_secs(), NEGATIVE_TTL.as_secs()));
    }
    for (name, kind) in [
        ("idle.service.sched.", RecordType::A),
        ("idle.service.sched.", RecordType::SRV),
        ("v9.web.service.sched.", RecordType::A),
        ("web.service.sched.", RecordType::TXT),
        ("v1.web.service.sched.", RecordType::AAAA),
        ("n1.node.sched.", RecordType::SRV),
        ("0a000001.addr.dc1.sched.", RecordType::AAAA),
        ("service.sched.", RecordType::A),
        ("_tcp.service.sched.", RecordType::A),
        ("dc1.sched.", RecordType::A),
        ("sched.", RecordType::A),
    ] {
        let answer = ask(name, kind);
        assert_eq!((answer.code, answer.answers.len()), (ResponseCode::NoError, 0), "{name} {kind}");
        assert!(answer.soa.is_some(), "{name} {kind}");
    }
}

#[test]
fn before_the_catalog_was_seen_nothing_is_denied_and_other_domains_are_refused() {
    for name in ["early.service.sched.", "early.node.consul."] {
        assert_eq!(ask(name, RecordType::A), Answer::code(ResponseCode::ServFail), "{name}");
    }
    for name in ["example.com.", "sched.example.com.", "."] {
        assert_eq!(ask(name, RecordType::A), Answer::code(ResponseCode::Refused), "{name}");
    }
}

#[test]
fn the_domain_itself_says_who_serves_it() {
    assert_eq!(lines(&ask("sched.", RecordType::SOA).answers).len(), 1);
    let ns = ask("consul.", RecordType::NS);
    assert_eq!(lines(&ns.answers), ["consul. NS ns.consul."]);
    assert_eq!(lines(&ns.additionals), ["ns.consul. A 127.0.0.1", "ns.consul. AAAA ::1"]);
    assert_eq!(lines(&ask("ns.consul.", RecordType::A).answers), ["ns.consul. A 127.0.0.1"]);
}

#[test]
fn any_is_answered_with_one_kind_of_record() {
    let kinds = |name| {
        let mut kinds: Vec<_> = ask(name, RecordType::ANY).answers.iter().map(Record::record_type).collect();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds("web.service.sched."), [RecordType::A]);
    assert_eq!(kinds("sched."), [RecordType::SOA]);
}

#[test]
fn every_instance_comes_first_equally_often() {
    let answers = answers();
    let name = Name::from_ascii("web.service.sched.").unwrap();
    let mut first = std::collections::BTreeMap::<u16, u32>::new();
    for _ in 0..4_000 {
        let found = answers.answer(&name, RecordType::SRV, &[]);
        let RData::SRV(srv) = &found.answers[0].data else { panic!("{found:?}") };
        *first.entry(srv.port).or_default() += 1;
    }
    assert_eq!(first.len(), 4);
    assert!(first.values().all(|times| (900..1100).contains(times)), "{first:?}");
}

#[test]
fn a_name_belongs_to_the_deepest_domain_that_fits() {
    let zones = ["consul", "dc.consul"].map(|domain| Zone::new(domain).unwrap()).to_vec();
    let answers = Answers::new(zones, Duration::ZERO, Arc::new(Catalog), Arc::new(Seed(AtomicU64::new(0))));
    let found = answers.answer(&Name::from_ascii("web.service.dc.consul.").unwrap(), RecordType::A, &[]);
    assert_eq!(found.answers.len(), 2);
}
