//! Following what a command set in motion until it is decided: an evaluation and its deployment, a stop.
//!
//! ```text
//!   look (HTTP) -> View -> decide -> Verdict? -> report, exit code
//!                     \--> progress -> Panel (a terminal) or one line per change (anything else)
//! ```
//!
//! `progress` and `decide` are functions of the view; only [`Follower`] waits. Progress goes to standard error, the
//! verdict to standard output.

mod autopsy;
mod decide;
mod look;
mod panel;
mod progress;
mod unplaced;

use std::time::Duration;

use tokio::time::Instant;

pub use unplaced::lines as unplaced_lines;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Error;
use crate::session::Session;
use crate::show::{self, Tone, text, time};
use decide::{Verdict, decide};
use look::{Looker, View};
use panel::Panel;

/// How long the servers may be out of reach before following ends.
const CONTACT_PATIENCE: Duration = Duration::from_secs(30);
/// Pause before asking again after an error.
const CONTACT_PAUSE: Duration = Duration::from_millis(500);
/// Shortest time between two looks, also where the server does not hold its answers back.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// The job that is followed.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its id.
    pub job: String,
    /// Its namespace.
    pub namespace: String,
}

/// What it is followed to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Goal {
    /// The job's newest version runs and is healthy.
    Deployed,
    /// No instance of the job is left.
    Stopped,
    /// The allocation of this id is gone, and another in its place runs and is healthy.
    Replaced(String),
}

/// Follows an evaluation and then the deployment that came of it.
pub async fn evaluation(session: &Session, subject: Subject, evaluation: &str) -> Result<Exit, Failure> {
    Follower::new(session, Looker::of_evaluation(subject, evaluation), Goal::Deployed).run().await
}

/// Follows an evaluation until no instance of the job is left.
pub async fn stop(session: &Session, subject: Subject, evaluation: &str) -> Result<Exit, Failure> {
    Follower::new(session, Looker::of_evaluation(subject, evaluation), Goal::Stopped).run().await
}

/// Follows an evaluation until another allocation stands in the place of one that was told to stop.
pub async fn replacement(
    session: &Session,
    subject: Subject,
    evaluation: &str,
    allocation: &str,
) -> Result<Exit, Failure> {
    let goal = Goal::Replaced(allocation.to_owned());
    Follower::new(session, Looker::of_evaluation(subject, evaluation), goal).run().await
}

/// Follows a deployment.
pub async fn deployment(session: &Session, subject: Subject, deployment: &str) -> Result<Exit, Failure> {
    Follower::new(session, Looker::of_deployment(subject, deployment), Goal::Deployed).run().await
}

struct Follower<'a> {
    session: &'a Session,
    looker: Looker,
    goal: Goal,
    panel: Panel,
    began: Instant,
}

impl<'a> Follower<'a> {
    fn new(session: &'a Session, looker: Looker, goal: Goal) -> Self {
        Self { session, looker, goal, panel: Panel::for_stderr(), began: Instant::now() }
    }

    async fn run(mut self) -> Result<Exit, Failure> {
        tokio::select! {
            ended = self.follow() => {
                let (view, verdict) = ended?;
                self.report(&view, &verdict).await
            }
            _ = tokio::signal::ctrl_c() => {
                let job = &self.looker.subject().job;
                show::note("");
                show::hint(format_args!("no longer watching; it goes on: `sched job status {}`", text::escape(job)));
                Ok(Exit::Failed)
            }
        }
    }

    /// Looks again and again until there is a verdict.
    async fn follow(&mut self) -> Result<(View, Verdict), Failure> {
        let mut contact = Instant::now();
        let mut lost = false;
        loop {
            let asked = Instant::now();
            match self.looker.look(self.session).await {
                Ok(view) => {
                    (contact, lost) = (Instant::now(), false);
                    self.panel.show(&progress::progress(&self.goal, &view, self.session), self.began.elapsed());
                    if let Some(verdict) = decide(&self.goal, &view) {
                        return Ok((view, verdict));
                    }
                    tokio::time::sleep_until(asked + LOOK_PAUSE).await;
                }
                Err(error) if is_passing(&error) && contact.elapsed() < CONTACT_PATIENCE => {
                    if !std::mem::replace(&mut lost, true) {
                        self.panel
                            .interrupt(&format!("lost contact ({}), trying again", text::escape(&error.to_string())));
                    }
                    tokio::time::sleep(CONTACT_PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn report(&self, view: &View, verdict: &Verdict) -> Result<Exit, Failure> {
        let took = time::took(self.began.elapsed());
        let job = text::escape(&self.looker.subject().job);
        let say = |text: String| if self.session.json { show::note(text) } else { show::line(text) };
        match verdict {
            Verdict::Deployed { version } => {
                say(Tone::Good.paint(&format!("deployed {job} v{version} in {took}")));
                Ok(Exit::Done)
            }
            Verdict::Evaluated { placed } => {
                let instances = text::count(*placed, "instance");
                say(Tone::Good.paint(&format!("evaluated {job} in {took}: {instances} placed")));
                Ok(Exit::Done)
            }
            Verdict::Stopped { unreachable } => {
                say(Tone::Good.paint(&format!("stopped {job} in {took}")));
                if *unreachable > 0 {
                    let instances = text::count(*unreachable, "instance");
                    show::warning(&format!("{instances} on nodes that are down: they end when their node returns"));
                }
                Ok(Exit::Done)
            }
            Verdict::Replaced { replacement } => {
                let (name, node) = (text::escape(&replacement.short_name()), text::escape(&replacement.node_name));
                let id = self.session.id(&replacement.id);
                say(Tone::Good.paint(&format!("replaced {name} in {took}: {id} on {node}")));
                Ok(Exit::Done)
            }
            Verdict::NotReplaced { name } => {
                say(Tone::Good.paint(&format!("stopped {} in {took}; nothing takes its place", text::escape(name))));
                Ok(Exit::Done)
            }
            Verdict::ReplacementFailed { replacement } => {
                let mut lines = autopsy::of(self.session, replacement).await;
                lines.push(String::new());
                lines.iter().for_each(show::note);
                let name = replacement.short_name();
                let failure = Failure::new(format!("what took the place of {name} failed after {took}"));
                Err(failure.hint(format!("`sched alloc logs {}`", text::short(&replacement.id))))
            }
            Verdict::Unplaced { groups } => {
                say(Tone::Bad.paint(&format!("{job}: evaluated, but some instances found no node")));
                groups.iter().for_each(|(group, metric)| unplaced_lines(group, metric).into_iter().for_each(say));
                show::hint(format_args!(
                    "they start as soon as there is room; `sched job why {job}` shows every node and what would help"
                ));
                Ok(Exit::PlacementsFailed)
            }
            Verdict::EvaluationFailed { description } => {
                Err(Failure::new(format!("the evaluation of `{job}` failed: {description}")))
            }
            Verdict::DeploymentFailed { deployment } => {
                let failure = Failure::new(format!(
                    "the deployment of {job} v{} {} after {took}: {}",
                    deployment.job_version, deployment.status, deployment.status_description
                ));
                let failure = failure.hint(format!("`sched deployment status {}`", text::short(&deployment.id)));
                match autopsy::first_failed(&view.allocations, &deployment.id) {
                    Some(failed) => {
                        let mut lines = autopsy::of(self.session, failed).await;
                        lines.push(String::new());
                        lines.iter().for_each(show::note);
                        Err(failure.hint(format!("`sched alloc logs {}`", text::short(&failed.id))))
                    }
                    None => Err(failure),
                }
            }
        }
    }
}

/// Whether asking again may help.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::NoLeader { .. } | Error::TimedOut { .. } | Error::Broken { .. })
}
