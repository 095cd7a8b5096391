//! Devices, whole and in part.

use scenarios::{check, check_late, check_why};

#[test]
fn an_ask_may_name_the_type_the_vendor_or_the_model() {
    for ask in ["gpu", "nvidia/gpu", "nvidia/gpu/1080ti"] {
        check(
            &format!(
                "node n1 device=nvidia/gpu/1080ti:1
                 node n2 device=intel/fpga/f100:4
                 job web device={ask}"
            ),
            "place web[0] on n1 with 1080ti[0]",
        );
    }
}

#[test]
fn a_node_without_such_devices_is_no_place() {
    check(
        "node n1 device=intel/fpga/f100:1
         node n2
         job web device=gpu",
        "blocked web 1: missing device gpu 2",
    );
}

#[test]
fn fewer_devices_than_are_asked_for_are_as_good_as_none() {
    check(
        "node n1 device=nvidia/gpu/1080ti:1 device=amd/gpu/mi50:1
         job web device=gpu:2",
        "blocked web 1: missing device gpu 1",
    );
}

#[test]
fn devices_that_are_not_well_do_not_count() {
    check(
        "node n1 device=nvidia/gpu/1080ti:2-1
         job web device=gpu:2
         job api device=gpu",
        "place api[0] on n1 with 1080ti[1]
         blocked web 1: missing device gpu 1",
    );
}

#[test]
fn devices_run_out() {
    check(
        "node n1 device=nvidia/gpu/1080ti:3
         job web count=2 device=gpu:2",
        "place web[0] on n1 with 1080ti[0] and 1080ti[1]
         blocked web 1: device gpu 1",
    );
}

#[test]
fn why_says_which_ask_and_how_many_match_and_are_free() {
    check_why(
        "node n1 device=nvidia/gpu/1080ti:3
         node n2 device=intel/fpga/f100:1
         job web count=2 device=nvidia/gpu:2",
        "web",
        "web: 0 of 2 run, 1 unplaced, blocked
         2 nodes: 1 filtered, 1 exhausted, 0 fit
         n1: device nvidia/gpu: 2 wanted, 3 match, 1 free
         n2: device nvidia/gpu: 2 wanted, 0 match, 0 free
         hint: ask for 1 of device nvidia/gpu: fits 1 node
         hint: add one node of at least 100 MHz, 64 MiB and 2 of device nvidia/gpu",
    );
}

#[test]
fn a_part_of_a_device_leaves_the_rest_to_others() {
    check(
        "node n1 device=nvidia/gpu/a100:1
         job web count=3 device=\"gpu:1;share=400\"",
        "place web[0] on n1 with 400 of a100[0]
         place web[1] on n1 with 400 of a100[0]
         blocked web 1: device gpu 1",
    );
}

#[test]
fn the_last_thousandth_may_be_had() {
    check(
        "node n1 device=nvidia/gpu/a100:1
         job web device=\"gpu:1;share=999\"
         alloc web[0] on n1
         job api device=\"gpu:1;share=1\"
         alloc api[0] on n1
         job db device=\"gpu:1;share=1\"",
        "blocked db 1: device gpu 1",
    );
}

#[test]
fn parts_fill_devices_in_use_so_that_whole_ones_stay_whole() {
    check(
        "node n1 device=nvidia/gpu/a100:3
         job web device=\"gpu:1;share=300\"
         alloc web[0] on n1
         job api count=2 device=\"gpu:1;share=350\"
         run
         job db device=gpu:2",
        "place db[0] on n1 with a100[1] and a100[2]",
    );
}

#[test]
fn a_part_goes_where_the_least_is_left_that_suffices() {
    check(
        "node n1 device=nvidia/gpu/a100:2
         job web device=\"gpu:1;share=300\"
         alloc web[0] on n1
         job api device=\"gpu:1;share=800\"
         alloc api[0] on n1
         job db device=\"gpu:1;share=200\"",
        "place db[0] on n1 with 200 of a100[1]",
    );
}

#[test]
fn parts_of_several_devices_are_parts_of_each() {
    check(
        "node n1 device=nvidia/gpu/a100:2
         job web count=3 device=\"gpu:2;share=500\"",
        "place web[0] on n1 with 500 of a100[0] and 500 of a100[1]
         place web[1] on n1 with 500 of a100[0] and 500 of a100[1]
         blocked web 1: device gpu 1",
    );
}

#[test]
fn an_ask_that_may_be_met_anywhere_leaves_the_only_place_to_one_that_may_not() {
    check(
        "node n1 device=nvidia/gpu/1080ti:1 device=amd/gpu/mi50:1
         job web device=gpu device=nvidia/gpu",
        "place web[0] on n1 with mi50[0] and 1080ti[0]",
    );
}

#[test]
fn a_choice_that_leaves_nothing_for_another_ask_is_taken_back() {
    // Both asks like the a100 best, and only one of them may have it.
    check(
        "node n1 device=nvidia/gpu/a100:1 device=nvidia/gpu/t4:1 device=amd/gpu/mi50:1
         job web device=\"nvidia/gpu:1;affinity=50 ${device.model} = a100\" device=\"gpu:1;constraint=${device.model} != mi50;constraint=${device.model} != t4\"",
        "place web[0] on n1 with t4[0] and a100[0]",
    );
}

#[test]
fn asks_that_can_only_be_met_by_the_same_device_are_not_met() {
    check(
        "node n1 device=nvidia/gpu/a100:1
         job web device=gpu device=nvidia/gpu/a100",
        "blocked web 1: device nvidia/gpu/a100 1",
    );
}

#[test]
fn conditions_on_a_devices_attributes_know_units() {
    let node = "node n1 device=\"nvidia/gpu/1080ti:1;memory=11 GiB;cores=3584\"\n";
    for condition in [
        "${device.attr.memory} >= 8192 MiB",
        "${device.attr.memory} < 12 GB",
        "${device.attr.cores} > 500",
        "${device.vendor} = nvidia",
    ] {
        let job = format!("{node}job web device=\"gpu:1;constraint={condition}\"");
        check(&job, "place web[0] on n1 with 1080ti[0]");
    }
    for condition in [
        "${device.attr.memory} > 11 GiB",
        "${device.attr.memory} > 8",
        "${device.attr.none} is_set",
        "${device.type} = fpga",
    ] {
        let job = format!("{node}job web device=\"gpu:1;constraint={condition}\"");
        check(&job, "blocked web 1: missing device gpu 1");
    }
}

#[test]
fn a_device_may_be_named_by_its_id() {
    check(
        "node n1 device=nvidia/gpu/1080ti:4
         job web device=\"gpu:1;constraint=${device.ids} set_contains_any 2,3\"",
        "place web[0] on n1 with 1080ti[2]",
    );
    check(
        "node n1 device=nvidia/gpu/1080ti:4
         job web device=\"gpu:1;constraint=${device.ids} = 3\"",
        "place web[0] on n1 with 1080ti[3]",
    );
}

#[test]
fn preferences_among_devices_choose_the_device() {
    check(
        "node n1 device=\"nvidia/gpu/t4:1;memory=16 GiB\" device=\"nvidia/gpu/a100:1;memory=40 GiB\"
         job web device=\"gpu:1;affinity=50 ${device.attr.memory} > 20 GiB\"
         job api device=\"gpu:1;affinity=-50 ${device.attr.memory} > 20 GiB\"",
        "place web[0] on n1 with a100[0]
         place api[0] on n1 with t4[0]",
    );
}

#[test]
fn preferences_among_devices_choose_the_node() {
    // The fuller node would be better otherwise.
    check(
        "node n1 cpu=1000 device=nvidia/gpu/t4:1
         node n2 cpu=4000 device=nvidia/gpu/a100:1
         job web device=\"gpu:1;affinity=100 ${device.model} = a100\"",
        "place web[0] on n2 with a100[0]",
    );
    check(
        "node n1 cpu=1000 device=nvidia/gpu/t4:1
         node n2 cpu=4000 device=nvidia/gpu/a100:1
         job web device=gpu:1",
        "place web[0] on n1 with t4[0]",
    );
}

#[test]
fn a_blocked_job_gets_the_device_that_comes_free() {
    let full = "node n1 device=nvidia/gpu/1080ti:1
        job old device=gpu
        alloc old[0] on n1 running
        job new device=gpu
        run
        stop old";
    check(full, "stop old[0] on n1: job stopped");
    check(&format!("{full}\nrun\ngone old[0] on n1"), "place new[0] on n1 with 1080ti[0]");
}

#[test]
fn a_new_version_takes_over_the_device_of_the_old_one() {
    check(
        "node n1 device=nvidia/gpu/1080ti:2
         job db device=gpu
         alloc db[0] on n1
         job web device=gpu
         alloc web[0] on n1 running
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] with 1080ti[1]",
    );
}

#[test]
fn a_larger_part_than_the_old_one_had_needs_what_is_left() {
    check(
        "node n1 device=nvidia/gpu/a100:1
         job db device=\"gpu:1;share=300\"
         alloc db[0] on n1
         job web device=\"gpu:1;share=500\"
         alloc web[0] on n1 running
         job web no_devices device=\"gpu:1;share=700\"",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] with 700 of a100[0]",
    );
    check(
        "node n1 device=nvidia/gpu/a100:1
         job db device=\"gpu:1;share=300\"
         alloc db[0] on n1
         job web device=\"gpu:1;share=500\"
         alloc web[0] on n1 running
         job web no_devices device=\"gpu:1;share=701\"",
        "blocked web 1: device gpu 1",
    );
}

#[test]
fn a_part_that_others_took_meanwhile_is_not_given_twice() {
    check_late(
        "node n1 device=nvidia/gpu/a100:1
         job web device=\"gpu:1;share=600\"",
        "job api device=\"gpu:1;share=500\"
         alloc api[0] on n1",
        "blocked web 1: device gpu 1",
    );
}

#[test]
fn a_system_job_runs_where_there_are_devices() {
    check(
        "node n1 device=nvidia/gpu/1080ti:1
         node n2
         job web type=system device=gpu",
        "place web[0] on n1 with 1080ti[0]",
    );
}
