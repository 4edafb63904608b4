//! Files of payments, of which every hundredth row is broken; the same ones for the same arguments.

use crate::payment::Payment;
use jiff::Timestamp;
use krishiv_pipeline::BoxError;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// One row of so many is broken.
const BROKEN: u64 = 100;

const CARDS: u64 = 5_000;

/// 2026-01-01T00:00 UTC.
const START_MS: i64 = 1_767_225_600_000;

/// Before all others, so that it tells nothing of how far time has come.
const EARLY: &str = "2025-12-31T00:00:00Z";

/// Milliseconds from one payment to the next.
const PACE_MS: i64 = 250;

/// Which files are made.
pub(crate) struct Dirty {
    pub(crate) rows: u64,
    pub(crate) clean: bool,
}

/// What is wrong with a row.
#[derive(Clone, Copy)]
enum Wrong {
    /// The end of the row is missing.
    Torn,
    NotUtf8,
    /// A mark that belongs to the start of a file, before the row.
    Mark,
    /// It is too short (CSV), or no payment (JSON).
    Ragged,
    /// A quote that nobody closes.
    Quote,
    FarFuture,
    NoTime,
    /// A reference that the state cannot hold.
    Unstorable,
    /// An alert that the sink cannot write.
    Unwritable,
}

const WRONGS: [Wrong; 9] = [
    Wrong::Torn,
    Wrong::NotUtf8,
    Wrong::Mark,
    Wrong::Ragged,
    Wrong::Quote,
    Wrong::FarFuture,
    Wrong::NoTime,
    Wrong::Unstorable,
    Wrong::Unwritable,
];

impl Dirty {
    /// Makes the files that are not there.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub(crate) fn make(&self, folder: &Path) -> Result<(), BoxError> {
        let said = |error: &dyn std::fmt::Display| format!("{}: cannot make the files: {error}", folder.display());
        fs::create_dir_all(folder).map_err(|error| said(&error))?;
        self.file(folder, "cards.jsonl", b"", 0, json).map_err(|error| said(&error))?;
        // As a spreadsheet writes it, with a mark at its start.
        let header = b"\xef\xbb\xbfcard,cents,items,reference,at\r\n";
        self.file(folder, "transfers.csv", header, 1, csv).map_err(|error| said(&error))?;
        Ok(())
    }

    /// Every other row, from the one at `first` on; whole, or not at all.
    fn file(
        &self,
        folder: &Path,
        name: &str,
        header: &[u8],
        first: u64,
        row: fn(&Payment, Option<Wrong>) -> Result<Vec<u8>, BoxError>,
    ) -> Result<(), BoxError> {
        let (path, unfinished) = (folder.join(name), folder.join(format!("{name}.part")));
        if path.exists() {
            return Ok(());
        }
        let mut file = BufWriter::new(File::create(&unfinished)?);
        file.write_all(header)?;
        for number in (first..self.rows).step_by(2) {
            let wrong = (number / 2 % BROKEN == BROKEN / 2).then_some(number / 2 / BROKEN);
            let wrong = wrong.and_then(|number| WRONGS.get(number as usize % WRONGS.len())).copied();
            let mut payment = payment(number, wrong.is_some() || first == 1);
            match wrong {
                // What such a payment does to its card counts; only the alert is lost.
                Some(Wrong::Unwritable) => payment.items = u32::from(self.clean),
                // In its place one that nobody sees, so that the rows of the two files meet as they do with what is broken.
                Some(_) if self.clean => {
                    payment = Payment { card: "none".to_owned(), cents: 0, at: EARLY.to_owned(), ..payment };
                }
                Some(Wrong::FarFuture) => payment.at = "9998-12-31T00:00:00Z".to_owned(),
                Some(Wrong::NoTime) => payment.at.clear(),
                Some(Wrong::Unstorable) => payment.reference = format!("?{number}"),
                _ => {}
            }
            file.write_all(&row(&payment, wrong.filter(|_| !self.clean))?)?;
        }
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        Ok(fs::rename(unfinished, path)?)
    }
}

/// The payment of that number; one of a transfer is great.
fn payment(number: u64, transfer: bool) -> Payment {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) >> 7;
    let late = (mixed % 20_000) as i64;
    let time = Timestamp::from_millisecond(START_MS + number as i64 * PACE_MS - late).unwrap_or(Timestamp::UNIX_EPOCH);
    Payment {
        card: format!("C{:04}", mixed % CARDS),
        cents: if number / 2 % BROKEN == BROKEN / 2 { 150_000 } else { (mixed % 9_000) as i64 },
        items: 1 + (mixed % 4) as u32,
        reference: if transfer { format!("T{number}") } else { number.to_string() },
        at: time.to_string(),
    }
}

fn json(payment: &Payment, wrong: Option<Wrong>) -> Result<Vec<u8>, BoxError> {
    let mut row = serde_json::to_vec(payment)?;
    match wrong {
        Some(Wrong::Torn | Wrong::Quote) => row.truncate(row.len() / 2),
        Some(Wrong::NotUtf8) => row.splice(9..10, *b"\xff").for_each(drop),
        Some(Wrong::Mark) => row.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        Some(Wrong::Ragged) => row = b"{\"cents\":\"many\"}".to_vec(),
        _ => {}
    }
    row.push(b'\n');
    Ok(row)
}

fn csv(payment: &Payment, wrong: Option<Wrong>) -> Result<Vec<u8>, BoxError> {
    let Payment { card, cents, items, reference, at } = payment;
    let mut row = format!("{card},{cents},{items},{reference},{at}").into_bytes();
    match wrong {
        Some(Wrong::Torn) => row.truncate(row.len() / 2),
        Some(Wrong::NotUtf8) => row.splice(1..2, *b"\xff").for_each(drop),
        // A mark in front of a number, since in front of a name it would be part of the name.
        Some(Wrong::Mark) => row.splice(card.len() + 1..card.len() + 1, *b"\xef\xbb\xbf").for_each(drop),
        Some(Wrong::Ragged) => row.extend_from_slice(b",more"),
        Some(Wrong::Quote) => row.splice(0..0, *b"\"").for_each(drop),
        _ => {}
    }
    row.extend_from_slice(b"\r\n");
    Ok(row)
}
