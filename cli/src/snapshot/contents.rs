//! A backup as the commands read it: from its file, checked and decoded, and with its key opened where that is asked for.

use std::path::Path;

use proto::Secret;
use serde_json::{Value, json};
use server::authority::{AUTHORITY_KEY_FILE, Authority};
use server::backup::{Backup, read};
use server_core::state::State;

use crate::agent::chain;
use crate::failure::Failure;
use crate::show::{self, Pairs, text};

/// The most bytes that a passphrase's file may have.
const PASSPHRASE_FILE_BYTES_MAX: u64 = 4096;

/// Reads a backup; every hash in it is checked, and its state decoded.
pub fn open(file: &Path) -> Result<(Backup, State), Failure> {
    let at = |what: String| Failure::new(what).at(file.display().to_string());
    let bytes = std::fs::read(file).map_err(|error| at(error.to_string()))?;
    let backup = read(&bytes)
        .map_err(|error| at(error.to_string()).hint("take another backup; a damaged one is not restored"))?;
    let state = State::decode(&backup.state).map_err(|error| at(error.to_string()))?;
    // The hash is one of an encoding. A release that wrote states otherwise had another for the same; the file's own
    // hashes say then that it is what was written.
    let is_encoded_as_today = state.encode() == backup.state;
    if is_encoded_as_today && hex(&state.contents_hash()) != backup.header.contents {
        return Err(at("the state is not the one that was saved: its hash differs".into()));
    }
    Ok((backup, state))
}

/// The passphrase in a file, without the line's end.
pub fn passphrase(file: &Path) -> Result<Secret<Vec<u8>>, Failure> {
    let at = |what: String| Failure::new(what).at(file.display().to_string());
    let length = std::fs::metadata(file).map_err(|error| at(error.to_string()))?.len();
    if length > PASSPHRASE_FILE_BYTES_MAX {
        return Err(at(format!("it has {length} bytes, a passphrase at most {PASSPHRASE_FILE_BYTES_MAX}")));
    }
    let mut bytes = std::fs::read(file).map_err(|error| at(error.to_string()))?;
    while bytes.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        bytes.pop();
    }
    Ok(Secret::new(bytes))
}

/// The authority of a backup's cluster: opened by the passphrase, or from a folder that holds its key.
pub fn authority(backup: &Backup, passphrase_file: Option<&Path>, ca_dir: Option<&Path>) -> Result<Authority, Failure> {
    if let Some(folder) = ca_dir {
        return Authority::load(folder).map_err(|error| Failure::new(chain(&error)).at(folder.display().to_string()));
    }
    match (&backup.sealed, passphrase_file) {
        (Some(sealed), Some(file)) => {
            let certificate = backup.certificate_pem.clone();
            Authority::unseal(backup.header.cluster, certificate, sealed, &passphrase(file)?)
                .map_err(|error| Failure::new(chain(&error)).at(file.display().to_string()))
        }
        (Some(_), None) => Err(Failure::new("the authority's key in this backup is sealed")
            .hint("give the file with its passphrase with -passphrase-file")),
        (None, _) => Err(Failure::new("this backup does not carry the authority's key").hint(format!(
            "give a folder with ca.pem and {AUTHORITY_KEY_FILE} with -ca-dir: one of the first servers has them, and the \
             folder that `sched server init` made"
        ))),
    }
}

/// What a backup is of and holds, as JSON.
pub fn json_of(backup: &Backup, state: &State) -> Value {
    let header = &backup.header;
    json!({
        "Cluster": header.cluster.to_string(),
        "Index": header.index,
        "Term": header.term,
        "Epoch": header.epoch,
        "ClusterVersion": header.cluster_version,
        "TakenAt": show::time::date(header.taken_at.nanoseconds()),
        "Server": header.server.to_string(),
        "Release": header.release,
        "Contents": header.contents,
        "StateBytes": backup.state.len(),
        "AuthorityKey": backup.sealed.is_some(),
        "Jobs": state.jobs().count(),
        "Nodes": state.node_count(),
        "Allocations": state.allocations().count(),
        "Evaluations": state.evaluations().count(),
        "Deployments": state.deployments().count(),
        "Volumes": state.volumes().count(),
    })
}

/// Prints what a backup is of and holds.
pub fn print(file: &Path, backup: &Backup, state: &State) {
    let of = json_of(backup, state);
    let mut pairs = Pairs::new();
    pairs.add("File", text::escape(&file.display().to_string()));
    for (key, name) in [
        ("Cluster", "Cluster"),
        ("Index", "Index"),
        ("Term", "Term"),
        ("Epoch", "Epoch"),
        ("Taken", "TakenAt"),
        ("By server", "Server"),
        ("Release", "Release"),
        ("State", "StateBytes"),
        ("Hash", "Contents"),
        ("Jobs", "Jobs"),
        ("Nodes", "Nodes"),
        ("Allocations", "Allocations"),
        ("Evaluations", "Evaluations"),
        ("Deployments", "Deployments"),
        ("Volumes", "Volumes"),
    ] {
        pairs.add(key, of[name].as_str().map_or_else(|| of[name].to_string(), str::to_owned));
    }
    pairs.add("CA's key", if backup.sealed.is_some() { "sealed in it" } else { "not in it" });
    pairs.print();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use server::backup::{Header, pieces};

    use super::*;

    /// Opens a backup of these bytes of a state, whose hash is said to be this.
    fn opened(name: &str, state: &[u8], contents: &str) -> Result<State, String> {
        let header = Header {
            cluster: State::decode(state).unwrap().cluster(),
            epoch: 0,
            index: 9,
            term: 1,
            cluster_version: 1,
            taken_at: model::Timestamp::default(),
            server: 1,
            release: "0.1.0".into(),
            contents: contents.into(),
        };
        let backup = Backup { header, state: state.to_vec(), certificate_pem: String::new(), sealed: None };
        let file = std::env::temp_dir().join(format!("sched-backup-{}-{name}", std::process::id()));
        std::fs::write(&file, pieces(&backup).concat()).unwrap();
        let opened = open(&file).map(|(_, state)| state).map_err(|failure| failure.to_string());
        std::fs::remove_file(file).unwrap();
        opened
    }

    #[test]
    fn a_state_that_is_not_the_one_that_was_saved_is_refused() {
        let state = State::default();
        let contents = hex(&state.contents_hash());
        assert_eq!(opened("same", &state.encode(), &contents).unwrap().index(), 0);
        assert!(opened("other", &state.encode(), "another hash").unwrap_err().contains("its hash differs"));
    }

    #[test]
    fn what_a_release_saved_that_wrote_states_otherwise_is_opened() {
        let older = include_bytes!("../../../server/core/src/state/golden/1.state");
        assert_ne!(State::decode(older).unwrap().encode(), older, "it is of another release");
        assert!(opened("older", older, "as that release computed it").unwrap().jobs().count() > 0);
    }
}
