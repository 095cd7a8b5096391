//! Addresses of servers, as people write them.

use std::fmt;

use http::Uri;

use super::{Call, Error};

/// Where a server listens: `http://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    base: String,
}

/// Reads a comma-separated list, which must hold at least one address.
pub fn parse_list(text: &str) -> Result<Vec<Address>, Error> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let addresses: Vec<Address> = parts.map(parse).collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Err(Error::Address { given: text.into(), reason: "it is empty".into() });
    }
    Ok(addresses)
}

fn parse(text: &str) -> Result<Address, Error> {
    let wrong = |reason: &str| Error::Address { given: text.into(), reason: reason.into() };
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let uri: Uri = full.parse().map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;
    let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(wrong("https is not served by this release")),
        _ => return Err(wrong("only http:// is known")),
    }
    if !matches!(uri.path(), "" | "/") {
        return Err(wrong("it has a path"));
    }
    Ok(Address { base: format!("http://{authority}") })
}

impl Address {
    /// The full URL of a call.
    pub fn url(&self, call: &Call, namespace: Option<&str>, region: Option<&str>) -> String {
        format!("{}{}", self.base, call.path_and_query(namespace, region))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_or_without_scheme_spaces_and_final_slash() {
        let read = |text| parse_list(text).map(|list| list.iter().map(Address::to_string).collect::<Vec<_>>());
        assert_eq!(read("http://a:1/, b:2 ,").unwrap(), ["http://a:1", "http://b:2"]);
        assert_eq!(read("[::1]:4646").unwrap(), ["http://[::1]:4646"]);
        for bad in ["", " , ", "https://a:1", "ftp://a", "http://a/v1", "http://"] {
            assert!(matches!(read(bad), Err(Error::Address { .. })), "{bad}");
        }
    }
}
