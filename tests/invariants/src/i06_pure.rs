//! I6: to apply an entry reads nothing but the state and the entry: applied again to the same state as another process would
//! have it, it answers and leaves the same. That nothing else can be read is what lints are for.

use server_core::apply::apply;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "pure";

/// Applies the entry once more, to a copy of the state before that was restored from a snapshot.
pub fn check(step: &Step<'_>) -> Vec<Violation> {
    let Ok(mut again) = State::decode(&step.before.encode()) else {
        return vec![Violation::new(NAME, format!("the state before {} does not decode", step.index))];
    };
    let applied = apply(&mut again, step.index, step.term, step.entry);
    let name = step.entry.command.name();
    let what = if applied != *step.applied {
        format!("{name} at {} does something else when it is applied again", step.index)
    } else if again != *step.after {
        format!("{name} at {} leaves another state when it is applied again", step.index)
    } else {
        return Vec::new();
    };
    vec![Violation::new(NAME, what)]
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;
    use crate::fixture::{bend, cluster, ids, plan, register};

    #[test]
    fn an_entry_that_does_something_else_again_is_found() {
        let mut state = cluster();
        register(&mut state, job("other").count(3));
        let played = plan(&mut state);
        assert_eq!(check(&played.step()), []);
        let bent = bend(&played.after, ids(&state)[0], |allocation| allocation.index = 9);
        assert_eq!(check(&Step { after: &bent, ..played.step() }).len(), 1);
        let applied = server_core::apply::Applied { changes: Vec::new(), ..played.applied.clone() };
        assert_eq!(check(&Step { applied: &applied, ..played.step() }).len(), 1);
    }
}
