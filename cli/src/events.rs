//! `sched events`: what happens in the cluster, one sentence per event; with -json the stream as it is.

mod sentence;

use clap::Args as ClapArgs;
use http_body_util::BodyExt;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text, time};

/// A line of the stream that is longer than this is not one.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Characters of a date.
const DATE_WIDTH: usize = "2026-01-02T15:04:05+01:00".len();

/// Arguments of `events`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Go on as things happen; without it, print what the server still holds and end
    #[arg(short = 'f', long = "follow")]
    follow: bool,
    /// Only this topic, such as `Job`, `Allocation` or `Node:<id>`; may be repeated
    #[arg(long, value_name = "TOPIC[:KEY]")]
    topic: Vec<String>,
    /// Begin after this index
    #[arg(long, value_name = "INDEX")]
    index: Option<u64>,
    /// Only events of this job
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut call = Call::get("/v1/event/stream");
    for topic in &args.topic {
        call = call.query("topic", topic);
    }
    // Index 1 is the oldest that can be asked for: everything that the server still holds.
    if let Some(index) = args.index.or((!args.follow).then_some(1)) {
        call = call.query("index", index);
    }
    let mut body = session.client.stream(call).await?;
    let mut lines = Lines::new(LINE_BYTES_MAX);
    let mut heartbeats = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(format!("the event stream broke off: {error}")))?;
        let Some(bytes) = frame.data_ref() else { continue };
        for line in lines.push(bytes)? {
            heartbeats += u32::from(print(&line, args, session)?);
            // The stream opens with a heartbeat; the next one comes as soon as everything that is held has been sent.
            if (heartbeats == 2 && !args.follow) || show::reader_is_gone() {
                return Ok(Exit::Done);
            }
        }
    }
    if args.follow {
        return Err(Failure::new("the server ended the event stream").hint("begin again with -index"));
    }
    Ok(Exit::Done)
}

/// Prints the events of a line and says whether it was a heartbeat.
fn print(line: &str, args: &Args, session: &Session) -> Result<bool, Failure> {
    let batch: Value = serde_json::from_str(line)
        .map_err(|error| Failure::new(format!("the event stream holds something unexpected: {error}")))?;
    let Some(events) = batch.get("Events").and_then(Value::as_array) else { return Ok(true) };
    let of_job = |event: &&Value| args.job.as_deref().is_none_or(|job| sentence::is_about(event, job));
    let wanted: Vec<&Value> = events.iter().filter(of_job).collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    if session.json {
        let mut kept = batch.clone();
        kept["Events"] = wanted.into_iter().cloned().collect();
        show::line(text::escape_json(&kept.to_string()));
        return Ok(false);
    }
    for event in wanted {
        // Not every event says when it was, and the time of asking would be a false one.
        let date = sentence::time(event).map_or("-".into(), time::date);
        show::line(format_args!("{date:<DATE_WIDTH$}  {}", sentence::of(event)));
    }
    Ok(false)
}

/// Cuts the stream into lines.
struct Lines {
    held: Vec<u8>,
    line_bytes_max: usize,
}

impl Lines {
    fn new(line_bytes_max: usize) -> Self {
        Self { held: Vec::new(), line_bytes_max }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, Failure> {
        self.held.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
            let rest = self.held.split_off(end + 1);
            let line = std::mem::replace(&mut self.held, rest);
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() {
                lines.push(line);
            }
        }
        if self.held.len() > self.line_bytes_max {
            return Err(Failure::new("the event stream holds a line that is too long"));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_wherever_the_stream_is_cut() {
        for chunk in 1..8 {
            let mut lines = Lines::new(LINE_BYTES_MAX);
            let text = "{}\n{\"a\":\"é\"}\n\n{}\n";
            let got: Vec<String> = text.as_bytes().chunks(chunk).flat_map(|bytes| lines.push(bytes).unwrap()).collect();
            assert_eq!(got, ["{}", "{\"a\":\"é\"}", "{}"]);
        }
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_however_many_come_at_once() {
        let line = "x".repeat(8);
        let mut lines = Lines::new(line.len());
        assert_eq!(lines.push(format!("{line}\n{line}\n{line}").as_bytes()).unwrap(), [line.clone(), line.clone()]);
        assert_eq!(lines.push(b"\n").unwrap(), [line.as_str()]);
        lines.push(line.as_bytes()).unwrap();
        assert!(lines.push(b"x").is_err());
    }
}
