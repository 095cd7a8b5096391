//! The one writer of a log: takes records from a queue, writes as many as wait with one fsync, then tells who asked.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use model::old_bugs::{OldBug, is_on};
use seams::Blocking;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::contents::size;
use super::record::Record;
use super::segments::Segments;
use crate::raft::types::Flushed;

/// Most bytes of entries that one fsync covers, so that a burst does not delay its first write for long.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Hands records to the log's writer. Clones feed the same log, in the order of their calls.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Task>,
    state: Arc<State>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Who is told when records are durable.
pub enum Done {
    /// openraft.
    Flushed(Flushed),
    /// A caller that waits.
    Reply(oneshot::Sender<io::Result<()>>),
    /// Nobody; but they are written without delay.
    Nobody,
}

#[derive(Default)]
struct State {
    /// Why the log takes no more records. Set once: after a failed fsync nobody knows what is on the disk.
    poison: OnceLock<String>,
    /// Why the next segment could not be preallocated.
    shortage: Mutex<Option<String>>,
}

enum Task {
    Write(Vec<Record>, Done),
    Later(Record),
    Stop(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the writer's task.
    pub fn start(segments: Segments, blocking: Blocking) -> Self {
        let (queue, tasks) = mpsc::unbounded_channel();
        let state = Arc::new(State::default());
        let task = tokio::spawn(run(tasks, segments, blocking, state.clone()));
        Self { queue, state, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Queues records; `done` is told once they are durable, in the order of the calls.
    pub fn write(&self, records: Vec<Record>, done: Done) -> io::Result<()> {
        self.send(Task::Write(records, done))
    }

    /// Writes records and waits until they are durable.
    pub async fn write_and_wait(&self, records: Vec<Record>) -> io::Result<()> {
        let (reply, done) = oneshot::channel();
        self.write(records, Done::Reply(reply))?;
        done.await.map_err(|_| stopped())?
    }

    /// Queues a record that may be lost in a crash: it goes to the disk with the next batch, and causes none.
    pub fn write_later(&self, record: Record) -> io::Result<()> {
        self.send(Task::Later(record))
    }

    /// Why the log can't take more commands, if it can't: it is poisoned, or the disk has no room for the next segment.
    pub fn refusal(&self) -> Option<String> {
        let shortage = || self.state.shortage.lock().expect("no holder of this lock panics").clone();
        self.state.poison.get().cloned().or_else(shortage)
    }

    /// Writes what is queued and stops. Records that come later are refused.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        // A poisoned log stops as any other.
        if self.queue.send(Task::Stop(reply)).is_ok() {
            let _ = done.await;
        }
        let task = self.task.lock().expect("no holder of this lock panics").take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    fn send(&self, task: Task) -> io::Result<()> {
        if let Some(reason) = self.state.poison.get() {
            return Err(io::Error::other(reason.clone()));
        }
        self.queue.send(task).map_err(|_| stopped())
    }
}

fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the log is closed")
}

/// What one fsync will cover.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    bytes: usize,
    done: Vec<Done>,
    stop: Option<oneshot::Sender<()>>,
}

impl Batch {
    fn add(&mut self, task: Task) {
        match task {
            Task::Write(records, done) => {
                self.bytes += records.iter().map(bytes_of).sum::<usize>();
                self.records.extend(records);
                self.done.push(done);
            }
            Task::Later(record) => self.records.push(record),
            Task::Stop(reply) => self.stop = Some(reply),
        }
    }

    fn is_complete(&self) -> bool {
        self.bytes >= BATCH_BYTES_MAX || self.stop.is_some()
    }
}

fn bytes_of(record: &Record) -> usize {
    match record {
        Record::Entry(entry) => size(entry),
        Record::Header(_) | Record::Vote(_) | Record::Truncate(_) | Record::Purge(_) | Record::Committed(_) => 0,
    }
}

async fn run(mut tasks: mpsc::UnboundedReceiver<Task>, segments: Segments, blocking: Blocking, state: Arc<State>) {
    let mut segments = Some(segments);
    let mut batch = Batch::default();
    while let Some(task) = tasks.recv().await {
        batch.add(task);
        while !batch.is_complete()
            && let Ok(task) = tasks.try_recv()
        {
            batch.add(task);
        }
        // Records that nobody waits for stay in the batch until someone does.
        if batch.done.is_empty() && batch.stop.is_none() {
            continue;
        }
        let Batch { records, mut done, stop, .. } = std::mem::take(&mut batch);
        if is_on(OldBug::AcknowledgedTooEarly) {
            std::mem::take(&mut done).into_iter().for_each(|done| tell(done, &Ok(())));
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        let result = write(&mut segments, records, blocking).await;
        if let Err(error) = &result {
            poison(&state, error);
        }
        for done in done {
            tell(done, &result);
        }
        prepare(&mut segments, blocking, &state).await;
        if let Some(reply) = stop {
            let _ = reply.send(());
            return;
        }
    }
}

/// The segments are given up with the first error, so that nothing is written after it.
async fn write(segments: &mut Option<Segments>, records: Vec<Record>, blocking: Blocking) -> io::Result<()> {
    let mut owned = segments.take().ok_or_else(|| io::Error::other("an earlier write to the log failed"))?;
    let (owned, result) = blocking
        .run(move || {
            let result = owned.write(&records);
            (owned, result)
        })
        .await?;
    if result.is_ok() {
        *segments = Some(owned);
    }
    result
}

async fn prepare(segments: &mut Option<Segments>, blocking: Blocking, state: &State) {
    let Some(mut owned) = segments.take_if(|segments| segments.wants_spare()) else { return };
    let prepared = blocking
        .run(move || {
            let result = owned.prepare();
            (owned, result)
        })
        .await;
    let Ok((owned, result)) = prepared else { return };
    *segments = Some(owned);
    let shortage = result.err().map(|error| format!("no room for the next segment of the log: {error}"));
    let mut known = state.shortage.lock().expect("no holder of this lock panics");
    if let Some(reason) = &shortage
        && known.is_none()
    {
        tracing::error!(reason, "the log refuses new commands");
    }
    *known = shortage;
}

fn poison(state: &State, error: &io::Error) {
    let reason = format!("a write to the log failed, what is on the disk is unknown: {error}");
    if state.poison.set(reason).is_ok() {
        tracing::error!(%error, "the log is poisoned");
    }
}

fn tell(done: Done, result: &io::Result<()>) {
    let result = match result {
        Ok(()) => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    };
    match done {
        Done::Flushed(flushed) => flushed.io_completed(result),
        Done::Reply(reply) => {
            let _ = reply.send(result);
        }
        Done::Nobody => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::raft::types::{Command, Entry, Payload, log_id};

    fn task(index: u64, command_bytes: usize) -> Task {
        let payload = Payload::Normal(Command(Bytes::from(vec![0; command_bytes])));
        Task::Write(vec![Record::Entry(Entry { log_id: log_id(1, index), payload })], Done::Nobody)
    }

    #[test]
    fn a_batch_takes_records_until_it_is_as_large_as_the_limit() {
        let overhead = size(&Entry { log_id: log_id(1, 0), payload: Payload::Blank });
        let mut batch = Batch::default();
        batch.add(task(1, BATCH_BYTES_MAX - 2 * overhead - 1));
        assert!(!batch.is_complete(), "one byte and the next entry's overhead are left");
        batch.add(task(2, 0));
        assert_eq!((batch.bytes, batch.is_complete()), (BATCH_BYTES_MAX - 1, false));
        let mut batch = Batch::default();
        batch.add(task(1, BATCH_BYTES_MAX - overhead));
        assert_eq!((batch.bytes, batch.is_complete()), (BATCH_BYTES_MAX, true));
    }
}
