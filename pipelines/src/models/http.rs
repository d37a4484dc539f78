//! Requests to a server of models, and what its refusals mean for the one who asked.

use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::hub::Hub;
use crate::Error;

/// No honest road to a file is longer.
const MOST_REDIRECTS: usize = 8;

/// A server that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// What a server answers.
pub(super) type Answer = Response<Body>;

/// Where a file is, and the page a person would read about it.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) page: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server has no such file; another may do.
    Absent(Error),
    /// Nobody is there: no network, no such host, refused.
    Unreachable(String),
    /// What may be better in a moment.
    Passing(String),
    /// What will be the same the next time.
    Final(Error),
}

/// What a server says of a file before sending it.
#[derive(Clone, Debug, Default)]
pub(super) struct Remote {
    /// The commit it belongs to, where the server keeps repositories.
    pub(super) commit: Option<String>,
    /// The fingerprint of its content, without quotes.
    pub(super) etag: Option<String>,
    /// Its length in bytes.
    pub(super) size: Option<u64>,
}

/// Asks on behalf of one user.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
}

impl Client {
    /// Errors when the certificates or the token that the user names are none.
    pub(super) fn new(hub: &Hub) -> Result<Self, Error> {
        let strange = |token: &String| token.bytes().any(|byte| !byte.is_ascii_graphic());
        if hub.token.as_ref().is_some_and(strange) {
            return Err(Error::data(
                "HF_TOKEN (or the token file) holds characters that no token has: copy it again",
            ));
        }
        let roots = match &hub.certificates {
            None => RootCerts::WebPki,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|e| Error::io(path, e))?;
                let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
                    .filter_map(|item| match item {
                        Ok(PemItem::Certificate(certificate)) => Some(certificate),
                        _ => None,
                    })
                    .collect();
                if certificates.is_empty() {
                    return Err(Error::file(
                        path,
                        "holds no certificate in PEM form: correct SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
                    ));
                }
                RootCerts::from(certificates)
            }
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("fusiform/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .new_agent();
        Ok(Self {
            agent,
            endpoint: hub.endpoint.clone(),
            token: hub.token.clone(),
        })
    }

    /// What the server says of a file. Large files are elsewhere, and the first answer describes
    /// them; what another server says of its copy is then of no interest.
    pub(super) fn describe(&self, address: &Address) -> Result<Remote, Failure> {
        let mut remote = Remote::default();
        let mut url = address.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = self.send(true, &url, &[])?;
            let headers = answer.headers();
            let text = |name: &str| header(headers, name);
            remote.commit = remote.commit.or_else(|| text("x-repo-commit"));
            if let Some(etag) = text("x-linked-etag") {
                remote.etag = Some(unquoted(&etag));
                remote.size = text("x-linked-size").and_then(|size| size.parse().ok());
                if remote.size.is_some() {
                    return Ok(remote);
                }
            }
            if let Some(next) = redirect(&answer, &url)? {
                url = next;
                continue;
            }
            if !answer.status().is_success() {
                return Err(self.refusal(&answer, address));
            }
            remote.etag = remote
                .etag
                .or_else(|| text("etag").map(|etag| unquoted(&etag)));
            remote.size = text("content-length").and_then(|size| size.parse().ok());
            return Ok(remote);
        }
        Err(lost(&address.url))
    }

    /// A file from byte `from` on, if it still is the one that `validator` names. The status is 200
    /// (all of it), 206 (the rest) or 416 (there is no rest).
    pub(super) fn get(
        &self,
        address: &Address,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Answer, Failure> {
        let range = format!("bytes={from}-");
        let mut extra = Vec::new();
        if from > 0 {
            extra.push(("range", range.as_str()));
            extra.extend(validator.map(|validator| ("if-range", validator)));
        }
        let mut url = address.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = self.send(false, &url, &extra)?;
            if let Some(next) = redirect(&answer, &url)? {
                url = next;
                continue;
            }
            return match answer.status().as_u16() {
                200 | 206 | 416 => Ok(answer),
                _ => Err(self.refusal(&answer, address)),
            };
        }
        Err(lost(&address.url))
    }

    fn send(&self, head: bool, url: &str, extra: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut request = if head {
            self.agent.head(url)
        } else {
            self.agent.get(url)
        };
        // Lengths and ranges are those of the file, not of a compressed form of it.
        request = request.header("accept-encoding", "identity");
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        // The token is for one server; a redirect may lead to another.
        if let Some(token) = &self.token
            && origin(url) == origin(&self.endpoint)
        {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|e| failure(url, &e))
    }

    fn refusal(&self, answer: &Answer, address: &Address) -> Failure {
        let status = answer.status().as_u16();
        let code = header(answer.headers(), "x-error-code").unwrap_or_default();
        let (url, page) = (&address.url, &address.page);
        let known = self.token.is_some();
        let problem = match (status, code.as_str()) {
            (429 | 500..=599, _) => {
                return Failure::Passing(format!("the server is busy or broken (HTTP {status})"));
            }
            (_, "GatedRepo") | (403, _) if known => format!(
                "is not open to the token that was sent: accept the licence at {page} with the \
                 same account, and give the token leave to read gated repositories"
            ),
            (_, "GatedRepo") | (403, _) => format!(
                "is given only to those who accepted its licence: accept it at {page}, make a \
                 token in the settings of your account there, and set HF_TOKEN to it"
            ),
            (401, _) if known => format!(
                "is refused to the token that was sent: look at {page} whether the repository \
                 exists, and whether HF_TOKEN is still valid"
            ),
            (401, _) => format!(
                "is not public: look at {page} whether the repository exists, and set HF_TOKEN if \
                 it is private or gated"
            ),
            (404, "RevisionNotFound") => {
                format!("there is no such revision of the repository: look at {page}")
            }
            (404 | 410, _) => {
                let problem =
                    format!("the server has no such file (HTTP {status}): look at {page}");
                return Failure::Absent(Error::file(url, problem));
            }
            _ => format!("the server refused (HTTP {status}): look at {page}"),
        };
        Failure::Final(Error::file(url, problem))
    }
}

/// One header as text.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// An ETag without its marks.
fn unquoted(etag: &str) -> String {
    let strong = etag.trim().trim_start_matches("W/");
    strong.trim_matches('"').to_owned()
}

/// Where an answer sends on to.
fn redirect(answer: &Answer, url: &str) -> Result<Option<String>, Failure> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = header(answer.headers(), "location") else {
        return Err(lost(url));
    };
    let next = if location.starts_with("http://") || location.starts_with("https://") {
        location
    } else if let Some(rest) = location.strip_prefix("//") {
        let scheme = url.split_once("//").map_or("https:", |(scheme, _)| scheme);
        format!("{scheme}//{rest}")
    } else if location.starts_with('/') {
        format!("{}{location}", origin(url))
    } else {
        let folder = url.split(['?', '#']).next().unwrap_or(url);
        let folder = folder.rsplit_once('/').map_or(folder, |(folder, _)| folder);
        format!("{folder}/{location}")
    };
    if url.starts_with("https://") && !next.starts_with("https://") {
        return Err(Failure::Final(Error::file(
            url,
            "sends on to an address that is not encrypted: do not trust it; check HF_ENDPOINT",
        )));
    }
    Ok(Some(next))
}

/// `scheme://host:port` of an address.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?', '#']));
    url.get(..end.map_or(url.len(), |end| start + end))
        .unwrap_or(url)
}

fn lost(url: &str) -> Failure {
    Failure::Final(Error::file(
        url,
        "the server sends on and on and never to a file: check HF_ENDPOINT",
    ))
}

fn failure(url: &str, error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
            Failure::Unreachable(error.to_string())
        }
        ureq::Error::Io(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::HostUnreachable
                    | std::io::ErrorKind::NetworkUnreachable
            ) =>
        {
            Failure::Unreachable(e.to_string())
        }
        // What rustls thinks of a certificate comes as invalid data.
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => {
            unsafe_connection(url, &e.to_string())
        }
        ureq::Error::Io(e) => Failure::Passing(e.to_string()),
        ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => Failure::Passing(error.to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Final(Error::file(
            url,
            "is no address: correct HF_ENDPOINT, as in https://huggingface.co",
        )),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => unsafe_connection(url, &error.to_string()),
        _ => Failure::Final(Error::file(
            url,
            format!("{error}: check HF_ENDPOINT and the proxy"),
        )),
    }
}

fn unsafe_connection(url: &str, why: &str) -> Failure {
    Failure::Final(Error::file(
        url,
        format!(
            "the connection is not safe ({why}): where a proxy looks into what passes, name its \
             certificates with SSL_CERT_FILE"
        ),
    ))
}
