//! What benchmarks share: where their tables are kept, and the arithmetic of their figures.

mod keep;
pub mod numbers;

pub use keep::keep;
