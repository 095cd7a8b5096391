//! I3: what a snapshot restores is the state that it was taken of, in every byte.

use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "restored";

/// Restores a snapshot of `state` beside it, and says what differs. Costs as much as a snapshot.
pub fn check(state: &State) -> Vec<Violation> {
    compare(state, &state.encode())
}

fn compare(state: &State, snapshot: &[u8]) -> Vec<Violation> {
    let at = state.index();
    let what = match State::decode(snapshot) {
        Err(error) => format!("the snapshot at {at} does not decode: {error}"),
        Ok(restored) if restored != *state => {
            format!("the snapshot at {at} restores another state: {:?} differ", state.differences(&restored))
        }
        Ok(restored) if restored.encode() != snapshot => format!("the snapshot at {at} is written otherwise again"),
        Ok(_) => return Vec::new(),
    };
    vec![Violation::new(NAME, what)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{bend, cluster, ids};

    #[test]
    fn a_snapshot_of_another_state_and_a_broken_one_are_found() {
        let state = cluster();
        assert_eq!(check(&state), []);
        let other = bend(&state, ids(&state)[0], |allocation| allocation.index = 9);
        assert_eq!(compare(&state, &other.encode()).len(), 1);
        assert_eq!(compare(&state, &state.encode()[..100]).len(), 1);
    }
}
