//! The whole way of a jobspec, from text to job.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Body, Structure};
use model::Job;
use serde_json::Value as Json;

use crate::complete::{complete, fill_in};
use crate::decode::Decoder;
use crate::evaluate::{Budget, Evaluator};
use crate::inputs::Inputs;
use crate::json::{decode_json, unwrapped};
use crate::schema::JOB;
use crate::source::Source;
use crate::tree::Places;
use crate::validate::{Problem, validate};
use crate::without_effect::{Given, Use, in_document, in_job};
use crate::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, json_place, nearest, schema, syntax, variables};

/// A job, and what its author should know though it is taken.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The job, complete and valid.
    pub job: Job,
    /// What has no effect.
    pub warnings: Vec<Diagnostic>,
    /// The text of each variable whose value is the environment's, by its name.
    pub from_environment: BTreeMap<String, String>,
}

/// The blocks of a jobspec's top level.
const TOP_BLOCKS: [&str; 4] = ["job", "variable", "variables", "locals"];

/// Reads a jobspec: HCL, or JSON if its first letter is `{`. All errors of the text are given in one run.
pub fn parse(source: &Source, inputs: &Inputs<'_>) -> Result<Parsed, Diagnostics> {
    source.check_size()?;
    if source.text().trim_start().starts_with('{') {
        return parse_json(source, inputs.namespace);
    }
    let read_so_far = syntax::read(source);
    let Some(body) = &read_so_far.body else {
        return Err(Diagnostics::gather(read_so_far.errors).expect("a text without a tree has an error"));
    };
    let cuts = Cuts::of(&read_so_far);
    let mut errors = Vec::new();
    check_top(source, body, &mut errors);
    let budget = Budget::default();
    let scope = variables::scope(source, body, inputs, &budget, cuts.of_declarations, &mut errors);
    let Some(hcl) = body.get_blocks("job").next() else {
        errors.extend(read_so_far.errors);
        return Err(Diagnostics::gather(errors).unwrap_or_else(|| without_job(source)));
    };
    let evaluator = Evaluator { source, scope: &scope, budget: &budget, outside: inputs.outside() };
    let mut decoder = Decoder::new(evaluator);
    let node = decoder.top(&JOB, hcl);
    errors.append(&mut decoder.errors);
    errors.retain(|error| !cuts.explain(error.span().start));
    errors.extend(read_so_far.errors.iter().cloned());
    let span = node.span.clone();
    let (json, places) = node.split();
    let mut uses = in_document(&json, Given::AsText);
    let namespace = inputs.namespace.filter(|_| !names_namespace(&json));
    let job = match read(json, namespace) {
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
        if !decoder.broken.contains(&place.start) && !cuts.may_cause(&place) {
            errors.push(located(source, &problem, place));
        }
    }
    match Diagnostics::gather(errors) {
        Some(errors) => Err(errors),
        None => {
            uses.extend(in_job(&job));
            let mut found = warnings(source, &uses, &places);
            found.append(&mut decoder.warnings);
            found.sort_by_key(|warning| warning.span().start);
            Ok(Parsed { job, warnings: found, from_environment: scope.from_environment.clone() })
        }
    }
}

/// What was cut out of a text because of syntax errors, and what it may be to blame for.
#[derive(Default)]
struct Cuts {
    torn: Vec<syntax::Torn>,
    /// Whether variables or locals may be lacking.
    of_declarations: bool,
    /// Whether anything may be lacking to which the rest of the job refers.
    of_blocks: bool,
}

impl Cuts {
    fn of(read: &syntax::Read) -> Self {
        let torn = read.torn();
        Self {
            of_declarations: torn.iter().any(|torn| torn.top != "job"),
            of_blocks: read.cuts.iter().any(|cut| cut.has_block),
            torn,
        }
    }

    /// Whether an error at the head of a block is about what was cut out of it.
    fn explain(&self, at: usize) -> bool {
        self.torn.iter().any(|torn| torn.head.contains(&at))
    }

    /// Whether a problem may come from what is lacking.
    fn may_cause(&self, place: &Range<usize>) -> bool {
        self.of_blocks && !self.torn.is_empty() || self.torn.iter().any(|torn| torn.whole.contains(&place.start))
    }
}

/// The diagnostic of a text without a job.
fn without_job(source: &Source) -> Diagnostics {
    let hint = "write: job \"name\" { group \"name\" { task \"name\" { … } } }";
    if source.text().trim().is_empty() {
        return Diagnostic::error(source, 0..0, format!("the file {} is empty", source.name())).hint(hint).into();
    }
    Diagnostic::error(source, 0..0, "the file has no job").label("no `job` block from here on").hint(hint).into()
}

fn read(mut json: Json, namespace: Option<&str>) -> Result<Job, String> {
    fill_in(&mut json);
    let mut job: Job = serde_json::from_value(json).map_err(|error| format!("the job can't be read: {error}"))?;
    complete(&mut job);
    put_into(&mut job, namespace);
    Ok(job)
}

/// Whether a document says of which namespace its job is.
fn names_namespace(json: &Json) -> bool {
    let is_named = |(name, value): (&String, &Json)| {
        name.eq_ignore_ascii_case("Namespace") && value.as_str().is_some_and(|namespace| !namespace.is_empty())
    };
    json.as_object().is_some_and(|fields| fields.iter().any(is_named))
}

fn put_into(job: &mut Job, namespace: Option<&str>) {
    if let Some(namespace) = namespace {
        job.namespace = namespace.into();
    }
}

/// A warning for each place where something without effect stands: what is written once may be used at several.
fn warnings(source: &Source, uses: &[Use], places: &Places) -> Vec<Diagnostic> {
    let located = uses.iter().map(|found| {
        let span = places.nearest(&found.path).cloned().unwrap_or(0..0);
        ((span.start, span.end), found.message.as_str(), found.hint, found.label)
    });
    let unique: BTreeSet<_> = located.collect();
    let warning = |((start, end), message, hint, label): ((usize, usize), &str, &str, &str)| {
        Diagnostic::warning(source, start..end, message).label(label).hint(hint)
    };
    unique.into_iter().map(warning).collect()
}

fn located(source: &Source, problem: &Problem, place: Range<usize>) -> Diagnostic {
    let name = problem.name.as_deref().and_then(|name| source.name_before(&place, name));
    Diagnostic::error(source, name.unwrap_or(place), problem.message.as_str()).hint_if(problem.hint.clone())
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
            let hint = schema::hint_at_top(name).map(String::from);
            let hint = hint.or_else(|| nearest::did_you_mean(name, TOP_BLOCKS)).unwrap_or_else(|| {
                match schema::parents_of(name, is_block).first() {
                    Some(parent) => format!("`{name}` belongs in `{parent}`"),
                    None => "beside the job stand only `variable` and `locals` blocks".into(),
                }
            });
            let error = Diagnostic::error(source, span, format!("unknown {word} `{name}`"));
            errors.push(error.label("not known at the top of a file").hint(hint));
        }
    }
}

fn parse_json(source: &Source, namespace: Option<&str>) -> Result<Parsed, Diagnostics> {
    let json = syntax::json(source)?;
    let first_line = source.text().find('\n').unwrap_or(source.text().len());
    let whole = || 0..first_line;
    let has = |name: &str| json.as_object().is_some_and(|json| json.keys().any(|key| key.eq_ignore_ascii_case(name)));
    if !["Job", "ID", "TaskGroups"].into_iter().any(has) {
        let error = Diagnostic::error(source, whole(), "this JSON is not a job");
        return Err(error.hint("write: { \"Job\": { \"ID\": \"name\", \"TaskGroups\": [ … ] } }").into());
    }
    let json = unwrapped(json);
    let namespace = namespace.filter(|_| !names_namespace(&json));
    let (mut job, warnings) = decode_json(json).map_err(|error| {
        let place = json_place::find(source.text(), &error.path).unwrap_or_else(whole);
        Diagnostic::error(source, place, error.to_string()).hint_if(error.hint)
    })?;
    let place = |path: &str| json_place::find(source.text(), path).unwrap_or_else(whole);
    put_into(&mut job, namespace);
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
                Diagnostic::warning(source, place(&warning.path), warning.to_string()).label(warning.label)
            });
            Ok(Parsed { job, warnings: shown.collect(), from_environment: BTreeMap::new() })
        }
    }
}
