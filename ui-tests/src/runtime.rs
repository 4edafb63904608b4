//! A runtime in which every task has a thread: what the page on threads and async takes of `tokio`, by the same names and with
//! the same bounds, so that its programs compile and run without a runtime being downloaded.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

/// Runs a future to its end. What it waits for blocks the thread, so that it is ready whenever it is asked.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// Starts a task, which a runtime may move between threads.
pub fn spawn<F>(future: F) -> impl Future<Output = thread::Result<F::Output>> + Send
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    task::spawn_blocking(move || block_on(future))
}

/// Tasks that block.
pub mod task {
    use super::{Poll, poll_fn, thread};

    /// Runs `f` where it is in nobody's way.
    pub fn spawn_blocking<F, R>(f: F) -> impl Future<Output = thread::Result<R>> + Send
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let mut handle = Some(thread::spawn(f));
        poll_fn(move |_| handle.take().map_or(Poll::Pending, |handle| Poll::Ready(handle.join())))
    }
}

/// Channels.
pub mod sync {
    /// A channel of many senders.
    pub mod mpsc {
        use std::sync::mpsc;

        /// Sends.
        pub struct Sender<T>(mpsc::SyncSender<T>);

        /// Receives.
        pub struct Receiver<T>(mpsc::Receiver<T>);

        impl<T> Clone for Sender<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        /// A channel that holds so many.
        pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
            let (sender, receiver) = mpsc::sync_channel(capacity);
            (Sender(sender), Receiver(receiver))
        }

        impl<T> Sender<T> {
            /// Sends, when there is room.
            ///
            /// # Errors
            ///
            /// When nobody receives any more.
            pub async fn send(&self, value: T) -> Result<(), mpsc::SendError<T>> {
                self.0.send(value)
            }
        }

        impl<T> Receiver<T> {
            /// Receives; `None` when nobody sends any more.
            pub async fn recv(&mut self) -> Option<T> {
                self.0.recv().ok()
            }
        }
    }

    /// A channel for one value.
    pub mod oneshot {
        use std::sync::mpsc;

        /// Sends.
        pub struct Sender<T>(mpsc::SyncSender<T>);

        impl<T> Sender<T> {
            /// Sends the value.
            ///
            /// # Errors
            ///
            /// When nobody receives any more.
            pub fn send(self, value: T) -> Result<(), T> {
                self.0.send(value).map_err(|error| error.0)
            }
        }

        /// A channel, whose receiver is a future.
        pub fn channel<T: Send>() -> (Sender<T>, impl Future<Output = Result<T, mpsc::RecvError>> + Send) {
            let (sender, receiver) = mpsc::sync_channel(1);
            (Sender(sender), async move { receiver.recv() })
        }
    }
}
