//! `sched alloc restart`: restarts tasks where they are.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `alloc restart`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A name such as `web[2]`, or an id or its beginning
    allocation: String,
    /// This task only; all running tasks unless given
    task: Option<String>,
    /// The task, as a flag
    #[arg(long = "task", value_name = "NAME", conflicts_with = "task")]
    task_flag: Option<String>,
    /// All tasks, also those that have ended
    #[arg(long, conflicts_with_all = ["task", "task_flag"])]
    all_tasks: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let one = find::allocation(session, &args.allocation).await?;
    let task = args.task.as_deref().or(args.task_flag.as_deref()).unwrap_or_default();
    if !task.is_empty() && !one.task_states.contains_key(task) {
        let known: Vec<&str> = one.task_states.keys().map(String::as_str).collect();
        return Err(Failure::new(format!("{} has no task `{task}`", one.short_name())).hint(super::known_tasks(&known)));
    }
    let request = json!({ "TaskName": task, "AllTasks": args.all_tasks });
    let call = Call::put(path(&["v1", "client", "allocation", &one.id, "restart"]), &request);
    let answer = session.client.call(call.query("namespace", &one.namespace)).await?.value;
    if !session.print_json(&answer)? {
        let what = match task {
            "" => text::escape(&one.short_name()),
            task => format!("task {} of {}", text::escape(task), text::escape(&one.short_name())),
        };
        show::line(format_args!("{what} restarts on {}", text::escape(&one.node_name)));
    }
    Ok(Exit::Done)
}
