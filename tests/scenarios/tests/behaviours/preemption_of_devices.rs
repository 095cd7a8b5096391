//! Devices and cores of lower work that make way.

use scenarios::check;

#[test]
fn who_holds_a_device_makes_way() {
    check(
        "scheduler preempt
         node n1 device=nvidia/gpu/a100:2
         job idle cpu=100 priority=10
         alloc idle[0] on n1 running healthy
         job low device=gpu priority=20
         alloc low[0] on n1 running healthy
         job peer device=gpu priority=75
         alloc peer[0] on n1 running healthy
         job high device=gpu priority=80",
        "place high[0] on n1 after low[0] with a100[0]
         preempt low[0] on n1
         blocked low 1: device gpu 1",
    );
}

#[test]
fn who_holds_devices_of_several_asks_makes_way_for_all_of_them() {
    let nodes = "scheduler preempt
         node n1 device=nvidia/gpu/a100:2 device=intel/fpga/f100:1
         job one device=gpu priority=20
         alloc one[0] on n1 running healthy
         job two device=gpu priority=20
         alloc two[0] on n1 running healthy
         job three device=fpga priority=30
         alloc three[0] on n1 running healthy";
    check(
        &format!("{nodes}\njob high device=gpu:2 device=fpga priority=80"),
        "place high[0] on n1 after two[0] after one[0] after three[0] with a100[0] and a100[1] and f100[0]
         preempt one[0] on n1
         preempt three[0] on n1
         preempt two[0] on n1
         blocked one 1: device gpu 1
         blocked three 1: device fpga 1
         blocked two 1: device gpu 1",
    );
}

#[test]
fn nobody_ends_where_the_device_is_not_to_be_had_at_all() {
    let full = "scheduler preempt
         node n1 cpu=1000 device=nvidia/gpu/a100:1
         job low cpu=1000 device=gpu priority=20
         alloc low[0] on n1 running healthy";
    check(&format!("{full}\njob high cpu=500 device=gpu:2 priority=80"), "blocked high 1: cpu 1, missing device gpu 1");
    check(&format!("{full}\njob high cpu=500 device=fpga priority=80"), "blocked high 1: cpu 1, missing device fpga 1");
}

#[test]
fn a_device_that_comes_free_anyway_is_waited_for() {
    check(
        "scheduler preempt
         node n1 device=nvidia/gpu/a100:2
         job low device=gpu priority=20
         alloc low[0] on n1 running healthy
         job old device=gpu priority=20
         alloc old[0] on n1 running healthy
         stop old
         run
         job high device=gpu priority=80",
        "blocked high 1: device gpu 1",
    );
}

#[test]
fn two_take_the_devices_of_two() {
    check(
        "scheduler preempt
         node n1 device=nvidia/gpu/a100:2
         job low count=2 device=gpu priority=20
         alloc low[0] on n1 running healthy
         alloc low[1] on n1 running healthy
         job high count=2 device=gpu priority=80",
        "place high[0] on n1 after low[?] with a100[?]
         place high[1] on n1 after low[?] with a100[?]
         preempt low[?] on n1
         preempt low[?] on n1
         blocked low 2: device gpu 1",
    );
}

#[test]
fn who_has_cores_alone_makes_way() {
    check(
        "scheduler preempt
         node n1 cores=0-3 core_mhz=1000 cpu=4000
         job low cores=3 priority=20
         alloc low[0] on n1 running healthy
         job high cores=2 priority=80",
        "place high[0] on n1 after low[0] with cores 0,1
         preempt low[0] on n1
         blocked low 1: cores 1, cpu 1",
    );
}
