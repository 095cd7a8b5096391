//! Identities: saved, loaded, and what of a certificate is refused.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU32, Ordering};

use model::NodeId;

use super::*;
use crate::testing::TestAuthority;

/// A folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sched-identity-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_identity_is_saved_for_its_owner_alone_and_read_back() {
    let authority = TestAuthority::new("a");
    let identity = authority.identity(Role::Server(7));
    let folder = Folder::new();
    identity.save(&folder.0).unwrap();
    // A second time, over the first.
    identity.save(&folder.0).unwrap();

    let mut names: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE]);
    for name in names {
        let mode = fs::metadata(folder.0.join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name:?}");
    }
    let read = Identity::load(&folder.0).unwrap();
    assert_eq!((read.cluster(), read.role()), (authority.cluster, Role::Server(7)));
    assert!(read.key_pem == identity.key_pem);
}

#[test]
fn printing_an_identity_shows_whose_it_is_and_not_its_key() {
    let authority = TestAuthority::new("a");
    let node = NodeId::derive(&[b"n"]);
    let printed = format!("{:?}", authority.identity(Role::Agent(node)));
    assert_eq!(printed, format!("Identity(\"sched://{}/agent/{node}\")", authority.cluster));
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let missing = Identity::load(Path::new("/nonexistent")).unwrap_err();
    assert_eq!(missing.to_string(), "/nonexistent/cert.pem: No such file or directory (os error 2)");

    let whole = TestAuthority::new("a").identity(Role::Server(1));
    let no_key = Identity::new(whole.certificate_pem.clone(), Secret::new(String::new()), whole.authority_pem.clone());
    assert!(no_key.unwrap_err().to_string().starts_with("the private key is not valid PEM"));
    let no_certificate = Identity::new(String::new(), whole.key_pem.clone(), whole.authority_pem.clone());
    assert_eq!(no_certificate.unwrap_err().to_string(), "the certificate holds no certificate");
    // The authority's own certificate names no member.
    let nameless = Identity::new(whole.authority_pem.clone(), whole.key_pem.clone(), whole.authority_pem.clone());
    assert!(nameless.unwrap_err().to_string().starts_with("the certificate names no member of a cluster: 0 URIs"));
}
