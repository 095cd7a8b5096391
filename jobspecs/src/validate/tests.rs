//! Tests of the rules: see below.
