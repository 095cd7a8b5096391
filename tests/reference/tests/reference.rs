//! What the scheduler decides on small clusters is what the reference decides, in every one of many random stories.

use std::time::Instant;

use reference::{Outcome, Seen, Teller, begin, play, shortened};

/// Operations of an ordinary run, each a line of a story; `REFERENCE_OPERATIONS` asks for more.
const OPERATIONS: u64 = 20_000;
/// After so many it is asked whether more would be decided.
const ASKED_EVERY: u64 = 4;
/// The first story; `REFERENCE_SEED` tells others.
const SEED: u64 = 1;

fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how fast it is is printed and decides nothing")]
fn the_scheduler_decides_what_the_reference_decides() {
    let (wanted, mut seed) = (asked("REFERENCE_OPERATIONS", OPERATIONS), asked("REFERENCE_SEED", SEED));
    // Of what is caught nobody needs to be told while stories are shortened.
    std::panic::set_hook(Box::new(|_| {}));
    let (began, mut operations, mut stories, mut all) = (Instant::now(), 0, 0, Seen::default());
    while operations < wanted {
        let (told, seen) = tell(seed);
        if let Some(wrong) = &seen.wrong {
            drop(std::panic::take_hook());
            panic!("the story of seed {seed}:\n{}", shown(&told, wrong));
        }
        operations += told.len() as u64;
        all.commands += seen.commands;
        all.decisions += seen.decisions;
        (seed, stories) = (seed + 1, stories + 1);
    }
    let rate = operations as f64 / began.elapsed().as_secs_f64();
    let Seen { commands, decisions, .. } = all;
    println!(
        "{operations} operations in {stories} stories, {rate:.0} a second: no difference in {decisions} decisions,"
    );
    println!("and every invariant held after each of {commands} commands");
}

/// Tells one story: its lines, and what was seen.
fn tell(seed: u64) -> (Vec<String>, Seen) {
    let mut teller = Teller::new(seed);
    let (mut story, seen) = begin();
    let mut told = Vec::new();
    loop {
        let line = teller.next(&story);
        let is_over = line.is_none();
        told.extend(line.clone());
        let asks = is_over || (told.len() as u64).is_multiple_of(ASKED_EVERY);
        let wrong = match play(&mut story, &seen, &line.unwrap_or_default(), asks, &mut Vec::new()) {
            Outcome::Well => None,
            Outcome::Senseless(words) => Some(format!("the last line makes no sense: {words}")),
            Outcome::Wrong(words) => Some(words),
        };
        if is_over || wrong.is_some() {
            let mut seen = seen.take();
            seen.wrong = wrong;
            return (told, seen);
        }
    }
}

/// The shortest story that shows what is wrong, with what is decided in it.
fn shown(told: &[String], wrong: &str) -> String {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (short, words) = shortened(told);
    std::panic::set_hook(hook);
    format!("{}\n\n{words}\n\nin the whole story: {wrong}", short.join("\n"))
}
