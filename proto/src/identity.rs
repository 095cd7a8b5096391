//! What a server or agent proves itself with: a certificate whose URI says which cluster and which member it is, its
//! private key, and the authority that signed it.
//!
//! Nothing here signs or verifies; the servers' authority makes certificates and [`crate::grpc`] checks them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::{ClusterId, NodeId, ServerId};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use crate::Secret;

mod uri;

pub use uri::{MemberError, caller_of, member_of};

/// The DNS name that every server's certificate bears, so that TLS can tell servers from agents before any of our own
/// checks run.
pub const SERVER_NAME: &str = "server.sched";
/// The member's certificate, followed by that of the authority.
pub const CERTIFICATE_FILE: &str = "cert.pem";
/// The member's private key.
pub const KEY_FILE: &str = "key.pem";
/// The certificate of the cluster's authority.
pub const AUTHORITY_FILE: &str = "ca.pem";

/// Which member of the cluster a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A server.
    Server(ServerId),
    /// The agent of a node.
    Agent(NodeId),
}

impl Role {
    /// The URI that stands in the certificate of this member.
    pub fn uri(self, cluster: ClusterId) -> String {
        match self {
            Role::Server(id) => format!("sched://{cluster}/server/{id}"),
            Role::Agent(node) => format!("sched://{cluster}/agent/{node}"),
        }
    }
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not PEM, or not what it should hold.
    #[error("the {what} is not valid PEM: {source}")]
    Pem {
        /// Certificate, private key or authority.
        what: &'static str,
        /// What is wrong.
        source: pem::Error,
    },
    /// There is no certificate.
    #[error("the {0} holds no certificate")]
    Empty(&'static str),
    /// The certificate doesn't say whom it is for.
    #[error("the certificate names no member of a cluster: {0}")]
    Nameless(#[from] MemberError),
}

/// A member's certificate, key and authority.
#[derive(Clone)]
pub struct Identity {
    certificate_pem: String,
    key_pem: Secret<String>,
    authority_pem: String,
    cluster: ClusterId,
    role: Role,
}

impl Identity {
    /// Puts the parts together; cluster and role are read from the first certificate of `certificate_pem`.
    pub fn new(certificate_pem: String, key_pem: Secret<String>, authority_pem: String) -> Result<Self, IdentityError> {
        let leaf = certificates("certificate", &certificate_pem)?;
        certificates("authority", &authority_pem)?;
        PrivateKeyDer::from_pem_slice(key_pem.expose().as_bytes())
            .map_err(|source| IdentityError::Pem { what: "private key", source })?;
        let (cluster, role) = member_of(&leaf[0])?;
        Ok(Self { certificate_pem, key_pem, authority_pem, cluster, role })
    }

    /// Reads the identity that [`Identity::save`] wrote into `folder`. Blocks.
    pub fn load(folder: &Path) -> Result<Self, IdentityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| IdentityError::File { path, source })
        };
        Self::new(read(CERTIFICATE_FILE)?, Secret::new(read(KEY_FILE)?), read(AUTHORITY_FILE)?)
    }

    /// Writes the identity into `folder`, in files that only their owner can read. Blocks.
    ///
    /// Each file is replaced as a whole, the certificate last: a folder with a certificate has a key for it.
    pub fn save(&self, folder: &Path) -> Result<(), IdentityError> {
        fs::create_dir_all(folder).map_err(|source| IdentityError::File { path: folder.to_path_buf(), source })?;
        write_private(&folder.join(AUTHORITY_FILE), self.authority_pem.as_bytes())?;
        write_private(&folder.join(KEY_FILE), self.key_pem.expose().as_bytes())?;
        write_private(&folder.join(CERTIFICATE_FILE), self.certificate_pem.as_bytes())
    }

    /// The cluster that the member belongs to.
    pub const fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// Which member it is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The certificate of the cluster's authority, in PEM.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The same member, but with the trust of `other`: for tests of those who forge certificates.
    #[cfg(test)]
    pub(crate) fn trusting(mut self, other: &Identity) -> Self {
        self.authority_pem.clone_from(&other.authority_pem);
        self
    }

    /// The chain to present: the member's certificate, then the authority's.
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        certificates("certificate", &self.certificate_pem).expect("checked when the identity was made")
    }

    /// The authority's certificates.
    pub(crate) fn authority(&self) -> Vec<CertificateDer<'static>> {
        certificates("authority", &self.authority_pem).expect("checked when the identity was made")
    }

    /// The private key.
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key_pem.expose().as_bytes()).expect("checked when the identity was made")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.role.uri(self.cluster)).finish()
    }
}

/// Writes a file that only its owner can read, replacing it as a whole, durable when it returns. Blocks.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), IdentityError> {
    let failed = |source| IdentityError::File { path: path.to_path_buf(), source };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // A left-over of an interrupted write may have other rights; the mode below counts only for a file that is made.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)?;
    match path.parent() {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        None => Ok(()),
    }
}

fn certificates(what: &'static str, text: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|source| IdentityError::Pem { what, source })?;
    if found.is_empty() { Err(IdentityError::Empty(what)) } else { Ok(found) }
}

#[cfg(test)]
mod tests;
