//! A backup of every format that was ever written, kept byte for byte: today's are written so, and all are read, opened
//! and gone on from. `UPDATE=1` writes the one of today's format if there is none; what is there is never written again.

use std::path::PathBuf;

use model::{ClusterId, Timestamp};
use proto::Secret;
use seams::{Clock as _, SystemClock, SystemRandom};
use server_core::state::State;

use super::{Backup, FORMAT, Header, pieces, read};
use crate::authority::{Authority, SealKey};

/// A cluster's state as the golden log of [`server_core`] gives it.
const STATE: &[u8] = include_bytes!("../../core/src/state/golden/3.state");

fn file(format: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/backup/golden").join(format!("{format}.backup"))
}

fn passphrase() -> Secret<Vec<u8>> {
    Secret::new(b"correct horse battery".to_vec())
}

fn header(cluster: ClusterId) -> Header {
    Header {
        cluster,
        epoch: 0,
        index: 9,
        term: 1,
        cluster_version: 1,
        taken_at: Timestamp::from_seconds(4_000),
        server: 1,
        release: "0.1.0".into(),
        contents: "as the release computed it".into(),
    }
}

fn written_today() -> Vec<u8> {
    let cluster = State::decode(STATE).unwrap().cluster();
    let authority = Authority::create(cluster, SystemClock.now()).unwrap();
    let key = SealKey::derive(&passphrase(), &SystemRandom).unwrap();
    let sealed = Some(authority.seal(&key, &SystemRandom).unwrap());
    let certificate_pem = authority.certificate_pem().to_string();
    pieces(&Backup { header: header(cluster), state: STATE.to_vec(), certificate_pem, sealed }).concat()
}

#[test]
fn backups_of_every_format_are_read_opened_and_gone_on_from() {
    if std::env::var("UPDATE").is_ok_and(|update| update == "1") && !file(FORMAT).exists() {
        std::fs::write(file(FORMAT), written_today()).unwrap();
    }
    for format in 1..=FORMAT {
        let bytes = std::fs::read(file(format)).unwrap_or_else(|error| panic!("format {format}: {error}"));
        let backup = read(&bytes).unwrap_or_else(|error| panic!("format {format}: {error}"));
        assert!(format < FORMAT || pieces(&backup).concat() == bytes, "today's are written so");
        let state = State::decode(&backup.state).unwrap();
        assert_eq!(backup.header, header(state.cluster()), "format {format}");
        assert!(state.jobs().count() > 0 && state.allocations().count() > 0, "format {format}");
        let sealed = backup.sealed.as_ref().expect("it carries the key");
        let authority = Authority::unseal(state.cluster(), backup.certificate_pem.clone(), sealed, &passphrase());
        assert_eq!(authority.unwrap().cluster(), state.cluster());
        assert_eq!(state.restored(&[], Timestamp::from_seconds(5_000)).contents_hash(), state.contents_hash());
    }
}
