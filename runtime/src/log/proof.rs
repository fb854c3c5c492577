//! What proves that a replay puts out the same bytes.

use std::fmt::Write;

use antiphon_engine::Output;
use flate2::Crc;
use sha2::{Digest, Sha256};

/// Hashes the outputs of a session as they come.
#[derive(Debug)]
pub(super) struct Proof {
    all: Sha256,
    /// Over the outputs of the current input.
    step: Crc,
    outputs: u64,
    scratch: Vec<u8>,
}

impl Proof {
    pub(super) fn new() -> Self {
        Self {
            all: Sha256::new(),
            step: Crc::new(),
            outputs: 0,
            scratch: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, output: &Output) {
        self.scratch.clear();
        // Structs of strings and numbers: serialization into memory has no way to fail.
        if serde_json::to_writer(&mut self.scratch, output).is_ok() {
            self.scratch.push(b'\n');
            self.all.update(&self.scratch);
            self.step.update(&self.scratch);
            self.outputs += 1;
        }
    }

    /// The check of the outputs since the last [`Proof::take_check`]; 0 where there were none.
    /// Fifteen bits: enough to find the place, and the hash over all proves the whole.
    pub(super) fn check(&self) -> u16 {
        if self.step.amount() == 0 {
            return 0;
        }
        let sum = self.step.sum();
        // Never 0, which stands for no output.
        ((sum >> 16) ^ sum) as u16 | 1
    }

    /// The check, and from now on that of the outputs to come.
    pub(super) fn take_check(&mut self) -> u16 {
        let check = self.check();
        self.step.reset();
        check
    }

    pub(super) fn outputs(&self) -> u64 {
        self.outputs
    }

    pub(super) fn sha256(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.all.clone().finalize() {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
