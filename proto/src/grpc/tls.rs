//! The TLS settings of all our connections: version 1.3 alone, aws-lc-rs alone, HTTP/2 alone.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};
use thiserror::Error;

use crate::identity::Identity;

/// HTTP/2, as TLS names it.
const PROTOCOL: &[u8] = b"h2";

/// An identity can't be used for TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Certificate, key and authority don't fit each other.
    #[error("certificate and key are not usable: {0}")]
    Unusable(#[from] rustls::Error),
    /// Nothing can be verified with the authority's certificate.
    #[error("the authority's certificate is not usable: {0}")]
    Authority(#[from] VerifierBuilderError),
}

/// For whoever listens as `identity`: clients need no certificate, but one that they show must be of our authority.
pub(super) fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(identity.authority())?), provider())
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain(), identity.key())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Clients don't resume sessions (see below), so tickets would be made for nobody.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// For whoever connects as `identity`.
pub(super) fn client_config(identity: &Identity) -> Result<Arc<ClientConfig>, TlsError> {
    let config = client_builder()?
        .with_root_certificates(roots(identity.authority())?)
        .with_client_auth_cert(identity.chain(), identity.key())?;
    Ok(finish(config))
}

pub(super) fn client_builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])
}

pub(super) fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // All servers share one TLS name, so a remembered session could be one with another server.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

pub(super) fn roots(certificates: Vec<CertificateDer<'static>>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate)?;
    }
    Ok(roots)
}
