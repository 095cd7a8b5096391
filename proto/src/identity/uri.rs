//! Reads from a certificate which member it was made for. Whether its signature is good is not asked here.

use model::ClusterId;
use rustls::pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Role;
use crate::net::Caller;

/// Why a certificate says nothing usable about its holder.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MemberError {
    /// The certificate can't be read.
    #[error("unreadable certificate: {0}")]
    Unreadable(String),
    /// It has none of our URIs, or several.
    #[error("{0} URIs `sched://…` where there must be one")]
    Count(usize),
    /// It has a URI that means nothing.
    #[error("`{0}` is neither `sched://<cluster>/server/<id>` nor `sched://<cluster>/agent/<node>`")]
    Meaningless(String),
}

/// Whom `certificate` is for. Call it only for a certificate whose signature TLS has verified.
pub fn member_of(certificate: &CertificateDer<'_>) -> Result<(ClusterId, Role), MemberError> {
    named_in(&parsed(certificate)?)
}

/// What whoever shows `certificate` is to those whom it asks, and of which cluster. Call it only for a certificate whose
/// signature TLS has verified.
pub fn caller_of(certificate: &CertificateDer<'_>) -> Result<(ClusterId, Caller), MemberError> {
    let certificate = parsed(certificate)?;
    let (cluster, role) = named_in(&certificate)?;
    let caller = match role {
        Role::Server(id) => Caller::Server { cluster, id },
        Role::Agent(node) => Caller::Agent { cluster, node, key: blake3::hash(certificate.public_key().raw).into() },
    };
    Ok((cluster, caller))
}

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, MemberError> {
    let parsed = X509Certificate::from_der(certificate);
    parsed.map(|(_, certificate)| certificate).map_err(|error| MemberError::Unreadable(error.to_string()))
}

fn named_in(certificate: &X509Certificate<'_>) -> Result<(ClusterId, Role), MemberError> {
    let names = certificate.subject_alternative_name();
    let names = names.map_err(|error| MemberError::Unreadable(error.to_string()))?;
    let uris: Vec<&str> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) if uri.starts_with("sched://") => Some(*uri),
            _ => None,
        })
        .collect();
    // With two, one check could look at the first and another at the second.
    let [uri] = uris[..] else { return Err(MemberError::Count(uris.len())) };
    read(uri).ok_or_else(|| MemberError::Meaningless(uri.to_string()))
}

fn read(uri: &str) -> Option<(ClusterId, Role)> {
    let (cluster, member) = uri.strip_prefix("sched://")?.split_once('/')?;
    let cluster: ClusterId = cluster.parse().ok()?;
    let (kind, id) = member.split_once('/')?;
    let role = match kind {
        "server" => Role::Server(id.parse().ok()?),
        "agent" => Role::Agent(id.parse().ok()?),
        _ => return None,
    };
    Some((cluster, role))
}

#[cfg(test)]
mod tests {
    use model::NodeId;

    use super::*;

    #[test]
    fn only_complete_uris_of_ours_name_a_member() {
        let cluster = ClusterId::derive(&[b"c"]);
        let node = NodeId::derive(&[b"n"]);
        assert_eq!(read(&format!("sched://{cluster}/server/7")), Some((cluster, Role::Server(7))));
        assert_eq!(read(&format!("sched://{cluster}/agent/{node}")), Some((cluster, Role::Agent(node))));
        for wrong in ["server", "server/", "server/x", "server/7/8", "agent/7", "user/7", ""] {
            assert_eq!(read(&format!("sched://{cluster}/{wrong}")), None, "{wrong}");
        }
        assert_eq!(read("sched://not-a-cluster/server/7"), None);
    }
}
