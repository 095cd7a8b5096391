//! The words of a scenario's line: `key=value`, `key="value with spaces"`, flags.

use std::time::Duration;

use model::JobKey;

/// The words of one line after its verb.
#[derive(Clone, Debug)]
pub struct Words(pub Vec<String>);

impl Words {
    /// Splits a line into its verb and its words.
    pub fn of(line: &str) -> Option<(String, Words)> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for letter in line.trim().chars() {
            match letter {
                '"' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                other => words.last_mut().expect("it begins with one").push(other),
            }
        }
        words.retain(|word| !word.is_empty());
        if words.is_empty() { None } else { Some((words.remove(0), Words(words))) }
    }

    /// The first word, taken out.
    pub fn name(&mut self) -> String {
        assert!(!self.0.is_empty(), "a name is missing");
        self.0.remove(0)
    }

    /// Whether `flag` stands there, taken out.
    pub fn flag(&mut self, flag: &str) -> bool {
        let at = self.0.iter().position(|word| word == flag);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// The value of `key=`, taken out.
    pub fn value(&mut self, key: &str) -> Option<String> {
        let value = |word: &String| word.strip_prefix(key)?.strip_prefix('=').map(String::from);
        let (at, value) = self.0.iter().enumerate().find_map(|(at, word)| Some((at, value(word)?)))?;
        self.0.remove(at);
        Some(value)
    }

    /// The number of `key=`, taken out.
    pub fn number<T: std::str::FromStr>(&mut self, key: &str) -> Option<T> {
        let text = self.value(key)?;
        Some(text.parse().unwrap_or_else(|_| panic!("{key}={text} is not a number")))
    }

    /// Fails on words that nobody took.
    pub fn end(self) {
        assert!(self.0.is_empty(), "nobody knows {:?}", self.0);
    }
}

/// `30s`, `5m`, `1h`; with a minus the time before.
pub fn seconds(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: i64 = number.parse().unwrap_or_else(|_| panic!("{text} is not a time"));
    match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        _ => panic!("{text} has no unit"),
    }
}

/// A time that is not negative.
pub fn duration(text: &str) -> Duration {
    Duration::from_secs(u64::try_from(seconds(text)).expect("it is not negative"))
}

/// The job of that id in the default namespace.
pub fn job_key(id: &str) -> JobKey {
    JobKey::new(model::DEFAULT_NAMESPACE, id)
}

/// An instance's name in a scenario: `web[0]`, or `web.api[0]` where the group is not named like the job.
#[derive(Clone, Debug)]
pub struct Name {
    pub job: String,
    pub group: String,
    pub index: u32,
}

impl Name {
    pub fn of(text: &str) -> Self {
        let (path, index) = text.strip_suffix(']').and_then(|text| text.split_once('[')).expect("a name has an index");
        let (job, group) = path.split_once('.').unwrap_or((path, path));
        Self { job: job.into(), group: group.into(), index: index.parse().expect("an index is a number") }
    }
}

/// Every `[3]` as `[?]`.
pub fn hide_indexes(line: &str) -> String {
    let mut hidden = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let end = after.find(']').unwrap_or(0);
        hidden.push_str(before);
        hidden.push_str("[?");
        rest = &after[end..];
    }
    hidden + rest
}
