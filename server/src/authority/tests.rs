//! The authority: what it issues and how it is kept.

use model::NodeId;
use rcgen::PKCS_ED25519;
use x509_parser::time::ASN1Time;

use super::testing::{Folder, authority, now};
use super::*;

fn request(key: &KeyPair) -> String {
    // Everything that a greedy joiner could ask for beside its key.
    let mut params = CertificateParams::new(vec![SERVER_NAME.to_string()]).unwrap();
    params.subject_alt_names.push(SanType::URI("sched://other/server/1".try_into().unwrap()));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn an_agent_gets_an_agents_certificate_whatever_it_requests() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let node = NodeId::derive(&[b"n"]);
    let chain = authority.sign(&request(&key), Role::Agent(node), now()).unwrap();

    let identity = Identity::new(chain.clone(), Secret::new(key.serialize_pem()), authority.certificate_pem.clone());
    let identity = identity.unwrap();
    assert_eq!((identity.cluster(), identity.role()), (authority.cluster(), Role::Agent(node)));
    let der = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names.len(), 1, "{names:?}");
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert!(!certificate.is_ca());
}

#[test]
fn certificates_begin_early_and_end_with_their_validity() {
    let authority = authority();
    let now = Timestamp::from_seconds(1_800_000_000);
    let identity_end = |pem: &str| {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        let seconds = |time: ASN1Time| time.timestamp();
        (seconds(certificate.validity().not_before), seconds(certificate.validity().not_after))
    };
    let key = KeyPair::generate().unwrap();
    let member = authority.sign(&request(&key), Role::Server(1), now).unwrap();
    let begin = 1_800_000_000 - i64::try_from(CLOCK_SKEW_MAX.as_secs()).unwrap();
    assert_eq!(identity_end(&member), (begin, 1_800_000_000 + 365 * 86_400));
    let made = Authority::create(authority.cluster(), now).unwrap();
    // Beyond 2050, where X.509 changes how it writes dates.
    let end = 1_800_000_000 + 20 * 365 * 86_400;
    assert_eq!(identity_end(made.certificate_pem()), (begin, end));
}

#[test]
fn what_is_no_request_for_a_key_of_ours_is_refused() {
    let authority = authority();
    let role = Role::Server(1);
    assert!(matches!(authority.sign("nonsense", role, now()), Err(AuthorityError::Request(_))));
    let other_kind = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert!(matches!(authority.sign(&request(&other_kind), role, now()), Err(AuthorityError::KeyKind)));
}

#[test]
fn an_authority_is_saved_and_read_back_and_signs_on() {
    let made = authority();
    let folder = Folder::new();
    made.save(folder.path()).unwrap();
    let read = Authority::load(folder.path()).unwrap();
    assert_eq!((read.cluster(), read.hash()), (made.cluster(), made.hash()));
    assert_eq!(read.issue(Role::Server(3), now()).unwrap().role(), Role::Server(3));
}

#[test]
fn a_key_of_another_authority_and_a_certificate_of_none_are_refused() {
    let (one, other) = (authority(), authority());
    let mixed = Authority::new(one.certificate_pem.clone(), other.key_pem.clone());
    assert_eq!(mixed.err().unwrap().to_string(), "ca.key is not the key of ca.pem");
    let key = KeyPair::generate().unwrap();
    let stranger = CertificateParams::default().self_signed(&key).unwrap().pem();
    let error = Authority::new(stranger, Secret::new(key.serialize_pem())).err().unwrap();
    assert_eq!(error.to_string(), "ca.pem is not the certificate of a cluster's authority: it names no cluster");
}
