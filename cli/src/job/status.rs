//! `sched job status`: the list of jobs, or one job with its summary, deployment and allocations.

use clap::Args as ClapArgs;

use crate::api::{Allocation, Deployment, Evaluation, Explanation, Job, JobStub, Summary, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, table::row, text};

/// Arguments of `job status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The job's name or its beginning; all jobs unless given
    job: Option<String>,
    #[command(flatten)]
    parts: Parts,
}

/// How much of a job is shown.
#[derive(ClapArgs, Debug)]
pub struct Parts {
    /// Also allocations of earlier jobs with the same name
    #[arg(long)]
    all_allocs: bool,
    /// Also the evaluations
    #[arg(long)]
    evals: bool,
    /// The key-value block only
    #[arg(long)]
    short: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    match &args.job {
        None => list(session).await,
        Some(job) => one(&args.parts, job, session).await,
    }
}

/// Shows one job, as `sched status <job>` does too.
pub async fn print(job: &str, parts: &Parts, session: &Session) -> Result<Exit, Failure> {
    one(parts, job, session).await
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/jobs")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let mut jobs: Vec<JobStub> = decode(&answer)?;
    jobs.sort_by(|left, right| (&left.id, &left.namespace).cmp(&(&right.id, &right.namespace)));
    let mut table;
    if session.client.namespace() == Some("*") {
        table = Table::new(&["ID", "Namespace", "Type", "Priority", "Status", "Submit Date"]);
        for job in &jobs {
            table.row(row![
                &job.id,
                &job.namespace,
                &job.kind,
                job.priority,
                status_cell(&job.status, job.stop),
                session.time(job.submit_time)
            ]);
        }
    } else {
        table = Table::new(&["ID", "Type", "Priority", "Status", "Submit Date"]);
        for job in &jobs {
            table.row(row![
                &job.id,
                &job.kind,
                job.priority,
                status_cell(&job.status, job.stop),
                session.time(job.submit_time)
            ]);
        }
    }
    table.print_or("No jobs");
    Ok(Exit::Done)
}

fn status_cell(status: &str, stopped: bool) -> Cell {
    let words = if stopped { format!("{status} (stopped)") } else { status.to_owned() };
    Cell::toned(words, Tone::of_status(status))
}

async fn one(parts: &Parts, given: &str, session: &Session) -> Result<Exit, Failure> {
    let stub = find::job(session, given).await?;
    let get = |rest: &[&str]| {
        let segments = [&["v1", "job", stub.id.as_str()], rest].concat();
        session.client.call(Call::get(path(&segments)).query("namespace", &stub.namespace))
    };
    let job = get(&[]).await?.value;
    if session.print_json(&job)? {
        return Ok(Exit::Done);
    }
    let job: Job = decode(&job)?;
    print_job(&job, session);
    if parts.short {
        return Ok(Exit::Done);
    }
    let summary: Summary = decode(&get(&["summary"]).await?.value)?;
    print_summary(&summary);
    if parts.evals {
        print_evaluations(&decode::<Vec<Evaluation>>(&get(&["evaluations"]).await?.value)?, session);
    }
    let deployment = get(&["deployment"]).await?.value;
    if !deployment.is_null() {
        let deployment: Deployment = decode(&deployment)?;
        crate::deployment::print(&deployment, session, "Latest Deployment");
    }
    let call = Call::get(path(&["v1", "job", &stub.id, "allocations"])).query("namespace", &stub.namespace);
    let call = if parts.all_allocs { call.query("all", true) } else { call };
    let allocations: Vec<Allocation> = session.client.read(call).await?;
    show::heading("Allocations");
    print_allocations(&allocations, session);
    if !job.stop && summary.summary.values().any(|group| group.queued > 0 || group.failed > 0) {
        let why = get(&["why"]).await?.value;
        hint_at_waits(&decode(&why)?, session);
    }
    Ok(Exit::Done)
}

/// Says what the job waits for: room first, since most can be done about it.
fn hint_at_waits(why: &Explanation, session: &Session) {
    if why.groups.iter().any(|group| group.unplaced > 0) {
        let job = text::escape(&why.job_id);
        show::hint(format_args!("some instances wait for room: `sched job why {job}` tells for what"));
        return;
    }
    for group in &why.groups {
        if let Some(wait) = group.waits.first() {
            let sentence = super::why::of_wait(&why.job_id, wait, session);
            show::hint(format_args!("group {}: {sentence}", text::escape(&group.group)));
        }
    }
}

fn print_job(job: &Job, session: &Session) {
    let mut pairs = Pairs::new();
    pairs.add("ID", &job.id);
    pairs.add("Name", &job.name);
    pairs.add("Submit Date", session.time(job.submit_time));
    pairs.add("Type", &job.kind);
    pairs.add("Priority", job.priority);
    pairs.add("Datacenters", job.datacenters.join(","));
    pairs.add("Namespace", &job.namespace);
    pairs.add("Node Pool", &job.node_pool);
    pairs.add("Version", job.version);
    pairs.add("Status", status_cell(&job.status, job.stop));
    pairs.add_if("Status Description", &job.status_description);
    pairs.print();
}

fn print_summary(summary: &Summary) {
    show::heading("Summary");
    let columns = ["Task Group", "Queued", "Starting", "Running", "Failed", "Complete", "Lost", "Unknown"];
    let mut table = Table::new(&columns);
    for (group, count) in &summary.summary {
        let bad = |number: u64| Cell::toned(number.to_string(), if number > 0 { Tone::Bad } else { Tone::Plain });
        let good = Cell::toned(count.running.to_string(), if count.running > 0 { Tone::Good } else { Tone::Plain });
        table.row(row![
            group,
            count.queued,
            count.starting,
            good,
            bad(count.failed),
            count.complete,
            bad(count.lost),
            bad(count.unknown)
        ]);
    }
    table.print_or("No groups");
}

fn print_evaluations(evaluations: &[Evaluation], session: &Session) {
    show::heading("Evaluations");
    let mut table = Table::new(&["ID", "Priority", "Triggered By", "Status", "Placement Failures"]);
    let mut sorted: Vec<&Evaluation> = evaluations.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.create_index));
    for one in sorted {
        let failures = !one.failed_groups.is_empty();
        table.row(row![session.id(&one.id), one.priority, &one.triggered_by, Cell::status(&one.status), failures]);
    }
    table.print_or("No evaluations");
}

/// The table of allocations, as `job status` and `node status` show it: the newest first.
pub fn print_allocations(allocations: &[Allocation], session: &Session) {
    // The first eight are those that scripts know from Nomad; names for people follow.
    let columns =
        ["ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified", "Name", "Node"];
    let mut table = Table::new(&columns);
    let mut sorted: Vec<&Allocation> = allocations.iter().collect();
    sorted.sort_by(|left, right| {
        let key = |one: &Allocation| (!one.is_live(), std::cmp::Reverse(one.create_time));
        key(left).cmp(&key(right)).then_with(|| (&left.name, &left.id).cmp(&(&right.name, &right.id)))
    });
    for one in sorted {
        table.row(row![
            session.id(&one.id),
            session.id(&one.node_id),
            &one.task_group,
            one.version(),
            &one.desired_status,
            Cell::status(&one.client_status),
            session.time(one.create_time),
            session.time(one.modify_time),
            one.short_name(),
            &one.node_name,
        ]);
    }
    table.print_or("No allocations");
}
