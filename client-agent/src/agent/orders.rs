//! Orders of people: logs, figures, a restart. Each is answered on a conversation of its own, with the server that asks.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client_agent_core::{AllocationEvent, Event, NETWORK_TASK};
use model::AllocationId;
use proto::convert::allocation_from_bytes;
use proto::net::{Channel, Dialer, Peer};
use proto::wire::{self, Frame, frame, hello, order};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::warn;

use super::Agent;
use super::collect::{REMAINS_AGE_MAX, REMAINS_OF_GROUP_MAX};
use crate::drivers::{Driver, DriverError, LogQuery};

/// Time to reach the server that asks.
const DIAL_DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of one frame of an answer.
const DATA_BYTES_MAX: usize = 64 << 10;

/// An answer that needs no more waiting.
pub(super) enum Answer {
    Document(serde_json::Value),
    Refused(u32, String),
}

impl Agent {
    pub(super) fn obey(&mut self, peer: Peer, order: wire::Order) {
        let dialer = self.seams.dialer.clone();
        let answer = match order.body {
            Some(order::Body::Logs(logs)) => match self.find_log(&logs) {
                Ok((driver, handle)) => {
                    let query = LogQuery {
                        stderr: logs.stderr,
                        follow: logs.follow,
                        from_end: logs.from_end,
                        offset: logs.offset,
                    };
                    self.work.spawn(send_log(dialer, peer, order.id, driver, handle, query));
                    return;
                }
                Err(answer) => answer,
            },
            Some(order::Body::Stats(stats)) => self.figures(&stats),
            Some(order::Body::Restart(restart)) => self.restart(&restart),
            Some(order::Body::MakeVolume(order_of_volume)) => {
                let making = self.make_volume(order_of_volume);
                self.work.spawn(answer_when_done(dialer, peer, order.id, making));
                return;
            }
            Some(order::Body::DeleteVolume(order_of_volume)) => {
                let deleting = self.delete_volume(order_of_volume);
                self.work.spawn(answer_when_done(dialer, peer, order.id, deleting));
                return;
            }
            None => Answer::Refused(400, "the agent's release does not know this order".into()),
        };
        self.work.spawn(async move { say(dialer.as_ref(), &peer, order.id, answer).await });
    }

    fn find_log(&self, logs: &wire::LogsOrder) -> Result<(Arc<dyn Driver>, String), Answer> {
        let id = read_id(&logs.allocation)?;
        // One that was removed and one that never came are not told apart here: of the former nothing is kept.
        let unknown = || {
            let age = humantime::format_duration(REMAINS_AGE_MAX);
            Answer::Refused(
                404,
                format!(
                    "no logs of allocation {} are on its node: of allocations that ended it keeps those of the last \
                     {REMAINS_OF_GROUP_MAX} of each group, for {age} at most",
                    id.short()
                ),
            )
        };
        let local = self.locals.get(&id).ok_or_else(unknown)?;
        let none = || {
            let tasks: Vec<_> = local.spec.members.keys().filter(|name| *name != NETWORK_TASK).cloned().collect();
            let hint = format!("task {:?} is not in the allocation; it has: {}", logs.task, tasks.join(", "));
            Answer::Refused(404, hint)
        };
        let task = local.task(&logs.task).filter(|_| logs.task != NETWORK_TASK).ok_or_else(none)?;
        let driver = self.drivers.get(&task.driver).ok_or_else(none)?;
        let unborn = || Answer::Refused(404, format!("task {} has not started yet", logs.task));
        let handle = local.handle(&logs.task).ok_or_else(unborn)?;
        Ok((driver.clone(), handle.to_string()))
    }

    fn figures(&self, stats: &wire::StatsOrder) -> Answer {
        if stats.allocation.is_empty() {
            return Answer::Document(json!({ "cpu_mhz": self.usage.cpu_mhz, "memory_mb": self.usage.memory_mb }));
        }
        let id = match read_id(&stats.allocation) {
            Ok(id) => id,
            Err(answer) => return answer,
        };
        match self.usage.allocations.get(&id) {
            Some((cpu_mhz, memory_mb)) => Answer::Document(json!({ "cpu_mhz": cpu_mhz, "memory_mb": memory_mb })),
            None => Answer::Refused(404, format!("allocation {} does not run on this node", id.short())),
        }
    }

    fn restart(&mut self, restart: &wire::RestartOrder) -> Answer {
        let id = match read_id(&restart.allocation) {
            Ok(id) => id,
            Err(answer) => return answer,
        };
        let Some(local) = self.locals.get(&id) else {
            return Answer::Refused(404, format!("allocation {} is not on this node", id.short()));
        };
        let chosen = |name: &String| restart.task.is_empty() || *name == restart.task;
        let running = local.state.tasks.iter().filter(|(_, task)| task.may_run());
        let tasks: Vec<String> =
            running.map(|(name, _)| name.clone()).filter(|name| *name != NETWORK_TASK && chosen(name)).collect();
        if tasks.is_empty() {
            let what = if restart.task.is_empty() { "no task".into() } else { format!("task {:?}", restart.task) };
            return Answer::Refused(404, format!("{what} of allocation {} runs", id.short()));
        }
        for task in &tasks {
            let event = Event::Restart { reason: "User requested the restart".into(), counted: false };
            self.step(id, AllocationEvent::Task(task.clone(), event));
        }
        Answer::Document(json!({ "restarted": tasks }))
    }
}

/// Says at the end of `work` what came of it.
async fn answer_when_done(
    dialer: Arc<dyn Dialer>,
    peer: Peer,
    order: u64,
    work: impl Future<Output = Result<serde_json::Value, (u32, String)>>,
) {
    let answer = match work.await {
        Ok(document) => Answer::Document(document),
        Err((status, error)) => Answer::Refused(status, error),
    };
    say(dialer.as_ref(), &peer, order, answer).await;
}

/// Gives an answer on a conversation of its own.
async fn say(dialer: &dyn Dialer, peer: &Peer, order: u64, answer: Answer) {
    let Some(channel) = open(dialer, peer, order).await else { return };
    match answer {
        Answer::Document(document) => {
            let _ = channel.sender.send(data(Bytes::from(document.to_string()))).await;
            finish(channel, wire::End { error: String::new(), status: 200 }).await;
        }
        Answer::Refused(status, error) => finish(channel, wire::End { error, status }).await,
    }
}

fn read_id(bytes: &[u8]) -> Result<AllocationId, Answer> {
    allocation_from_bytes("order.allocation", bytes).map_err(|error| Answer::Refused(400, error.to_string()))
}

async fn open(dialer: &dyn Dialer, peer: &Peer, order: u64) -> Option<Channel> {
    match dialer.open(peer, DIAL_DEADLINE).await {
        Ok(channel) => {
            let answer = hello::Body::Answer(wire::OrderAnswer { order });
            let hello = wire::Hello { body: Some(answer) };
            channel.sender.send(Frame { body: Some(frame::Body::Hello(hello)) }).await.ok()?;
            Some(channel)
        }
        Err(error) => {
            warn!(server = %peer.address, %error, "order could not be answered");
            None
        }
    }
}

fn data(bytes: Bytes) -> Frame {
    Frame { body: Some(frame::Body::Data(bytes)) }
}

/// Ends the answer and waits until the other side has read it: dropping the conversation earlier might cut it short.
async fn finish(mut channel: Channel, end: wire::End) {
    if channel.sender.send(Frame { body: Some(frame::Body::End(end)) }).await.is_ok() {
        drop(channel.sender);
        let _ = tokio::time::timeout(DIAL_DEADLINE, async { while channel.receiver.recv().await.is_some() {} }).await;
    }
}

/// `chunk` in pieces of at most [`DATA_BYTES_MAX`]; none for nothing.
fn parts(mut chunk: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        let part = chunk.split_to(chunk.len().min(DATA_BYTES_MAX));
        (!part.is_empty()).then_some(part)
    })
}

async fn send_log(
    dialer: Arc<dyn Dialer>,
    peer: Peer,
    order: u64,
    driver: Arc<dyn Driver>,
    handle: String,
    query: LogQuery,
) {
    let Some(channel) = open(dialer.as_ref(), &peer, order).await else { return };
    let (sender, mut chunks) = mpsc::channel::<Bytes>(16);
    let reading = driver.logs(&handle, query, sender);
    let passing = async {
        while let Some(chunk) = chunks.recv().await {
            for part in parts(chunk) {
                if channel.sender.send(data(part)).await.is_err() {
                    return;
                }
            }
        }
    };
    // A reader who goes away is noticed also while the log is quiet.
    let done = async { tokio::join!(reading, passing).0 };
    let outcome = tokio::select! {
        biased;
        outcome = done => outcome,
        () = channel.sender.closed() => return,
    };
    let end = match outcome {
        Ok(()) => wire::End { error: String::new(), status: 200 },
        Err(DriverError::NotFound(_)) => {
            wire::End { error: "the log is gone: its container was removed".into(), status: 404 }
        }
        Err(error) => wire::End { error: error.to_string(), status: 500 },
    };
    finish(channel, end).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_travels_in_pieces_of_at_most_the_limit() {
        let lengths = |bytes: usize| parts(Bytes::from(vec![0; bytes])).map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(DATA_BYTES_MAX), [DATA_BYTES_MAX]);
        assert_eq!(lengths(DATA_BYTES_MAX + 1), [DATA_BYTES_MAX, 1]);
    }
}
