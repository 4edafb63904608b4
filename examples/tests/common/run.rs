//! A run of a program that has ended.

use std::process::Output;

/// What a run left on its terminal.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// The output of a run that went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Checks that the run stopped with exit code 1 and one error that holds `reason`.
    #[track_caller]
    pub fn fails(self, reason: &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.stderr.contains("error: "), "{}", self.stderr);
        assert!(self.stderr.contains(reason), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }
}
