//! Join tokens: what somebody shows who wants to become a server or an agent.
//!
//! The text goes to the person who starts the new member; the cluster keeps a [`JoinToken`], from which nobody can make
//! the text again. A token says for which role it is good, for how long, and of which cluster the server must be that
//! it is shown to. It may be used often until it expires.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use model::Timestamp;
use proto::Secret;
use proto::grpc::{AUTHORITY_HASH_BYTES, AuthorityHash};
use seams::Random;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long a token is good, where nobody says otherwise.
pub const JOIN_TOKEN_TTL_DEFAULT: Duration = Duration::from_secs(3600);
/// What the text of every token of this form begins with.
const PREFIX: &str = "SJ1";
/// Length of the secret, in hexadecimal digits.
const SECRET_DIGITS: usize = 32;
/// Length of the id, in hexadecimal digits.
const ID_DIGITS: usize = 16;

/// What one can become with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinRole {
    /// A server.
    Server,
    /// An agent.
    Agent,
}

impl fmt::Display for JoinRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoinRole::Server => "server",
            JoinRole::Agent => "agent",
        })
    }
}

impl FromStr for JoinRole {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        match text {
            "server" => Ok(JoinRole::Server),
            "agent" => Ok(JoinRole::Agent),
            _ => Err(TokenError::Malformed),
        }
    }
}

/// What the cluster keeps of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// Names it, in public.
    pub id: String,
    /// What one can become with it.
    pub role: JoinRole,
    /// BLAKE3 of the secret, in hexadecimal.
    pub secret_hash: String,
    /// From then on it is good for nothing.
    pub expires_at: Timestamp,
}

/// Why a token doesn't admit anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is no token.
    #[error("not a join token; one looks like {PREFIX}-<authority>-<role>-<id>-<secret>")]
    Malformed,
    /// It is not the token that the cluster keeps.
    #[error("the join token is not valid; ask for a new one")]
    Wrong,
    /// It was good once.
    #[error("the join token has expired; ask for a new one")]
    Expired,
}

/// What stands in the text of a token.
pub struct TokenText {
    /// The authority of the cluster that it is for.
    pub authority: AuthorityHash,
    /// What one can become with it.
    pub role: JoinRole,
    /// By which the cluster finds the [`JoinToken`].
    pub id: String,
    secret: Secret<String>,
}

impl FromStr for TokenText {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = text.trim().split('-').collect();
        let [PREFIX, authority, role, id, secret] = parts[..] else { return Err(TokenError::Malformed) };
        if !is_hex(id, ID_DIGITS) || !is_hex(secret, SECRET_DIGITS) {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            authority: read_hash(authority).ok_or(TokenError::Malformed)?,
            role: role.parse()?,
            id: id.to_string(),
            secret: Secret::new(secret.to_string()),
        })
    }
}

/// Makes a token for members of the cluster with this `authority`, good for `ttl`: the text to hand out, and what to
/// keep.
pub fn mint(
    authority: AuthorityHash,
    random: &impl Random,
    now: Timestamp,
    role: JoinRole,
    ttl: Duration,
) -> (Secret<String>, JoinToken) {
    let id = format!("{:016x}", random.next_u64());
    let secret = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
    let authority: String = authority.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{PREFIX}-{authority}-{role}-{id}-{secret}");
    let secret_hash = blake3::hash(secret.as_bytes()).to_hex().to_string();
    (Secret::new(text), JoinToken { id, role, secret_hash, expires_at: now + ttl })
}

/// Whether `text` is the text of `token`, which is still good. Takes equally long for every wrong secret.
pub fn check(text: &TokenText, token: &JoinToken, now: Timestamp) -> Result<(), TokenError> {
    let kept = blake3::Hash::from_hex(&token.secret_hash).map_err(|_| TokenError::Wrong)?;
    // `blake3::Hash` compares in constant time.
    let same_secret = blake3::hash(text.secret.expose().as_bytes()) == kept;
    if !same_secret || text.id != token.id || text.role != token.role {
        return Err(TokenError::Wrong);
    }
    if now >= token.expires_at { Err(TokenError::Expired) } else { Ok(()) }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read_hash(text: &str) -> Option<AuthorityHash> {
    if !is_hex(text, 2 * AUTHORITY_HASH_BYTES) {
        return None;
    }
    let mut hash = [0; AUTHORITY_HASH_BYTES];
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use seams::SystemRandom;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn parts() -> (String, JoinToken) {
        let (text, token) = mint([0xab; 16], &SystemRandom, NOW, JoinRole::Agent, JOIN_TOKEN_TTL_DEFAULT);
        (text.expose().clone(), token)
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let (text, token) = parts();
        let text: TokenText = text.parse().unwrap();
        assert_eq!((text.authority, text.role, &text.id), ([0xab; 16], JoinRole::Agent, &token.id));
        assert_eq!(check(&text, &token, NOW), Ok(()));
        let last = Timestamp(token.expires_at.nanoseconds() - 1);
        assert_eq!(check(&text, &token, last), Ok(()));
        assert_eq!(check(&text, &token, token.expires_at), Err(TokenError::Expired));
    }

    #[test]
    fn another_secret_role_or_id_is_wrong_even_when_expired() {
        let (text, token) = parts();
        let last = text.chars().last().unwrap();
        let other_secret = format!("{}{}", &text[..text.len() - 1], if last == '0' { '1' } else { '0' });
        let other_role = text.replace("-agent-", "-server-");
        let other_id = text.replace(&token.id, "0123456789abcdef");
        for wrong in [other_secret, other_role, other_id] {
            let wrong: TokenText = wrong.parse().unwrap();
            assert_eq!(check(&wrong, &token, NOW), Err(TokenError::Wrong));
            assert_eq!(check(&wrong, &token, token.expires_at), Err(TokenError::Wrong));
        }
    }

    #[test]
    fn what_is_kept_does_not_hold_the_secret() {
        let (text, token) = parts();
        let secret = text.rsplit('-').next().unwrap();
        assert!(!serde_json::to_string(&token).unwrap().contains(secret));
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        let (text, _) = parts();
        for wrong in ["", "SJ1", &text[1..], &text[..text.len() - 1], &format!("{text}-x"), &text.replace("SJ1", "SJ2")]
        {
            assert_eq!(wrong.parse::<TokenText>().err(), Some(TokenError::Malformed), "{wrong}");
        }
        assert!(format!(" {text}\n").parse::<TokenText>().is_ok(), "people paste spaces");
    }
}
