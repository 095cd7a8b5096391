//! The tables against the model: what one knows the other has.

use std::collections::BTreeSet;

use super::{Block, JOB, Kind};

/// Every block that can stand in a job, with its path.
fn blocks() -> Vec<(String, &'static Block)> {
    let mut found: Vec<(String, &'static Block)> = vec![("job".into(), &JOB)];
    let mut at = 0;
    while let Some((path, block)) = found.get(at).cloned() {
        for field in block.fields {
            if let Kind::Block(inner, _) = field.kind {
                found.push((format!("{path}.{}", inner.name), inner));
            }
        }
        at += 1;
    }
    found
}

/// What Nomad does not have is written only where it differs from what Nomad would do, so it is in no default.
const OURS: [(&str, &str); 2] = [("device", "Share"), ("job", "SchedulerAlgorithm")];

#[test]
fn every_block_of_a_job_is_a_type_of_the_model_with_the_same_fields() {
    for (path, block) in blocks() {
        // A lifecycle has no default: it is nothing without its hook.
        let Some(defaults) = block.defaults.map(|defaults| defaults()) else {
            assert_eq!(block.name, "lifecycle", "{path}");
            continue;
        };
        let mut of_model: BTreeSet<&str> = defaults.as_object().unwrap().keys().map(String::as_str).collect();
        of_model.extend(OURS.iter().filter(|(name, _)| *name == block.name).map(|(_, json)| json));
        let of_table: BTreeSet<&str> =
            block.fields.iter().map(|field| field.json).filter(|json| !json.is_empty()).collect();
        assert_eq!(of_table, of_model, "{path}");
    }
}

#[test]
fn names_are_unique_in_a_block_and_everything_is_said_in_a_line() {
    for (path, block) in blocks() {
        let mut seen = BTreeSet::new();
        for field in block.fields {
            assert!(field.name.is_empty() || seen.insert(field.name), "{path}.{}", field.name);
            assert!(!field.doc.is_empty() && !field.doc.contains('\n'), "{path}.{}", field.name);
        }
    }
}
