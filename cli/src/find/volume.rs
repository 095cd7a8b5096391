//! Volumes, and claims to them, by the beginning of their id; volumes also by their name.

use super::{Found, looks_like_id, pick};
use crate::api::{Volume, VolumeClaim};
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::text;

/// The volume that is meant.
pub async fn volume(session: &Session, given: &str) -> Result<Volume, Failure> {
    let volumes: Vec<Volume> = session.client.read(Call::get("/v1/volumes").query("type", "host")).await?;
    let exact = |one: &Volume| one.id == given || one.name == given;
    let loose = |one: &Volume| looks_like_id(given) && one.id.starts_with(given);
    match pick(volumes, exact, loose) {
        Found::One(volume) => Ok(volume),
        Found::Several(several) => {
            let describe =
                |one: &Volume| format!("{} {} on {}", text::short(&one.id), one.name, text::short(&one.node_id));
            Err(Failure::ambiguous("volume", given, several.iter().map(describe)))
        }
        Found::None => Err(Failure::new(format!("volume `{given}` not found"))
            .hint("`sched volume status` lists the volumes of the namespace")),
    }
}

/// The claim to a volume that is meant.
pub async fn volume_claim(session: &Session, given: &str) -> Result<VolumeClaim, Failure> {
    let claims: Vec<VolumeClaim> = session.client.read(Call::get("/v1/volumes/claims")).await?;
    let loose = |one: &VolumeClaim| looks_like_id(given) && one.id.starts_with(given);
    match pick(claims, |one| one.id == given, loose) {
        Found::One(claim) => Ok(claim),
        Found::Several(several) => {
            let describe = |one: &VolumeClaim| {
                format!("{} {} of {}[{}]", text::short(&one.id), one.volume_name, one.job_id, one.index)
            };
            Err(Failure::ambiguous("volume claim", given, several.iter().map(describe)))
        }
        Found::None => Err(Failure::new(format!("volume claim `{given}` not found"))
            .hint("`sched volume claim list` lists the claims of the namespace")),
    }
}
