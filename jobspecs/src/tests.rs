//! Scenario tests: text in, JSON or diagnostics out.
//!
//! `tests/good/*.hcl` and the examples have their JSON beside them (`.json`), `tests/wrong/*.hcl` what is printed
//! (`.txt`), `tests/warned/*.hcl` the warnings. `UPDATE=1` writes the expected files anew; the difference is what a reviewer reads. Lines at the top of a
//! file that begin with `# -var` or `# -var-file` give values for variables.

mod corpus;
mod functions;
mod hostile;
mod language;
mod oracle;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::{Inputs, Parsed, Source, decode_json, parse, write_hcl};

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "hcl")).collect();
    files.sort();
    assert!(files.len() >= 5, "{name} has {} files", files.len());
    files
}

/// The file parsed with the variables that its first lines give; the name shown is that of the file alone.
pub(crate) fn parse_file(path: &Path) -> Result<Parsed, crate::Diagnostics> {
    let name = path.file_name().unwrap().to_string_lossy();
    parse_source(&Source::from_bytes(&name, &fs::read(path).unwrap())?)
}

pub(crate) fn parse_text(name: &str, text: &str) -> Result<Parsed, crate::Diagnostics> {
    parse_source(&Source::new(name, text))
}

fn parse_source(source: &Source) -> Result<Parsed, crate::Diagnostics> {
    let mut variables = Vec::new();
    let mut var_files: Vec<(String, String)> = Vec::new();
    for line in source.text().lines().take_while(|line| line.starts_with('#')) {
        if let Some(content) = line.strip_prefix("# -var-file ") {
            // Several such lines are those of one file.
            match var_files.last_mut() {
                Some((_, text)) => text.push_str(&format!("{content}\n")),
                None => var_files.push(("values.hcl".to_string(), format!("{content}\n"))),
            }
        } else if let Some((key, value)) = line.strip_prefix("# -var ").and_then(|given| given.split_once('=')) {
            variables.push((key.to_string(), value.to_string(), "-var".to_string()));
        }
    }
    let inputs = Inputs { variables: &variables, var_files: &var_files, ..Inputs::default() };
    parse(source, &inputs)
}

/// Compares with the file `path`, or writes it if `UPDATE` is set.
pub(crate) fn check(path: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, actual).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    Err(format!("{}: expected\n{expected}\nbut got\n{actual}\n(UPDATE=1 accepts it)", path.display()))
}

fn check_all(failures: impl Iterator<Item = Result<(), String>>) {
    let failures: Vec<String> = failures.filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The job as JSON, with the warnings before it as comments would be.
fn shown(parsed: &Parsed) -> String {
    let warnings: Vec<Json> = parsed.warnings.iter().map(|warning| warning.to_string().into()).collect();
    let mut document = serde_json::json!({ "Job": parsed.job });
    if !warnings.is_empty() {
        document["Warnings"] = warnings.into();
    }
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

#[test]
fn good_files_give_their_json() {
    check_all(files("tests/good").iter().map(|path| match parse_file(path) {
        Ok(parsed) => check(&path.with_extension("json"), &shown(&parsed)),
        Err(errors) => Err(errors.render(false)),
    }));
}

#[test]
fn wrong_files_give_their_diagnostics() {
    check_all(files("tests/wrong").iter().map(|path| match parse_file(path) {
        Ok(parsed) => Err(format!("{} is taken: {}", path.display(), shown(&parsed))),
        Err(errors) => check(&path.with_extension("txt"), &errors.render(false)),
    }));
}

/// `tests/warned/*.hcl` are taken, with the warnings that stand in the `.txt` beside them.
#[test]
fn warned_files_give_their_warnings() {
    check_all(files("tests/warned").iter().map(|path| match parse_file(path) {
        Ok(parsed) => {
            let rendered: Vec<String> = parsed.warnings.iter().map(|warning| warning.render(false)).collect();
            assert!(!rendered.is_empty(), "{} gives no warning", path.display());
            check(&path.with_extension("txt"), &rendered.join("\n"))
        }
        Err(errors) => Err(errors.render(false)),
    }));
}

#[test]
fn examples_are_taken_without_a_warning() {
    check_all(files("").iter().map(|path| match parse_file(path) {
        Ok(parsed) if parsed.warnings.is_empty() => Ok(()),
        Ok(parsed) => Err(shown(&parsed)),
        Err(errors) => Err(errors.render(false)),
    }));
}

/// `tests/basket.json` is written by hand from the reference, not by `UPDATE`.
#[test]
fn the_json_of_the_main_example_is_that_of_the_reference() {
    let parsed = parse_file(&folder("basket.hcl")).unwrap();
    let expected: Json = serde_json::from_str(include_str!("../tests/basket.json")).unwrap();
    let actual = serde_json::to_value(&parsed.job).unwrap();
    assert_eq!(serde_json::to_string_pretty(&actual).unwrap(), serde_json::to_string_pretty(&expected).unwrap());
}

#[test]
fn jobs_survive_the_way_through_hcl_and_through_json() {
    for path in files("tests/good").iter().chain(&files("")).chain(&files("tests/corpus")) {
        let job = parse_file(path).unwrap().job;
        let written = write_hcl(&job);
        let again = parse(&Source::new("written.hcl", &written), &Inputs::default());
        let again = again.unwrap_or_else(|errors| panic!("{written}\n{}", errors.render(false)));
        assert_eq!(again.job, job, "{written}");
        let (from_json, _) = decode_json(serde_json::to_value(&job).unwrap()).unwrap();
        assert_eq!(from_json, job, "{}", path.display());
    }
}

#[test]
fn values_for_variables_that_are_not_declared_are_passed_over_on_demand() {
    let source = Source::new("job.hcl", &fs::read_to_string(folder("fake.hcl")).unwrap());
    let variables = [("nobody".to_string(), "1".to_string(), "-var".to_string())];
    let var_files = [("values.hcl".to_string(), "nothing = 2\n".to_string())];
    let strict = Inputs { variables: &variables, var_files: &var_files, ..Inputs::default() };
    assert_eq!(parse(&source, &strict).unwrap_err().iter().count(), 2);
    assert!(parse(&source, &Inputs { passes_over_undeclared: true, ..strict }).is_ok());
}

#[test]
fn what_only_the_environment_gives_is_told() {
    let text = r#"
        variable "image" { type = string }
        variable "count" { type = number }
        variable "memory" { default = 10 }
        job "x" {
          group "g" {
            count = var.count
            task "t" {
              driver = "docker"
              config { image = var.image }
              resources { memory = var.memory }
            }
          }
        }"#;
    let pair = |(name, value): (&str, &str)| (name.to_string(), value.to_string());
    let environment = [
        ("NOMAD_VAR_image", "web:1"),
        ("SCHED_VAR_count", " 2 "),
        ("NOMAD_VAR_memory", "20"),
        ("NOMAD_VAR_else", "1"),
        ("HOME", "/root"),
    ]
    .map(pair);
    let var_files = [("values.hcl".to_string(), "memory = 30\n".to_string())];
    let variables = [("image".to_string(), "web:2".to_string(), "-var".to_string())];
    let source = Source::new("x.hcl", text);
    let told = |inputs: &Inputs<'_>| parse(&source, inputs).expect("all have a value").from_environment;
    let alone = Inputs { environment: &environment, ..Inputs::default() };
    let expected = [("count", " 2 "), ("image", "web:1"), ("memory", "20")].map(pair);
    assert_eq!(told(&alone), expected.into());
    let over = Inputs { var_files: &var_files, variables: &variables, ..alone };
    assert_eq!(told(&over), [pair(("count", " 2 "))].into(), "the others are given elsewhere, too");
}

#[test]
fn a_job_that_names_no_namespace_is_of_the_one_that_is_given() {
    let hcl = |namespace: &str| {
        format!(
            r#"job "web" {{
                 {namespace}
                 group "web" {{
                   task "web" {{
                     driver = "docker"
                     config {{ image = "web" }}
                   }}
                 }}
               }}"#
        )
    };
    let json = |namespace: &str| {
        let task = r#"{ "Name": "web", "Driver": "docker", "Config": { "image": "web" } }"#;
        format!(
            r#"{{ "Job": {{ {namespace} "ID": "web", "TaskGroups": [ {{ "Name": "web", "Tasks": [ {task} ] }} ] }} }}"#
        )
    };
    let namespace_of = |text: &str, namespace| {
        parse(&Source::new("web", text), &Inputs { namespace, ..Inputs::default() }).unwrap().job.namespace
    };
    let named = [hcl(r#"namespace = "own""#), json(r#""namespace": "own","#)];
    for (silent, named) in [hcl(""), json("")].iter().zip(&named) {
        assert_eq!(namespace_of(silent, None), model::DEFAULT_NAMESPACE);
        assert_eq!(namespace_of(silent, Some("prod")), "prod");
        assert_eq!(namespace_of(named, Some("prod")), "own");
    }
}
