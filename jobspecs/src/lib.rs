//! Jobspecs: HCL or JSON text becomes a complete [`model::Job`], or diagnostics with line and column; never half a job.
//!
//! ```text
//! source -> syntax -> variables -> decode (tables of `schema`) -> JSON with places -> complete -> validate -> Job
//! ```
//!
//! Pure: no file system, no environment, no randomness. Callers give the text, a name for display, the values of
//! variables, and what functions may reach.
//! [`parse()`] is called where people write jobspecs (the command line, and the server's parse route), [`decode_json`]
//! where programs send them, and [`complete()`] and [`validate()`] by both and by the server's admission.

mod diagnostic;
mod inputs;
mod source;

mod duration;
mod value;

mod evaluate;
mod functions;
mod syntax;
mod types;
mod variables;

mod decode;
pub mod schema;
mod tree;

mod complete;
mod json;
mod json_place;
mod parse;
mod validate;
mod without_effect;

mod describe;
mod format;
mod write;

use model::nearest;

pub use complete::complete;
pub use describe::{describe, reference};
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, Severity};
pub use format::format;
pub use functions::{Function, table as functions};
pub use inputs::{Entry, EntryKind, Files, FillRandom, Inputs};
pub use json::{JsonError, JsonWarning, decode_json};
pub use parse::{Parsed, parse};
pub use source::{SOURCE_BYTES_MAX, Source};
pub use validate::{
    ALL_AT_ONCE_INSTANCES_MAX, CPU_LEAST_MHZ, DISK_LEAST_MB, INSTANCES_MAX, MEMORY_LEAST_MB, NAME_LENGTH_MAX,
    PRIORITY_LEAST, PRIORITY_MOST, Problem, SERVICE_NAME_LENGTH_MAX, validate,
};
pub use write::write_hcl;

#[cfg(test)]
mod tests;
