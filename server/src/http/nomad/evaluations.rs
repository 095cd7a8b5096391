//! Evaluations: listed and shown.

use super::find;
use super::job::{allocation_row, evaluation_row};
use super::view::allocation::AllocationStub;
use super::view::evaluation::EvaluationView;
use crate::http::failure::Failure;
use crate::http::listing::list as list_rows;
use crate::http::read::{Found, Read};

/// `GET /v1/evaluations`, with `job` and `status` to choose by.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let query = &read.call.query;
    let (job, status) = (query.text("job"), query.text("status"));
    let namespaces = read.call.namespaces();
    let wanted = read.state.evaluations().filter(move |known| {
        namespaces.hold(&known.job.namespace)
            && job.is_none_or(|job| *known.job.id == *job)
            && status.is_none_or(|status| known.status.as_str() == status)
    });
    list_rows(read, read.state.indexes().evaluations, wanted.map(|known| evaluation_row(known)), EvaluationView::of)
}

/// `GET /v1/evaluations/count`.
pub(super) fn count<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let namespaces = read.call.namespaces();
    let count = read.state.evaluations().filter(move |known| namespaces.hold(&known.job.namespace)).count();
    let index = read.state.indexes().evaluations;
    Ok(Found::one(read, index, move || serde_json::json!({ "Count": count })))
}

/// `GET /v1/evaluation/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::evaluation(read.state, read.call)?;
    let related = read.call.query.flag("related")?;
    Ok(Found::one(read, known.modify_index, move || match related {
        true => EvaluationView::with_related(read.state, known),
        false => EvaluationView::of(known),
    }))
}

/// `GET /v1/evaluation/{id}/allocations`.
pub(super) fn allocations<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let known = find::evaluation(read.state, read.call)?;
    let own = || read.state.allocations_of_job(&known.job).filter(|allocation| allocation.evaluation == known.id);
    let index = own().map(|allocation| allocation.modify_index).fold(known.create_index, u64::max);
    let rows: Vec<_> = own().map(|allocation| allocation_row(allocation)).collect();
    list_rows(read, index, rows.into_iter(), |known| AllocationStub::of(read.state, known, false, true))
}
