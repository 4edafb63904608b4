//! A process that writes to a folder until it is killed, and what must be there afterwards.

use krishiv_api::{StateBackend, WriteBatch};
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

/// The test binary again, writing until it is killed.
pub struct Writer {
    process: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
    last: u64,
}

impl Writer {
    /// Runs the test called `test`, which calls [`write_until_killed`] on a backend in `FOLDER`.
    pub fn start(folder: &Path, test: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env("FOLDER", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, last: 0 }
    }

    /// Waits for the next commit to be acknowledged.
    pub fn acknowledged(&mut self) -> Option<u64> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(number) = line.strip_prefix("acknowledged ").and_then(|number| number.parse().ok()) {
                self.last = number;
                return Some(number);
            }
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The last commit that was acknowledged before the end.
    pub fn rest(&mut self) -> u64 {
        while self.acknowledged().is_some() {}
        self.last
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A test that failed leaves no writer behind; one that is dead already is no error.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes commit after commit, `bytes` of each besides its number, and says on standard output which are acknowledged.
pub fn write_until_killed(backend: &impl StateBackend, bytes: usize) {
    println!();
    for number in newest(backend) + 1.. {
        write(backend, number, bytes).unwrap();
        println!("acknowledged {number}");
    }
}

/// Makes the commit with this number.
pub fn write(backend: &impl StateBackend, number: u64, bytes: usize) -> Result<(), krishiv_api::StateError> {
    let mut batch = WriteBatch::default();
    batch.put(b"newest", &number.to_be_bytes());
    batch.put(format!("commit/{number:08}").as_bytes(), &vec![7; bytes]);
    backend.write(batch)
}

/// The number of the last commit.
pub fn newest(backend: &impl StateBackend) -> u64 {
    let newest = backend.get(b"newest").unwrap();
    newest.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()))
}

/// All commits up to some number that is at least `acknowledged`, and each of them whole.
pub fn assert_prefix(backend: &impl StateBackend, acknowledged: u64) {
    let newest = newest(backend);
    assert!(newest >= acknowledged, "{acknowledged} was acknowledged, {newest} is there");
    assert_eq!(backend.scan(b"commit/").count() as u64, newest);
}
