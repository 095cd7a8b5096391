//! What holds of every cluster, on random small ones: after each step nothing exceeds its node, names are unique, what is
//! derived is right, `apply` takes all of every plan, and asking again changes nothing. A failure is a scenario.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scenarios::{first_wrong, replaced_by_crashing};

use super::stories::{long_story, story};

/// Cases of each property; each plays some twenty steps and checks after each.
const CASES: u32 = 200;
/// Of the stories that are told if nobody asks for others.
const SEED: u64 = 604;

/// What may happen to a job whose every new instance fails.
fn step_with_crashes() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("sweep".to_string()),
        3 => Just("job web change=env".to_string()),
        // Never fewer than at first: the smaller a group, the more of it `max_parallel` is.
        2 => (7..10u32).prop_map(|count| format!("job web count={count}")),
        1 => Just("job web change=tags".to_string()),
        3 => (1..900u32).prop_map(|seconds| format!("wait {seconds}s")),
        1 => Just("wait 2h\ncollect".to_string()),
        1 => Just("watch".to_string()),
        2 => (0..3u8).prop_map(|node| format!("drain n{node}")),
        1 => (0..3u8).prop_map(|node| format!("undrain n{node}")),
    ]
}

fn rules() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("reschedule=never"), Just("reschedule=5s attempts=1"), Just("canary=1")]
}

/// The same stories in every run, so that a failure is somebody's change. `PROPTEST_RNG_SEED` and `PROPTEST_CASES` tell
/// others, and more.
pub(crate) fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let rng_seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { CASES };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 3000, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_is_ever_wrong_and_asking_again_changes_nothing(lines in story()) {
        let wrong = first_wrong(&lines);
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    #[test]
    fn nothing_is_ever_wrong_in_long_stories_of_many_jobs_either(lines in long_story()) {
        let wrong = first_wrong(&lines);
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    #[test]
    fn a_rolling_update_that_crashes_replaces_no_more_than_max_parallel_healthy_instances(
        (count, max_parallel, rules) in (1..7u32, 1..4u32, rules()),
        steps in proptest::collection::vec(step_with_crashes(), 1..15),
    ) {
        let rules = format!("count={count} max_parallel={max_parallel} {rules}");
        let setup = format!("node n0\nnode n1\nnode n2\njob web {rules}\nrun\nhealthy web\nwatch\nrun");
        let (replaced, story) = replaced_by_crashing(&setup, &steps);
        prop_assert!(replaced <= max_parallel as usize, "{replaced} of {max_parallel} were replaced:\n{story}");
    }
}
