//! The whole way of a jobspec, from text to job.

use std::collections::BTreeSet;

use hcl_edit::Span as _;
use hcl_edit::structure::{Body, Structure};
use model::Job;
use serde_json::Value as Json;

use crate::complete::{complete, fill_in};
use crate::decode::Decoder;
use crate::evaluate::{Budget, Evaluator};
use crate::inputs::Inputs;
use crate::json::decode_json;
use crate::schema::JOB;
use crate::source::Source;
use crate::tree::Places;
use crate::validate::{Problem, validate};
use crate::without_effect::{Given, Use, in_document, in_job};
use crate::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, nearest, syntax, variables};

/// A job, and what its author should know though it is taken.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The job, complete and valid.
    pub job: Job,
    /// What has no effect.
    pub warnings: Vec<Diagnostic>,
}

/// The blocks of a jobspec's top level.
const TOP_BLOCKS: [&str; 4] = ["job", "variable", "variables", "locals"];

/// Reads a jobspec: HCL, or JSON if its first letter is `{`. All errors of the text are given in one run.
pub fn parse(source: &Source, inputs: &Inputs<'_>) -> Result<Parsed, Diagnostics> {
    source.check_size()?;
    if source.text().trim_start().starts_with('{') {
        return parse_json(source);
    }
    let body = syntax::body(source)?;
    let mut errors = Vec::new();
    check_top(source, &body, &mut errors);
    let budget = Budget::default();
    let scope = variables::scope(source, &body, inputs, &budget, &mut errors);
    let Some(hcl) = body.get_blocks("job").next() else {
        return Err(Diagnostics::gather(errors).unwrap_or_else(|| {
            Diagnostic::error(source, 0..0, "the file has no job").hint("write: job \"name\" { … }").into()
        }));
    };
    let evaluator = Evaluator { source, scope: &scope, budget: &budget, outside: inputs.outside() };
    let mut decoder = Decoder::new(evaluator);
    let node = decoder.top(&JOB, hcl);
    errors.append(&mut decoder.errors);
    let span = node.span.clone();
    let (json, places) = node.split();
    let mut uses = in_document(&json, Given::AsText);
    let job = match read(json) {
        Ok(job) => job,
        Err(message) => {
            // What does not fit was most likely left out with an error of its own.
            if errors.is_empty() {
                errors.push(Diagnostic::error(source, span, message));
            }
            return Err(Diagnostics::gather(errors).expect("an error was just added"));
        }
    };
    for problem in validate(&job) {
        let place = places.nearest(&problem.path).cloned().unwrap_or_else(|| span.clone());
        // Where something was left out as wrong, that it is missing is no news.
        if !decoder.broken.contains(&place.start) {
            errors.push(located(source, &problem, place));
        }
    }
    match Diagnostics::gather(errors) {
        Some(errors) => Err(errors),
        None => {
            uses.extend(in_job(&job));
            Ok(Parsed { job, warnings: warnings(source, &uses, &places) })
        }
    }
}

fn read(mut json: Json) -> Result<Job, String> {
    fill_in(&mut json);
    let mut job: Job = serde_json::from_value(json).map_err(|error| format!("the job can't be read: {error}"))?;
    complete(&mut job);
    Ok(job)
}

/// A warning for each place where something without effect stands: what is written once may be used at several.
fn warnings(source: &Source, uses: &[Use], places: &Places) -> Vec<Diagnostic> {
    let located = uses.iter().map(|found| {
        let span = places.nearest(&found.path).cloned().unwrap_or(0..0);
        ((span.start, span.end), found.message.as_str(), found.hint)
    });
    let unique: BTreeSet<_> = located.collect();
    let warning = |((start, end), message, hint): ((usize, usize), &str, &str)| {
        Diagnostic::warning(source, start..end, message).label("without effect").hint(hint)
    };
    unique.into_iter().map(warning).collect()
}

fn located(source: &Source, problem: &Problem, place: std::ops::Range<usize>) -> Diagnostic {
    Diagnostic::error(source, place, problem.message.as_str()).hint_if(problem.hint.clone())
}

/// A jobspec has one job, and beside it only variables and locals.
fn check_top(source: &Source, body: &Body, errors: &mut Vec<Diagnostic>) {
    let mut jobs = 0;
    for structure in body.iter() {
        let (name, span, word) = match structure {
            Structure::Attribute(attribute) => (attribute.key.as_str(), attribute.key.span(), "attribute"),
            Structure::Block(block) => (block.ident.as_str(), block.ident.span(), "block"),
        };
        let span = span.unwrap_or(0..0);
        let is_block = word == "block";
        if is_block && name == "job" {
            jobs += 1;
            if jobs > 1 {
                let error = Diagnostic::error(source, span, "a file has one job, this is another");
                errors.push(error.hint("move it to a file of its own"));
            }
        } else if !is_block || !TOP_BLOCKS.contains(&name) {
            let hint = nearest::did_you_mean(name, TOP_BLOCKS);
            let hint = hint.unwrap_or_else(|| "beside the job stand only `variable` and `locals` blocks".into());
            errors.push(Diagnostic::error(source, span, format!("unknown {word} `{name}`")).hint(hint));
        }
    }
}

fn parse_json(source: &Source) -> Result<Parsed, Diagnostics> {
    let json = syntax::json(source)?;
    let first_line = source.text().find('\n').unwrap_or(source.text().len());
    let whole = || 0..first_line;
    let (job, warnings) = decode_json(json).map_err(|error| {
        let place = json_place(&source.text().to_ascii_lowercase(), &error.path).unwrap_or_else(whole);
        Diagnostic::error(source, place, error.to_string())
    })?;
    let lowercase = source.text().to_ascii_lowercase();
    let place = |path: &str| json_place(&lowercase, path).unwrap_or_else(whole);
    let problems = validate(&job);
    // To find a place takes a pass over the text, which only those that are shown are worth.
    let errors = problems.iter().enumerate().map(|(at, problem)| {
        located(source, problem, if at < DIAGNOSTICS_MAX { place(&problem.path) } else { whole() })
    });
    let errors = errors.collect();
    match Diagnostics::gather(errors) {
        Some(errors) => Err(errors),
        None => {
            let shown = warnings.iter().take(DIAGNOSTICS_MAX).map(|warning| {
                Diagnostic::warning(source, place(&warning.path), warning.to_string()).label("without effect")
            });
            Ok(Parsed { job, warnings: shown.collect() })
        }
    }
}

/// The first place of the last key of a path that the text has: JSON is read without places, and this is near enough for people.
fn json_place(lowercase: &str, path: &str) -> Option<std::ops::Range<usize>> {
    path.rsplit('.').find_map(|step| {
        let key = step.split('[').next().filter(|key| !key.is_empty())?;
        let quoted = format!("\"{}\"", key.to_ascii_lowercase());
        lowercase.find(&quoted).map(|at| at..at + quoted.len())
    })
}
