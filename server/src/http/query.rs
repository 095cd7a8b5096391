//! The query of a request, as lenient as Nomad's servers are: Go booleans, Go durations, `stale` without a value.

use std::time::Duration;

use super::failure::Failure;

/// The parameters, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads what stands after the `?`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let parse = |pair: &str| -> Result<(String, String), Failure> {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        };
        let parameters = text.split('&').filter(|pair| !pair.is_empty()).map(parse).collect::<Result<_, _>>()?;
        Ok(Self { parameters })
    }

    /// The first value under `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value under `name` that says something.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values under `name`.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether `name` is there and not false. Without a value it counts as true, as in `?stale`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(false),
            Some("" | "1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some(other) => {
                Err(Failure::bad_request(format!("Expect `true` or `false` for {name:?} query string, got {other:?}")))
            }
        }
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = |_| Failure::bad_request(format!("{name} must be a whole number, got {text:?}"));
        text.parse().map(Some).map_err(wrong)
    }

    /// A duration in Go's form, `5000ms` or `1h30m`; a bare number is one of seconds.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || Failure::bad_request(format!("Invalid {name} time {text:?}: expected a duration such as 5m"));
        parse_duration(text).map(Some).ok_or_else(wrong)
    }
}

/// A duration in Go's form.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        sum = sum.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Undoes percent-encoding; in queries `+` is a space.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Result<String, Failure> {
    let wrong = || Failure::bad_request(format!("invalid percent-encoding in {text:?}"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()).ok_or_else(wrong)?, digit(rest.next()).ok_or_else(wrong)?);
                bytes.push((high * 16 + low) as u8);
            }
            b'+' if plus_is_space => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_booleans_are_read_and_an_empty_value_is_true() {
        let query = Query::parse("stale&purge=True&enable=t&plain=0&follow=maybe").unwrap();
        assert_eq!(query.flag("stale"), Ok(true));
        assert_eq!(query.flag("purge"), Ok(true));
        assert_eq!(query.flag("enable"), Ok(true));
        assert_eq!(query.flag("plain"), Ok(false));
        assert_eq!(query.flag("absent"), Ok(false));
        assert!(query.flag("follow").is_err());
    }

    #[test]
    fn go_durations_are_read() {
        assert_eq!(parse_duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("300000ms"), Some(Duration::from_secs(300)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("7"), Some(Duration::from_secs(7)));
        for wrong in ["", "m", "5x", "-5s", "5 m", "1e400s", "..s"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn percent_encoding_is_undone_and_refused_when_broken() {
        assert_eq!(Query::parse("prefix=a%2Fb+c&x").unwrap().get("prefix"), Some("a/b c"));
        assert!(Query::parse("prefix=%zz").is_err());
        assert!(Query::parse("prefix=%ff").is_err());
        assert!(Query::parse("prefix=%2").is_err());
    }
}
