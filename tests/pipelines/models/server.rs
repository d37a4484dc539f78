//! A server of models on this machine, over real sockets, that can be told to misbehave.
//!
//! It answers as the public hub does: small files at once under git's fingerprint, large ones by a
//! redirect that carries the SHA-256 to a store that knows ranges.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fusiform_pipelines::models::digest::{git_blob, sha256};

pub(crate) const REPO: &str = "someone/net";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn is_content(&self) -> bool {
        self.method == "GET" && self.path.starts_with("/store/")
    }
}

/// What goes back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The length that is announced; `None` announces none, and the end is the end of the connection.
    pub(crate) announced: Option<u64>,
    /// After so many bytes of the body nothing more comes, and the connection stays open.
    pub(crate) stall_after: Option<usize>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            status,
            headers: Vec::new(),
            announced: Some(body.len() as u64),
            body,
            stall_after: None,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Announces all and sends the first `n` bytes.
    pub(crate) fn cut(mut self, n: usize) -> Self {
        self.body.truncate(n);
        self
    }
}

type Fault = Box<dyn FnMut(&Asked, Answer) -> Answer + Send>;

/// What the server holds, and how it misbehaves.
pub(crate) struct State {
    /// `owner/name` of the one repository.
    pub(crate) repo: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) fault: Fault,
    pub(crate) asked: Vec<Asked>,
    /// Where content is stored, when that is another server.
    pub(crate) store: String,
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Serves `files` of [`REPO`]; those over 1000 bytes are large.
    pub(crate) fn start(files: &[(&str, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let files = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()));
        let state = Arc::new(Mutex::new(State {
            repo: REPO.to_owned(),
            files: files.collect(),
            fault: Box::new(|_, answer| answer),
            asked: Vec::new(),
            store: String::new(),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, ended) = (Arc::clone(&state), Arc::clone(&stop));
        in_a_thread(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (state, ended) = (Arc::clone(&seen), Arc::clone(&ended));
                in_a_thread(move || serve(&stream, &state, &ended));
            }
        });
        Self { url, state, stop }
    }

    pub(crate) fn misbehave(&self, fault: impl FnMut(&Asked, Answer) -> Answer + Send + 'static) {
        self.state.lock().expect("state").fault = Box::new(fault);
    }

    pub(crate) fn behave(&self) {
        self.misbehave(|_, answer| answer);
    }

    /// The requests so far; forgets them.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().expect("state").asked)
    }

    /// The requests for content so far; forgets all.
    pub(crate) fn contents(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(Asked::is_content).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let address = self.url.trim_start_matches("http://");
        drop(TcpStream::connect(address));
    }
}

fn in_a_thread(work: impl FnOnce() + Send + 'static) {
    let named = std::thread::Builder::new().name("server".to_owned());
    named.spawn(work).expect("a thread");
}

fn serve(mut stream: &TcpStream, state: &Mutex<State>, ended: &AtomicBool) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let mut words = first.split(' ').map(str::to_owned);
    let asked = Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        headers: lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect(),
    };
    let answer = {
        let mut state = state.lock().expect("state");
        state.asked.push(asked.clone());
        let answer = state.answer(&asked);
        (state.fault)(&asked, answer)
    };
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(announced) = answer.announced {
        head += &format!("Content-Length: {announced}\r\n");
    }
    // A client that went away is what some tests are about.
    let _gone = stream.write_all((head + "\r\n").as_bytes());
    if asked.method == "HEAD" {
        return;
    }
    let first = answer.stall_after.unwrap_or(answer.body.len());
    let _gone = stream.write_all(&answer.body[..first]);
    let _gone = stream.flush();
    while answer.stall_after.is_some() && !ended.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl State {
    fn answer(&self, asked: &Asked) -> Answer {
        if let Some(fingerprint) = asked.path.strip_prefix("/store/") {
            let content = self
                .files
                .values()
                .find(|bytes| sha256(bytes) == fingerprint);
            return content.map_or_else(|| Answer::new(404, ""), |bytes| stored(asked, bytes));
        }
        let path = asked
            .path
            .trim_start_matches('/')
            .trim_start_matches("datasets/");
        let Some(rest) = path.strip_prefix(&format!("{}/resolve/", self.repo)) else {
            return Answer::new(401, "").with("X-Error-Code", "RepoNotFound");
        };
        let Some((revision, file)) = rest.split_once('/') else {
            return Answer::new(404, "");
        };
        if ![COMMIT, "main"].contains(&revision) {
            return Answer::new(404, "").with("X-Error-Code", "RevisionNotFound");
        }
        let Some(bytes) = self.files.get(file) else {
            return Answer::new(404, "").with("X-Error-Code", "EntryNotFound");
        };
        let answer = if bytes.len() > 1000 {
            let fingerprint = sha256(bytes);
            Answer::new(302, "Found. Redirecting")
                .with("Location", format!("{}/store/{fingerprint}", self.store))
                .with("X-Linked-Etag", format!("\"{fingerprint}\""))
                .with("X-Linked-Size", bytes.len().to_string())
        } else {
            Answer::new(200, bytes.clone()).with("ETag", format!("\"{}\"", git_blob(bytes)))
        };
        answer.with("X-Repo-Commit", COMMIT)
    }
}

fn stored(asked: &Asked, bytes: &[u8]) -> Answer {
    let etag = format!("\"store-{}\"", &sha256(bytes)[..8]);
    let same = asked
        .headers
        .get("if-range")
        .is_none_or(|wanted| *wanted == etag);
    let from = asked
        .headers
        .get("range")
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()
        })
        .filter(|_| same)
        .unwrap_or(0usize);
    if from == 0 {
        return Answer::new(200, bytes).with("ETag", etag);
    }
    if from >= bytes.len() {
        return Answer::new(416, "");
    }
    Answer::new(206, &bytes[from..]).with("ETag", etag).with(
        "Content-Range",
        format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
    )
}

/// Bytes that look like anything and are the same every time.
pub(crate) fn noise(seed: u64, n: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(n).collect()
}

/// A sound safetensors file with one tensor of `n` f32 values.
pub(crate) fn weights(n: usize) -> Vec<u8> {
    let header = format!(
        r#"{{"w":{{"dtype":"F32","shape":[{n}],"data_offsets":[0,{}]}}}}"#,
        4 * n
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(noise(7, 4 * n));
    bytes
}
