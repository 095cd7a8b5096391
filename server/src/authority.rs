//! The cluster's certificate authority: who may call itself a server or an agent, and how one becomes either.
//!
//! [`init()`] makes it, on one host, together with the certificates of the first servers. Later members [`join()`]: they
//! make a key of their own, show a token, and a server that holds the authority's key signs a certificate for them.
//! Which tokens are valid is replicated state, which server ids are free too; neither is known here.
//!
//! The authority's key lies in the file `ca.key` of each server's data folder, readable by its owner alone. Whoever
//! reads it can make servers, as whoever reads a server's state can anyway. A server that joined has no copy and sends
//! those who want to join elsewhere.

use std::fs;
use std::path::Path;
use std::time::Duration;

use model::{ClusterId, Timestamp};
use proto::Secret;
use proto::grpc::{AuthorityHash, authority_hash};
use proto::identity::{AUTHORITY_FILE, Identity, IdentityError, Role, SERVER_NAME, write_private};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
    date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

mod init;
mod join;
mod seal;
mod token;

pub use init::{
    InitError, Initialized, NewServer, RPC_PORT_DEFAULT, SERVER_FILE, SERVERS_MAX, ServerDescription, ServerDocument,
    TOKENS_FILE, init, parse_servers,
};
pub(crate) use init::{check_new, lay_out};
pub use join::{JoinError, Joined, Joiner, join};
pub use seal::{PASSPHRASE_BYTES_MIN, SEAL_ROUNDS, SEAL_ROUNDS_MAX, SealError, SealKey, Sealed};
pub use token::{JOIN_TOKEN_TTL_DEFAULT, JoinRole, JoinToken, TokenError, TokenText, check, mint};

/// The authority's private key.
pub const AUTHORITY_KEY_FILE: &str = "ca.key";
/// How long an authority is valid.
pub const AUTHORITY_VALIDITY: Duration = Duration::from_secs(20 * 365 * DAY_SECONDS);
/// How long a member's certificate is valid. There is no renewal: within a year the member has to join anew, which
/// leaves its tasks alone.
pub const MEMBER_VALIDITY: Duration = Duration::from_secs(365 * DAY_SECONDS);
/// By so much a certificate begins before it is made, for members whose clock is behind.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(3600);
const DAY_SECONDS: u64 = 24 * 3600;

/// Why the authority can't do it.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file can't be read or written, or what it holds is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The certificate is not that of an authority that `init` made.
    #[error("{AUTHORITY_FILE} is not the certificate of a cluster's authority: {0}")]
    Certificate(String),
    /// Key and certificate don't belong together.
    #[error("{AUTHORITY_KEY_FILE} is not the key of {AUTHORITY_FILE}")]
    Mismatch,
    /// The request to sign is none.
    #[error("the certificate request is not usable: {0}")]
    Request(rcgen::Error),
    /// The key in the request is of a kind that we don't sign.
    #[error("the certificate request must be for a key on the curve P-256")]
    KeyKind,
    /// Making a certificate failed.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// The authority of one cluster, with its private key.
pub struct Authority {
    cluster: ClusterId,
    certificate_pem: String,
    hash: AuthorityHash,
    key_pem: Secret<String>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes the authority of a new cluster.
    pub fn create(cluster: ClusterId, now: Timestamp) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = params(&format!("sched {cluster}"), now, AUTHORITY_VALIDITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.subject_alt_names = vec![SanType::URI(cluster_uri(cluster).try_into()?)];
        let certificate = params.self_signed(&key)?;
        Self::new(certificate.pem(), Secret::new(key.serialize_pem()))
    }

    /// Puts certificate and key together.
    pub fn new(certificate_pem: String, key_pem: Secret<String>) -> Result<Self, AuthorityError> {
        let wrong = |error: &dyn ToString| AuthorityError::Certificate(error.to_string());
        let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes()).map_err(|error| wrong(&error))?;
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| wrong(&error))?;
        let cluster = cluster_of(&certificate).ok_or_else(|| wrong(&"it names no cluster"))?;
        let key = KeyPair::from_pem(key_pem.expose()).map_err(|_| AuthorityError::Mismatch)?;
        if key.subject_public_key_info() != certificate.public_key().raw {
            return Err(AuthorityError::Mismatch);
        }
        let hash = authority_hash(&der);
        let issuer = Issuer::from_ca_cert_der(&der, key)?;
        Ok(Self { cluster, certificate_pem, hash, key_pem, issuer })
    }

    /// Reads what [`Authority::save`] wrote. Blocks.
    pub fn load(folder: &Path) -> Result<Self, AuthorityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| IdentityError::File { path, source })
        };
        Self::new(read(AUTHORITY_FILE)?, Secret::new(read(AUTHORITY_KEY_FILE)?))
    }

    /// Writes certificate and key into `folder`, readable by their owner alone. Blocks.
    pub fn save(&self, folder: &Path) -> Result<(), AuthorityError> {
        fs::create_dir_all(folder).map_err(|source| IdentityError::File { path: folder.to_path_buf(), source })?;
        write_private(&folder.join(AUTHORITY_KEY_FILE), self.key_pem.expose().as_bytes())?;
        Ok(write_private(&folder.join(AUTHORITY_FILE), self.certificate_pem.as_bytes())?)
    }

    /// The cluster.
    pub const fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// The certificate, in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// What join tokens say of it.
    pub const fn hash(&self) -> AuthorityHash {
        self.hash
    }

    /// Signs a certificate for `role` with the key of a certificate request, and returns it with the authority's
    /// behind it, in PEM. Nothing but the key is taken from the request; who may have `role` is the caller's business.
    pub fn sign(&self, certificate_request_pem: &str, role: Role, now: Timestamp) -> Result<String, AuthorityError> {
        let request =
            CertificateSigningRequestParams::from_pem(certificate_request_pem).map_err(AuthorityError::Request)?;
        if *request.public_key.algorithm() != PKCS_ECDSA_P256_SHA256 {
            return Err(AuthorityError::KeyKind);
        }
        self.certify(&request.public_key, role, now)
    }

    /// Makes a key and a certificate for `role`.
    pub fn issue(&self, role: Role, now: Timestamp) -> Result<Identity, AuthorityError> {
        let key = KeyPair::generate()?;
        let chain = self.certify(&key, role, now)?;
        Ok(Identity::new(chain, Secret::new(key.serialize_pem()), self.certificate_pem.clone())?)
    }

    fn certify(&self, key: &impl PublicKeyData, role: Role, now: Timestamp) -> Result<String, AuthorityError> {
        let name = match role {
            Role::Server(id) => format!("server {id}"),
            Role::Agent(node) => format!("agent {node}"),
        };
        let mut params = params(&name, now, MEMBER_VALIDITY);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = vec![SanType::URI(role.uri(self.cluster).try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if let Role::Server(_) = role {
            params.subject_alt_names.push(SanType::DnsName(SERVER_NAME.try_into()?));
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), self.certificate_pem))
    }
}

fn params(name: &str, now: Timestamp, validity: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = date_time_ymd(1970, 1, 1) + now.since(Timestamp(0));
    params.not_before = now - CLOCK_SKEW_MAX;
    params.not_after = now + validity;
    params
}

fn cluster_uri(cluster: ClusterId) -> String {
    format!("sched://{cluster}")
}

fn cluster_of(certificate: &X509Certificate<'_>) -> Option<ClusterId> {
    let names = certificate.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix("sched://")?.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
