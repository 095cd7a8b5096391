//! `artifact`: files fetched before the start.

use super::{Block, Kind, attribute};

pub(super) static ARTIFACT: Block = Block::new(
    "artifact",
    "A file fetched before the task starts.",
    &[
        attribute("source", "GetterSource", Kind::Text, "Where it lies."),
        attribute("destination", "RelativeDest", Kind::Text, "Where it goes; `local/` unless given."),
        attribute("mode", "GetterMode", Kind::Choice(&["any", "file", "dir"]), "What it is."),
        attribute("options", "GetterOptions", Kind::TextMap, "Options of the fetch."),
        attribute("headers", "GetterHeaders", Kind::TextMap, "Header lines of the request."),
        attribute("insecure", "GetterInsecure", Kind::Bool, "Whether any certificate is trusted."),
        attribute("chown", "Chown", Kind::Bool, "Whether the task's user owns it."),
    ],
)
.of::<model::Artifact>();
