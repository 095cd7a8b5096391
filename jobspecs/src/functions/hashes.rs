//! Functions that hash a text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use sha2::Digest;

use super::{Arguments, Called, Failure, Function};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "bcrypt",
        arity: (1, Some(2)),
        call: bcrypt,
        doc: "a text hashed with bcrypt, a new salt each time",
    },
    Function { name: "md5", arity: (1, Some(1)), call: hash::<md5::Md5>, doc: "a text's MD5 in hexadecimal" },
    Function { name: "sha1", arity: (1, Some(1)), call: hash::<sha1::Sha1>, doc: "a text's SHA-1 in hexadecimal" },
    Function {
        name: "sha256",
        arity: (1, Some(1)),
        call: hash::<sha2::Sha256>,
        doc: "a text's SHA-256 in hexadecimal",
    },
    Function {
        name: "sha512",
        arity: (1, Some(1)),
        call: hash::<sha2::Sha512>,
        doc: "a text's SHA-512 in hexadecimal",
    },
];

/// What a hash costs for each byte of its text.
const HASH_COST: u64 = 4;

fn hash<D: Digest>(arguments: &mut Arguments<'_>) -> Called {
    let text = arguments.text(0)?;
    arguments.spend(text.len() as u64 * HASH_COST)?;
    let mut hexadecimal = String::new();
    for byte in D::digest(text.as_bytes()).as_slice() {
        write!(hexadecimal, "{byte:02x}").expect("a string takes all that is written");
    }
    Ok(Value::Text(hexadecimal))
}

/// The cost that is used where none is given.
const BCRYPT_COST_DEFAULT: usize = 10;
/// The costs that are taken: each one more doubles the work.
const BCRYPT_COST_LEAST: usize = 4;
/// A hash of this cost takes about a second, and most of what a jobspec may cost.
const BCRYPT_COST_MOST: usize = 14;
/// What each of the `2^cost` rounds costs.
const BCRYPT_ROUND_COST: u64 = 1536;
/// The longest text that bcrypt can hash; the algorithm would leave out what is beyond.
const BCRYPT_TEXT_BYTES_MAX: usize = 72;

fn bcrypt(arguments: &mut Arguments<'_>) -> Called {
    let text = arguments.text(0)?;
    if text.len() > BCRYPT_TEXT_BYTES_MAX {
        let length = text.len();
        return Err(Failure::at(0, format!("the text has {length} bytes, the limit is {BCRYPT_TEXT_BYTES_MAX}")));
    }
    let cost = if arguments.len() == 2 { arguments.whole(1)? } else { BCRYPT_COST_DEFAULT as i64 };
    let cost = usize::try_from(cost).ok().filter(|cost| (BCRYPT_COST_LEAST..=BCRYPT_COST_MOST).contains(cost));
    let cost = cost.ok_or_else(|| {
        Failure::at(1, format!("a cost from {BCRYPT_COST_LEAST} to {BCRYPT_COST_MOST} is needed here"))
    })?;
    arguments.spend(BCRYPT_ROUND_COST << cost)?;
    Ok(Value::Text(bcrypt_of(&text, cost as u32, arguments.random()?)))
}

/// As `$2a$<cost>$<salt><hash>`, with the base64 of bcrypt.
fn bcrypt_of(text: &str, cost: u32, salt: [u8; 16]) -> String {
    // The algorithm hashes the text with the zero byte that ends it in C, but 72 bytes at most.
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes.truncate(BCRYPT_TEXT_BYTES_MAX);
    let hash = ::bcrypt::bcrypt(cost, salt, &bytes);
    let base64 = GeneralPurpose::new(&BCRYPT, NO_PAD);
    // The last of the 24 bytes has never been part of the text form.
    format!("$2a${cost:02}${}{}", base64.encode(salt), base64.encode(&hash[..23]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test vectors of jBCrypt.
    #[test]
    fn bcrypt_gives_the_published_hashes() {
        for (text, expected) in [
            ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
            ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
            ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
            ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
        ] {
            let salt =
                GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true)).decode(&expected[7..29]);
            assert_eq!(bcrypt_of(text, 6, salt.unwrap().try_into().unwrap()), expected);
        }
    }
}
