//! `identity`: signed identities of tasks and services.

use super::{Block, Kind, attribute};

pub(super) static IDENTITY: Block = Block::new(
    "identity",
    "A signed identity.",
    &[
        attribute("name", "Name", Kind::Text, "Its name; `default` unless given."),
        attribute("aud", "Audience", Kind::Texts, "For whom it is."),
        attribute("env", "Env", Kind::Bool, "Whether it is in the environment."),
        attribute("file", "File", Kind::Bool, "Whether it is in a file."),
        attribute("filepath", "Filepath", Kind::Text, "The file."),
        attribute("change_mode", "ChangeMode", Kind::Choice(&["noop", "signal", "restart"]), "What its renewal does."),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that."),
        attribute("ttl", "TTL", Kind::Duration, "How long it holds."),
        attribute("service_name", "ServiceName", Kind::Text, "The service it is for."),
        attribute("extra_claims", "ExtraClaims", Kind::TextMap, "Further claims."),
    ],
)
.maybe_labelled("Name")
.of::<model::Identity>();
