//! Images: pulled when they are absent, once for all who wait; and our own, which holds a group's shared network.
//!
//! A tag `latest` (or none) is always asked for at its registry; when that does not answer, the image that is here
//! serves, with a word in the task's events.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, Shared};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::settings::Settings;
use super::{CALL_DEADLINE, driver_error, within};
use crate::drivers::{DriverError, Progress};

/// The program that holds a network namespace, built with the agent.
const NETWORK_PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pause"));
/// Its image.
const NETWORK_IMAGE: &str = "sched-pause";
/// Its place in the image.
pub(super) const NETWORK_COMMAND: &str = "/pause";

type Pull = Shared<BoxFuture<'static, Result<(), DriverError>>>;

#[derive(Default)]
pub(super) struct Images {
    /// Pulls under way, by reference.
    pulls: Mutex<BTreeMap<String, Pull>>,
    network: OnceCell<String>,
}

impl Images {
    /// Sees to it that the image is here.
    pub async fn ensure(&self, docker: &Docker, settings: &Settings, progress: &Progress) -> Result<(), DriverError> {
        let reference = Reference::read(&settings.image);
        let here = is_here(docker, &reference.full()).await?;
        if here && !settings.force_pull && !reference.is_latest() {
            return Ok(());
        }
        let _ = progress.send(("Driver".into(), format!("Downloading image {}", reference.full())));
        match self.pull(docker, &reference, settings).await {
            Ok(()) => Ok(()),
            Err(error) if here && !settings.force_pull => {
                let message = format!("{} was not pulled ({error}); the local image is used", reference.full());
                let _ = progress.send(("Driver".into(), message));
                Ok(())
            }
            Err(error) => Err(DriverError::Failed(format!("image {} can't be pulled: {error}", reference.full()))),
        }
    }

    async fn pull(&self, docker: &Docker, reference: &Reference, settings: &Settings) -> Result<(), DriverError> {
        let key = reference.full();
        let pull = {
            let mut pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
            // One that is done, or that everybody gave up waiting for, is not joined.
            pulls.retain(|_, pull| pull.peek().is_none() && pull.strong_count().is_some_and(|count| count > 1));
            let begin = || pull(docker.clone(), reference.clone(), settings.auth.clone()).boxed().shared();
            pulls.entry(key.clone()).or_insert_with(begin).clone()
        };
        match tokio::time::timeout(settings.image_pull_timeout, pull).await {
            Ok(Ok(())) => Ok(()),
            // The engine's answers can be misread at their end, so an image that is here counts as pulled.
            Ok(Err(error)) => match is_here(docker, &key).await? && !settings.force_pull && !reference.is_latest() {
                true => Ok(()),
                false => Err(error),
            },
            Err(_) => Err(DriverError::Failed(format!("it took longer than {:?}", settings.image_pull_timeout))),
        }
    }

    /// The image that holds a network namespace, loaded on first use.
    pub async fn network(&self, docker: &Docker) -> Result<String, DriverError> {
        let image = format!("{NETWORK_IMAGE}:{}", env!("CARGO_PKG_VERSION"));
        let load = || async {
            if !is_here(docker, &image).await? {
                let options = CreateImageOptionsBuilder::default()
                    .from_src("-")
                    .repo(NETWORK_IMAGE)
                    .tag(env!("CARGO_PKG_VERSION"))
                    .build();
                let body = bollard::body_full(Bytes::from(tar_of(NETWORK_COMMAND, NETWORK_PROGRAM)));
                let load = docker.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>();
                within(CALL_DEADLINE, load).await?;
            }
            Ok(image.clone())
        };
        let image = self.network.get_or_try_init(load).await?.clone();
        // Somebody may have removed it since.
        if !is_here(docker, &image).await? {
            return load().await;
        }
        Ok(image)
    }
}

async fn is_here(docker: &Docker, image: &str) -> Result<bool, DriverError> {
    match within(CALL_DEADLINE, docker.inspect_image(image)).await {
        Ok(_) => Ok(true),
        Err(DriverError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn pull(docker: Docker, reference: Reference, auth: Option<DockerCredentials>) -> Result<(), DriverError> {
    let mut options = CreateImageOptionsBuilder::default().from_image(&reference.name);
    if !reference.tag.is_empty() {
        options = options.tag(&reference.tag);
    }
    let mut steps = docker.create_image(Some(options.build()), None, auth);
    while let Some(step) = steps.next().await {
        let step = step.map_err(driver_error)?;
        if let Some(error) = step.error_detail.and_then(|detail| detail.message) {
            return Err(DriverError::Failed(error));
        }
    }
    Ok(())
}

/// An image's name and tag; for one named by digest, the digest is in the name and the tag empty.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    name: String,
    tag: String,
}

impl Reference {
    fn read(image: &str) -> Reference {
        let image = image.strip_prefix("https://").or_else(|| image.strip_prefix("http://")).unwrap_or(image);
        if image.contains('@') {
            return Reference { name: image.into(), tag: String::new() };
        }
        // A colon before the last slash belongs to the registry's port.
        match image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => Reference { name: name.into(), tag: tag.into() },
            _ => Reference { name: image.into(), tag: "latest".into() },
        }
    }

    fn full(&self) -> String {
        if self.tag.is_empty() { self.name.clone() } else { format!("{}:{}", self.name, self.tag) }
    }

    fn is_latest(&self) -> bool {
        self.tag == "latest"
    }
}

/// A tar archive with one executable file (POSIX ustar).
fn tar_of(path: &str, content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut header = [0u8; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path.trim_start_matches('/'));
    put(100, "0000755\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = content.len().next_multiple_of(BLOCK) - content.len();
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len() + padding + 2 * BLOCK, 0);
    archive
}

/// The time for a pull where the task names none.
pub(super) const PULL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let check = |image: &str, full: &str, latest: bool| {
            let reference = Reference::read(image);
            assert_eq!((reference.full().as_str(), reference.is_latest()), (full, latest), "{image}");
        };
        check("basket", "basket:latest", true);
        check("basket:1.2", "basket:1.2", false);
        check("registry:5000/team/basket", "registry:5000/team/basket:latest", true);
        check("registry:5000/team/basket:2", "registry:5000/team/basket:2", false);
        check("https://registry/basket:2", "registry/basket:2", false);
        check("basket@sha256:00ff", "basket@sha256:00ff", false);
    }

    #[test]
    fn an_archive_is_whole_blocks_with_a_valid_sum() {
        let archive = tar_of("/pause", b"abc");
        assert_eq!(archive.len(), 4 * 512);
        let told = u32::from_str_radix(std::str::from_utf8(&archive[148..154]).unwrap(), 8).unwrap();
        let mut header = archive[..512].to_vec();
        header[148..156].copy_from_slice(b"        ");
        assert_eq!(told, header.iter().map(|byte| u32::from(*byte)).sum::<u32>());
    }
}
