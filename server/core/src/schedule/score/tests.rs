//! The powers of ten, and which way the spread algorithm looks.

use super::*;

const NODE: Resources = Resources { cpu_mhz: 1000, memory_mb: 1000, memory_max_mb: 1500, disk_mb: 0 };

fn used(cpu_mhz: u64, memory_mb: u64) -> Resources {
    Resources { cpu_mhz, memory_mb, ..Resources::default() }
}

#[test]
fn powers_of_ten_are_exact_to_a_millionth_at_both_ends() {
    assert_eq!(POWERS[0], MILLION);
    assert!((POWERS[STEPS] - 10 * MILLION).abs() <= 1, "{}", POWERS[STEPS]);
}

#[test]
fn an_empty_node_is_emptier_than_a_full_one() {
    assert_eq!(emptiness(used(1000, 1000), NODE), 0);
    assert!(emptiness(used(0, 0), NODE) > ONE - 16);
    assert!(emptiness(used(400, 500), NODE) > emptiness(used(500, 500), NODE));
}
