//! What to write in place of a value that a field refuses.

use serde_json::Value as Json;

use super::{Field, Kind, foreign};
use crate::{duration, nearest};

impl Field {
    /// What to write in place of `json`.
    pub(crate) fn hint(&self, json: &Json) -> Option<String> {
        let name = self.name;
        if let Json::String(text) = json
            && text.starts_with("${")
            && !matches!(self.kind, Kind::Block(..))
        {
            return Some(format!("`{text}` is known only when the task runs; jobspec variables are written var.name"));
        }
        match (self.kind, json) {
            (Kind::Choice(words), Json::String(text)) => of_choice(name, words, text),
            (Kind::Duration, json) => of_duration(name, json),
            (Kind::Whole(..) | Kind::Number, json) => self.of_number(json),
            (Kind::Bool, json) => of_bool(name, json),
            (Kind::Texts, Json::Bool(_) | Json::Number(_)) => Some(format!("write: {name} = [\"…\"]")),
            (Kind::Texts, Json::String(text)) => Some(format!("write: {name} = [{}]", in_list(text))),
            (Kind::Wholes(..), Json::String(_) | Json::Number(_)) => Some(format!("write: {name} = [1, 2]")),
            (Kind::Text, Json::Array(_)) if name == "command" => {
                Some("write the program here, and what follows it in: args = [\"…\"]".into())
            }
            (Kind::Text, Json::Array(list)) => match list.as_slice() {
                [Json::String(only)] => Some(format!("write: {name} = {only:?}")),
                _ => Some("it has one value: join(\",\", […]) makes one of many".into()),
            },
            (Kind::Text, Json::Object(_)) => Some(format!("it has one value: {name} = \"…\"")),
            (Kind::TextMap | Kind::TextMaps | Kind::TextsMap | Kind::Free, json) => Some(of_map(name, json)),
            _ => None,
        }
    }

    fn of_number(&self, json: &Json) -> Option<String> {
        let name = self.name;
        let text = match json {
            Json::String(text) => text.as_str(),
            Json::Number(number) => return number.as_f64().and_then(|number| self.of_fraction(number)),
            Json::Array(_) | Json::Object(_) => return Some(format!("write: {name} = {}", self.example())),
            Json::Bool(_) | Json::Null => return Some(format!("write a number: {name} = {}", self.example())),
        };
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let Ok(number) = text[..end].parse::<f64>() else {
            return Some(format!("write a number without quotes: {name} = {}", self.example()));
        };
        let letters = text[end..].trim();
        let given = letters.trim_end_matches(['b', 'B']).trim_end_matches('i').to_lowercase();
        let factor = match (self.unit(), given.as_str()) {
            (Some("MiB"), "m" | "") => 1.0,
            (Some("MiB"), "g") => 1024.0,
            (Some("MiB"), "t") => 1024.0 * 1024.0,
            (Some("MiB"), "k") => 1.0 / 1024.0,
            (Some("bytes"), "k") => 1024.0,
            (Some("bytes"), "m") => 1024.0 * 1024.0,
            (Some("bytes"), "g") => 1024.0 * 1024.0 * 1024.0,
            (Some("MHz"), "mhz") => 1.0,
            (Some("MHz"), "ghz") => 1000.0,
            (Some("MHz"), "m") => {
                return Some(format!("it is counted in MHz, not in thousandths of a core: {name} = {number}"));
            }
            (None, "%") => 1.0,
            _ => return None,
        };
        let whole = (number * factor).ceil();
        let unit = self.unit().map_or(String::new(), |unit| format!("in {unit}, "));
        Some(format!("write the number alone, {unit}without quotes: {name} = {whole}"))
    }

    /// A usual number of it.
    fn example(&self) -> u32 {
        match self.unit() {
            Some("MHz") => 500,
            Some(_) => 256,
            None => 1,
        }
    }

    fn of_fraction(&self, number: f64) -> Option<String> {
        let name = self.name;
        if number.fract() == 0.0 {
            return None;
        }
        Some(match self.unit() {
            // Whoever writes half a megahertz means half a core.
            Some("MHz") if number < 64.0 => {
                format!("it is counted in MHz, not in cores: {name} = {}", (number * 1000.0).ceil())
            }
            Some(unit) => format!("it is counted in {unit}, without fractions: {name} = {}", number.ceil()),
            None if name == "percent" => format!("the number of percent: {name} = {}", (number * 100.0).ceil()),
            None => format!("without a fraction: {name} = {}", number.ceil()),
        })
    }

    /// The unit in which a number is counted.
    fn unit(&self) -> Option<&'static str> {
        ["MiB", "MHz", "bytes"].into_iter().find(|unit| self.doc.contains(unit))
    }
}

fn of_choice(name: &str, words: &[&str], text: &str) -> Option<String> {
    if words.contains(&"regexp") {
        let meant = foreign::operator(text).map(|word| format!("did you mean `{word}`?"));
        // Among signs, everything is near to everything.
        let is_word = text.chars().count() > 2;
        let near = || is_word.then(|| nearest::did_you_mean(text, words.iter().copied())).flatten();
        return meant.or_else(near).or_else(|| Some(format!("it is one of {}", words.join(", "))));
    }
    if text == "https" && words.contains(&"http") {
        return Some(format!("write: {name} = \"http\" and protocol = \"https\", on lines of their own"));
    }
    let loose = text.replace(['-', ' '], "_");
    let same = words.iter().find(|word| word.replace(['-', '_'], "") == loose.replace('_', "").to_lowercase());
    same.map(|word| format!("did you mean `{word}`?")).or_else(|| nearest::did_you_mean(text, words.iter().copied()))
}

/// Days and words are no units of durations, and nothing takes less than no time.
fn of_duration(name: &str, json: &Json) -> Option<String> {
    let text = match json {
        Json::String(text) => text.trim(),
        Json::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => {
            return Some("it can't be negative; for none, write \"0s\"".into());
        }
        _ => return Some(format!("write: {name} = \"30s\"")),
    };
    if text.starts_with('-') {
        return Some("it can't be negative; for none, write \"0s\"".into());
    }
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let (factor, unit) = match text[end..].trim().to_lowercase().as_str() {
        "" => return Some(format!("give a unit: \"{text}s\"")),
        "s" | "sec" | "secs" | "second" | "seconds" => (1.0, "s"),
        "m" | "min" | "mins" | "minute" | "minutes" => (1.0, "m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => (1.0, "h"),
        "d" | "day" | "days" => (24.0, "h"),
        "w" | "week" | "weeks" => (168.0, "h"),
        "msec" | "millis" | "milliseconds" | "millisecond" => (1.0, "ms"),
        _ => return Some("the units are h, m, s, ms, us and ns".into()),
    };
    let written = format!("{}{unit}", number * factor);
    duration::parse(&written).map(|_| format!("the units are h, m, s and ms: \"{written}\""))
}

fn of_bool(name: &str, json: &Json) -> Option<String> {
    let text = match json {
        Json::String(text) => text.to_lowercase(),
        other => other.to_string(),
    };
    let meant = match text.as_str() {
        "yes" | "on" | "1" | "true" | "y" | "enabled" => true,
        "no" | "off" | "0" | "false" | "n" | "disabled" | "none" => false,
        _ => return None,
    };
    Some(format!("write: {name} = {meant}"))
}

/// What stands in a text as items of a list.
fn in_list(text: &str) -> String {
    let sign = |letter: char| letter == ',' || letter.is_whitespace();
    let items: Vec<String> = text.split(sign).filter(|item| !item.is_empty()).map(|item| format!("{item:?}")).collect();
    // A text with quotes of its own is better split by its author.
    if text.contains(['"', '\'']) || items.is_empty() { "\"…\"".into() } else { items.join(", ") }
}

fn of_map(name: &str, json: &Json) -> String {
    let first = match json {
        Json::Array(list) => list.first().and_then(Json::as_str),
        Json::String(text) => Some(text.as_str()),
        _ => None,
    };
    let pair = first.and_then(|text| text.split_once('=').or_else(|| text.split_once(": ")));
    match pair {
        Some((key, value)) => format!("write: {name} {{ {} = {:?} }}", key.trim(), value.trim()),
        None => format!("write: {name} {{ NAME = \"value\" }}"),
    }
}
