//! The one writer of a log: takes records from a queue, writes as many as wait with one fsync, then tells who asked.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use seams::Blocking;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::contents::size;
use super::record::Record;
use super::segment;
use super::segments::{Segments, WriteRecords};
use crate::raft::types::Flushed;

/// Most bytes of entries that one fsync covers, so that a burst does not delay its first write for long.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Pause before a full disk is asked for room again.
const ROOM_PAUSE: Duration = Duration::from_secs(2);
/// How long nothing is written before the last mark is synced.
const QUIET: Duration = Duration::from_secs(1);

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

struct State {
    /// Why the log takes no more records. Set once: after a failed fsync nobody knows what is on the disk.
    poison: watch::Sender<Option<String>>,
    /// Why the next segment could not be preallocated.
    shortage: watch::Sender<Option<String>>,
    /// Whether the log was told to stop.
    stops: watch::Sender<bool>,
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
        let state = Arc::new(State {
            poison: watch::Sender::new(None),
            shortage: watch::Sender::new(None),
            stops: watch::Sender::new(false),
        });
        let log = Log { segments: Some(segments), blocking, state: state.clone() };
        let task = tokio::spawn(run(tasks, log));
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

    /// Waits until everything that was queued before is durable.
    pub async fn flushed(&self) -> io::Result<()> {
        self.write_and_wait(Vec::new()).await
    }

    /// Queues a record that may be lost in a crash: it goes to the disk with the next batch, and causes none.
    pub fn write_later(&self, record: Record) -> io::Result<()> {
        self.send(Task::Later(record))
    }

    /// Why the log can't take more commands, if it can't: it is poisoned, or the disk has no room for the next segment.
    pub fn refusal(&self) -> Option<String> {
        self.state.poison.borrow().clone().or_else(|| self.state.shortage.borrow().clone())
    }

    /// Why there is no room for the next segment, now and whenever that changes.
    pub fn shortage(&self) -> watch::Receiver<Option<String>> {
        self.state.shortage.subscribe()
    }

    /// Returns once a write has failed, with the reason: the process must end.
    pub async fn poisoned(&self) -> String {
        let mut poison = self.state.poison.subscribe();
        let reason = poison.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.expect("the state holds the sender, and only a reason is waited for")
    }

    /// From now on no record waits for room: the server is stopping.
    pub fn stop_waiting(&self) {
        self.state.stops.send_replace(true);
    }

    /// Writes what is queued and stops. Records that come later are refused, and so are those that wait for room.
    pub async fn stop(&self) {
        self.stop_waiting();
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
        if let Some(reason) = self.state.poison.borrow().clone() {
            return Err(io::Error::other(reason));
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

async fn run(mut tasks: mpsc::UnboundedReceiver<Task>, mut log: Log) {
    let mut batch = Batch::default();
    loop {
        let task = match log.patience() {
            None => tasks.recv().await,
            Some(patience) => match timeout(patience, tasks.recv()).await {
                Ok(task) => task,
                Err(_) => {
                    log.tend().await;
                    continue;
                }
            },
        };
        let Some(task) = task else { return };
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
        let result = log.write(records).await;
        for done in done {
            tell(done, &result);
        }
        if let Some(reply) = stop {
            log.sync_mark().await;
            let _ = reply.send(());
            return;
        }
        log.prepare().await;
    }
}

/// What the task works on.
struct Log {
    /// Given up with the first error, so that nothing is written after it.
    segments: Option<Segments>,
    blocking: Blocking,
    state: Arc<State>,
}

impl Log {
    /// How long to wait for records before [`Log::tend`] is called; for ever if there is nothing to do.
    fn patience(&self) -> Option<Duration> {
        let segments = self.segments.as_ref()?;
        let pause = segments.wants_spare().then_some(ROOM_PAUSE);
        pause.or_else(|| segments.has_fresh_mark().then_some(QUIET))
    }

    /// What is done while nobody writes.
    async fn tend(&mut self) {
        self.prepare().await;
        self.sync_mark().await;
    }

    /// Does something with the segments where that may block.
    async fn run<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Segments) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let gone = || io::Error::other("an earlier write to the log failed");
        let mut owned = self.segments.take().ok_or_else(gone)?;
        let (owned, result) = self
            .blocking
            .run(move || {
                let result = act(&mut owned);
                (owned, result)
            })
            .await?;
        self.segments = Some(owned);
        result
    }

    /// Makes the records durable. Where there is no room for a segment it waits until there is.
    async fn write(&mut self, mut records: Vec<Record>) -> io::Result<()> {
        let mut stops = self.state.stops.subscribe();
        if self.segments.is_none() {
            return Err(io::Error::other("the log has ended with an earlier write"));
        }
        loop {
            let written = self
                .run(move |segments| {
                    let result = segments.append(&records);
                    Ok((records, result))
                })
                .await;
            let (rest, result) = match written {
                Ok(written) => written,
                Err(error) => {
                    self.poison(&error);
                    return Err(error);
                }
            };
            records = rest;
            match result {
                Ok(()) => {
                    if !self.segments.as_ref().is_some_and(Segments::wants_spare) {
                        self.note_shortage(None);
                    }
                    return Ok(());
                }
                Err(WriteRecords::Failed(error)) => {
                    self.poison(&error);
                    return Err(error);
                }
                Err(WriteRecords::NoRoom { written, source }) => {
                    records.drain(..written);
                    self.note_shortage(Some(&source));
                    if timeout(ROOM_PAUSE, stops.wait_for(|stops| *stops)).await.is_ok() {
                        // What comes later must not be written without these.
                        self.segments = None;
                        return Err(source);
                    }
                }
            }
        }
    }

    async fn prepare(&mut self) {
        if !self.segments.as_ref().is_some_and(Segments::wants_spare) {
            return;
        }
        match self.run(Segments::prepare).await {
            Ok(()) => self.note_shortage(None),
            Err(error) if segment::is_full(&error) => self.note_shortage(Some(&error)),
            Err(error) => self.poison(&error),
        }
    }

    async fn sync_mark(&mut self) {
        if self.segments.as_ref().is_some_and(Segments::has_fresh_mark)
            && let Err(error) = self.run(Segments::sync_mark).await
        {
            self.poison(&error);
        }
    }

    fn note_shortage(&self, error: Option<&io::Error>) {
        let reason = error.map(|error| format!("the disk is full: no room for the next segment of the log: {error}"));
        self.state.shortage.send_if_modified(|known| {
            match (&*known, &reason) {
                (None, Some(reason)) => tracing::error!(reason, "the log refuses new commands"),
                (Some(_), None) => tracing::info!("there is room again, the log takes commands"),
                (None, None) | (Some(_), Some(_)) => {}
            }
            let changes = known.is_some() != reason.is_some();
            *known = reason;
            changes
        });
    }

    fn poison(&mut self, error: &io::Error) {
        self.segments = None;
        let reason = format!("a write to the log failed, what is on the disk is unknown: {error}");
        let is_first = self.state.poison.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(reason);
            is_first
        });
        if is_first {
            tracing::error!(%error, "the log is poisoned");
        }
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
