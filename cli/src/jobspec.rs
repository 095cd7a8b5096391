//! From a file on disk to the JSON of a job.
//!
//! The only place that knows how jobspecs are read: `job run`, `job plan` and `job validate` call it. It reads files and
//! the environment; the language itself lives elsewhere.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};

use clap::Args;
use jobspecs::{Diagnostics, Entry, EntryKind, Files, Inputs, Source};
use seams::{Random as _, SystemRandom};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// Bytes of standard input that are read at most; a jobspec may have far fewer, which its reader checks.
const STDIN_BYTES_MAX: u64 = 16 * 1024 * 1024;

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
    /// Whether a value for a variable that the jobspec does not declare is an error
    #[arg(long = "hcl2-strict", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1,
          default_missing_value = "true", require_equals = true, value_name = "BOOL")]
    pub strict: bool,
}

impl JobFile {
    /// The arguments as one would type them in a shell.
    pub fn words(&self) -> String {
        let flag = |name: &'static str| move |value: &String| format!("{name} {} ", text::shell_quoted(value));
        let flags = self.variables.iter().map(flag("-var")).chain(self.variable_files.iter().map(flag("-var-file")));
        let strict = if self.strict { "" } else { "-hcl2-strict=false " };
        format!("{}{strict}{}", flags.collect::<String>(), text::shell_quoted(&self.file))
    }
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
    /// What has been warned of at its place in the file.
    warned_of: Vec<String>,
    /// The texts of variables that were given one by one, by name.
    variables: BTreeMap<String, String>,
    /// The texts of the files of variables, one behind the other.
    variable_files: String,
}

impl Jobspec {
    /// The job's id.
    pub fn id(&self) -> &str {
        self.job.get("ID").and_then(Value::as_str).unwrap_or_default()
    }

    /// The job's namespace.
    pub fn namespace(&self) -> &str {
        self.job.get("Namespace").and_then(Value::as_str).unwrap_or(model::DEFAULT_NAMESPACE)
    }

    /// A call that puts the job to a path and nothing else, in its namespace.
    pub fn call_with(&self, path: String) -> Call {
        self.within(Call::put(path, &json!({ "Job": self.job })))
    }

    /// The call in the job's namespace, whichever the session is in.
    pub fn within(&self, call: Call) -> Call {
        call.query("namespace", self.namespace())
    }

    /// The lines of a server's warnings that tell something new: it does not know where in the file things stand.
    pub fn new_warnings(&self, warnings: &str) -> String {
        let is_new = |line: &&str| !self.warned_of.iter().any(|known| line.ends_with(known.as_str()));
        warnings.lines().filter(is_new).collect::<Vec<_>>().join("\n")
    }

    /// What is kept with the job so that its source can be shown later, and run again as it was.
    pub fn submission(&self) -> Value {
        json!({
            "Source": self.source,
            "Format": self.format,
            "VariableFlags": self.variables,
            "Variables": self.variable_files,
        })
    }
}

/// Reads the file that the arguments name. A job that names no namespace is of the session's. All that is wrong with the
/// file has been printed when this fails.
pub fn read(file: &JobFile, session: &Session) -> Result<Jobspec, Failure> {
    let name = if file.file == "-" { "<stdin>" } else { &file.file };
    let bytes = read_bytes(&file.file)?;
    let source = Source::from_bytes(name, &bytes).map_err(|diagnostics| report(name, &diagnostics))?;
    let variables = variables(&file.variables)?;
    let var_files = file.variable_files.iter().map(|file| variable_file(file)).collect::<Result<Vec<_>, _>>()?;
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let inputs = Inputs {
        namespace: session.client.namespace().filter(|namespace| *namespace != "*"),
        variables: &variables,
        var_files: &var_files,
        environment: &environment,
        passes_over_undeclared: !file.strict,
        allow_files: Some(&FilesOfUser),
        random: Some(&|bytes| SystemRandom.fill(bytes)),
    };
    let parsed = jobspecs::parse(&source, &inputs).map_err(|diagnostics| report(name, &diagnostics))?;
    for warning in &parsed.warnings {
        show::note(warning.render(true).trim_end());
    }
    let job = serde_json::to_value(&parsed.job).map_err(|error| Failure::new(error.to_string()).at(name))?;
    let format = if source.text().trim_start().starts_with('{') { "json" } else { "hcl2" };
    let warned_of = parsed.warnings.into_iter().map(|warning| warning.message).collect();
    // The environment is here and not where the job may be run again, so what it gives counts as given one by one.
    let flags = variables.into_iter().map(|(name, value, _)| (name, value));
    let variables = parsed.from_environment.into_iter().chain(flags).collect();
    let variable_files = var_files.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    Ok(Jobspec { job, source: source.text().to_owned(), format, warned_of, variables, variable_files })
}

/// Prints what is wrong with the file; the failure only sums it up.
fn report(name: &str, diagnostics: &Diagnostics) -> Failure {
    show::note(diagnostics.render(true).trim_end());
    let errors = diagnostics.iter().count() + diagnostics.left_out();
    Failure::new(format!("{name} is not a valid jobspec: {}", text::count(errors as u64, "error")))
}

fn read_bytes(file: &str) -> Result<Vec<u8>, Failure> {
    if file == "-" {
        return Ok(read_most(std::io::stdin())?);
    }
    std::fs::read(file).map_err(|error| Failure::new(format!("cannot read the jobspec: {error}")).at(file))
}

/// Reads what there is, and of an endless stream so much that whoever checks the jobspec's length refuses it.
fn read_most(stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(STDIN_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Name, text and flag of each variable that was given with -var.
fn variables(given: &[String]) -> Result<Vec<(String, String, String)>, Failure> {
    let split = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(format!("-var {text}: it is not NAME=VALUE")).hint("for example -var image=web:2")
        })?;
        Ok((name.trim().to_owned(), value.to_owned(), format!("-var {name}")))
    };
    given.iter().map(split).collect()
}

fn variable_file(file: &str) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read the variable file: {error}")).at(file))?;
    Ok((file.to_owned(), text))
}

/// The files that the user may read, relative to the folder in which the command runs.
struct FilesOfUser;

impl Files for FilesOfUser {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }

    fn exists(&self, path: &str) -> bool {
        std::path::Path::new(path).exists()
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, String> {
        let folder = match std::fs::read_dir(path) {
            Ok(folder) => folder,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.to_string()),
        };
        let mut entries = Vec::new();
        for entry in folder {
            let entry = entry.map_err(|error| error.to_string())?;
            // A jobspec can't name what is not UTF-8, and a broken link has nothing to name.
            if let (Ok(name), Ok(target)) = (entry.file_name().into_string(), std::fs::metadata(entry.path())) {
                let kind = match entry.file_type().is_ok_and(|own| own.is_symlink()) {
                    true if target.is_dir() => EntryKind::FolderByLink,
                    _ if target.is_dir() => EntryKind::Folder,
                    _ if target.is_file() => EntryKind::File,
                    _ => continue,
                };
                entries.push(Entry { name, kind });
            }
        }
        Ok(entries)
    }

    fn current_folder(&self) -> Result<String, String> {
        let folder = std::env::current_dir().map_err(|error| format!("the current folder is not known: {error}"))?;
        folder.into_os_string().into_string().map_err(|_| "the current folder's name is not UTF-8".into())
    }

    fn home_folder(&self) -> Result<String, String> {
        let folder = std::env::home_dir().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.ok_or("the user's folder is not known; set HOME")?;
        folder.into_os_string().into_string().map_err(|_| "the name of the user's folder is not UTF-8".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_warning_is_told_once() {
        let warned_of = vec!["the block `template` has no effect yet".to_owned()];
        let jobspec = Jobspec {
            job: Value::Null,
            source: String::new(),
            format: "hcl2",
            warned_of,
            variables: BTreeMap::new(),
            variable_files: String::new(),
        };
        let warnings = "TaskGroups[0].Tasks[0].Templates[0]: the block `template` has no effect yet\nport 80 is taken";
        assert_eq!(jobspec.new_warnings(warnings), "port 80 is taken");
    }

    #[test]
    fn an_endless_jobspec_is_read_to_the_limit_and_refused_for_its_length() {
        let bytes = read_most(std::io::repeat(b' ')).unwrap();
        assert_eq!(bytes.len() as u64, STDIN_BYTES_MAX);
        assert!(Source::from_bytes("<stdin>", &bytes).is_err());
    }

    #[test]
    fn a_folder_is_listed_with_the_kinds_of_its_entries() {
        let folder = std::env::temp_dir().join(format!("sched-jobspec-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("a.txt"), "a").unwrap();
        std::os::unix::fs::symlink(&folder, folder.join("back")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.join("broken")).unwrap();
        let mut entries = FilesOfUser.list(folder.to_str().unwrap()).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        let expected = [("a.txt", EntryKind::File), ("back", EntryKind::FolderByLink), ("sub", EntryKind::Folder)];
        assert_eq!(entries, expected.map(|(name, kind)| Entry { name: name.into(), kind }));
        assert_eq!(FilesOfUser.list(folder.to_str().unwrap()), Ok(Vec::new()));
    }
}
