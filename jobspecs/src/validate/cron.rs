//! The form of cron's times, as Nomad reads them: a name, or five to seven fields.
//!
//! With six fields the last is the year, with seven the first are the seconds (the grammar of hashicorp/cronexpr).

use std::ops::RangeInclusive;

use crate::nearest;

/// Times by name.
const NAMES: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a field counts, what it may be, and by which names, from the first number on.
struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    names: (&'static [&'static str], u32),
}

static SECOND: Field = Field { name: "second", range: 0..=59, names: (&[], 0) };
static YEAR: Field = Field { name: "year", range: 1970..=2099, names: (&[], 0) };
static FIELDS: [Field; 5] = [
    Field { name: "minute", range: 0..=59, names: (&[], 0) },
    Field { name: "hour", range: 0..=23, names: (&[], 0) },
    Field { name: "day of the month", range: 1..=31, names: (&[], 0) },
    Field { name: "month", range: 1..=12, names: (MONTHS, 1) },
    // Sunday is 0 and 7.
    Field { name: "day of the week", range: 0..=7, names: (DAYS, 0) },
];

const EXAMPLE: &str = "write: \"@daily\", or minute hour day month weekday: \"30 4 * * *\"";

/// What is wrong with a time, and what to do about it.
pub(super) fn fault(spec: &str) -> Option<(String, String)> {
    if spec.trim().is_empty() {
        return Some(("the time is empty".into(), EXAMPLE.into()));
    }
    if let Some(name) = spec.strip_prefix('@') {
        if NAMES.contains(&spec) {
            return None;
        }
        let hint = match name.strip_prefix("every ") {
            Some(_) => "a step in a field does that: \"*/5 * * * *\" is every 5 minutes".into(),
            None => nearest::did_you_mean(spec, NAMES.iter().copied())
                .unwrap_or_else(|| format!("names are {}", NAMES.join(", "))),
        };
        return Some((format!("cron knows no time `{spec}`"), hint));
    }
    let given: Vec<&str> = spec.split_whitespace().collect();
    let is_time =
        given.iter().all(|field| !field.starts_with(|letter: char| letter.is_alphabetic() && !"Ll".contains(letter)));
    if !(5..=7).contains(&given.len()) {
        let hint = match (is_time, given.len()) {
            (true, 4) => "minute hour day month weekday: one of the five is missing".into(),
            (true, 8..) => {
                "there are five: minute hour day month weekday, with seconds before and years after them at most".into()
            }
            _ => EXAMPLE.to_string(),
        };
        return Some((format!("{spec:?} is not a time that cron knows: it has {}", fields(given.len())), hint));
    }
    let before = (given.len() == 7).then_some(&SECOND);
    let after = (given.len() >= 6).then_some(&YEAR);
    let fields = before.into_iter().chain(&FIELDS).chain(after);
    for (field, text) in fields.zip(given) {
        if let Some(rule) = text.split(',').find_map(|item| field.fault(item)) {
            let name = field.name;
            return Some((format!("in the time {spec:?} the {name} is `{text}`"), rule));
        }
    }
    None
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".into() } else { format!("{count} fields") }
}

impl Field {
    /// What one item of a field's list must be, if it is not.
    fn fault(&self, item: &str) -> Option<String> {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        if step.is_some_and(|step| !step.parse::<u32>().is_ok_and(|step| step > 0)) {
            return Some("a step is a number from 1: */5".into());
        }
        if self.is_special(range) {
            return None;
        }
        let (first, last) = range.split_once('-').map_or((range, None), |(first, last)| (first, Some(last)));
        let (Some(first), last_number) = (self.number(first), last.map(|last| self.number(last))) else {
            return Some(self.rule(range));
        };
        match last_number {
            Some(None) => Some(self.rule(last.unwrap_or_default())),
            Some(Some(last)) if last < first => Some(format!("the range {range} ends before it begins")),
            _ => None,
        }
    }

    /// Everything, nothing in particular, and the days that count from the end or the nearest working day.
    fn is_special(&self, text: &str) -> bool {
        let number = |text: &str| self.number(text).is_some();
        match self.name {
            "day of the month" => {
                matches!(text, "*" | "?" | "L" | "l" | "LW" | "lw") || text.strip_suffix(['W', 'w']).is_some_and(number)
            }
            "day of the week" => {
                let nth = text.split_once('#');
                matches!(text, "*" | "?" | "L" | "l")
                    || text.strip_suffix(['L', 'l']).is_some_and(number)
                    || nth.is_some_and(|(day, nth)| number(day) && matches!(nth, "1" | "2" | "3" | "4" | "5"))
            }
            _ => text == "*",
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let (names, first) = self.names;
        // Names may be written out.
        let lower = text.to_lowercase();
        let by_name = names.iter().zip(first..).find(|(name, _)| {
            lower == **name || lower.len() > 3 && FULL_NAMES.contains(&lower.as_str()) && lower.starts_with(**name)
        });
        let number = by_name.map(|(_, number)| number).or_else(|| text.parse().ok());
        number.filter(|number| self.range.contains(number))
    }

    fn rule(&self, text: &str) -> String {
        let (names, _) = self.names;
        if let Some(name) = nearest::nearest(text, names.iter().copied()) {
            return format!("did you mean `{}`?", name.to_uppercase());
        }
        let (least, most) = self.range.clone().into_inner();
        match names {
            [] => format!("the {} is {least} to {most}, *, a range as 1-5, or a list of these", self.name),
            [first, .., last] => {
                let (first, last) = (first.to_uppercase(), last.to_uppercase());
                format!("the {} is {least} to {most}, {first} to {last}, *, a range, or a list of these", self.name)
            }
            [_] => String::new(),
        }
    }
}

const FULL_NAMES: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_cron_are_taken() {
        let taken = [
            "@daily",
            "*/5 * * * *",
            "0 8-18 * * 1-5",
            "0 12 * * MON-FRI",
            "15,45 2 1 JAN,jul ?",
            "0 0 L * *",
            "0 0 LW * *",
            "0 0 15W * *",
            "0 0 ? * 5L",
            "0 0 ? * 1#2",
            "0 4 * * 7",
            "0 4 * * * 2030",
            "0 30 4 * * * *",
            "59 23 31 12 0",
            "10-50/10 * * * *",
            "0 0 * december sunday",
        ];
        for spec in taken {
            assert_eq!(fault(spec), None, "{spec}");
        }
        for spec in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 0 *",
            "* * * * 8",
            "* * * * * 2100",
            "60 * * * * * *",
            "-1 * * * *",
            "1- * * * *",
            "*-5 * * * *",
            "1,,2 * * * *",
            "*/ * * * *",
        ] {
            assert!(fault(spec).is_some(), "{spec}");
        }
    }
}
