//! Backups of the cluster, taken and restored while it runs.

use std::sync::Arc;

use axum::response::Response;
use futures::stream;
use http::HeaderName;
use serde_json::json;
use server_core::command::Command;
use server_core::limits::RESTORE_PART_BYTES_MAX;
use server_core::state::State;

use super::propose::{computed, propose_further};
use crate::authority::SealKey;
use crate::backup::{Backup, Header, pieces, read};
use crate::cluster::Consistency;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::reply::{changed, stream as reply_stream};

/// With what the authority's key is sealed; without it the backup does not carry the key.
const SEAL_KEY: HeaderName = HeaderName::from_static("x-sched-seal-key");
const INDEX: HeaderName = HeaderName::from_static("x-nomad-index");

/// `GET /v1/operator/snapshot`: everything that was acknowledged before, as one file.
pub(super) async fn save(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let consistency = if call.query.flag("stale")? { Consistency::Stale } else { Consistency::Linearizable };
    let state = api.cluster.view(consistency).await?.state;
    let sealed = match call.headers.get(SEAL_KEY) {
        None => None,
        Some(text) => {
            let wrong = |error: crate::authority::SealError| Failure::bad_request(error.to_string());
            let key = SealKey::from_text(text.to_str().unwrap_or_default()).map_err(wrong)?;
            let authority = api.config.authority.as_ref().ok_or_else(|| {
                Failure::bad_request("this server does not hold the authority's key; ask one of the first servers")
            })?;
            Some(authority.seal(&key, &*api.config.random).map_err(wrong)?)
        }
    };
    let certificate_pem =
        api.config.authority.as_ref().map(|authority| authority.certificate_pem().to_string()).unwrap_or_default();
    let (taken_at, release) = (api.config.clock.now(), api.config.version.clone());
    let (index, server) = (state.index(), api.cluster.server_id());
    let written = computed(&api, move || {
        let header = Header {
            cluster: state.cluster(),
            epoch: state.epoch(),
            index: state.index(),
            term: state.term(),
            cluster_version: state.cluster_version(),
            taken_at,
            server,
            release,
            contents: hex(&state.contents_hash()),
        };
        pieces(&Backup { header, state: state.encode(), certificate_pem, sealed })
    })
    .await?;
    tracing::info!(index, "a backup was taken");
    let mut response = reply_stream("application/octet-stream", stream::iter(written));
    response.headers_mut().insert(INDEX, index.into());
    Ok(response)
}

/// `PUT /v1/operator/snapshot`: the cluster goes on from a backup of its own, in a new epoch. Which servers there are
/// stays as it is.
pub(super) async fn restore(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.body.clone();
    let checked = computed(&api, move || {
        let backup = read(&body).map_err(|error| Failure::bad_request(error.to_string()))?;
        // What no server could read must not get into the log.
        State::decode(&backup.state).map_err(|error| Failure::bad_request(error.to_string()))?;
        Ok::<_, Failure>(backup)
    });
    let backup = checked.await??;
    let own = api.cluster.states().borrow().cluster();
    if backup.header.cluster != own {
        return Err(Failure::bad_request(format!(
            "the backup is of cluster {}, this is {own}; make a new cluster of it with `sched snapshot restore -dir`",
            backup.header.cluster
        )));
    }
    let hash = *blake3::hash(&backup.state).as_bytes();
    let parts = backup.state.chunks(RESTORE_PART_BYTES_MAX).count() as u32;
    let mut index = 0;
    for (part, bytes) in (1..).zip(backup.state.chunks(RESTORE_PART_BYTES_MAX)) {
        let command = Command::RestoreState { part, parts, hash, bytes: bytes.to_vec() };
        index = propose_further(&api, &call, command).await?.index;
    }
    tracing::warn!(index, backup = backup.header.index, "the cluster was taken back to a backup");
    changed(&call, index, &json!({ "Index": index, "BackupIndex": backup.header.index }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
