//! How fast jobspecs are read: text to complete job, and the API's JSON to complete job. One thread, nothing else.

use std::fmt::{self, Write};
use std::fs;

use jobspecs::{Inputs, Source, decode_json, parse};
use tokio::time::Instant;

use super::host::{self, Host};
use crate::e2e::checkout;
use core_bench::numbers::median;

/// Bytes that the large jobspec has at least.
const LARGE_BYTES: usize = 100 * 1024;
/// How many small ones are read.
const SMALL: usize = 1_000;

/// What all runs came to. Its text is Markdown.
pub struct JobspecReport {
    host: Host,
    rows: Vec<Row>,
}

/// One way of reading one set of texts.
struct Row {
    what: String,
    bytes: usize,
    /// Seconds of each run.
    seconds: Vec<f64>,
}

/// Reads everything `runs` times, in turns, so that whatever slows the machine down slows all of it.
pub fn run(runs: usize) -> Result<JobspecReport, String> {
    let host = host::describe(&super::runs_folder())?;
    let large = vec![large()];
    let small = small()?;
    let json = |texts: &[String]| texts.iter().map(|text| as_json(text)).collect::<Result<Vec<_>, _>>();
    let (large_json, small_json) = (json(&large)?, json(&small)?);
    let row =
        |what: String, texts: &[String]| Row { what, bytes: texts.iter().map(String::len).sum(), seconds: vec![] };
    let kib = large[0].len() / 1024;
    let mut rows = vec![
        row(format!("one jobspec of {kib} KiB, HCL"), &large),
        row(format!("{SMALL} small jobspecs, HCL"), &small),
        row("the same large one, JSON".into(), &large_json),
        row("the same small ones, JSON".into(), &small_json),
    ];
    // The first round warms up and is not counted.
    for round in 0..=runs {
        let texts: [(&[String], Read); 4] =
            [(&large, read_hcl), (&small, read_hcl), (&large_json, read_json), (&small_json, read_json)];
        for (row, (texts, read)) in rows.iter_mut().zip(texts) {
            let begin = Instant::now();
            texts.iter().try_for_each(|text| read(text))?;
            if round > 0 {
                row.seconds.push(begin.elapsed().as_secs_f64());
            }
        }
    }
    Ok(JobspecReport { host, rows })
}

type Read = fn(&str) -> Result<(), String>;

fn read_hcl(text: &str) -> Result<(), String> {
    let parsed = parse(&Source::new("bench.hcl", text), &Inputs::default());
    parsed.map(|parsed| drop(std::hint::black_box(parsed))).map_err(|errors| errors.render(false))
}

fn read_json(text: &str) -> Result<(), String> {
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    decode_json(value).map(|read| drop(std::hint::black_box(read))).map_err(|error| error.to_string())
}

fn as_json(text: &str) -> Result<String, String> {
    let parsed = parse(&Source::new("bench.hcl", text), &Inputs::default());
    let job = parsed.map_err(|errors| errors.render(false))?.job;
    Ok(serde_json::json!({ "Job": job }).to_string())
}

/// A jobspec of many groups, with what people write in them: variables, templates, checks, rules, a heredoc.
fn large() -> String {
    let mut text = String::from(
        "variable \"image\" {\n  type    = string\n  default = \"registry.example.com/shop\"\n}\n\nlocals {\n  \
         tags = [\"shop\", \"v2\"]\n}\n\njob \"shop\" {\n  datacenters = [\"dc1\", \"dc2\"]\n",
    );
    for number in 0.. {
        if text.len() >= LARGE_BYTES {
            break;
        }
        let group = include_str!("group.hcl").replace("NUMBER", &number.to_string());
        text.push_str(&group);
    }
    text.push_str("}\n");
    text
}

/// The corpus of jobspecs, again and again. Those that ask for values of variables are left out.
fn small() -> Result<Vec<String>, String> {
    let folder = checkout().join("jobspecs/tests/corpus");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "hcl"));
    files.sort();
    let texts: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let texts: Vec<String> = texts.into_iter().filter(|text| read_hcl(text).is_ok()).collect();
    if texts.len() < 50 {
        return Err(format!("only {} jobspecs of the corpus can be read", texts.len()));
    }
    Ok(texts.iter().cycle().take(SMALL).cloned().collect())
}

impl fmt::Display for JobspecReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { model, cores, date, commit, .. } = &self.host;
        writeln!(f, "Measured {date}, commit {commit}, on one of {cores} cores of {model}.\n")?;
        writeln!(f, "| read | bytes | median | slowest | MB/s, median | runs |\n|---|---|---|---|---|---|")?;
        for Row { what, bytes, seconds } in &self.rows {
            let (middle, slowest) = (median(seconds.iter().copied()), seconds.iter().copied().fold(0.0, f64::max));
            let mut line = String::new();
            write!(line, "| {what} | {bytes} | {:.2} ms | {:.2} ms ", middle * 1e3, slowest * 1e3)?;
            write!(line, "| {:.1} | {} |", *bytes as f64 / 1e6 / middle, seconds.len())?;
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
