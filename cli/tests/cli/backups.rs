//! Backups and a stopped server's folder, which are read without any server.

use std::fs;
use std::path::{Path, PathBuf};

use model::{ClusterId, Timestamp};
use proto::Secret;
use seams::{Clock, SystemClock, SystemRandom};
use serde_json::{Value, json};
use server::authority::{Authority, SealKey};
use server::backup::{Backup, Header, pieces};
use server_core::apply::apply;
use server_core::command::{Command, Entry};
use server_core::state::State;

use crate::invocation::sched;

const PASSPHRASE: &str = "correct horse battery";

/// A folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sched-backups-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the test's own file and key are sound");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn state(cluster: ClusterId, servers: usize) -> State {
    let mut state = State::default();
    let server = |number| Command::AllocateServer {
        name: format!("s{number}"),
        address: format!("10.0.0.{number}:4647"),
        http_address: String::new(),
    };
    let begin = Command::InitializeCluster { cluster };
    for (index, command) in (1..).zip(std::iter::once(begin).chain((1..=servers).map(server))) {
        let entry = Entry { at: Timestamp::from_seconds(1), request: None, caller: String::new(), command };
        apply(&mut state, index, 2, &entry);
    }
    state
}

fn write(file: &str, state: &State, authority: Option<&Authority>) {
    let hash: String = state.contents_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let header = Header {
        cluster: state.cluster(),
        epoch: state.epoch(),
        index: state.index(),
        term: state.term(),
        cluster_version: state.cluster_version(),
        taken_at: Timestamp::from_seconds(1_700_000_000),
        server: 1,
        release: "0.1.0".into(),
        contents: hash,
    };
    let sealed = authority.map(|authority| {
        let passphrase = Secret::new(PASSPHRASE.as_bytes().to_vec());
        let key = SealKey::derive(&passphrase, &SystemRandom).expect("the test's own file and key are sound");
        authority.seal(&key, &SystemRandom).expect("the test's own file and key are sound")
    });
    let certificate_pem = authority.map(|authority| authority.certificate_pem().to_string()).unwrap_or_default();
    let backup = Backup { header, state: state.encode(), certificate_pem, sealed };
    fs::write(file, pieces(&backup).concat()).expect("the test's own file and key are sound");
}

async fn succeeds(arguments: &str) -> Value {
    let ran = sched("", &format!("{arguments} -json")).await;
    assert_eq!(ran.code, 0, "{arguments}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap_or_default()
}

async fn fails(arguments: &str, words: &str) {
    let ran = sched("", arguments).await;
    assert_eq!(ran.code, 1, "{arguments}: {}", ran.out);
    assert!(ran.err.contains(words), "`{words}` is missing in: {}", ran.err);
}

#[tokio::test]
async fn backups_are_inspected_verified_and_compared_without_a_server() {
    let folder = Folder::new("read");
    let cluster = ClusterId::derive(&[b"c"]);
    let authority = Authority::create(cluster, SystemClock.now()).expect("the test's own file and key are sound");
    let (first, second) = (folder.path("first"), folder.path("second"));
    write(&first, &state(cluster, 1), Some(&authority));
    write(&second, &state(cluster, 3), None);
    let passphrase = folder.path("passphrase");
    fs::write(&passphrase, format!("{PASSPHRASE}\n")).expect("the test's own file and key are sound");

    let shown = succeeds(&format!("snapshot inspect {first}")).await;
    assert_eq!((&shown["Index"], &shown["AuthorityKey"]), (&json!(2), &json!(true)));
    let verified = succeeds(&format!("snapshot verify {first} -passphrase-file {passphrase}")).await;
    assert_eq!(verified, json!({ "Whole": true, "Index": 2, "KeyOpened": true }));
    fails(&format!("snapshot verify {second} -passphrase-file {passphrase}"), "does not carry the authority's key")
        .await;
    let differs = sched("", &format!("snapshot diff {first} {second}")).await;
    assert_eq!(differs.code, 0);
    assert!(differs.out.contains("servers: 1 -> 3, 2 differ\n  + 2 s2 10.0.0.2:4647"), "{}", differs.out);
    assert!(differs.out.contains("jobs: 0, the same"), "{}", differs.out);

    let mut bytes = fs::read(&first).expect("the test's own file and key are sound");
    bytes[100] ^= 4;
    fs::write(&second, bytes).expect("the test's own file and key are sound");
    fails(&format!("snapshot verify {second}"), "the backup is damaged at offset").await;
    fs::write(&second, "something else").expect("the test's own file and key are sound");
    fails(&format!("snapshot inspect {second}"), "this is no backup").await;
    fails(&format!("snapshot inspect {}", folder.path("absent")), "No such file").await;
    fails(&format!("snapshot restore {first} -dir {second}"), "--servers").await;
}

#[tokio::test]
async fn a_restored_cluster_s_folder_can_be_recovered_from_again_under_a_new_id() {
    let folder = Folder::new("recover");
    let cluster = ClusterId::derive(&[b"c"]);
    let authority = Authority::create(cluster, SystemClock.now()).expect("the test's own file and key are sound");
    let backup = folder.path("backup");
    write(&backup, &state(cluster, 3), Some(&authority));
    let (made, short) = (folder.path("made"), folder.path("short"));
    let restore = format!("snapshot restore {backup} -dir {made} -servers a=10.0.0.7,b=10.0.0.8");
    fails(&restore, "is sealed").await;
    fs::write(&short, "wrong but long enough").expect("the test's own file and key are sound");
    fails(&format!("{restore} -passphrase-file {short}"), "does not open").await;
    fs::write(&short, PASSPHRASE).expect("the test's own file and key are sound");
    let restored = succeeds(&format!("{restore} -passphrase-file {short}")).await;
    assert_eq!((&restored["Epoch"], &restored["Index"]), (&json!(1), &json!(1_000_000_004)));
    fails(&format!("{restore} -passphrase-file {short}"), "is not empty").await;
    assert_eq!((id(&Path::new(&made).join("server-1")), id(&Path::new(&made).join("server-2"))), (4, 5));

    let data = folder.path("data");
    fs::create_dir_all(&data).expect("the test's own file and key are sound");
    let home = Path::new(&data).join("server");
    fs::rename(Path::new(&made).join("server-1"), &home).expect("the test's own file and key are sound");
    let seen = succeeds(&format!("server recover -data-dir {data} -dry-run")).await;
    assert_eq!((&seen["LastLog"], &seen["Servers"], &seen["Epoch"]), (&json!(1_000_000_004), &json!(1), &json!(1)));
    fails(&format!("server recover -data-dir {data}"), "say -yes").await;
    assert_eq!(id(&home), 4, "nothing was changed");
    let done = succeeds(&format!("server recover -data-dir {data} -yes")).await;
    assert_eq!((&done["ID"], &done["Address"]), (&json!("6"), &json!("10.0.0.7:4647")));
    assert_eq!(id(&home), 6);
    assert_eq!(
        id(Path::new(done["Kept"].as_str().expect("the test's own file and key are sound"))),
        4,
        "what was before is kept"
    );
    let seen = succeeds(&format!("server recover -data-dir {data} -dry-run")).await;
    assert_eq!(seen["Epoch"], 2);

    damage(&home.join("raft/snapshots"));
    fails(&format!("server recover -data-dir {data} -yes"), "damaged").await;
    assert_eq!(id(&home), 6);
    fails(&format!("server recover -data-dir {}", folder.path("absent")), "not the data folder of a server").await;
}

fn id(home: &Path) -> u64 {
    let text = fs::read_to_string(home.join("server.json")).expect("the test's own file and key are sound");
    serde_json::from_str::<Value>(&text).expect("the test's own file and key are sound")["id"]
        .as_u64()
        .expect("the test's own file and key are sound")
}

/// Changes one bit in the middle of the folder's only file.
fn damage(folder: &Path) {
    let file = fs::read_dir(folder)
        .expect("the test's own file and key are sound")
        .next()
        .expect("the test's own file and key are sound")
        .expect("the test's own file and key are sound")
        .path();
    let mut bytes = fs::read(&file).expect("the test's own file and key are sound");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("the test's own file and key are sound");
}
