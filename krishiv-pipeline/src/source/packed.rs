//! The text in gzip and zstd data, of any number of members or frames.

use super::format::GZIP;
use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read};

/// The text of all members of a gzip file.
///
/// Zeros behind the last one are passed over, as gzip(1) does: tapes and block devices leave them.
pub(super) struct Gzip<R>(Part<R, GzDecoder<R>>);

/// Where a reader of members is.
enum Part<R, D> {
    First(R),
    Within(D),
    /// Behind one, before another or the end.
    Behind(R),
    /// An error has come; it is not read further.
    Failed,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self(Part::First(source))
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.0 = match std::mem::replace(&mut self.0, Part::Failed) {
                Part::First(source) => Part::Within(GzDecoder::new(source)),
                Part::Within(mut member) => match member.read(buffer)? {
                    0 if !buffer.is_empty() => Part::Behind(member.into_inner()),
                    count => {
                        self.0 = Part::Within(member);
                        return Ok(count);
                    }
                },
                Part::Behind(mut source) => {
                    pass_zeros(&mut source)?;
                    match source.fill_buf()?.first() {
                        None => {
                            self.0 = Part::Behind(source);
                            return Ok(0);
                        }
                        Some(first) if GZIP.starts_with(&[*first]) => Part::First(source),
                        Some(_) => {
                            return Err(invalid("something that is no gzip data follows behind the last member"));
                        }
                    }
                }
                Part::Failed => return Err(damaged_before()),
            }
        }
    }
}

fn pass_zeros(source: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = source.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let all = zeros == bytes.len();
        source.consume(zeros);
        if zeros == 0 || !all {
            return Ok(());
        }
    }
}

/// The text of all frames of a zstd file, whose checksums must be right where they have one.
pub(super) struct Zstd<R> {
    source: R,
    frame: FrameDecoder,
    /// Whether a frame has begun that has not ended.
    within: bool,
    /// Whether there was any: no frame at all is no zstd data.
    any: bool,
    failed: bool,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, frame: FrameDecoder::new(), within: false, any: false, failed: false }
    }

    fn text(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            let count = self.read_frame(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.within = false;
        }
    }

    /// Begins the next frame with text; `false`: there is none.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.any || !self.source.fill_buf()?.is_empty() {
            match self.frame.init(&mut self.source) {
                Ok(()) => {
                    (self.any, self.within) = (true, true);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    self.any = true;
                }
                Err(error) => return Err(unpackable(error)),
            }
        }
        Ok(false)
    }

    /// Reads of the frame that has begun; 0: it has ended.
    fn read_frame(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 && !self.frame.is_finished() {
            let decoded = self.frame.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
            decoded.map_err(unpackable)?;
        }
        let count = self.frame.read(buffer)?;
        let stored = self.frame.get_checksum_from_data();
        if count == 0 && stored.is_some() && stored != self.frame.get_calculated_checksum() {
            return Err(invalid("corrupt zstd data: it does not have the checksum of its frame"));
        }
        Ok(count)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(damaged_before());
        }
        let read = self.text(buffer);
        self.failed = read.is_err();
        read
    }
}

fn damaged_before() -> io::Error {
    invalid("an earlier part of the compressed data is damaged")
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

/// Says whether the data has ended, which the decoder says only deep inside, or what else is wrong with it.
fn unpackable(error: FrameDecoderError) -> io::Error {
    let mut inner: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = inner {
        if cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof) {
            return ErrorKind::UnexpectedEof.into();
        }
        inner = cause.source();
    }
    io::Error::new(ErrorKind::InvalidData, format!("corrupt zstd data: {error}"))
}
