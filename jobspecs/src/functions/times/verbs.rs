//! The forms of `formatdate`: runs of one letter stand for parts of the time, quotes keep letters as they are, and all
//! else stands for itself. As go-cty has them.

use super::Time;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `time` in the form `form`, or what is wrong with the form.
pub(super) fn format(form: &str, time: &Time) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = form;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(&rest[1..], &mut text)?;
        } else if first.is_ascii_alphabetic() {
            let end = rest.find(|letter| letter != first).unwrap_or(rest.len());
            text.push_str(&verb(&rest[..end], time)?);
            rest = &rest[end..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(text)
}

/// Appends what stands between a quote and the next; gives what follows it. Two quotes stand for one.
fn quoted<'a>(rest: &'a str, text: &mut String) -> Result<&'a str, String> {
    if let Some(rest) = rest.strip_prefix('\'') {
        text.push('\'');
        return Ok(rest);
    }
    let mut rest = rest;
    loop {
        let (before, after) = rest.split_once('\'').ok_or("a quote of the form does not end")?;
        text.push_str(before);
        match after.strip_prefix('\'') {
            None => return Ok(after),
            Some(after) => {
                text.push('\'');
                rest = after;
            }
        }
    }
}

fn verb(verb: &str, time: &Time) -> Result<String, String> {
    let local = time.local;
    let (year, hour) = (local.year(), local.hour());
    let month = MONTHS[local.month() as usize - 1];
    let weekday = WEEKDAYS[local.weekday().to_monday_zero_offset() as usize];
    let hour_of_12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    Ok(match verb {
        "YYYY" => format!("{year:04}"),
        "YY" => format!("{:02}", year % 100),
        "MMMM" => month.to_string(),
        "MMM" => month[..3].to_string(),
        "MM" => format!("{:02}", local.month()),
        "M" => local.month().to_string(),
        "DD" => format!("{:02}", local.day()),
        "D" => local.day().to_string(),
        "EEEE" => weekday.to_string(),
        "EEE" => weekday[..3].to_string(),
        "hh" => format!("{hour:02}"),
        "h" => hour.to_string(),
        "HH" => format!("{hour_of_12:02}"),
        "H" => hour_of_12.to_string(),
        "AA" => (if hour < 12 { "AM" } else { "PM" }).to_string(),
        "aa" => (if hour < 12 { "am" } else { "pm" }).to_string(),
        "mm" => format!("{:02}", local.minute()),
        "m" => local.minute().to_string(),
        "ss" => format!("{:02}", local.second()),
        "s" => local.second().to_string(),
        "ZZZZZ" => time.offset(":", ""),
        "ZZZZ" => time.offset("", ""),
        "ZZZ" => time.offset("", "UTC"),
        "Z" => time.offset(":", "Z"),
        _ => return Err(unknown(verb)),
    })
}

/// Says what the letter of a verb may be written as.
fn unknown(verb: &str) -> String {
    let known = match verb.as_bytes()[0] {
        b'Y' => "a year is YYYY or YY",
        b'M' => "a month is MMMM, MMM, MM or M",
        b'D' => "a day is DD or D",
        b'E' => "a day of the week is EEEE or EEE",
        b'h' => "an hour of 24 is hh or h",
        b'H' => "an hour of 12 is HH or H",
        b'A' | b'a' => "the half of the day is AA or aa",
        b'm' => "a minute is mm or m",
        b's' => "a second is ss or s",
        b'Z' => "an offset is ZZZZZ, ZZZZ, ZZZ or Z",
        _ => "letters that stand for themselves are put between single quotes",
    };
    let shown: String = verb.chars().take(8).collect();
    format!("the form has no `{shown}`: {known}")
}
