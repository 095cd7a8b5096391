//! Files that are made from data, and made again when that changes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A file made from data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Template {
    /// The template's file; exclusive with `embedded_tmpl`.
    pub source_path: String,
    /// The template itself.
    pub embedded_tmpl: String,
    /// The file to write.
    pub dest_path: String,
    /// What a change does: `restart`, `signal`, `noop` or `script`.
    pub change_mode: String,
    /// The signal of `signal`; SIGHUP unless given.
    pub change_signal: String,
    /// The script of `script`.
    pub change_script: Option<ChangeScript>,
    /// Whether it is made only once.
    pub once: bool,
    /// The longest random wait before a change is acted on.
    #[serde(with = "crate::nanoseconds")]
    pub splay: Duration,
    /// The file's mode, octal.
    pub perms: String,
    /// The file's owner.
    pub uid: Option<i64>,
    /// The file's group.
    pub gid: Option<i64>,
    /// What opens an action.
    pub left_delim: String,
    /// What closes it.
    pub right_delim: String,
    /// Whether the file's lines become environment variables.
    pub envvars: bool,
    /// How long changes are gathered; not at all when absent.
    pub wait: Option<Wait>,
    /// Whether a missing key is an error.
    pub err_missing_key: bool,
    /// Deprecated, and without meaning.
    #[serde(with = "crate::nanoseconds")]
    pub vault_grace: Duration,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            source_path: String::new(),
            embedded_tmpl: String::new(),
            dest_path: String::new(),
            change_mode: "restart".into(),
            change_signal: String::new(),
            change_script: None,
            once: false,
            splay: Duration::from_secs(5),
            perms: "0644".into(),
            uid: None,
            gid: None,
            left_delim: "{{".into(),
            right_delim: "}}".into(),
            envvars: false,
            wait: None,
            err_missing_key: false,
            vault_grace: Duration::ZERO,
        }
    }
}

/// A script that runs in the task when a template changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ChangeScript {
    /// The command.
    pub command: String,
    /// Its arguments.
    #[serde(with = "crate::null")]
    pub args: Vec<String>,
    /// When it is ended.
    #[serde(with = "crate::nanoseconds")]
    pub timeout: Duration,
    /// Whether its failure ends the task.
    pub fail_on_error: bool,
    /// Whether it also runs when the file is made first.
    pub run_on_first_render: bool,
}

impl Default for ChangeScript {
    fn default() -> Self {
        Self {
            command: String::new(),
            args: Vec::new(),
            timeout: Duration::from_secs(5),
            fail_on_error: false,
            run_on_first_render: false,
        }
    }
}

/// How long changes are gathered before a template is made again.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Wait {
    /// The quiet time that ends the wait.
    #[serde(with = "crate::nanoseconds")]
    pub min: Duration,
    /// The longest wait.
    #[serde(with = "crate::nanoseconds")]
    pub max: Duration,
}
