//! DNS as `dig` sees it, at every server.

use std::time::Duration;

use tests::e2e::cluster::{AGENTS, SERVERS};
use tests::e2e::shared;

#[test]
fn services_are_found_by_name_and_tag_and_unknown_names_are_not() {
    let cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, Duration::from_secs(10));
    let addresses = AGENTS.map(|agent| cluster.address(agent)).to_vec();
    for server in SERVERS {
        for name in
            ["basket.service.sched", "basket.service.consul", "shop.basket.service.sched", "BASKET.Service.SCHED"]
        {
            let answer = cluster.dig(server, name, "A", &[]);
            assert_eq!((answer.status.as_str(), &answer.records), ("NOERROR", &addresses), "{}", answer.text);
        }
        let by_tcp = cluster.dig(server, "demo.basket.service.sched", "A", &["+tcp"]);
        assert_eq!(by_tcp.records, addresses, "{}", by_tcp.text);

        let mut ports: Vec<String> =
            cluster.instances(server, "basket").unwrap().iter().map(|one| one["Port"].to_string()).collect();
        ports.sort();
        for options in [[].as_slice(), &["+tcp"]] {
            let answer = cluster.dig(server, "basket.service.sched", "SRV", options);
            let mut found: Vec<&str> =
                answer.records.iter().filter_map(|record| record.split_whitespace().nth(2)).collect();
            found.sort_unstable();
            assert_eq!(found, ports, "{}", answer.text);
            assert_eq!(answer.additional, addresses, "{}", answer.text);
        }

        let tag = cluster.dig(server, "nothing.basket.service.sched", "A", &[]);
        assert!(tag.records.is_empty(), "{}", tag.text);
        let unknown = cluster.dig(server, "nothing.service.sched", "A", &[]);
        assert_eq!((unknown.status.as_str(), unknown.records.len()), ("NXDOMAIN", 0), "{}", unknown.text);
        assert!(unknown.text.contains("SOA"), "a negative answer can be cached: {}", unknown.text);
        let other_type = cluster.dig(server, "basket.service.sched", "AAAA", &[]);
        assert_eq!((other_type.status.as_str(), other_type.records.len()), ("NOERROR", 0), "{}", other_type.text);
        let foreign = cluster.dig(server, "example.org", "A", &[]);
        assert_eq!(foreign.status, "REFUSED", "other zones are not ours: {}", foreign.text);
    }
}
