//! A second scheduler that shares nothing with the real one but the model: plain lists, everything counted anew for each
//! question, every node looked at for every instance, every set of victims tried. It is far too slow for use and simple
//! enough to be read at a sitting; where it puts instances on small clusters is where the real one must put them.
//!
//! It does not reconcile: which instances are wanted, and in place of which others, it is told by the real one. That is
//! held against expectations instead (`expect`), told from the job's document: counts, names, who is replaced, how many at
//! a time, and why something ends. Where the wrong thing is wanted and no expectation speaks of it, nobody notices.
//!
//! ```text
//!   story ──► a line ──► apply, checked by every invariant
//!                   └──► each decision: the reference makes the same plan from the same state
//!                   └──► asked again at once, nothing more is decided
//! ```
//!
//! A story that goes wrong is shortened and printed as a scenario, to be copied among the behaviours.

mod choose;
mod compare;
mod condition;
mod demand;
mod desk;
mod equipment;
mod expect;
mod order;
mod packing;
mod preempt;
mod random;
mod run;
mod score;
mod shorten;
mod story;
mod volumes;

pub use run::{Outcome, Seen, begin, play};
pub use shorten::shortened;
pub use story::Teller;
