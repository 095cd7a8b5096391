//! From a file on disk to the JSON of a job.
//!
//! The only place that knows how jobspecs are read: `job run`, `job plan` and `job validate` call it. It reads files and
//! the environment; the language itself lives elsewhere.

use std::io::Read;

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;

/// Where the jobspec and its variables come from.
#[derive(Args, Debug)]
pub struct JobFile {
    /// The jobspec, HCL or JSON; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Sets a variable of the jobspec; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// Reads variables from a file; may be repeated
    #[arg(long = "var-file", value_name = "FILE")]
    pub variable_files: Vec<String>,
}

/// A jobspec, read.
#[derive(Debug)]
pub struct Jobspec {
    /// The job in the API's JSON.
    pub job: Value,
    /// The text as it was given.
    pub source: String,
    /// `hcl2` or `json`.
    pub format: &'static str,
    /// What the author should know.
    pub warnings: Vec<String>,
}

impl Jobspec {
    /// The job's id.
    pub fn id(&self) -> &str {
        self.job.get("ID").and_then(Value::as_str).unwrap_or_default()
    }

    /// The job's namespace, where it names one.
    pub fn namespace(&self) -> Option<&str> {
        self.job.get("Namespace").and_then(Value::as_str).filter(|namespace| !namespace.is_empty())
    }

    /// What is kept with the job so that its source can be shown later.
    pub fn submission(&self, file: &JobFile) -> Value {
        let flags: serde_json::Map<String, Value> = file
            .variables
            .iter()
            .filter_map(|text| text.split_once('='))
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        json!({ "Source": self.source, "Format": self.format, "VariableFlags": flags })
    }
}

/// Reads the file that the arguments name.
pub async fn read(file: &JobFile, session: &Session) -> Result<Jobspec, Failure> {
    let source = read_source(&file.file)?;
    if source.trim_start().starts_with('{') {
        let document: Value = serde_json::from_str(&source).map_err(|error| {
            Failure::new(error.to_string()).at(format!("{}:{}:{}", file.file, error.line(), error.column()))
        })?;
        let job = document.get("Job").cloned().unwrap_or(document);
        return Ok(Jobspec { job, source, format: "json", warnings: Vec::new() });
    }
    let body = json!({ "JobHCL": source, "Variables": file.variables.join("\n"), "Canonicalize": true });
    let job = session.client.call(Call::put("/v1/jobs/parse", &body)).await?.value;
    Ok(Jobspec { job, source, format: "hcl2", warnings: Vec::new() })
}

fn read_source(file: &str) -> Result<String, Failure> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(file).map_err(|error| Failure::new(format!("cannot read the jobspec: {error}")).at(file))?
    };
    String::from_utf8(bytes).map_err(|error| {
        Failure::new(format!("the jobspec is not UTF-8 at byte {}", error.utf8_error().valid_up_to())).at(file)
    })
}
