//! The one question that is asked without a certificate: "may I have one?".
//!
//! Whoever joins knows no authority yet, only the beginning of the hash of its certificate, from the join token. The
//! server presents the authority's certificate behind its own; if the hash fits, everything else is verified with it.
//! So a token leads to its own cluster alone, and its secret is never said to anybody else.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use tokio::time::Instant;

use super::answer::{from_wire, unknown};
use super::dialer::{answer_by, client};
use super::link::Link;
use super::tls;
use crate::identity::{Role, member_of};
use crate::net::NetError;
use crate::wire::{Join, Joined, Request, Response, request, response};

/// Length of the hash that a token carries.
pub const AUTHORITY_HASH_BYTES: usize = 16;
/// The first bytes of the SHA-256 of the DER of an authority's certificate.
pub type AuthorityHash = [u8; AUTHORITY_HASH_BYTES];

/// The hash by which tokens name the authority with this certificate.
pub fn authority_hash(certificate: &[u8]) -> AuthorityHash {
    let mut hash = [0; AUTHORITY_HASH_BYTES];
    hash.copy_from_slice(&digest(&SHA256, certificate).as_ref()[..AUTHORITY_HASH_BYTES]);
    hash
}

/// Asks the server at `address`, which must be of the cluster whose authority has the hash `authority`, for a
/// certificate; waits at most `deadline`.
pub async fn ask_to_join(
    address: &str,
    authority: AuthorityHash,
    join: Join,
    deadline: Duration,
) -> Result<Joined, NetError> {
    let until = Instant::now() + deadline;
    let unreachable = |reason: String| NetError::Unreachable { address: address.to_string(), reason };
    let verifier = Arc::new(HashVerifier { authority });
    let builder = tls::client_builder().map_err(|error| unreachable(error.to_string()))?;
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let link = Link::new(address.to_string(), tls::finish(config), Box::new(check_server), deadline);
    let mut client = client(link.connection().await.map_err(unreachable)?);
    let request = Request { body: Some(request::Body::Join(join)) };
    let answer = answer_by(until, deadline, address, client.call(request)).await?;
    match from_wire(address, answer.into_inner())? {
        Response { body: Some(response::Body::Joined(joined)) } => Ok(joined),
        Response { .. } => Err(unknown(address, "the answer is not one to a request to join")),
    }
}

fn check_server(chain: &[CertificateDer<'_>]) -> Result<(), String> {
    let certificate = chain.first().ok_or("it presents no certificate")?;
    match member_of(certificate).map_err(|error| error.to_string())? {
        (_, Role::Server(_)) => Ok(()),
        (_, Role::Agent(node)) => Err(format!("it is the agent of node {node}, not a server")),
    }
}

/// Trusts what was signed by the presented authority whose hash is known.
#[derive(Debug)]
struct HashVerifier {
    authority: AuthorityHash,
}

impl ServerCertVerifier for HashVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = intermediates
            .iter()
            .find(|certificate| authority_hash(certificate) == self.authority)
            .ok_or_else(|| rustls::Error::General("it is not of the cluster that the token is for".to_string()))?;
        let roots = tls::roots(vec![authority.clone().into_owned()])?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), tls::provider())
            .build()
            .map_err(|_| CertificateError::UnknownIssuer)?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &tls::provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &tls::provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        tls::provider().signature_verification_algorithms.supported_schemes()
    }
}
