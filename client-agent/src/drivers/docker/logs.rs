//! Reading a task's output. The engine keeps and rotates it (`json-file`); offsets count the decoded stream of what it
//! still has.

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::driver_error;
use crate::drivers::{DriverError, LogQuery};

/// Sends the part of the output that is asked for.
pub(super) async fn send(
    docker: &Docker,
    handle: &str,
    query: LogQuery,
    out: mpsc::Sender<Bytes>,
) -> Result<(), DriverError> {
    let mut skip = match query.from_end {
        false => query.offset,
        true => length(docker, handle, query.stderr).await?.saturating_sub(query.offset),
    };
    let mut chunks = stream(docker, handle, query.stderr, query.follow);
    while let Some(chunk) = chunks.next().await {
        let mut chunk = chunk?;
        let skipped = skip.min(chunk.len() as u64);
        skip -= skipped;
        let rest = chunk.split_off(skipped as usize);
        if !rest.is_empty() && out.send(rest).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

async fn length(docker: &Docker, handle: &str, stderr: bool) -> Result<u64, DriverError> {
    let mut length = 0;
    let mut chunks = stream(docker, handle, stderr, false);
    while let Some(chunk) = chunks.next().await {
        length += chunk?.len() as u64;
    }
    Ok(length)
}

fn stream(
    docker: &Docker,
    handle: &str,
    stderr: bool,
    follow: bool,
) -> impl Stream<Item = Result<Bytes, DriverError>> + Unpin {
    let options = LogsOptionsBuilder::default().follow(follow).stdout(!stderr).stderr(stderr).tail("all").build();
    let chunks = docker.logs(handle, Some(options)).map(|chunk| match chunk {
        Ok(LogOutput::StdOut { message } | LogOutput::StdErr { message } | LogOutput::Console { message }) => {
            Ok(message)
        }
        Ok(LogOutput::StdIn { .. }) => Ok(Bytes::new()),
        Err(error) => Err(driver_error(error)),
    });
    Box::pin(chunks)
}
