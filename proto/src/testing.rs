//! An authority for the tests of this crate; the real one is the server's.

use model::ClusterId;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType};

use crate::Secret;
use crate::identity::{Identity, Role, SERVER_NAME};

pub(crate) struct TestAuthority {
    pub(crate) cluster: ClusterId,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestAuthority {
    pub(crate) fn new(cluster: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { cluster: ClusterId::derive(&[cluster.as_bytes()]), issuer }
    }

    pub(crate) fn der(&self) -> &[u8] {
        self.issuer.der()
    }

    pub(crate) fn identity(&self, role: Role) -> Identity {
        let (dns, usages) = match role {
            Role::Server(_) => (
                vec![SERVER_NAME.to_string()],
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            ),
            Role::Agent(_) => (Vec::new(), vec![ExtendedKeyUsagePurpose::ClientAuth]),
        };
        self.identity_with(role, dns, usages)
    }

    pub(crate) fn identity_with(&self, role: Role, dns: Vec<String>, usages: Vec<ExtendedKeyUsagePurpose>) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(dns).unwrap();
        params.subject_alt_names.push(SanType::URI(role.uri(self.cluster).try_into().unwrap()));
        params.extended_key_usages = usages;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = format!("{}{}", certificate.pem(), self.issuer.pem());
        Identity::new(chain, Secret::new(key.serialize_pem()), self.issuer.pem()).unwrap()
    }
}
