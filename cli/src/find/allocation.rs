//! Allocations by name (`web[2]`, `web.frontend[2]`), by the beginning of their id, or by a job that has only one.

use super::{Found, looks_like_id, pick};
use crate::api::Allocation;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::text;

/// The allocation that is meant, complete.
pub async fn allocation(session: &Session, given: &str) -> Result<Allocation, Failure> {
    let stub = stub(session, given).await?;
    complete(session, &stub).await
}

/// A running allocation of a job, complete: the one with the lowest index.
pub async fn allocation_of_job(session: &Session, job: &str, group: Option<&str>) -> Result<Allocation, Failure> {
    let job = super::job(session, job).await?;
    let path = crate::http::path(&["v1", "job", &job.id, "allocations"]);
    let stubs: Vec<Allocation> = session.client.read(Call::get(path).query("namespace", &job.namespace)).await?;
    let of_group = |one: &Allocation| group.is_none_or(|group| one.task_group == group);
    let running = stubs.into_iter().filter(|one| one.client_status == "running" && of_group(one));
    match running.min_by_key(|one| (one.index(), one.id.clone())) {
        Some(stub) => complete(session, &stub).await,
        None => Err(Failure::new(format!("job `{}` has no running allocation", job.id))
            .hint(format!("`sched job status {}` shows what became of them", job.id))),
    }
}

async fn complete(session: &Session, stub: &Allocation) -> Result<Allocation, Failure> {
    let call = Call::get(crate::http::path(&["v1", "allocation", &stub.id])).query("namespace", &stub.namespace);
    Ok(session.client.read(call).await?)
}

async fn stub(session: &Session, given: &str) -> Result<Allocation, Failure> {
    let all: Vec<Allocation> = session.client.read(Call::get("/v1/allocations")).await?;
    match choose(all, given) {
        Found::One(one) => Ok(one),
        Found::Several(mut several) => {
            several.sort_by_key(|one| (one.job_id.clone(), one.task_group.clone(), one.index()));
            Err(Failure::ambiguous("allocation", given, several.iter().map(describe)))
        }
        Found::None => Err(Failure::new(format!("allocation `{given}` not found"))
            .hint("give a name such as `web[2]` or the first digits of an id: `sched job status <job>` shows both")),
    }
}

fn describe(one: &Allocation) -> String {
    format!("{} {} on {} ({})", text::short(&one.id), one.short_name(), one.node_name, one.client_status)
}

/// Of equal names the live ones are meant, or else the newest.
fn choose(all: Vec<Allocation>, given: &str) -> Found<Allocation> {
    let named = |one: &Allocation| one.id == given || is_called(one, given);
    let loose = |one: &Allocation| (looks_like_id(given) && one.id.starts_with(given)) || one.job_id == given;
    match pick(all, named, loose) {
        Found::Several(several) => {
            let (live, over): (Vec<_>, Vec<_>) = several.into_iter().partition(Allocation::is_live);
            let one_name = over.windows(2).all(|pair| pair[0].name == pair[1].name);
            match (live.len(), one_name) {
                (0, true) => over.into_iter().max_by_key(|one| one.create_time).map_or(Found::None, Found::One),
                (0, false) => Found::Several(over),
                _ => pick(live, |_| true, |_| true),
            }
        }
        found => found,
    }
}

/// `web.frontend[2]` is also called `web[2]` and `frontend[2]`.
fn is_called(one: &Allocation, given: &str) -> bool {
    let Some((name, index)) = given.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) else { return false };
    let same_index = index.parse().ok() == one.index();
    one.name == given || (same_index && (name == one.job_id || name == one.task_group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, name: &str, status: &str, created: i64) -> Allocation {
        let (job, rest) = name.split_once('.').expect("the test gives job.group[index]");
        let (group, _) = rest.split_once('[').expect("the test gives job.group[index]");
        Allocation {
            id: id.into(),
            name: name.into(),
            job_id: job.into(),
            task_group: group.into(),
            client_status: status.into(),
            desired_status: if status == "running" { "run".into() } else { "stop".into() },
            create_time: created,
            ..Allocation::default()
        }
    }

    #[track_caller]
    fn check(given: &str, wanted: &[&str]) {
        let all = vec![
            one("aa11", "web.web[0]", "running", 3),
            one("aa22", "web.web[1]", "running", 3),
            one("bb33", "web.web[1]", "complete", 1),
            one("cc44", "db.main[0]", "failed", 1),
            one("cc55", "db.main[0]", "failed", 2),
            one("dd66", "db.side[0]", "running", 2),
        ];
        let found = match choose(all, given) {
            Found::One(one) => vec![one.id],
            Found::Several(several) => several.into_iter().map(|one| one.id).collect(),
            Found::None => vec![],
        };
        assert_eq!(found, wanted);
    }

    #[test]
    fn names_ids_and_jobs_are_understood() {
        check("web[1]", &["aa22"]);
        check("web.web[0]", &["aa11"]);
        check("side[0]", &["dd66"]);
        check("bb", &["bb33"]);
        check("aa", &["aa11", "aa22"]);
        check("web", &["aa11", "aa22"]);
        check("db", &["dd66"]);
        check("x[0]", &[]);
        check("web[9]", &[]);
    }

    #[test]
    fn of_ended_ones_with_one_name_the_newest_is_meant() {
        check("main[0]", &["cc55"]);
    }
}
