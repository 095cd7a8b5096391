//! What a jobspec may say in the `config` block of a fake task.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::drivers::DriverError;

/// What a fake task plays. Durations are written as in jobspecs (`"10s"`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `run_for`: when it ends by itself; never unless given.
    pub run_for: Option<Duration>,
    /// `exit_code`: the code of that end.
    pub exit_code: i64,
    /// `exit_signal`: the signal of that end.
    pub exit_signal: i32,
    /// `start_delay`: how long a start takes.
    pub start_delay: Duration,
    /// `start_error`: why a start fails; it does not unless given.
    pub start_error: String,
    /// `start_error_retry`: whether that error may pass.
    pub start_error_retry: bool,
    /// `hang`: it ignores the stop signal until it is ended by force.
    pub hang: bool,
    /// `stop_delay`: how long it takes to end cleanly after the signal.
    pub stop_delay: Duration,
    /// `oom_after`: when its memory limit ends it.
    pub oom_after: Option<Duration>,
    /// `fail_probability`: percent of starts that fail, drawn from the driver's seed.
    pub fail_probability: u8,
    /// `fail_after`: when a start that was drawn fails.
    pub fail_after: Duration,
    /// `stdout`: what it says.
    pub stdout: String,
    /// `stderr`: what it says there.
    pub stderr: String,
    /// `checks`, `checks_pass_after`, `checks_fail_after`: how its checks answer.
    pub checks: CheckPlay,
    /// `memory_mb`: memory in use.
    pub memory_mb: u64,
    /// `cpu_permille`: thousandths of a core in use.
    pub cpu_permille: u32,
}

/// How the checks of a fake task answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckPlay {
    /// They pass.
    Pass,
    /// They fail.
    Fail,
    /// They pass once it has run so long.
    PassAfter(Duration),
    /// They fail once it has run so long.
    FailAfter(Duration),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run_for: None,
            exit_code: 0,
            exit_signal: 0,
            start_delay: Duration::ZERO,
            start_error: String::new(),
            start_error_retry: false,
            hang: false,
            stop_delay: Duration::ZERO,
            oom_after: None,
            fail_probability: 0,
            fail_after: Duration::from_secs(1),
            stdout: String::new(),
            stderr: String::new(),
            checks: CheckPlay::Pass,
            memory_mb: 16,
            cpu_permille: 10,
        }
    }
}

impl Settings {
    /// Reads a `config` block; a key that is not known or a value of the wrong kind is an error that names it.
    pub fn read(config: &BTreeMap<String, Value>) -> Result<Settings, DriverError> {
        let mut settings = Settings::default();
        for (key, value) in config {
            match key.as_str() {
                "run_for" => settings.run_for = Some(duration(key, value)?),
                "exit_code" => settings.exit_code = number(key, value)?,
                "exit_signal" => settings.exit_signal = number(key, value)?,
                "start_delay" => settings.start_delay = duration(key, value)?,
                "start_error" => settings.start_error = text(key, value)?,
                "start_error_retry" => settings.start_error_retry = flag(key, value)?,
                "hang" => settings.hang = flag(key, value)?,
                "stop_delay" => settings.stop_delay = duration(key, value)?,
                "oom_after" => settings.oom_after = Some(duration(key, value)?),
                "fail_probability" => settings.fail_probability = percent(key, value)?,
                "fail_after" => settings.fail_after = duration(key, value)?,
                "stdout" => settings.stdout = text(key, value)?,
                "stderr" => settings.stderr = text(key, value)?,
                "checks" => settings.checks = check_play(key, value)?,
                "checks_pass_after" => settings.checks = CheckPlay::PassAfter(duration(key, value)?),
                "checks_fail_after" => settings.checks = CheckPlay::FailAfter(duration(key, value)?),
                "memory_mb" => settings.memory_mb = number(key, value)?,
                "cpu_permille" => settings.cpu_permille = number(key, value)?,
                _ => return Err(DriverError::Invalid(format!("config.{key} is not a setting of the fake driver"))),
            }
        }
        Ok(settings)
    }
}

fn wrong(key: &str, wanted: &str, value: &Value) -> DriverError {
    DriverError::Invalid(format!("config.{key} must be {wanted}, got {value}"))
}

fn duration(key: &str, value: &Value) -> Result<Duration, DriverError> {
    let wanted = "a duration such as \"10s\"";
    let text = value.as_str().ok_or_else(|| wrong(key, wanted, value))?;
    humantime::parse_duration(text).map_err(|_| wrong(key, wanted, value))
}

fn number<N: TryFrom<i64>>(key: &str, value: &Value) -> Result<N, DriverError> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| wrong(key, "a number in range", value))
}

fn percent(key: &str, value: &Value) -> Result<u8, DriverError> {
    let percent = number(key, value)?;
    if percent <= 100 { Ok(percent) } else { Err(wrong(key, "a percentage from 0 to 100", value)) }
}

fn text(key: &str, value: &Value) -> Result<String, DriverError> {
    value.as_str().map(str::to_string).ok_or_else(|| wrong(key, "a text", value))
}

fn flag(key: &str, value: &Value) -> Result<bool, DriverError> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| wrong(key, "true or false", value))
}

fn check_play(key: &str, value: &Value) -> Result<CheckPlay, DriverError> {
    match value.as_str() {
        Some("pass") => Ok(CheckPlay::Pass),
        Some("fail") => Ok(CheckPlay::Fail),
        _ => Err(wrong(key, "\"pass\" or \"fail\"", value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(key: &str, value: Value) -> Result<Settings, String> {
        Settings::read(&BTreeMap::from([(key.to_string(), value)])).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_and_errors_name_the_key() {
        assert_eq!(read("run_for", json!("1m30s")).unwrap().run_for, Some(Duration::from_secs(90)));
        assert_eq!(read("exit_code", json!(3)).unwrap().exit_code, 3);
        assert_eq!(read("rnu_for", json!("1s")).unwrap_err(), "config.rnu_for is not a setting of the fake driver");
        assert_eq!(
            read("run_for", json!(10)).unwrap_err(),
            "config.run_for must be a duration such as \"10s\", got 10"
        );
        assert!(read("fail_probability", json!(100)).is_ok());
        assert!(read("fail_probability", json!(101)).is_err());
    }
}
