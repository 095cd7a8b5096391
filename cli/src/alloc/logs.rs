//! `sched alloc logs`: what a task wrote, to standard output as it is.
//!
//! Into a pipe or a file the bytes are untouched. On a terminal colours stay and other control characters are escaped.

use std::io::{IsTerminal, Write};

use clap::Args as ClapArgs;
use http_body_util::BodyExt;

use crate::api::Allocation;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{raw::TerminalFilter, text};

/// Bytes that -tail prints unless told otherwise, about ten lines of a hundred characters.
const TAIL_BYTES: u64 = 1000;
/// Bytes fetched for each line that -n asks for; lines that are longer come out cut at their beginning.
const LINE_BYTES: u64 = 1024;

/// Arguments of `alloc logs`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A name such as `web[2]`, or an id or its beginning; with -job, a job's name
    allocation: String,
    /// The task, where the allocation has several
    task: Option<String>,
    /// The task, as a flag
    #[arg(long = "task", value_name = "NAME", conflicts_with = "task")]
    task_flag: Option<String>,
    /// The name is a job's: print a running allocation of it
    #[arg(long)]
    job: bool,
    /// With -job: an allocation of this group
    #[arg(long, value_name = "NAME", requires = "job")]
    group: Option<String>,
    /// Standard error instead of standard output
    #[arg(long)]
    stderr: bool,
    /// Standard output, as without any flag
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Go on as more is written
    #[arg(short = 'f')]
    follow: bool,
    /// Print the end only
    #[arg(long)]
    tail: bool,
    /// Print that many lines of the end
    #[arg(short = 'n', value_name = "LINES")]
    lines: Option<u64>,
    /// Print that many bytes of the end
    #[arg(short = 'c', value_name = "BYTES", conflicts_with = "lines")]
    bytes: Option<u64>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let one = match args.job {
        true => find::allocation_of_job(session, &args.allocation, args.group.as_deref()).await?,
        false => find::allocation(session, &args.allocation).await?,
    };
    let task = choose_task(&one, args.task.as_deref().or(args.task_flag.as_deref()))?;
    let call = Call::get(path(&["v1", "client", "fs", "logs", &one.id]))
        .query("namespace", &one.namespace)
        .query("task", &task)
        .query("type", if args.stderr { "stderr" } else { "stdout" })
        .query("follow", args.follow)
        .query("plain", true);
    let call = match from_end(args) {
        Some(bytes) => call.query("origin", "end").query("offset", bytes),
        None => call.query("origin", "start").query("offset", 0),
    };
    let mut body = session.client.stream(call).await.map_err(|error| {
        let what = if one.is_over() { "what became of it" } else { "whether the task has started" };
        Failure::from(error).hint(format!("`sched alloc status {}` shows {what}", text::short(&one.id)))
    })?;
    let mut output = Output::new(args.lines);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(format!("the log broke off: {error}")))?;
        if let Some(bytes) = frame.data_ref()
            && !output.write(bytes)?
        {
            return Ok(Exit::Done);
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}

/// How far from the end to begin; none for the beginning.
fn from_end(args: &Args) -> Option<u64> {
    match (args.bytes, args.lines, args.tail) {
        (Some(bytes), ..) => Some(bytes),
        (None, Some(lines), _) => Some(lines.saturating_mul(LINE_BYTES)),
        (None, None, true) => Some(TAIL_BYTES),
        (None, None, false) => None,
    }
}

fn choose_task(one: &Allocation, given: Option<&str>) -> Result<String, Failure> {
    // The tasks are known from what the allocation holds, also before any of them has started.
    let names = || one.allocated_resources.tasks.keys().chain(one.task_states.keys());
    let mut known: Vec<&str> = names().map(String::as_str).collect();
    known.sort_unstable();
    known.dedup();
    match (given, known.as_slice()) {
        (Some(task), known) if known.is_empty() || known.contains(&task) => Ok(task.to_owned()),
        (Some(task), known) => {
            Err(Failure::new(format!("{} has no task `{task}`", one.short_name())).hint(super::known_tasks(known)))
        }
        (None, [task]) => Ok((*task).to_owned()),
        (None, []) => Err(Failure::new(format!("{} has no tasks yet", one.short_name()))),
        (None, known) => Err(Failure::new(format!("{} has several tasks: say which", one.short_name()))
            .hint(format!("`sched alloc logs {} {}`", text::short(&one.id), known[0]))
            .hint(super::known_tasks(known))),
    }
}

/// Where the log goes.
struct Output {
    filter: Option<TerminalFilter>,
    /// The last lines only: what was fetched from the end holds more than they need.
    last_lines: Option<LastLines>,
}

impl Output {
    fn new(lines: Option<u64>) -> Self {
        let filter = std::io::stdout().is_terminal().then(TerminalFilter::default);
        Self { filter, last_lines: lines.map(LastLines::new) }
    }

    /// Writes a piece; false once nobody reads any more.
    fn write(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let bytes = match &mut self.last_lines {
            Some(last) => last.push(bytes),
            None => bytes.to_vec(),
        };
        self.emit(&bytes)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let held = self.last_lines.take().map(LastLines::finish).unwrap_or_default();
        self.emit(&held)?;
        let rest = self.filter.as_mut().map(TerminalFilter::finish).unwrap_or_default();
        std::io::stdout().write_all(rest.as_bytes())?;
        Ok(())
    }

    fn emit(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let mut stdout = std::io::stdout().lock();
        let written = match &mut self.filter {
            Some(filter) => stdout.write_all(filter.push(bytes).as_bytes()),
            None => stdout.write_all(bytes),
        };
        match written.and_then(|()| stdout.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Keeps the last lines of what is fetched from the end; passes on what comes after.
///
/// The server sends the end of the log at once and then, when following, what is written later. The first piece holds
/// the end; a log that ends is held until it has.
struct LastLines {
    lines: usize,
    held: Vec<u8>,
    budget: usize,
}

impl LastLines {
    fn new(lines: u64) -> Self {
        let budget = usize::try_from(lines.saturating_mul(LINE_BYTES)).unwrap_or(usize::MAX);
        Self { lines: usize::try_from(lines).unwrap_or(usize::MAX), held: Vec::new(), budget }
    }

    /// What may be written now: nothing until the end of the log is complete.
    fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.budget == 0 {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() < self.budget {
            return Vec::new();
        }
        let later = self.held.split_off(self.budget);
        self.budget = 0;
        let mut ready = cut(&std::mem::take(&mut self.held), self.lines);
        ready.extend(later);
        ready
    }

    fn finish(self) -> Vec<u8> {
        cut(&self.held, self.lines)
    }
}

/// The last lines of the bytes.
fn cut(bytes: &[u8], lines: usize) -> Vec<u8> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut breaks = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let start = match lines.checked_sub(1) {
        None => bytes.len(),
        Some(before) => breaks.nth(before).map_or(0, |(position, _)| position + 1),
    };
    bytes[start..].to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::typed;

    #[test]
    fn the_last_lines_are_cut_out() {
        for (text, lines, wanted) in
            [("a\nb\nc\n", 2, "b\nc\n"), ("a\nb\nc", 1, "c"), ("a\n", 5, "a\n"), ("a\nb\n", 0, ""), ("", 3, "")]
        {
            assert_eq!(cut(text.as_bytes(), lines), wanted.as_bytes(), "{text:?} {lines}");
        }
    }

    #[test]
    fn a_task_is_named_only_where_there_are_several() {
        let one: Allocation = typed(&json!({ "ID": "a", "Name": "web.web[0]", "JobID": "web",
            "TaskStates": { "app": {} }, "AllocatedResources": { "Tasks": { "app": {} } } }))
        .unwrap();
        assert_eq!(choose_task(&one, None).unwrap(), "app");
        assert!(choose_task(&one, Some("x")).is_err());
        let two: Allocation = typed(&json!({ "ID": "a", "TaskStates": { "app": {}, "side": {} } })).unwrap();
        assert!(choose_task(&two, None).is_err());
        assert_eq!(choose_task(&two, Some("side")).unwrap(), "side");
    }

    fn args(flags: &[&str]) -> Args {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        clap::Parser::try_parse_from(["logs", "web"].iter().chain(flags)).map(|line: Line| line.args).unwrap()
    }

    #[test]
    fn as_much_of_the_end_is_fetched_as_the_flags_say() {
        assert_eq!(from_end(&args(&[])), None);
        assert_eq!(from_end(&args(&["--tail"])), Some(TAIL_BYTES));
        assert_eq!(from_end(&args(&["-n", "3"])), Some(3 * LINE_BYTES));
        assert_eq!(from_end(&args(&["-c", "7", "--tail"])), Some(7));
    }

    #[test]
    fn lines_as_long_as_the_limit_come_out_whole_and_a_longer_one_without_its_beginning() {
        let longest = format!("{}\n", "x".repeat(LINE_BYTES as usize - 1));
        let fetched = longest.repeat(2);
        let mut last = LastLines::new(2);
        assert_eq!(last.push(&fetched.as_bytes()[..fetched.len() - 1]), b"", "the end is not complete yet");
        assert_eq!(last.push(b"\n"), fetched.as_bytes());
        assert_eq!(last.push(b"later"), b"later", "what comes after the end is passed on");

        let longer = format!("first\nx{longest}");
        let end = &longer.as_bytes()[longer.len() - LINE_BYTES as usize..];
        assert_eq!(LastLines::new(1).push(end), longest.as_bytes());
    }
}
