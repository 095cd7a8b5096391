//! Functions that make UUIDs.

use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid};

use super::{Arguments, Called, Failure, Function};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "uuidv4", arity: (0, Some(0)), call: uuidv4, doc: "a random UUID" },
    Function { name: "uuidv5", arity: (2, Some(2)), call: uuidv5, doc: "the UUID of a name in a namespace" },
];

fn uuidv4(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::text(Builder::from_random_bytes(arguments.random()?).into_uuid().to_string()))
}

fn uuidv5(arguments: &mut Arguments<'_>) -> Called {
    let (namespace, name) = (arguments.text(0)?, arguments.text(1)?);
    let namespace = match namespace.as_str() {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| Failure::at(0, "a namespace is dns, url, oid, x500 or a UUID"))?,
    };
    let hash = Sha1::new().chain_update(namespace.as_bytes()).chain_update(name.as_bytes()).finalize();
    let (first, _) = hash.split_first_chunk().expect("a SHA-1 has 20 bytes");
    Ok(Value::text(Builder::from_sha1_bytes(*first).into_uuid().to_string()))
}
