//! Panics of a run's thread, wherever they end: a task that panics ends alone, and nobody else would notice.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static RECORDED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `act`, and gives what panicked meanwhile on this thread. No result if `act` itself did.
pub fn recorded<T>(act: impl FnOnce() -> T) -> (Option<T>, Vec<String>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            let is_recorded = RECORDED.with_borrow_mut(|recorded| match recorded {
                Some(panics) => {
                    panics.push(info.to_string());
                    true
                }
                None => false,
            });
            if !is_recorded {
                usual(info);
            }
        }));
    });
    RECORDED.set(Some(Vec::new()));
    let result = catch_unwind(AssertUnwindSafe(act)).ok();
    (result, RECORDED.take().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_recorded_and_ends_only_what_panicked() {
        let (result, panics) = recorded(|| panic!("on purpose"));
        assert_eq!(result, None::<()>);
        assert!(panics.len() == 1 && panics[0].contains("on purpose"), "{panics:?}");
        assert_eq!(recorded(|| 1), (Some(1), Vec::new()));
    }
}
