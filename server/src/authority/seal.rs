//! The authority's key under a passphrase, so that a backup can carry it.
//!
//! AES-256-GCM under a key that follows from the passphrase by PBKDF2-HMAC-SHA256 (RFC 8018) and a random salt; the
//! cluster's id is authenticated with it. Whoever takes the backup derives the key, so that no server sees the
//! passphrase, and tells a server the key, so that nobody but servers sees the authority's.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use model::ClusterId;
use proto::Secret;
use seams::Random;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Authority, AuthorityError};

/// Rounds of key derivation, as OWASP asks for (2023).
pub const SEAL_ROUNDS: u32 = 600_000;
/// Rounds beyond which a sealed key is refused: opening it would take minutes.
pub const SEAL_ROUNDS_MAX: u32 = 10_000_000;
/// Bytes that a passphrase has at least.
pub const PASSPHRASE_BYTES_MIN: usize = 12;
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// What seals: a key, and how it was derived.
pub struct SealKey {
    salt: [u8; SALT_BYTES],
    rounds: u32,
    key: Secret<[u8; KEY_BYTES]>,
}

/// A sealed key, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    salt: String,
    rounds: u32,
    nonce: String,
    sealed: String,
}

/// Why a key can't be sealed or opened.
#[derive(Debug, Error)]
pub enum SealError {
    /// The passphrase is too easily guessed.
    #[error("the passphrase has {0} bytes; give at least {PASSPHRASE_BYTES_MIN}")]
    Short(usize),
    /// The text is not that of a seal key.
    #[error("the seal key is malformed")]
    Malformed,
    /// It was sealed with another passphrase, or is damaged.
    #[error("the passphrase does not open the sealed key")]
    Closed,
    /// What was in it is not the authority's key.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl SealKey {
    /// Derives a key from a passphrase. Takes a noticeable part of a second.
    pub fn derive(passphrase: &Secret<Vec<u8>>, random: &impl Random) -> Result<Self, SealError> {
        let bytes = passphrase.expose().len();
        if bytes < PASSPHRASE_BYTES_MIN {
            return Err(SealError::Short(bytes));
        }
        let salt = random.next_id();
        Ok(Self { salt, rounds: SEAL_ROUNDS, key: derive(passphrase, &salt, SEAL_ROUNDS) })
    }

    /// The text by which a server is told.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(format!("{}.{}.{}", hex(&self.salt), self.rounds, hex(self.key.expose())))
    }

    /// The key of such a text.
    pub fn from_text(text: &str) -> Result<Self, SealError> {
        let mut parts = text.split('.');
        let (Some(salt), Some(rounds), Some(key), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError::Malformed);
        };
        let salt = unhex(salt).and_then(|salt| salt.try_into().ok()).ok_or(SealError::Malformed)?;
        let key: [u8; KEY_BYTES] = unhex(key).and_then(|key| key.try_into().ok()).ok_or(SealError::Malformed)?;
        let rounds = rounds.parse().map_err(|_| SealError::Malformed)?;
        if rounds == 0 || rounds > SEAL_ROUNDS_MAX {
            return Err(SealError::Malformed);
        }
        Ok(Self { salt, rounds, key: Secret::new(key) })
    }
}

impl Authority {
    /// Its private key, sealed.
    pub fn seal(&self, key: &SealKey, random: &dyn Random) -> Result<Sealed, SealError> {
        let nonce: [u8; NONCE_LEN] = random.next_id()[..NONCE_LEN].try_into().map_err(|_| SealError::Malformed)?;
        let mut sealed = self.key_pem.expose().as_bytes().to_vec();
        let aad = Aad::from(*self.cluster.as_bytes());
        cipher(&key.key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| SealError::Closed)?;
        Ok(Sealed { salt: hex(&key.salt), rounds: key.rounds, nonce: hex(&nonce), sealed: hex(&sealed) })
    }

    /// The authority of a certificate and its sealed key.
    pub fn unseal(
        cluster: ClusterId,
        certificate_pem: String,
        sealed: &Sealed,
        passphrase: &Secret<Vec<u8>>,
    ) -> Result<Self, SealError> {
        let salt = unhex(&sealed.salt).ok_or(SealError::Malformed)?;
        let nonce = unhex(&sealed.nonce).and_then(|nonce| nonce.try_into().ok()).ok_or(SealError::Malformed)?;
        let mut text = unhex(&sealed.sealed).ok_or(SealError::Malformed)?;
        if sealed.rounds == 0 || sealed.rounds > SEAL_ROUNDS_MAX {
            return Err(SealError::Malformed);
        }
        let key = derive(passphrase, &salt, sealed.rounds);
        let opened = cipher(&key)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(*cluster.as_bytes()), &mut text)
            .map_err(|_| SealError::Closed)?;
        let key_pem = String::from_utf8(opened.to_vec()).map_err(|_| SealError::Closed)?;
        Ok(Self::new(certificate_pem, Secret::new(key_pem))?)
    }
}

fn derive(passphrase: &Secret<Vec<u8>>, salt: &[u8], rounds: u32) -> Secret<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, passphrase.expose(), &mut key);
    Secret::new(key)
}

fn cipher(key: &Secret<[u8; KEY_BYTES]>) -> Result<LessSafeKey, SealError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError::Malformed)?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use seams::SystemRandom;

    use super::super::testing::authority;
    use super::*;

    fn passphrase(text: &str) -> Secret<Vec<u8>> {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn the_passphrase_opens_what_was_sealed_by_the_key_that_was_told_and_no_other_does() {
        let authority = authority();
        let key = SealKey::derive(&passphrase("correct horse battery"), &SystemRandom).unwrap();
        let told = SealKey::from_text(key.to_text().expose()).unwrap();
        let sealed = authority.seal(&told, &SystemRandom).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("PRIVATE"), "{text}");
        let open = |cluster, words: &str| {
            Authority::unseal(cluster, authority.certificate_pem().into(), &sealed, &passphrase(words))
        };
        let opened = open(authority.cluster(), "correct horse battery").unwrap();
        assert_eq!(opened.hash(), authority.hash());
        assert!(matches!(open(authority.cluster(), "correct horse batterx"), Err(SealError::Closed)));
        assert!(matches!(open(ClusterId::derive(&[b"other"]), "correct horse battery"), Err(SealError::Closed)));
    }

    #[test]
    fn a_passphrase_has_the_least_length_or_more() {
        let long = "x".repeat(PASSPHRASE_BYTES_MIN);
        assert!(SealKey::derive(&passphrase(&long), &SystemRandom).is_ok());
        let short = SealKey::derive(&passphrase(&long[1..]), &SystemRandom);
        assert!(matches!(short, Err(SealError::Short(bytes)) if bytes == PASSPHRASE_BYTES_MIN - 1));
    }

    #[test]
    fn what_is_no_seal_key_is_malformed() {
        let key = SealKey::derive(&passphrase("correct horse battery"), &SystemRandom).unwrap();
        let text = key.to_text().expose().clone();
        let rounds = |rounds: u32| text.replace(&SEAL_ROUNDS.to_string(), &rounds.to_string());
        assert!(SealKey::from_text(&rounds(SEAL_ROUNDS_MAX)).is_ok());
        for wrong in ["", "a.b.c", &text[1..], &format!("{text}.x"), &rounds(0), &rounds(SEAL_ROUNDS_MAX + 1)] {
            assert!(matches!(SealKey::from_text(wrong), Err(SealError::Malformed)), "{wrong}");
        }
    }
}
