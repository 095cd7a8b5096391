//! Values that must not be printed, logged or serialized by accident: the type has neither `Debug` nor `Serialize`.
//!
//! It guards against mistakes of ours, not against somebody who reads the process's memory.

/// A value that is only seen by those who ask for it by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value; whoever calls this answers for where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}
