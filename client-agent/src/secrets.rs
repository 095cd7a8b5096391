//! Secrets of tasks: fetched when a task starts, put where its settings name them, and kept nowhere.
//!
//! Two kinds of providers work. `file` reads a file below a folder that the operator names. Any other name is that of a
//! program in a folder of such programs: it is run with `fingerprint` once, when the agent starts, and with
//! `fetch <path>` for each secret; it answers with JSON.
//!
//! ```text
//!   secret "db" { provider = "file"  path = "prod/db" }  ──►  <folder>/prod/db:  user=web  password=…
//!   env { PASSWORD = "${secret.db.password}" }           ──►  PASSWORD=…
//! ```

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use model::{Secret, secrets_provider_attribute};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::process::Command;
use tracing::warn;

use crate::drivers::TaskSpec;

/// The provider that reads files.
const FILE_PROVIDER: &str = "file";
/// Time for a program to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes that a secret may have, with all its keys.
const SECRET_BYTES_MAX: usize = 1 << 20;

/// Where secrets are fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Secrets {
    /// The folder of the provider `file`; none where that is not offered.
    pub folder: Option<PathBuf>,
    /// The folder of the programs; none where there are none.
    pub programs: Option<PathBuf>,
}

/// Why a secret could not be fetched. It says nothing of what is in it.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("secret {name:?} can't be fetched from provider {provider:?}: {reason}")]
pub struct FetchSecret {
    name: String,
    provider: String,
    reason: String,
}

/// What a program says of itself.
#[derive(Deserialize)]
struct Fingerprint {
    version: String,
}

/// What a program answers to `fetch`.
#[derive(Deserialize)]
struct Fetched {
    #[serde(default)]
    result: BTreeMap<String, String>,
    #[serde(default)]
    error: Option<String>,
}

impl Secrets {
    /// The attributes that say which providers work here.
    pub(crate) async fn fingerprint(&self) -> BTreeMap<String, String> {
        let mut attributes = BTreeMap::new();
        if self.folder.is_some() {
            attributes.insert(secrets_provider_attribute(FILE_PROVIDER), env!("CARGO_PKG_VERSION").to_string());
        }
        for name in self.program_names().await {
            match self.run(&name, &["fingerprint"], &BTreeMap::new()).await.and_then(|answer| read(&answer)) {
                Ok(Fingerprint { version }) => {
                    attributes.insert(secrets_provider_attribute(&name), version);
                }
                Err(reason) => warn!(provider = name, reason, "a program that fetches secrets is left out"),
            }
        }
        attributes
    }

    async fn program_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let Some(folder) = &self.programs else { return names };
        match tokio::fs::read_dir(folder).await {
            Ok(mut entries) => {
                while let Ok(Some(entry)) = entries.next_entry().await {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
            Err(error) => warn!(folder = %folder.display(), %error, "programs that fetch secrets can't be listed"),
        }
        names.sort();
        names
    }

    /// Fetches the secrets of a task, and puts them in its environment and settings where `${secret.name.key}` stands.
    pub(crate) async fn fill(&self, spec: &mut TaskSpec, wanted: &[Secret]) -> Result<(), FetchSecret> {
        let mut values = BTreeMap::new();
        for secret in wanted {
            let fetched = self.fetch(secret).await.map_err(|reason| FetchSecret {
                name: secret.name.clone(),
                provider: secret.provider.clone(),
                reason,
            })?;
            let named = fetched.into_iter().map(|(key, value)| (format!("${{secret.{}.{key}}}", secret.name), value));
            values.extend(named);
        }
        if !values.is_empty() {
            spec.env.values_mut().for_each(|text| *text = replaced(text, &values));
            spec.config.values_mut().for_each(|value| replace_in(value, &values));
        }
        Ok(())
    }

    async fn fetch(&self, secret: &Secret) -> Result<BTreeMap<String, String>, String> {
        if secret.provider == FILE_PROVIDER {
            let folder = self.folder.as_ref().ok_or("the agent's configuration names no folder of secrets")?;
            let path = within(folder, &secret.path)?;
            let text = tokio::fs::read_to_string(&path).await.map_err(|error| error.to_string())?;
            return pairs(&text);
        }
        let answer = self.run(&secret.provider, &["fetch", &secret.path], &secret.env).await?;
        let Fetched { result, error } = read(&answer)?;
        match error.filter(|error| !error.is_empty()) {
            Some(error) => Err(error),
            None => Ok(result),
        }
    }

    /// What a program writes.
    async fn run(&self, name: &str, arguments: &[&str], env: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
        let folder = self.programs.as_ref().ok_or("the agent's configuration names no folder of programs")?;
        let running = Command::new(within(folder, name)?)
            .args(arguments)
            .env_clear()
            .envs(std::env::var("PATH").map(|path| ("PATH", path)))
            .envs(env)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(ANSWER_DEADLINE, running).await;
        let output = output.map_err(|_| format!("no answer in {ANSWER_DEADLINE:?}"))?;
        let output = output.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("the program failed: {}", output.status));
        }
        if output.stdout.len() > SECRET_BYTES_MAX {
            return Err(format!("the answer has more than {SECRET_BYTES_MAX} bytes"));
        }
        Ok(output.stdout)
    }
}

/// The place of `path` below `folder`; none leads out of it.
fn within(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let path = Path::new(path);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    match is_plain && path.components().next().is_some() {
        true => Ok(folder.join(path)),
        false => Err(format!("the path {path:?} does not lead to a file of the folder")),
    }
}

/// The values of a file: a JSON object of texts, or a line `key=value` each. Empty lines and those with `#` are skipped.
fn pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.len() > SECRET_BYTES_MAX {
        return Err(format!("the file has more than {SECRET_BYTES_MAX} bytes"));
    }
    if text.trim_start().starts_with('{') {
        return read(text.as_bytes());
    }
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let pair = |(number, line): (usize, &str)| {
        let (key, value) = line.split_once('=').ok_or_else(|| format!("line {number} of the file has no `=`"))?;
        Ok((key.trim().to_string(), value.trim().to_string()))
    };
    lines.map(pair).collect()
}

/// Reads JSON. The error does not quote it: it may hold a secret.
fn read<T: for<'de> Deserialize<'de>>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| {
        format!("the JSON is not as it should be, at line {}, column {}", error.line(), error.column())
    })
}

fn replaced(text: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(text.to_string(), |text, (name, value)| text.replace(name, value))
}

fn replace_in(value: &mut Value, values: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => *text = replaced(text, values),
        Value::Array(items) => items.iter_mut().for_each(|item| replace_in(item, values)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace_in(value, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder of this test's own, that goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("sched-secrets-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.0.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn secret(provider: &str, path: &str) -> Secret {
        Secret { name: "db".into(), provider: provider.into(), path: path.into(), ..Secret::default() }
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[tokio::test]
    async fn a_file_holds_lines_or_an_object_and_is_below_the_folder() {
        let folder = Folder::new("file");
        folder.write("prod/db", "# who\nuser = web\n\npassword=a=b\n");
        folder.write("prod/db.json", r#"{"user": "web"}"#);
        folder.write("bad", "no pair");
        folder.write("bad.json", r#"{"password": 12}"#);
        let secrets = Secrets { folder: Some(folder.0.clone()), programs: None };
        let lines = secrets.fetch(&secret("file", "prod/db")).await;
        assert_eq!(lines, Ok(map(&[("user", "web"), ("password", "a=b")])));
        assert_eq!(secrets.fetch(&secret("file", "prod/db.json")).await, Ok(map(&[("user", "web")])));
        for (path, wrong) in [
            ("bad", "line 1 of the file has no `=`"),
            ("bad.json", "the JSON is not as it should be, at line 1, column 15"),
            ("../prod/db", "the path \"../prod/db\" does not lead to a file of the folder"),
            ("/etc/passwd", "the path \"/etc/passwd\" does not lead to a file of the folder"),
            ("", "the path \"\" does not lead to a file of the folder"),
        ] {
            assert_eq!(secrets.fetch(&secret("file", path)).await, Err(wrong.into()), "{path}");
        }
        assert_eq!(secrets.fingerprint().await.keys().collect::<Vec<_>>(), ["plugins.secrets.file.version"]);
        assert_eq!(Secrets::default().fingerprint().await, BTreeMap::new());
    }

    #[tokio::test]
    async fn a_program_says_which_version_it_is_and_fetches() {
        let folder = Folder::new("program");
        let script = "#!/bin/sh\nif [ \"$1\" = fingerprint ]; then echo '{\"type\": \"secrets\", \"version\": \"2.1\"}'\n\
                      elif [ \"$2\" = gone ]; then echo '{\"error\": \"there is no such secret\"}'\n\
                      elif [ \"$2\" = broken ]; then exit 3\n\
                      else echo \"{\\\"result\\\": {\\\"password\\\": \\\"$2 of $REALM\\\"}}\"; fi\n";
        folder.write("safe", script);
        folder.write("mute", "#!/bin/sh\nexit 1\n");
        let secrets = Secrets { folder: None, programs: Some(folder.0.clone()) };
        assert_eq!(secrets.fingerprint().await, map(&[("plugins.secrets.safe.version", "2.1")]));
        let wanted = Secret { env: map(&[("REALM", "eu")]), ..secret("safe", "db") };
        assert_eq!(secrets.fetch(&wanted).await, Ok(map(&[("password", "db of eu")])));
        assert_eq!(secrets.fetch(&secret("safe", "gone")).await, Err("there is no such secret".into()));
        let failed = secrets.fetch(&secret("safe", "broken")).await.unwrap_err();
        assert_eq!(failed, "the program failed: exit status: 3");
        let outside = secrets.fetch(&secret("../safe", "db")).await.unwrap_err();
        assert_eq!(outside, "the path \"../safe\" does not lead to a file of the folder");
    }

    #[test]
    fn a_secret_of_as_many_bytes_as_the_limit_is_taken_and_of_one_more_is_not() {
        let text = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
        assert!(pairs(&text(SECRET_BYTES_MAX)).is_ok());
        assert_eq!(pairs(&text(SECRET_BYTES_MAX + 1)), Err(format!("the file has more than {SECRET_BYTES_MAX} bytes")));
    }

    #[test]
    fn values_are_put_wherever_they_are_named_and_other_names_stay() {
        let values = map(&[("${secret.db.password}", "p"), ("${secret.db.user}", "u")]);
        let mut value = serde_json::json!({"args": ["${secret.db.user}:${secret.db.password}", "${secret.x.y}", 1]});
        replace_in(&mut value, &values);
        assert_eq!(value, serde_json::json!({"args": ["u:p", "${secret.x.y}", 1]}));
    }
}
