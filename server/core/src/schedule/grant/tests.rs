//! Grants on single nodes.
