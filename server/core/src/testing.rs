//! What a simulation may break on purpose, to see that its invariants would notice. Never part of a release.

use std::cell::Cell;

thread_local! {
    // Of the thread, because a simulation has one to itself and other tests run beside it.
    static CAPACITY_IS_CHECKED: Cell<bool> = const { Cell::new(true) };
}

/// Has `apply` on this thread accept what a node has no room for while `run` runs.
pub fn without_capacity_check<T>(run: impl FnOnce() -> T) -> T {
    CAPACITY_IS_CHECKED.set(false);
    let result = run();
    CAPACITY_IS_CHECKED.set(true);
    result
}

/// Whether `apply` checks capacity on this thread.
pub(crate) fn capacity_is_checked() -> bool {
    CAPACITY_IS_CHECKED.get()
}
