//! One file from a server to the disk: taken up where it was left, held against its fingerprint, and
//! only then given its name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cache::INCOMPLETE;
use super::check::foreign;
use super::digest::Digest;
use super::http::{Address, Answer, Client, Failure, header};
use super::{human, safetensors};
use crate::io::write::make_folder;
use crate::run::Run;
use crate::{Error, Stop};

/// Failures in a row, with not a byte between them, before giving up.
const MOST_TRIES: u32 = 5;

/// What to bring, and where.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Its own name, for people and for what its ending says.
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) size: Option<u64>,
    pub(super) digest: Option<Digest>,
    /// The name it gets when it is whole.
    pub(super) to: PathBuf,
    /// The file that is locked meanwhile.
    pub(super) lock: PathBuf,
}

impl Wanted {
    /// Whether it is there already.
    pub(super) fn is_there(&self) -> bool {
        is_file_of(&self.to, self.size)
    }

    /// Bytes that came at an earlier try.
    pub(super) fn so_far(&self) -> u64 {
        self.partial().metadata().map_or(0, |meta| meta.len())
    }

    fn partial(&self) -> PathBuf {
        beside(&self.to, INCOMPLETE)
    }

    /// Where the server's name for the state of the file is kept while it is incomplete.
    fn validator(&self) -> PathBuf {
        beside(&self.to, ".incomplete.etag")
    }
}

/// Whether `path` is a file of this length.
pub(super) fn is_file_of(path: &Path, size: Option<u64>) -> bool {
    let meta = path.metadata().ok().filter(fs::Metadata::is_file);
    meta.is_some_and(|meta| size.is_none_or(|size| size == meta.len()))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Brings a file. Whatever ends it before its end (a signal too) leaves what has come, and the next
/// call goes on from there.
pub(super) fn fetch(
    client: &Client,
    wanted: &Wanted,
    patience: Duration,
    run: &Run<'_>,
) -> Result<(), Stop> {
    for path in [&wanted.to, &wanted.lock] {
        make_folder(path.parent().unwrap_or(path))?;
    }
    let _held = locked(wanted, run)?;
    // Another process may have brought it while this one waited.
    if wanted.is_there() {
        return Ok(());
    }
    let partial = wanted.partial();
    let mut resumed = bring(client, wanted, patience, run)?;
    while let Err(error) = whole(wanted, &partial, run) {
        // Neither says anything against what came.
        if matches!(error, Stop::Cancelled | Stop::Failed(Error::Io { .. })) {
            return Err(error);
        }
        remove(&partial)?;
        remove(&wanted.validator())?;
        // The first part may have been another file's: once more, from the start.
        if !resumed {
            return Err(error);
        }
        resumed = bring(client, wanted, patience, run)?;
    }
    fs::rename(&partial, &wanted.to).map_err(|e| Error::io(&wanted.to, e))?;
    remove(&wanted.validator())?;
    Ok(())
}

/// Waits until no other process fetches the same file.
fn locked(wanted: &Wanted, run: &Run<'_>) -> Result<File, Stop> {
    let path = &wanted.lock;
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|e| Error::io(path, e))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    run.stage(format!("waiting: another process fetches {}", wanted.name));
                    told = true;
                }
                run.check()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            // Some network disks have no locks.
            Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {
                run.warn("this disk has no locks: let one process at a time fetch models");
                return Ok(file);
            }
            Err(TryLockError::Error(e)) => return Err(Error::io(path, e).into()),
        }
    }
}

/// Writes to the partial file until the server has no more. Whether some of it was there before.
fn bring(
    client: &Client,
    wanted: &Wanted,
    patience: Duration,
    run: &Run<'_>,
) -> Result<bool, Stop> {
    let partial = wanted.partial();
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(&partial);
    let mut file = file.map_err(|e| Error::io(&partial, e))?;
    let mut tries = 0;
    loop {
        run.check()?;
        let mut have = file.metadata().map_err(|e| Error::io(&partial, e))?.len();
        let validator = fs::read_to_string(wanted.validator()).ok();
        // What came is of no use when it is too long, or when nothing could tell whether its
        // continuation belongs to it.
        let too_long = wanted.size.is_some_and(|size| have > size);
        if too_long || (wanted.digest.is_none() && validator.is_none()) {
            have = 0;
        }
        if have > 0 && Some(have) == wanted.size {
            return Ok(true);
        }
        let problem = match client.get(&wanted.address, have, validator.as_deref()) {
            Ok(answer) => {
                let start = start_of(&answer, have, wanted.size, validator.as_deref());
                if answer.status().as_u16() == 206 && start.is_none() {
                    // Another part, or of another file: ask for all of it.
                    empty(&mut file, wanted)?;
                    tries += 1;
                    "the server sent another part than the one asked for".to_owned()
                } else if answer.status().as_u16() == 416 {
                    empty(&mut file, wanted)?;
                    tries += 1;
                    "the server has no such part of the file".to_owned()
                } else {
                    let start = start.unwrap_or(0);
                    match receive(answer, &mut file, start, wanted, run)? {
                        Received::All => return Ok(start > 0),
                        Received::Part { some, why } => {
                            tries = if some { 1 } else { tries + 1 };
                            why
                        }
                    }
                }
            }
            Err(Failure::Passing(why) | Failure::Unreachable(why)) => {
                tries += 1;
                why
            }
            Err(Failure::Final(error) | Failure::Absent(error)) => return Err(error.into()),
        };
        if tries >= MOST_TRIES {
            let have = wanted.so_far();
            return Err(Error::file(
                &wanted.address.url,
                format!(
                    "the connection was lost after {} ({problem}): run the same command again, it \
                     goes on from there",
                    of(have, wanted.size)
                ),
            )
            .into());
        }
        pause(patience * 2u32.pow(tries.saturating_sub(1)), run)?;
    }
}

/// The byte at which the body of an answer starts; `None` when a part is not the one asked for.
fn start_of(answer: &Answer, have: u64, size: Option<u64>, validator: Option<&str>) -> Option<u64> {
    if answer.status().as_u16() != 206 {
        return Some(0);
    }
    let etag = header(answer.headers(), "etag");
    if let (Some(before), Some(now)) = (validator, etag.as_deref())
        && before != now
    {
        return None;
    }
    let range = header(answer.headers(), "content-range")?;
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let start: u64 = part.split_once('-')?.0.parse().ok()?;
    let total: Option<u64> = total.parse().ok();
    let fits = start == have && total.is_none_or(|total| size.is_none_or(|size| size == total));
    fits.then_some(start)
}

enum Received {
    All,
    Part { some: bool, why: String },
}

/// Writes the body of an answer from byte `start` on.
fn receive(
    answer: Answer,
    file: &mut File,
    start: u64,
    wanted: &Wanted,
    run: &Run<'_>,
) -> Result<Received, Stop> {
    let headers = answer.headers();
    let is_page = header(headers, "content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if is_page && !wanted.name.ends_with(".html") {
        return Err(Error::file(&wanted.address.url, A_PAGE).into());
    }
    let partial = wanted.partial();
    let cannot = |e| cannot_write(&partial, wanted, e);
    let announced: Option<u64> = header(headers, "content-length").and_then(|n| n.parse().ok());
    if start == 0 {
        empty(file, wanted)?;
        // A weak ETag does not promise the same bytes.
        if let Some(etag) = header(headers, "etag").filter(|etag| !etag.starts_with("W/")) {
            let path = wanted.validator();
            fs::write(&path, etag).map_err(|e| cannot_write(&path, wanted, e))?;
        }
    }
    file.seek(SeekFrom::Start(start)).map_err(cannot)?;
    let mut body = answer.into_body().into_reader();
    let mut buffer = vec![0; 1 << 18];
    let mut came = 0;
    let why = loop {
        run.check()?;
        match body.read(&mut buffer) {
            Ok(0) => break "the connection was closed".to_owned(),
            Ok(n) => {
                file.write_all(buffer.get(..n).unwrap_or_default())
                    .map_err(cannot)?;
                came += n as u64;
                let total = wanted.size.unwrap_or(0);
                run.progress((start + came) as usize, total as usize);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => break e.to_string(),
        }
    };
    // Where the answer does not say how long it is, only its end by itself is an end.
    let complete = match announced {
        Some(announced) => came >= announced,
        None => why == "the connection was closed" && wanted.size.is_none_or(|s| start + came >= s),
    };
    if complete {
        file.sync_data().map_err(cannot)?;
        return Ok(Received::All);
    }
    Ok(Received::Part {
        some: came > 0,
        why,
    })
}

const A_PAGE: &str = "the server sent a web page instead of the file: open the address in a browser \
                      to see why (a log-in, a proxy, a licence to accept)";

/// Whether the partial file is the one wanted; the error says why not.
fn whole(wanted: &Wanted, partial: &Path, run: &Run<'_>) -> Result<(), Stop> {
    let url = &wanted.address.url;
    let len = partial.metadata().map_err(|e| Error::io(partial, e))?.len();
    if !wanted.name.ends_with(".html")
        && let Some(what) = foreign(partial)?
    {
        return Err(Error::file(url, format!("the server sent {what}: nothing was kept")).into());
    }
    if let Some(size) = wanted.size
        && size != len
    {
        let problem = format!(
            "the server announced {size} bytes and sent {len}: nothing was kept; run the same \
             command again"
        );
        return Err(Error::file(url, problem).into());
    }
    if let Some(digest) = &wanted.digest {
        if len > 1 << 28 {
            run.stage(format!("checking {}", wanted.name));
        }
        if !digest.fits(partial, run)? {
            let problem = "what came has another checksum than the file should have: nothing was \
                           kept; run the same command again, and if it stays so, don't trust the server";
            return Err(Error::file(url, problem).into());
        }
    }
    if wanted.name.ends_with(".safetensors") {
        safetensors::header(partial)
            .map_err(|e| Error::file(url, format!("what came is damaged: {e}")))?;
    }
    Ok(())
}

fn empty(file: &mut File, wanted: &Wanted) -> Result<(), Stop> {
    remove(&wanted.validator())?;
    file.set_len(0)
        .map_err(|e| Error::io(wanted.partial(), e).into())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

fn cannot_write(path: &Path, wanted: &Wanted, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::file(
            path,
            format!(
                "the disk is full after {} of {}: free some space and run the same command again, \
                 it goes on from there; HF_HOME names another disk",
                of(wanted.so_far(), wanted.size),
                wanted.name
            ),
        ),
        _ => Error::io(path, error),
    }
}

fn of(have: u64, size: Option<u64>) -> String {
    match size {
        Some(size) => format!("{} of {}", human(have), human(size)),
        None => human(have),
    }
}

/// Waits, and hears a cancel meanwhile.
fn pause(wait: Duration, run: &Run<'_>) -> Result<(), Stop> {
    let end = Instant::now() + wait;
    loop {
        run.check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}
