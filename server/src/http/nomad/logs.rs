//! A task's output: read or followed, as plain bytes or as frames.
//!
//! The agent answers with bytes; frames are made here. A frame's offset is that of its first byte in what the task wrote;
//! when reading from the end, where that is unknown, it counts from where reading began.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream::unfold;
use proto::net::Channel;
use proto::wire::{Frame, LogsOrder, frame};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::allocations::UNKNOWN;
use super::client::{check_task, open_logs, tasks};
use super::find;
use super::propose::newest;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::{LOG_FIRST_FRAME_WAIT, LOG_FRAME_BYTES_MAX, LOG_HEARTBEAT};
use crate::http::reply::stream;

/// `GET /v1/client/fs/logs/{id}`.
pub(super) async fn logs(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let allocation = find::allocation(&state, &call, UNKNOWN)?;
    let task = match call.query.text("task") {
        Some(task) => task.to_string(),
        None => only_task(&tasks(&state, allocation))?,
    };
    check_task(&state, allocation, &task)?;
    let order = order(&call, &task)?;
    let is_plain = call.query.flag("plain")?;
    let file = format!("{task}.{}.0", if order.stderr { "stderr" } else { "stdout" });
    let offset = if order.from_end { 0 } else { order.offset };
    let mut channel = open_logs(&api, &state, allocation, order).await?;
    // A refusal comes at once; a quiet task may say nothing for hours.
    let first = match tokio::time::timeout(LOG_FIRST_FRAME_WAIT, channel.receiver.recv()).await {
        Ok(Some(Frame { body: Some(frame::Body::End(end)) })) if !end.error.is_empty() => {
            return Err(Failure::of_agent(end.status, end.error));
        }
        Ok(Some(frame)) => Next::of(frame),
        Ok(None) => return Err(Failure::internal("the agent broke off its answer")),
        Err(_) => Next::Silence,
    };
    let reading = Reading { channel, first: Some(first), file, offset, is_plain, shutdown: api.shutdown.clone() };
    let content_type = if is_plain { "text/plain; charset=utf-8" } else { "application/json" };
    Ok(stream(
        content_type,
        unfold(reading, |mut reading| async move {
            let piece = reading.next_piece().await?;
            Some((piece, reading))
        }),
    ))
}

fn only_task(tasks: &[String]) -> Result<String, Failure> {
    match tasks {
        [one] => Ok(one.clone()),
        several => Err(Failure::bad_request(format!("task must be given; the tasks are: {}", several.join(", ")))),
    }
}

fn order(call: &Call, task: &str) -> Result<LogsOrder, Failure> {
    let stderr = match call.query.text("type") {
        None | Some("stdout") => false,
        Some("stderr") => true,
        Some(other) => return Err(Failure::bad_request(format!("type must be stdout or stderr, got {other:?}"))),
    };
    let from_end = match call.query.text("origin") {
        None | Some("start") => false,
        Some("end") => true,
        Some(other) => return Err(Failure::bad_request(format!("origin must be start or end, got {other:?}"))),
    };
    Ok(LogsOrder {
        task: task.to_string(),
        stderr,
        follow: call.query.flag("follow")?,
        from_end,
        offset: call.query.number("offset")?.unwrap_or(0),
        ..LogsOrder::default()
    })
}

/// What came next from the agent.
enum Next {
    Data(Bytes),
    Silence,
    End,
}

impl Next {
    /// The status has been sent by now, so an error at the end can only end the stream, as does what is no output.
    fn of(frame: Frame) -> Self {
        match frame.body {
            Some(frame::Body::Data(data)) => Next::Data(data),
            _ => Next::End,
        }
    }
}

/// A stream of output on its way to a client.
struct Reading {
    channel: Channel,
    first: Option<Next>,
    file: String,
    offset: u64,
    is_plain: bool,
    shutdown: CancellationToken,
}

impl Reading {
    /// What is written next; none at the end.
    async fn next_piece(&mut self) -> Option<Bytes> {
        loop {
            match self.next().await {
                Next::Data(data) => return Some(self.written(&data)),
                Next::End => return None,
                Next::Silence if self.is_plain => {}
                Next::Silence => return Some(Bytes::from_static(b"{}\n")),
            }
        }
    }

    async fn next(&mut self) -> Next {
        if let Some(first) = self.first.take() {
            return first;
        }
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Next::End,
            received = self.channel.receiver.recv() => received.map_or(Next::End, Next::of),
            () = tokio::time::sleep(LOG_HEARTBEAT) => Next::Silence,
        }
    }

    fn written(&mut self, data: &[u8]) -> Bytes {
        let mut written = Vec::new();
        for part in data.chunks(LOG_FRAME_BYTES_MAX) {
            if self.is_plain {
                written.extend_from_slice(part);
            } else {
                let frame = json!({ "Offset": self.offset, "Data": STANDARD.encode(part), "File": self.file });
                written.extend_from_slice(frame.to_string().as_bytes());
                written.push(b'\n');
            }
            self.offset += part.len() as u64;
        }
        written.into()
    }
}
