//! What the web UI shows of a job beside its state.

use serde::{Deserialize, Serialize};

/// A description and links for the web UI.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ui {
    /// The description, in Markdown; at most 1000 characters.
    pub description: String,
    /// Links to elsewhere.
    #[serde(with = "crate::null")]
    pub links: Vec<Link>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Link {
    /// What it says.
    pub label: String,
    /// Where it leads.
    #[serde(rename = "URL")]
    pub url: String,
}
