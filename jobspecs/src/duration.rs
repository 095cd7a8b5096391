//! Durations as jobspecs write them: `300ms`, `1m30s`, `1.5h`.

/// The nanoseconds of a duration; None if the text is none, is negative, or exceeds 292 years.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = 0_f64;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * unit;
        parts += 1;
        rest = after;
    }
    (parts > 0 && total < i64::MAX as f64).then_some(total.round() as i64)
}

/// The shortest way to write nanoseconds, `1m30s`.
pub(crate) fn show(nanoseconds: i64) -> String {
    let units: [(&str, i64); 6] = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1000),
        ("ns", 1),
    ];
    let mut rest = nanoseconds;
    let mut text = String::new();
    for (unit, size) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        let cases =
            [("30s", 30_000_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000), ("10ms", 10_000_000)];
        for (text, nanoseconds) in cases {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
            assert_eq!(parse(&show(nanoseconds)), Some(nanoseconds), "{text}");
        }
        for wrong in ["", "10", "s", "-5s", "1 s", "5d", "1..5s", "9999999999h"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
