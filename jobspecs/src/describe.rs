//! The vocabulary as text, for people at a terminal.

use crate::schema::{self, Kind, Status};

/// What may stand in a block, given as a path (`group.task.resources`) or a name alone; None if there is none such.
pub fn describe(block: &str) -> Option<String> {
    let block = schema::find(block)?;
    let label = match (block.label, block.label_optional) {
        (None, _) => "",
        (Some(_), false) => " \"name\"",
        (Some(_), true) => " [\"name\"]",
    };
    let mut text = format!("{}{label} {{ }}\n  {}\n\n", block.name, block.doc);
    let fields = block.fields.iter().filter(|field| !field.name.is_empty());
    let width = fields.clone().map(|field| field.name.len()).max().unwrap_or(0);
    for field in fields {
        let kind = match field.kind {
            Kind::Block(inner, _) if inner.label.is_some() && !inner.label_optional => "a block with a name".into(),
            kind => kind.describe(),
        };
        let status = if field.status == Status::ActedOn { "" } else { " No effect yet." };
        text.push_str(&format!("  {:width$}  {} ({kind}){status}\n", field.name, field.doc));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_its_path_and_by_its_name() {
        let resources = describe("group.task.resources").unwrap();
        assert_eq!(describe("resources"), Some(resources.clone()));
        assert!(resources.starts_with("resources { }\n  What the task needs.\n"), "{resources}");
        assert!(resources.contains("  memory_max  The hard limit in MiB; `memory` unless given."), "{resources}");
        assert_eq!(describe("job").unwrap().lines().next(), Some("job \"name\" { }"));
        assert_eq!(describe("nothing"), None);
    }
}
