//! `template`: files made from data.

use super::{Block, Kind, Times, attribute, block};

const OWNER: Kind = Kind::Whole(-1, u32::MAX as i64);

pub(super) static TEMPLATE: Block = Block::new(
    "template",
    "A file made from data, and again when that changes.",
    &[
        attribute("source", "SourcePath", Kind::Text, "The template's file."),
        attribute("data", "EmbeddedTmpl", Kind::Text, "The template itself."),
        attribute("destination", "DestPath", Kind::Text, "The file to write."),
        attribute(
            "change_mode",
            "ChangeMode",
            Kind::Choice(&["restart", "signal", "noop", "script"]),
            "What a change does.",
        ),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that; SIGHUP unless given."),
        block("change_script", "ChangeScript", &CHANGE_SCRIPT, Times::Once),
        attribute("once", "Once", Kind::Bool, "Whether it is made only once."),
        attribute("splay", "Splay", Kind::Duration, "The longest random wait before a change is acted on."),
        attribute("perms", "Perms", Kind::Text, "The file's mode, octal."),
        attribute("uid", "Uid", OWNER, "The file's owner."),
        attribute("gid", "Gid", OWNER, "The file's group."),
        attribute("left_delimiter", "LeftDelim", Kind::Text, "What opens an action."),
        attribute("right_delimiter", "RightDelim", Kind::Text, "What closes it."),
        attribute("env", "Envvars", Kind::Bool, "Whether the file's lines become environment variables."),
        block("wait", "Wait", &WAIT, Times::Once),
        attribute("error_on_missing_key", "ErrMissingKey", Kind::Bool, "Whether a missing key is an error."),
        attribute("vault_grace", "VaultGrace", Kind::Duration, "Deprecated."),
    ],
)
.of::<model::Template>();

static CHANGE_SCRIPT: Block = Block::new(
    "change_script",
    "A script that runs in the task when the data changes.",
    &[
        attribute("command", "Command", Kind::Text, "The command."),
        attribute("args", "Args", Kind::Texts, "Its arguments."),
        attribute("timeout", "Timeout", Kind::Duration, "When it is ended; 5s unless given."),
        attribute("fail_on_error", "FailOnError", Kind::Bool, "Whether its failure ends the task."),
        attribute("run_on_first_render", "RunOnFirstRender", Kind::Bool, "Whether it runs the first time as well."),
    ],
)
.of::<model::ChangeScript>();

static WAIT: Block = Block::new(
    "wait",
    "How long changes are gathered.",
    &[
        attribute("min", "Min", Kind::Duration, "The quiet time that ends the wait."),
        attribute("max", "Max", Kind::Duration, "The longest wait."),
    ],
)
.of::<model::Wait>();
