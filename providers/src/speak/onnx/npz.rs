//! The styles of Kokoro's voices: an archive of NumPy arrays, stored without compression
//! (`numpy.savez`). Only what is needed is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Entries of an archive.
const ENTRIES_MAX: usize = 1_000;
/// Bytes of one array: 510 styles of 256 numbers are half a megabyte.
const ARRAY_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a zip archive's directory.
const DIRECTORY_BYTES_MAX: u64 = 1 << 20;
/// The end record and the longest comment behind it.
const END_BYTES_MAX: u64 = 22 + 65_535;

/// One array's place.
struct Entry {
    name: String,
    offset: u64,
    bytes: u64,
}

/// The names of the arrays.
///
/// # Errors
/// Where it is no such archive.
pub(super) fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = directory(&mut File::open(path)?)?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

/// The numbers of an array, in rows of `row`.
///
/// # Errors
/// Where it is not there, or not of 32 bit floating point numbers in rows of that length.
pub(super) fn array(path: &Path, name: &str, row: usize) -> io::Result<Vec<f32>> {
    let mut file = File::open(path)?;
    let entry = directory(&mut file)?
        .into_iter()
        .find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| bad("the voice is not in the archive"))?;
    if entry.bytes > ARRAY_BYTES_MAX {
        return Err(bad("an array is too large"));
    }
    // The local header repeats the name and may have another extra field.
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(bad("an array's header is missing"));
    }
    let skipped = u64::from(word(&header, 26)) + u64::from(word(&header, 28));
    file.seek(SeekFrom::Current(skipped as i64))?;
    let mut bytes = vec![0; entry.bytes as usize];
    file.read_exact(&mut bytes)?;
    floats(&bytes, row)
}

fn floats(bytes: &[u8], row: usize) -> io::Result<Vec<f32>> {
    if bytes.len() < 12 || !bytes.starts_with(b"\x93NUMPY") {
        return Err(bad("an array is not NumPy's"));
    }
    let (length, from) = match bytes[6] {
        1 => (usize::from(word(bytes, 8)), 10),
        _ => (
            usize::from(word(bytes, 8)) | usize::from(word(bytes, 10)) << 16,
            12,
        ),
    };
    let (header, data) = bytes[from..]
        .split_at_checked(length)
        .ok_or_else(|| bad("an array is cut off"))?;
    let header = String::from_utf8_lossy(header);
    if !header.contains("'<f4'") || header.contains("'fortran_order': True") {
        return Err(bad(
            "an array is not of 32 bit floating point numbers in rows",
        ));
    }
    let numbers: Vec<f32> = data
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    if numbers.is_empty() || !numbers.len().is_multiple_of(row) {
        return Err(bad("an array has rows of another length"));
    }
    Ok(numbers)
}

fn directory(file: &mut File) -> io::Result<Vec<Entry>> {
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(END_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(END_BYTES_MAX).read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06");
    let end = end
        .filter(|end| end + 22 <= tail.len())
        .ok_or_else(|| bad("it is no zip archive"))?;
    let record = &tail[end..];
    let (bytes, at) = (u64::from(long(record, 12)), u64::from(long(record, 16)));
    if bytes > DIRECTORY_BYTES_MAX || at + bytes > length {
        return Err(bad("the archive's directory is damaged"));
    }
    file.seek(SeekFrom::Start(at))?;
    let mut rest = vec![0; bytes as usize];
    file.read_exact(&mut rest)?;
    let mut rest = rest.as_slice();
    let mut entries = Vec::new();
    while rest.len() >= 46 && rest.starts_with(b"PK\x01\x02") && entries.len() < ENTRIES_MAX {
        let lengths = [28, 30, 32].map(|at| usize::from(word(rest, at)));
        let size = 46 + lengths.iter().sum::<usize>();
        let name = rest
            .get(46..46 + lengths[0])
            .ok_or_else(|| bad("the archive's directory is cut off"))?;
        let stored = word(rest, 10) == 0;
        let name = String::from_utf8_lossy(name);
        if let Some(name) = name.strip_suffix(".npy").filter(|_| stored) {
            entries.push(Entry {
                name: name.to_owned(),
                offset: u64::from(long(rest, 42)),
                bytes: u64::from(long(rest, 24)),
            });
        }
        rest = rest.get(size..).unwrap_or_default();
    }
    Ok(entries)
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn bad(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
