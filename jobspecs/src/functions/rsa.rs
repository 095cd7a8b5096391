//! `rsadecrypt`: PKCS #1 v1.5 (RFC 8017, section 7.2.2) with a private key as section A.1.2 writes it.
//!
//! The arithmetic does not hide its time: whoever can measure it has written the key into the jobspec.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

use super::{Arguments, Called, Failure, Function};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[Function {
    name: "rsadecrypt",
    arity: (2, Some(2)),
    call: rsadecrypt,
    doc: "the text that a text in base64 was encrypted from, by an RSA private key in PEM",
}];

/// The largest key that is taken.
const KEY_BITS_MAX: u64 = 4096;
/// The smallest key for which there is any text to encrypt.
const KEY_BITS_LEAST: u64 = 96;

fn rsadecrypt(arguments: &mut Arguments<'_>) -> Called {
    let encrypted = STANDARD.decode(arguments.text(0)?).map_err(|_| Failure::at(0, "this is not base64"))?;
    let key = PrivateKey::from_pem(&arguments.text(1)?).map_err(|problem| Failure::at(1, problem))?;
    // The work grows with the cube of the key's length: this is 8 Mi units at 4096 bits.
    arguments.spend(key.modulus.bits().pow(3) >> 13)?;
    let wrong = || Failure::at(0, "the key does not decrypt this");
    let bytes = key.decrypt(&encrypted).ok_or_else(wrong)?;
    String::from_utf8(bytes).map(Value::Text).map_err(|_| Failure::at(0, "the decrypted bytes are not UTF-8"))
}

struct PrivateKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PrivateKey {
    fn from_pem(pem: &str) -> Result<Self, String> {
        let body = pem
            .split_once("-----BEGIN RSA PRIVATE KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END RSA PRIVATE KEY-----"))
            .ok_or("a PEM block `RSA PRIVATE KEY` is needed here")?;
        let base64: String = body.0.split_whitespace().collect();
        if base64.starts_with("Proc-Type:") {
            return Err("the key is encrypted; give it without a passphrase".into());
        }
        let der = STANDARD.decode(base64).map_err(|_| "the PEM block has something else than base64")?;
        let key = Self::from_der(&der).ok_or("the PEM block has no RSA private key")?;
        match key.modulus.bits() {
            KEY_BITS_LEAST..=KEY_BITS_MAX => Ok(key),
            bits if bits < KEY_BITS_LEAST => {
                Err(format!("the key has {bits} bits, at least {KEY_BITS_LEAST} are needed"))
            }
            bits => Err(format!("the key has {bits} bits, the limit is {KEY_BITS_MAX}")),
        }
    }

    /// `SEQUENCE { version, modulus, publicExponent, privateExponent, … }`; the rest only makes decryption faster.
    fn from_der(der: &[u8]) -> Option<Self> {
        let (sequence, rest) = element(0x30, der)?;
        let (version, numbers) = element(0x02, sequence)?;
        let (modulus, numbers) = element(0x02, numbers)?;
        let (_public, numbers) = element(0x02, numbers)?;
        let (exponent, _) = element(0x02, numbers)?;
        let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        // An even modulus is none, and would take far longer to compute with.
        let is_key = rest.is_empty() && version == [0] && modulus.bit(0) && exponent < modulus;
        is_key.then_some(Self { modulus, exponent })
    }

    fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let length = self.modulus.bits().div_ceil(8) as usize;
        let number = BigUint::from_bytes_be(encrypted);
        if encrypted.len() != length || number >= self.modulus {
            return None;
        }
        // The number has no zeros at its front: the message begins with 0x00 0x02, of which the zero is left out.
        let message = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let padded = message.strip_prefix(&[2]).filter(|padded| padded.len() == length - 2)?;
        let zero = padded.iter().position(|byte| *byte == 0).filter(|padding| *padding >= 8)?;
        Some(padded[zero + 1..].to_vec())
    }
}

/// The content of the DER element of `tag` that begins `bytes`, and what follows it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], mut rest) = bytes.split_first_chunk()?;
    let mut size = usize::from(length);
    if length & 0x80 != 0 {
        let digits;
        (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
        size = digits.iter().fold(0, |size, digit| size << 8 | usize::from(*digit));
    }
    rest.split_at_checked(size).filter(|_| found == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of the corpus, whose decryption is tested there.
    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_str!("../../tests/corpus/function-rsadecrypt.hcl")).unwrap()
    }

    fn pem(numbers: &[&[u8]]) -> String {
        let part = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82], &length[..], content].concat()
        };
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| part(0x02, number)).collect();
        let base64 = STANDARD.encode(part(0x30, &numbers));
        format!("-----BEGIN RSA PRIVATE KEY-----\n{base64}\n-----END RSA PRIVATE KEY-----\n")
    }

    #[test]
    fn what_was_not_encrypted_for_the_key_is_refused() {
        let key = key();
        for encrypted in [vec![], vec![1; 255], vec![1; 257], vec![0; 256], vec![255; 256], vec![1; 256]] {
            assert_eq!(key.decrypt(&encrypted), None, "{} bytes", encrypted.len());
        }
    }

    /// With an exponent of 1 a text is its own encryption, which shows how padding is read.
    #[test]
    fn padding_has_eight_bytes_at_least_and_a_zero_after_it() {
        let modulus = [&[0xff; 31][..], &[1]].concat();
        let key = PrivateKey { modulus: BigUint::from_bytes_be(&modulus), exponent: 1_u8.into() };
        let padded = |front: &[u8], padding: usize, zero: u8| {
            let mut bytes = [front, &vec![7; padding], &[zero]].concat();
            bytes.resize(32, b'x');
            key.decrypt(&bytes)
        };
        assert_eq!(padded(&[0, 2], 8, 0), Some(vec![b'x'; 21]));
        assert_eq!(padded(&[0, 2], 29, 0), Some(vec![]));
        for wrong in [padded(&[0, 2], 7, 0), padded(&[0, 2], 8, 1), padded(&[0, 1], 8, 0), padded(&[1, 2], 8, 0)] {
            assert_eq!(wrong, None);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let error = |pem: &str| PrivateKey::from_pem(pem).err().unwrap_or_default();
        let no_key = "the PEM block has no RSA private key";
        let odd = |bytes: usize| vec![0xff; bytes];
        assert_eq!(error(""), "a PEM block `RSA PRIVATE KEY` is needed here");
        assert_eq!(error(&pem(&[])), no_key);
        assert_eq!(error(&pem(&[&[0], &[0], &[3], &[0]])), no_key, "a modulus of 0");
        assert_eq!(error(&pem(&[&[0], &[0xfe; 64], &[3], &[5]])), no_key, "an even modulus");
        assert_eq!(error(&pem(&[&[0], &odd(64), &[3], &odd(65)])), no_key, "an exponent beyond the modulus");
        assert_eq!(error(&pem(&[&[1], &odd(64), &[3], &[5]])), no_key, "several primes");
        assert_eq!(error(&pem(&[&[0], &odd(512), &[3], &[5]])), "");
        assert_eq!(error(&pem(&[&[0], &odd(513), &[3], &[5]])), "the key has 4104 bits, the limit is 4096");
        let encrypted = pem(&[]).replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nM");
        assert_eq!(error(&encrypted), "the key is encrypted; give it without a passphrase");
    }
}
