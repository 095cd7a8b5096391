//! What is known of a job on its way, fetched anew with each look.

use std::time::Duration;

use serde_json::Value;

use super::Subject;
use crate::api::{Allocation, Deployment, Evaluation, Job};
use crate::http::{Call, Error, path, typed};
use crate::session::Session;

/// How long the server may hold back its answer while nothing changes.
const WAIT: Duration = Duration::from_millis(500);

/// What is known of a job on its way.
#[derive(Debug, Default)]
pub struct View {
    /// The evaluation that is followed; none once the server has forgotten it, or if only a deployment is followed.
    pub evaluation: Option<Evaluation>,
    /// The deployment of the version that is to run; none until the evaluation is decided.
    pub deployment: Option<Deployment>,
    /// All allocations of the job.
    pub allocations: Vec<Allocation>,
}

/// Fetches views of one job.
#[derive(Debug)]
pub struct Looker {
    subject: Subject,
    evaluation: Option<String>,
    deployment: Option<String>,
    version: Option<u64>,
    /// Index of the last list of allocations, so that the next one waits for a change.
    index: u64,
}

impl Looker {
    /// Looks at an evaluation and what comes of it.
    pub fn of_evaluation(subject: Subject, evaluation: &str) -> Self {
        Self { subject, evaluation: Some(evaluation.to_owned()), deployment: None, version: None, index: 0 }
    }

    /// Looks at a deployment.
    pub fn of_deployment(subject: Subject, deployment: &str) -> Self {
        Self { subject, evaluation: None, deployment: Some(deployment.to_owned()), version: None, index: 0 }
    }

    /// The job.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The newest view; waits a little for something to change.
    pub async fn look(&mut self, session: &Session) -> Result<View, Error> {
        let mut allocations = self.allocations(session, WAIT).await?;
        let evaluation = self.evaluation(session).await?;
        let decided = evaluation.as_ref().is_none_or(Evaluation::is_terminal);
        if let (true, None, None) = (decided, self.version, &self.deployment) {
            self.version = self.job(session).await?.map(|job| job.version);
        }
        let deployment = if decided { self.deployment(session, evaluation.as_ref()).await? } else { None };
        // The list was read first, because it is what is waited for: what was decided meanwhile is not in it.
        let decided_at = evaluation.as_ref().map_or(0, |one| one.modify_index);
        let decided_at = deployment.as_ref().map_or(0, |one| one.modify_index).max(decided_at);
        if decided && self.index < decided_at {
            allocations = self.allocations(session, Duration::ZERO).await?;
        }
        Ok(View { evaluation, deployment, allocations })
    }

    /// The evaluation, or the one that decided it along with itself. What comes later of one that is complete (a new
    /// placement for what failed meanwhile) is not waited for.
    async fn evaluation(&mut self, session: &Session) -> Result<Option<Evaluation>, Error> {
        while let Some(id) = self.evaluation.clone() {
            let Some(value) = self.get(session, &["v1", "evaluation", &id]).await? else { return Ok(None) };
            let evaluation: Evaluation = decode(&value)?;
            if evaluation.next_eval.is_empty() || evaluation.status != "canceled" {
                return Ok(Some(evaluation));
            }
            self.evaluation = Some(evaluation.next_eval);
        }
        Ok(None)
    }

    async fn job(&self, session: &Session) -> Result<Option<Job>, Error> {
        self.get(session, &["v1", "job", &self.subject.job]).await?.map(|value| decode(&value)).transpose()
    }

    async fn deployment(
        &mut self,
        session: &Session,
        evaluation: Option<&Evaluation>,
    ) -> Result<Option<Deployment>, Error> {
        let named = evaluation.map(|one| one.deployment_id.clone()).filter(|id| !id.is_empty());
        if let Some(id) = self.deployment.clone().or(named) {
            return self.get(session, &["v1", "deployment", &id]).await?.map(|value| decode(&value)).transpose();
        }
        let newest = self.get(session, &["v1", "job", &self.subject.job, "deployment"]).await?;
        let Some(newest) = newest.map(|value| decode::<Deployment>(&value)).transpose()? else { return Ok(None) };
        if Some(newest.job_version) != self.version {
            return Ok(None);
        }
        self.deployment = Some(newest.id.clone());
        Ok(Some(newest))
    }

    async fn allocations(&mut self, session: &Session, wait: Duration) -> Result<Vec<Allocation>, Error> {
        let call = Call::get(path(&["v1", "job", &self.subject.job, "allocations"]))
            .query("namespace", &self.subject.namespace)
            .query("task_states", true);
        let call = if self.index > 0 && !wait.is_zero() { call.wait(self.index, wait) } else { call };
        match session.client.call(call).await {
            Ok(answer) => {
                self.index = answer.index;
                if answer.value.is_null() { Ok(Vec::new()) } else { decode(&answer.value) }
            }
            // A purged job has no list; that none is left is what the caller needs to know.
            Err(error) if error.is_not_found() => {
                tokio::time::sleep(wait).await;
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// An object; none where the server knows no such thing.
    async fn get(&self, session: &Session, segments: &[&str]) -> Result<Option<Value>, Error> {
        match session.client.call(Call::get(path(segments)).query("namespace", &self.subject.namespace)).await {
            Ok(answer) => Ok(Some(answer.value).filter(|value| !value.is_null())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn decode<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Error> {
    typed(value).map_err(|error| Error::Nonsense { url: "the answer".into(), reason: error.to_string() })
}
