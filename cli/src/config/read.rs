//! From files to a [`Config`]: HCL, laid over each other, with errors that name file, line and the nearest known key.

use std::path::{Path, PathBuf};

use hcl::Value;

use super::Config;
use crate::failure::Failure;
use crate::show::text;

/// The most bytes that a configuration file may have.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads files and folders in the given order; without any, the defaults.
pub fn read(paths: &[PathBuf]) -> Result<Config, Failure> {
    let mut merged = Value::Object(Default::default());
    for path in paths {
        for file in files(path)? {
            let place = file.display().to_string();
            lay_over(&mut merged, parse(&read_text(&file)?, &place)?);
        }
    }
    decode(merged, "", "the configuration")
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error: std::io::Error| Failure::new(format!("cannot read the folder: {error}")).at(place(path));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "hcl") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::new("the folder holds no .hcl file").at(place(path)));
    }
    Ok(files)
}

fn place(path: &Path) -> String {
    path.display().to_string()
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |reason: String| Failure::new(format!("cannot read the configuration: {reason}")).at(place(file));
    let length = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has {length} bytes, the limit is {FILE_BYTES_MAX}")));
    }
    std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))
}

/// One file. It must make sense by itself, so that an error names the file that it stands in.
fn parse(source: &str, place: &str) -> Result<Value, Failure> {
    let value: Value = hcl::from_str(source).map_err(|error| match error {
        hcl::Error::Parse(error) => {
            let position = error.location();
            Failure::new(error.message()).at(format!("{place}:{}:{}", position.line(), position.column()))
        }
        error => Failure::new(error.to_string()).at(place),
    })?;
    decode(value.clone(), source, place)?;
    Ok(value)
}

fn decode(value: Value, source: &str, place: &str) -> Result<Config, Failure> {
    hcl::from_value(value).map_err(|error| explain(&error.to_string(), source, place))
}

/// Lays `above` over `below`: blocks field by field, everything else as a whole.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(known) => lay_over(known, value),
                    None => {
                        below.insert(key, value);
                    }
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// The decoder knows names but no places: the line is looked for by the name.
fn explain(message: &str, source: &str, place: &str) -> Failure {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (Some(unknown), true) = (quoted.first(), message.starts_with("unknown field")) else {
        let failure = Failure::new(message).at(place);
        return match message.contains("expected struct") || message.contains("sequence") {
            true => failure.hint("is a block written twice, or written as an attribute?"),
            false => failure,
        };
    };
    let known = &quoted[1..];
    let failure = Failure::new(format!("unknown key `{unknown}`")).at(match line_of(source, unknown) {
        Some((line, column)) => format!("{place}:{line}:{column}"),
        None => place.to_owned(),
    });
    match (text::nearest(unknown, known.iter().copied()), known) {
        (Some(near), _) => failure.hint(format!("did you mean `{near}`?")),
        (None, []) => failure.hint("this block takes no keys"),
        (None, known) => failure.hint(format!("known here: {}", known.join(", "))),
    }
}

/// Where a line begins with the key, counted from 1.
fn line_of(source: &str, key: &str) -> Option<(usize, usize)> {
    let starts = |line: &str| {
        let body = line.trim_start().trim_start_matches('"');
        let rest = body.strip_prefix(key)?;
        (!rest.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '_' | '-')))
            .then(|| line.chars().count() - line.trim_start().chars().count() + 1)
    };
    source.lines().enumerate().find_map(|(number, line)| Some((number + 1, starts(line)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: &str) -> Result<Config, String> {
        let value = parse(source, "a.hcl").map_err(plain)?;
        decode(value, source, "a.hcl").map_err(plain)
    }

    fn plain(failure: Failure) -> String {
        anstream::adapter::strip_str(&failure.to_string()).to_string()
    }

    #[test]
    fn a_complete_file_is_read() {
        let config = config(
            r#"
            name = "n1"
            data_dir = "/var/lib/sched"
            bind = "127.0.0.11"
            log_level = "debug"
            ports {
              http = 5646
            }
            addresses { rpc = "10.0.0.1" }
            server {
              enabled = true
              cluster_dir = "/etc/sched"
            }
            client {
              enabled = true
              servers = ["127.0.0.1:4647"]
              meta { rack = "r1" }
              reserved {
                cpu = 100
                memory = 256
                reserved_ports = "22,80-90"
              }
              memory_oversubscription = 2
              reservable_cores = "0-1,3"
              host_volume "certs" {
                path = "/srv/certs"
                read_only = true
              }
              host_network "lan" {
                address = "10.0.0.2"
                reserved_ports = "22"
              }
              device "nvidia" "gpu" "1080ti" {
                attributes { memory = "11 GiB" }
                instance "0" { path = "/dev/nvidia0" }
                instance "1" { path = "/dev/nvidia1" }
              }
              docker { socket = "/run/docker.sock" }
              fake { enabled = true }
            }
            dns { domains = ["sched"] }
            "#,
        )
        .unwrap();
        assert_eq!((config.ports.http, config.ports.rpc), (5646, 4647));
        assert_eq!(config.addresses.rpc.as_deref(), Some("10.0.0.1"));
        assert_eq!(config.client.meta["rack"], "r1");
        assert_eq!(config.client.reserved.memory, 256);
        assert!(config.client.docker.enabled && config.client.fake.enabled);
        assert_eq!(config.client.memory_oversubscription, 2.0);
        assert_eq!(config.dns.domains, ["sched"]);
        config.check().unwrap();
        assert_eq!(config.client.cores().unwrap().unwrap(), [0, 1, 3].into());
        assert!(config.client.host_volume["certs"].read_only);
        assert_eq!(config.client.host_network["lan"].ports("lan").unwrap(), [22]);
        let devices: Vec<_> = config.client.devices().collect();
        let (vendor, kind, name, device) = devices[0];
        assert_eq!((vendor.as_str(), kind.as_str(), name.as_str()), ("nvidia", "gpu", "1080ti"));
        assert_eq!(device.attributes["memory"], "11 GiB");
        assert_eq!(device.instance["1"].path, "/dev/nvidia1");
    }

    #[track_caller]
    fn fails(source: &str, wanted: &str) {
        assert_eq!(config(source).unwrap_err(), wanted);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
        fails(
            "name = \"x\"\n  data_dri = \"y\"\n",
            "error: unknown key `data_dri`\n  at a.hcl:2:3\n  hint: did you mean `data_dir`?",
        );
        fails(
            "server {\n  enabled = true\n  zebra = 1\n}\n",
            "error: unknown key `zebra`\n  at a.hcl:3:3\n  \
             hint: known here: enabled, cluster_dir, join",
        );
    }

    #[test]
    fn wrong_types_and_syntax_are_named() {
        assert!(config("ports {\n  http = \"x\"\n}").unwrap_err().contains("expected u16"));
        let syntax = config("name = \n").unwrap_err();
        assert!(syntax.contains("a.hcl:1:"), "{syntax}");
        assert!(config("ports {\n  http = 70000\n}").is_err());
    }

    #[test]
    fn later_files_win_field_by_field() {
        let mut below = parse("ports {\n  http = 1\n  rpc = 2\n}\nname = \"a\"", "a").unwrap();
        lay_over(&mut below, parse("ports {\n  http = 9\n}\nname = \"b\"", "b").unwrap());
        let config = decode(below, "", "both").unwrap();
        assert_eq!((config.ports.http, config.ports.rpc, config.name.as_str()), (9, 2, "b"));
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_byte_more_is_not() {
        let folder = std::env::temp_dir().join(format!("sched-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.hcl");
        std::fs::write(&file, vec![b'\n'; FILE_BYTES_MAX as usize]).unwrap();
        assert!(read_text(&file).is_ok());
        std::fs::write(&file, vec![b'\n'; FILE_BYTES_MAX as usize + 1]).unwrap();
        assert!(plain(read_text(&file).unwrap_err()).contains("the limit is 1048576"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
