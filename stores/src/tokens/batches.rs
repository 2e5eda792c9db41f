//! The thread that writes a file: it takes all that waits into one transaction.

use acra_engine::tokens::{Reply, StoreCall};
use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Calls after which a transaction takes no more.
const MOST: usize = 4096;

/// The calls of one batch.
pub(super) struct Job {
    pub(super) calls: Vec<StoreCall>,
    reply: oneshot::Sender<Result<Vec<Reply>, String>>,
}

/// Hands jobs to the thread. Dropping it waits until all of them are done.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; `write` carries out jobs in one transaction.
    pub(super) fn start(
        write: impl Fn(&[Job]) -> Result<Vec<Vec<Reply>>, String> + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("tokens".to_owned())
            .spawn(move || work(&waiting, write))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Carries out calls; they are on the disk when this returns.
    pub(super) async fn run(&self, calls: Vec<StoreCall>) -> Result<Vec<Reply>, String> {
        let (reply, replies) = oneshot::channel();
        let job = Job { calls, reply };
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, so is the other end of `replies`.
            let _ = jobs.send(job);
        }
        replies
            .await
            .unwrap_or_else(|_| Err("the thread that writes it has ended".to_owned()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

fn work(waiting: &Receiver<Job>, write: impl Fn(&[Job]) -> Result<Vec<Vec<Reply>>, String>) {
    while let Ok(first) = waiting.recv() {
        let mut size = first.calls.len();
        let mut jobs = vec![first];
        while size < MOST
            && let Ok(job) = waiting.try_recv()
        {
            size += job.calls.len();
            jobs.push(job);
        }
        match write(&jobs) {
            Ok(replies) => {
                for (job, replies) in jobs.into_iter().zip(replies) {
                    // Whoever has asked may be gone.
                    let _ = job.reply.send(Ok(replies));
                }
            }
            Err(error) => {
                for job in jobs {
                    let _ = job.reply.send(Err(error.clone()));
                }
            }
        }
    }
}
