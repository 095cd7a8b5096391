//! One node looked at for one job, or alone.

use scenarios::{check_node_alone, check_on_node};
use server_core::limits::BLOCKED_ON_NODE_MAX;

#[test]
fn every_check_says_what_is_wanted_and_what_the_node_has() {
    check_on_node(
        "node n1 cpu=1000 mem=1000 rack=r1 driver=fake ports=20000-20009
         job proxy port=8080 cpu=100 mem=300
         alloc proxy[0] on n1 running
         job web mem=900 port=8080 dynamic_ports=1 constraint=\"${meta.rack} = r9\" distinct_hosts",
        "n1",
        "web",
        "web: nothing there
         ok status: ready wanted, ready
         ok eligibility: eligible wanted, eligible
         ok datacenter: * wanted, dc1
         ok node pool: default wanted, default
         ok driver fake: healthy wanted, healthy
         no ${meta.rack} = r9: = r9 wanted, r1
         ok distinct_hosts: no other instance of the group wanted, none
         ok cpu: 100 MHz wanted, 900 MHz free of 1000
         no memory: 900 MiB wanted, 700 MiB free of 1000
         ok memory_max: 900 MiB wanted, 1200 MiB free of 1500
         ok disk: 10 MiB wanted, 102390 MiB free of 102400
         no port 8080: free wanted, taken by proxy[0]
         ok dynamic ports: 1 free wanted, 0 of 20000 to 20009 taken",
    );
}

#[test]
fn a_node_that_fits_and_lost_says_by_how_much_and_to_whom() {
    check_on_node(
        "node full cpu=1600 mem=1600
         node large cpu=4000 mem=4000
         job other cpu=400 mem=400
         alloc other[0] on full running
         job web count=4 cpu=500 mem=500
         alloc web[0] on full running healthy
         alloc web[1] on large running healthy
         alloc web[2] on large running healthy
         alloc web[3] on large running healthy",
        "large",
        "web",
        "web: web[1], web[2], web[3] there
         ok status: ready wanted, ready
         ok eligibility: eligible wanted, eligible
         ok datacenter: * wanted, dc1
         ok node pool: default wanted, default
         ok driver fake: healthy wanted, healthy
         ok cpu: 500 MHz wanted, 2500 MHz free of 4000
         ok memory: 500 MiB wanted, 2500 MiB free of 4000
         ok memory_max: 500 MiB wanted, 4500 MiB free of 6000
         ok disk: 10 MiB wanted, 102370 MiB free of 102400
         rank 2 of 2: packing -44, anti-affinity -100
         best full: packing -17, anti-affinity -50",
    );
}

#[test]
fn a_closed_node_without_driver_volume_or_device_says_all_of_it() {
    check_on_node(
        "node n1 draining driver=docker
         job web volume=data device=nvidia/gpu:1 cores=2",
        "n1",
        "web",
        "web: nothing there
         ok status: ready wanted, ready
         no eligibility: eligible wanted, draining
         ok datacenter: * wanted, dc1
         ok node pool: default wanted, default
         no driver fake: healthy wanted, missing
         no host volume data: there, to be written wanted, missing
         ok cpu: 0 MHz wanted, 4000 MHz free of 4000
         ok memory: 64 MiB wanted, 8192 MiB free of 8192
         ok memory_max: 64 MiB wanted, 12288 MiB free of 12288
         ok disk: 10 MiB wanted, 102400 MiB free of 102400
         no cores: 2 alone wanted, 0 free of 0
         no device nvidia/gpu: 1 wanted, 0 match, 0 free",
    );
}

#[test]
fn a_node_alone_says_what_is_free_and_who_waits_for_more() {
    check_node_alone(
        "node n1 cpu=1000 mem=1000
         job web mem=600
         alloc web[0] on n1 running
         job large mem=500
         job wide cpu=2000 mem=300 priority=70",
        "n1",
        "open
         free 900 of 1000 MHz, 400 of 1000 MiB
         holds web[0]
         waits wide 1: cpu short 1100 MHz of 2000
         waits large 1: memory short 100 MiB of 500",
    );
}

#[test]
fn a_closed_node_says_what_closes_it() {
    check_node_alone(
        "node n1 cpu=1000 mem=1000 draining
         job web mem=600",
        "n1",
        "node is draining
         free 1000 of 1000 MHz, 1000 of 1000 MiB
         waits web 1: node is draining",
    );
}

#[test]
fn of_many_who_wait_as_many_are_named_as_the_limit() {
    let jobs: Vec<_> = (0..=BLOCKED_ON_NODE_MAX).map(|at| format!("job j{at} mem=500")).collect();
    let waits = (0..BLOCKED_ON_NODE_MAX).map(|at| format!("waits j{at} 1: memory short 490 MiB of 500"));
    let waits: Vec<_> = waits.collect();
    check_node_alone(
        &format!("node n1 cpu=1000 mem=10\n{}", jobs.join("\n")),
        "n1",
        &format!(
            "open
             free 1000 of 1000 MHz, 10 of 10 MiB
             {}",
            waits.join("\n")
        ),
    );
}
