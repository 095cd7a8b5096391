//! Functions of points in time, which are texts as RFC 3339 writes them.

mod verbs;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::{Arguments, Called, Failure, Function};
use crate::duration;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "formatdate", arity: (2, Some(2)), call: formatdate, doc: "a point in time in a form of its own" },
    Function { name: "timeadd", arity: (2, Some(2)), call: timeadd, doc: "the point in time after a duration" },
];

fn formatdate(arguments: &mut Arguments<'_>) -> Called {
    let time = time(arguments, 1)?;
    verbs::format(&arguments.text(0)?, &time).map(Value::Text).map_err(|problem| Failure::at(0, problem))
}

fn timeadd(arguments: &mut Arguments<'_>) -> Called {
    let time = time(arguments, 0)?;
    let text = arguments.text(1)?;
    let (is_negative, size) = match text.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let size = duration::parse(size)
        .ok_or_else(|| Failure::at(1, format!("`{text}` is not a duration such as `90s` or `-1h30m`")))?;
    let local = time.local.checked_add(SignedDuration::from_nanos(if is_negative { -size } else { size }));
    let local = local.ok().filter(|local| local.year() >= 0);
    let local = local.ok_or_else(|| Failure::of("the result is not within the years 0 to 9999"))?;
    Ok(Value::Text(Time { local, ..time }.to_text()))
}

fn time(arguments: &Arguments<'_>, at: usize) -> Called<Time> {
    let text = arguments.text(at)?;
    Time::parse(&text)
        .ok_or_else(|| Failure::at(at, format!("`{text}` is not a point in time such as `2026-01-31T23:59:59Z`")))
}

/// A point in time as the clocks of its place show it.
struct Time {
    local: DateTime,
    /// How far those clocks are ahead of UTC.
    offset_minutes: i32,
}

impl Time {
    /// `2006-01-02T15:04:05Z`, with a fraction of a second and an offset such as `-07:00` if need be.
    fn parse(text: &str) -> Option<Self> {
        let (date_time, rest) = text.split_at_checked(19)?;
        let fixed = date_time.bytes().zip(*b"dddd-dd-ddTdd:dd:dd");
        if !fixed.into_iter().all(|(byte, form)| if form == b'd' { byte.is_ascii_digit() } else { byte == form }) {
            return None;
        }
        let number = |from: usize, to: usize| date_time[from..to].parse::<i16>().ok();
        let small = |from: usize| number(from, from + 2).map(|number| number as i8);
        let (nanoseconds, zone) = match rest.strip_prefix('.') {
            None => (0, rest),
            Some(rest) => {
                let (digits, zone) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
                (format!("{digits:0<9}").get(..9).filter(|_| !digits.is_empty())?.parse().ok()?, zone)
            }
        };
        let date_time =
            DateTime::new(number(0, 4)?, small(5)?, small(8)?, small(11)?, small(14)?, small(17)?, nanoseconds);
        Some(Self { local: date_time.ok()?, offset_minutes: offset(zone)? })
    }

    fn to_text(&self) -> String {
        let zone = self.offset(":", "Z");
        format!("{}{zone}", self.local.strftime("%Y-%m-%dT%H:%M:%S"))
    }

    /// The offset as `+hh`, `separator`, `mm`; or `utc` if there is none.
    fn offset(&self, separator: &str, utc: &str) -> String {
        let minutes = self.offset_minutes.abs();
        match self.offset_minutes {
            0 if !utc.is_empty() => utc.to_string(),
            offset => {
                format!("{}{:02}{separator}{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
            }
        }
    }
}

/// The minutes of `Z`, `+hh:mm` or `-hh:mm`.
fn offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, clock) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let two = |digits: &str, least_above: i32| {
        let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| digits.parse().ok()).flatten().filter(|number: &i32| *number < least_above)
    };
    Some(sign * (two(hours, 24)? * 60 + two(minutes, 60)?))
}
