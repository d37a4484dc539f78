//! Bringing a published model to this machine, so that it is there whole or not at all.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::cache::{Folder, present};
use super::digest::Digest;
use super::fetch::{Wanted, fetch, is_file_of};
use super::http::{Address, Client, Failure, Remote};
use super::hub::Hub;
use super::human;
use super::registry::{Model, choices, file_name};
use crate::run::Run;
use crate::{Error, Stop};

/// How often a question is asked again.
const MOST_QUESTIONS: u32 = 3;

/// What `pull` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pulled {
    /// The model's name in the registry.
    pub name: String,
    /// The folder that holds its files under their own names.
    pub folder: PathBuf,
    /// The commit they belong to; none for files that are in no repository.
    pub commit: Option<String>,
    /// The files.
    pub files: Vec<PathBuf>,
    /// Their length together.
    pub bytes: u64,
    /// Bytes of those that were not here before.
    pub fetched_bytes: u64,
}

/// Brings what is missing of `model`, held against the fingerprints that its server gives. What is
/// whole already is not fetched again; what was begun is gone on with.
///
/// # Errors
/// When the network, the server or the disk refuses, or a file is not what it should be; each says
/// what to do. Nothing of a broken file can be mistaken for a whole one.
pub fn pull(model: &Model, hub: &Hub, run: &Run<'_>) -> Result<Pulled, Stop> {
    if hub.offline {
        return here_already(model, hub);
    }
    let client = Client::new(hub)?;
    run.stage(format!("asking for {}", model.name));
    let asked = match &model.repo {
        Some(repo) => of_repository(model, repo, hub, &client, run),
        None => of_addresses(model, hub, &client, run),
    };
    let plan = match asked {
        Ok(plan) => plan,
        Err(Refused::Stop(stop)) => return Err(stop),
        // Nobody answers, but everything is here.
        Err(Refused::Unreachable(error)) if present(hub, model).missing.is_empty() => {
            run.warn(format!(
                "{error}; the copy on this machine is used as it is"
            ));
            return Ok(pulled(model, hub, None, 0));
        }
        Err(Refused::Unreachable(error)) => return Err(error.into()),
    };
    let wanted: Vec<&Wanted> = plan.files.iter().filter(|file| !file.is_there()).collect();
    has_room(&wanted, plan.root.as_path())?;
    let n = wanted.len();
    let mut fetched_bytes = 0;
    for (i, file) in wanted.into_iter().enumerate() {
        let size = file
            .size
            .map_or_else(String::new, |size| format!(" ({})", human(size)));
        let begun = match file.so_far() {
            0 => String::new(),
            have => format!(", {} of it here", human(have)),
        };
        run.stage(format!("file {} of {n}: {}{size}{begun}", i + 1, file.name));
        if file.digest.is_none() {
            run.warn(format!(
                "{}: the server gives no checksum, only its length is checked",
                file.name
            ));
        }
        fetch(&client, file, hub.patience, run)?;
        fetched_bytes += file.to.metadata().map_or(0, |meta| meta.len());
    }
    if let (Some(commit), Some(repo)) = (&plan.commit, &model.repo) {
        let folder = Folder::of(hub, repo, model.dataset);
        for link in &plan.links {
            folder.link(commit, &link.file, &link.fingerprint)?;
        }
        // Last, so that the revision never names a commit whose files are not all here.
        folder.set_commit(&model.revision, commit)?;
    }
    Ok(pulled(model, hub, plan.commit, fetched_bytes))
}

fn pulled(model: &Model, hub: &Hub, commit: Option<String>, fetched_bytes: u64) -> Pulled {
    let present = present(hub, model);
    Pulled {
        name: model.name.clone(),
        folder: present.folder,
        commit,
        files: present.files,
        bytes: present.bytes,
        fetched_bytes,
    }
}

fn here_already(model: &Model, hub: &Hub) -> Result<Pulled, Stop> {
    let missing = present(hub, model).missing;
    if missing.is_empty() {
        return Ok(pulled(model, hub, None, 0));
    }
    Err(Error::Choice(format!(
        "{} is not whole on this machine (missing: {}), and HF_HUB_OFFLINE forbids to fetch it: \
         unset it, or copy the folder from a machine that has it into {}",
        model.name,
        missing.join(", "),
        hub.cache.display()
    ))
    .into())
}

/// What to bring, and what to do with it then.
struct Plan {
    files: Vec<Wanted>,
    links: Vec<Link>,
    commit: Option<String>,
    /// The folder whose disk is filled.
    root: PathBuf,
}

struct Link {
    file: String,
    fingerprint: String,
}

enum Refused {
    Unreachable(Error),
    Stop(Stop),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Stop(error.into())
    }
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// Asks the hub about every file. The first answer names the commit; the others are asked of that
/// commit, so that a push in between cannot mix two states.
fn of_repository(
    model: &Model,
    repo: &str,
    hub: &Hub,
    client: &Client,
    run: &Run<'_>,
) -> Result<Plan, Refused> {
    let folder = Folder::of(hub, repo, model.dataset);
    let kind = if model.dataset { "datasets/" } else { "" };
    let page = format!("{}/{kind}{repo}", hub.endpoint);
    let mut commit: Option<String> = None;
    let mut files = Vec::new();
    let mut links = Vec::new();
    for (i, choice) in model.files.iter().enumerate() {
        run.progress(i, model.files.len());
        let mut absent = None;
        let mut found = None;
        for file in choices(choice) {
            let revision = commit.as_deref().unwrap_or(&model.revision);
            let address = Address {
                url: format!("{page}/resolve/{revision}/{}", encoded(file)),
                page: page.clone(),
            };
            match ask(client, &address, hub, run)? {
                Ok(remote) => {
                    found = Some((file, address, remote));
                    break;
                }
                Err(error) => absent = Some(error),
            }
        }
        let Some((file, address, remote)) = found else {
            let error = absent.unwrap_or_else(|| Error::data(format!("{repo}: no file is named")));
            return Err(error.into());
        };
        let (Some(at), Some(etag)) = (remote.commit, remote.etag) else {
            return Err(Error::file(
                &address.url,
                "the answer names no commit and no fingerprint: HF_ENDPOINT must name a server \
                 that speaks as the hub does",
            )
            .into());
        };
        if !is_plain(&at) || !is_plain(&etag) {
            let problem = "the answer's fingerprint cannot be a file name: check HF_ENDPOINT";
            return Err(Error::file(&address.url, problem).into());
        }
        let known = model.sha256.get(file);
        let digest = match (fingerprint(&etag), known) {
            (Some(Digest::Sha256(theirs)), Some(known)) if !theirs.eq_ignore_ascii_case(known) => {
                let problem = "the server has another file than the one this version knows: do \
                               not trust it, or look for a newer version of fusiform";
                return Err(Error::file(&address.url, problem).into());
            }
            (_, Some(known)) => Some(Digest::Sha256(known.clone())),
            (theirs, None) => theirs,
        };
        // Where the system has no links the content lies under its own name.
        let own = folder.snapshot(&at).join(file);
        if is_file_of(&own, remote.size) {
            commit.get_or_insert(at);
            continue;
        }
        files.push(Wanted {
            name: file.to_owned(),
            address,
            size: remote.size,
            digest,
            to: folder.blob(&etag),
            lock: folder.lock(&etag),
        });
        links.push(Link {
            file: file.to_owned(),
            fingerprint: etag,
        });
        commit.get_or_insert(at);
    }
    Ok(Plan {
        files,
        links,
        commit,
        root: folder.root,
    })
}

/// Asks about files that are in no repository.
fn of_addresses(model: &Model, hub: &Hub, client: &Client, run: &Run<'_>) -> Result<Plan, Refused> {
    let mut files = Vec::new();
    for url in &model.urls {
        let address = Address {
            url: url.clone(),
            page: url.clone(),
        };
        let remote = ask(client, &address, hub, run)??;
        let name = file_name(url);
        files.push(Wanted {
            name: name.to_owned(),
            address,
            size: remote.size,
            digest: match model.sha256.get(name) {
                Some(known) => Some(Digest::Sha256(known.clone())),
                None => prefix_in(name).map(Digest::Sha256Prefix),
            },
            to: hub.checkpoints.join(name),
            lock: hub.cache.join(".locks").join(format!("{name}.lock")),
        });
    }
    Ok(Plan {
        files,
        links: Vec::new(),
        commit: None,
        root: hub.checkpoints.clone(),
    })
}

/// Asks what the server says of a file, and again when it stammers. The inner error is “no such file”.
fn ask(
    client: &Client,
    address: &Address,
    hub: &Hub,
    run: &Run<'_>,
) -> Result<Result<Remote, Error>, Refused> {
    let mut tries = 0;
    loop {
        run.check()?;
        let unreachable = |why: &str| {
            Refused::Unreachable(Error::file(
                &address.url,
                format!(
                    "no answer ({why}): check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT, \
                     then run the same command again"
                ),
            ))
        };
        match client.describe(address) {
            Ok(remote) => return Ok(Ok(remote)),
            Err(Failure::Absent(error)) => return Ok(Err(error)),
            Err(Failure::Final(error)) => return Err(error.into()),
            Err(Failure::Unreachable(why)) => return Err(unreachable(&why)),
            Err(Failure::Passing(why)) => {
                tries += 1;
                if tries >= MOST_QUESTIONS {
                    return Err(unreachable(&why));
                }
                std::thread::sleep(hub.patience);
            }
        }
    }
}

/// What a fingerprint of the hub is, by its length.
fn fingerprint(etag: &str) -> Option<Digest> {
    let is_hex = etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    match etag.len() {
        64 if is_hex => Some(Digest::Sha256(etag.to_owned())),
        40 if is_hex => Some(Digest::GitBlob(etag.to_owned())),
        _ => None,
    }
}

/// PyTorch's own files carry the start of their SHA-256 in their name: `alexnet-owt-7be5be79.pth`.
fn prefix_in(name: &str) -> Option<String> {
    let (stem, _) = name.rsplit_once('.')?;
    let (_, digits) = stem.rsplit_once('-')?;
    let fits = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| digits.to_owned())
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.len() < 200 && !name.starts_with('.') && name.bytes().all(plain)
}

/// A path for an address.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            out.push(byte as char);
        } else {
            // Writing to a string cannot fail.
            let _done = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Says so before the first byte when the disk cannot hold what is coming.
fn has_room(wanted: &[&Wanted], folder: &Path) -> Result<(), Error> {
    let to_come = |file: &&Wanted| file.size.unwrap_or(0).saturating_sub(file.so_far());
    let needed: u64 = wanted.iter().map(to_come).sum();
    let Some(free) = free_bytes(folder) else {
        return Ok(());
    };
    if needed <= free {
        return Ok(());
    }
    Err(Error::file(
        folder,
        format!(
            "{} are to come and the disk has {} free: free some space, or name another disk with \
             HF_HOME",
            human(needed),
            human(free)
        ),
    ))
}

/// Bytes that this user may still write on the disk of `folder`; `None` where the system does not say.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}
