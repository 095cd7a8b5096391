//! `vault`, `secret` and `consul`.

use super::{Block, Kind, attribute};

pub(super) static VAULT: Block = Block::new(
    "vault",
    "A token of Vault for the task.",
    &[
        attribute("policies", "Policies", Kind::Texts, "Deprecated."),
        attribute("role", "Role", Kind::Text, "The role."),
        attribute("namespace", "Namespace", Kind::Text, "Vault's namespace."),
        attribute("cluster", "Cluster", Kind::Text, "Which Vault."),
        attribute("env", "Env", Kind::Bool, "Whether the token is in the environment."),
        attribute("disable_file", "DisableFile", Kind::Bool, "Whether it is not written to a file."),
        attribute("change_mode", "ChangeMode", Kind::Choice(&["noop", "signal", "restart"]), "What its change does."),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that; SIGHUP unless given."),
        attribute("allow_token_expiration", "AllowTokenExpiration", Kind::Bool, "Whether it may run out."),
    ],
)
.of::<model::Vault>();

pub(super) static SECRET: Block = Block::new(
    "secret",
    "A secret fetched for the task.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("provider", "Provider", Kind::Text, "`file`, or a program of the node that fetches secrets."),
        attribute("path", "Path", Kind::Text, "Where it lies."),
        attribute("config", "Config", Kind::Free, "The provider's settings.").not_yet(),
        attribute("env", "Env", Kind::TextMap, "The plugin's environment."),
    ],
)
.labelled("Name")
.of::<model::Secret>();

pub(super) static CONSUL: Block = Block::new(
    "consul",
    "Which Consul is used.",
    &[
        attribute("namespace", "Namespace", Kind::Text, "Consul's namespace."),
        attribute("cluster", "Cluster", Kind::Text, "Which Consul."),
        attribute("partition", "Partition", Kind::Text, "Consul's partition."),
    ],
)
.of::<model::Consul>();
