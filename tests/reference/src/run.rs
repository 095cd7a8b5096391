//! Plays a story and looks at everything that comes of it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use invariants::Step;
use scenarios::story::{Decided, Story};

use crate::compare::difference;
use crate::expect::unmet;

/// What was seen of a story.
#[derive(Default)]
pub struct Seen {
    /// What is wrong, if anything is.
    pub wrong: Option<String>,
    /// Commands that were applied, each followed by a look at every invariant.
    pub commands: u64,
    /// Decisions that the reference made as well.
    pub decisions: u64,
}

/// What came of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it should be.
    Well,
    /// The line makes no sense where it stands.
    Senseless(String),
    /// Something is wrong, in words.
    Wrong(String),
}

/// What panics say of lines about what is not there, or can't be done now.
const SENSELESS: [&str; 13] = [
    "there is no ",
    "nobody knows",
    "the job comes first",
    "allocation not found",
    "allocation is already stopped",
    "deployment not found",
    "can't change a deployment",
    "no canaries",
    "healthy canaries",
    "revert to current version",
    "has no version",
    "no rebalance is running",
    "is running; wait for it",
];

/// Plays a line, lets the scheduler decide, and looks at all of it; what was decided is added to `lines`. `asks` whether more
/// is decided if asked again.
pub fn play(story: &mut Story, seen: &Rc<RefCell<Seen>>, line: &str, asks: bool, lines: &mut Vec<String>) -> Outcome {
    let played = catch_unwind(AssertUnwindSafe(|| {
        story.tell(line);
        let compare = |decided: &Decided<'_>| {
            let mut seen = seen.borrow_mut();
            seen.decisions += 1;
            if seen.wrong.is_none() {
                seen.wrong = difference(decided).or_else(|| unmet(decided));
            }
        };
        let decided = story.decide(compare);
        lines.extend(decided);
        if asks && seen.borrow().wrong.is_none() {
            let more = story.would_still_do(compare);
            if !more.is_empty() {
                seen.borrow_mut().wrong = Some(format!("asked again at once, more is decided: {more:?}"));
            }
        }
    }));
    match (played, seen.borrow().wrong.clone()) {
        (Err(panic), _) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default();
            if SENSELESS.iter().any(|words| text.contains(words)) {
                Outcome::Senseless(text)
            } else {
                Outcome::Wrong(format!("panic: {text}"))
            }
        }
        (Ok(()), Some(wrong)) => Outcome::Wrong(wrong),
        (Ok(()), None) => Outcome::Well,
    }
}

/// A story, and what will be seen of it.
pub fn begin() -> (Story, Rc<RefCell<Seen>>) {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let sees = seen.clone();
    let watch = move |step: &Step<'_>| {
        let violations = invariants::check_step(step).into_iter().chain(invariants::check(step.after));
        let violation = violations.map(|violation| violation.to_string()).next();
        let mut seen = sees.borrow_mut();
        seen.commands += 1;
        seen.wrong = seen.wrong.take().or(violation);
    };
    (Story::new(watch), seen)
}
