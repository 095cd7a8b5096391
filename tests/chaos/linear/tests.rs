//! Histories as text, one operation a line: `began..ended client deed -> outcome`.

use std::time::Duration;

use super::*;
use crate::sim::seed::SeededRandom;

/// `0..5 read -> 1`, `2..4 swap 0 1 -> done`, `2..4 swap 0 1 -> refused`, `3.. swap 1 2 -> unknown`.
fn parse(line: &str) -> Operation {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (began, ended) = words[0].split_once("..").expect("two times");
    let millis = |text: &str| Duration::from_millis(text.parse().unwrap_or(0));
    let number = |text: &str| text.parse().expect("a number");
    let (deed, outcome) = match words[1..] {
        ["read", "->", value] => (Deed::Read, Outcome::Value(number(value))),
        ["swap", from, to, "->", outcome] => {
            let outcome = match outcome {
                "done" => Outcome::Swapped,
                "refused" => Outcome::Refused,
                "unknown" => Outcome::Unknown,
                other => panic!("no outcome: {other}"),
            };
            (Deed::Swap { from: number(from), to: number(to) }, outcome)
        }
        _ => panic!("no operation: {line}"),
    };
    Operation { client: 0, deed, outcome, began: millis(began), ended: millis(ended) }
}

fn verdict(history: &str) -> Verdict {
    let operations: Vec<Operation> =
        history.lines().map(str::trim).filter(|line| !line.is_empty()).map(parse).collect();
    check(&operations)
}

#[track_caller]
fn accepts(history: &str) {
    assert_eq!(verdict(history), Verdict::Valid);
}

#[track_caller]
fn rejects(history: &str, because_of: &str) {
    let Verdict::Invalid(reason) = verdict(history) else { panic!("accepted: {history}") };
    assert!(reason.starts_with(&format!("nothing explains `{because_of}`")), "{reason}");
}

#[test]
fn one_after_the_other() {
    accepts("");
    accepts(
        "0..1 read -> 0
         2..3 swap 0 1 -> done
         4..5 read -> 1
         6..7 swap 0 2 -> refused
         8..9 swap 1 3 -> done
         10..11 read -> 3",
    );
}

#[test]
fn a_stale_read_is_rejected() {
    rejects(
        "0..1 swap 0 1 -> done
         2..3 swap 1 2 -> done
         4..5 read -> 1",
        "[0.0040 s to 0.0050 s] client 0: read -> 1",
    );
}

#[test]
fn a_lost_update_is_rejected() {
    // Two clients swapped the same value, and both were told that it was done.
    rejects(
        "0..1 swap 0 1 -> done
         2..9 swap 1 2 -> done
         3..8 swap 1 3 -> done",
        "[0.0020 s to 0.0090 s] client 0: swap 1 for 2 -> done",
    );
    rejects(
        "0..1 swap 0 1 -> done
         2..3 read -> 0",
        "[0.0020 s to 0.0030 s] client 0: read -> 0",
    );
}

#[test]
fn a_read_that_goes_back_is_rejected_though_both_overlap_the_write() {
    rejects(
        "0..9 swap 0 1 -> done
         1..2 read -> 1
         3..4 read -> 0",
        "[0.0030 s to 0.0040 s] client 0: read -> 0",
    );
    accepts(
        "0..9 swap 0 1 -> done
         1..2 read -> 0
         3..4 read -> 1",
    );
}

#[test]
fn reads_that_overlap_a_write_may_see_either_value() {
    accepts(
        "0..9 swap 0 1 -> done
         1..8 read -> 0
         1..8 read -> 1",
    );
    // Beginnings and ends at one moment overlap.
    accepts(
        "0..2 swap 0 1 -> done
         2..3 read -> 0",
    );
}

#[test]
fn a_wrong_refusal_is_rejected() {
    rejects(
        "0..1 swap 0 1 -> done
         2..3 swap 1 2 -> refused",
        "[0.0020 s to 0.0030 s] client 0: swap 1 for 2 -> refused",
    );
}

#[test]
fn the_unknown_may_take_effect_late_or_never() {
    let unknown = "0..1 swap 0 1 -> done
         2.. swap 1 2 -> unknown";
    accepts(unknown);
    accepts(&format!("{unknown}\n 8..9 read -> 1"));
    accepts(&format!("{unknown}\n 8..9 read -> 2"));
    accepts(&format!("{unknown}\n 8..9 read -> 1\n 10..11 read -> 2"));
    // But not before it began, not twice, and it is not taken back.
    rejects(&format!("{unknown}\n 8..9 read -> 2\n 10..11 read -> 1"), "[0.0100 s to 0.0110 s] client 0: read -> 1");
    rejects(
        "0..1 swap 0 1 -> done
         2..3 read -> 2
         4.. swap 1 2 -> unknown",
        "[0.0020 s to 0.0030 s] client 0: read -> 2",
    );
}

#[test]
fn a_value_out_of_nowhere_is_rejected() {
    rejects("0..1 read -> 7", "[0.0000 s to 0.0010 s] client 0: read -> 7");
}

#[test]
fn a_search_that_gives_up_proves_nothing() {
    let one = parse("0..1 swap 0 1 -> done");
    assert_eq!(check_within(&[one], 1), Verdict::GaveUp);
    assert_eq!(check_within(&[one], 2), Verdict::Valid);
}

/// A history as a correct register of `clients` makes it, each operation with a moment of effect between its ends.
fn correct_history(seed: u64, clients: usize, length: usize) -> Vec<Operation> {
    let random = SeededRandom::new(seed);
    let (mut value, mut fresh) = (ABSENT, ABSENT);
    let mut free = vec![0; clients];
    let mut operations = Vec::new();
    for moment in (1..=length as u64).map(|step| step * 10) {
        let client = random.below(clients as u64) as usize;
        // The client's operation before must be over when this one begins.
        let began = free[client].max(moment.saturating_sub(random.below(80)));
        if began > moment {
            continue;
        }
        let ended = moment + random.below(80);
        free[client] = ended + 1;
        let is_unknown = random.below(20) == 0;
        let (deed, outcome) = if random.below(2) == 0 {
            (Deed::Read, Outcome::Value(value))
        } else {
            fresh += 1;
            let from = if random.below(3) == 0 { value.saturating_sub(1) } else { value };
            let outcome = if from == value { Outcome::Swapped } else { Outcome::Refused };
            let takes_effect = outcome == Outcome::Swapped && (!is_unknown || random.below(2) == 0);
            value = if takes_effect { fresh } else { value };
            (Deed::Swap { from, to: fresh }, if is_unknown { Outcome::Unknown } else { outcome })
        };
        let [began, ended] = [began, ended].map(Duration::from_millis);
        operations.push(Operation { client, deed, outcome, began, ended });
    }
    operations
}

#[test]
fn what_a_correct_register_does_is_accepted_and_any_false_read_is_not() {
    for seed in 0..50 {
        let operations = correct_history(seed, 8, 200);
        assert_eq!(check(&operations), Verdict::Valid, "seed {seed}");
        // A read of a value that was overwritten long ago, by operations that all ended before it began.
        let mut planted = operations.clone();
        let is_old = |one: &Operation, read: &Operation| one.ended + Duration::from_millis(400) < read.began;
        let lie = planted.iter().rposition(|one| matches!(one.outcome, Outcome::Value(_))).expect("somebody reads");
        let old = planted.iter().find_map(|one| match one.outcome {
            Outcome::Value(value) if is_old(one, &planted[lie]) && planted[lie].outcome != one.outcome => Some(value),
            _ => None,
        });
        if let Some(value) = old {
            planted[lie].outcome = Outcome::Value(value);
            assert!(matches!(check(&planted), Verdict::Invalid(_)), "seed {seed}: a read of {value} was accepted");
        }
    }
}

#[test]
fn a_lost_update_in_a_long_history_is_found() {
    for seed in 0..50 {
        let mut operations = correct_history(seed, 8, 200);
        // One refusal of a swap that began with the right value is told as done: its value is never seen.
        let lie = operations.iter().position(|one| one.outcome == Outcome::Refused).expect("somebody is refused");
        operations[lie].outcome = Outcome::Swapped;
        assert!(matches!(check(&operations), Verdict::Invalid(_)), "seed {seed}");
    }
}
