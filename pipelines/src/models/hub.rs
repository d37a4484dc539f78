//! Where models come from and where they are kept, read once from the environment.
//!
//! The variables are those of Python's `huggingface_hub` and of `torch.hub`, with the same meaning and
//! the same defaults.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The public server.
pub const ENDPOINT: &str = "https://huggingface.co";

/// A server of models and the folders of this machine that hold what came from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hub {
    /// The server, without a slash at its end (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The folder of `models--…` folders (`HF_HUB_CACHE`, else `hub` in `HF_HOME`).
    pub cache: PathBuf,
    /// The folder of weights that PyTorch itself publishes (`hub/checkpoints` in `TORCH_HOME`).
    pub checkpoints: PathBuf,
    /// Says who asks (`HF_TOKEN`, else the file `token` in `HF_HOME`). Sent to `endpoint` alone.
    pub token: Option<String>,
    /// Never ask the network (`HF_HUB_OFFLINE`).
    pub offline: bool,
    /// A file of certificates to trust in place of the built-in ones (`SSL_CERT_FILE`,
    /// `REQUESTS_CA_BUNDLE`), for networks that look into what passes.
    pub certificates: Option<PathBuf>,
    /// The wait before a dropped connection is taken up again; doubled at every failure in a row.
    pub patience: Duration,
}

// By hand, so that a token never gets into a log.
impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("endpoint", &self.endpoint)
            .field("cache", &self.cache)
            .field("checkpoints", &self.checkpoints)
            .field("has_token", &self.token.is_some())
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// What the variables say; `get` is [`std::env::var_os`] in the program.
    pub fn from_env(get: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let var = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| var(name).map(|value| value.to_string_lossy().trim().to_owned());
        let folder = |name: &str| var(name).map(|value| at_home(PathBuf::from(value), get));
        let caches = folder("XDG_CACHE_HOME").unwrap_or_else(|| home(get).join(".cache"));
        let hf_home = folder("HF_HOME").unwrap_or_else(|| caches.join("huggingface"));
        let cache = folder("HF_HUB_CACHE")
            .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
            .unwrap_or_else(|| hf_home.join("hub"));
        let torch = folder("TORCH_HOME").unwrap_or_else(|| caches.join("torch"));
        let token_file = folder("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| std::fs::read_to_string(token_file).ok())
            .map(|token| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        let yes = |name: &str| {
            text(name).is_some_and(|value| {
                ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
            })
        };
        Self {
            endpoint: text("HF_ENDPOINT")
                .unwrap_or_else(|| ENDPOINT.to_owned())
                .trim_end_matches('/')
                .to_owned(),
            cache,
            checkpoints: torch.join("hub").join("checkpoints"),
            token,
            offline: yes("HF_HUB_OFFLINE") || yes("TRANSFORMERS_OFFLINE"),
            certificates: folder("SSL_CERT_FILE").or_else(|| folder("REQUESTS_CA_BUNDLE")),
            patience: Duration::from_secs(1),
        }
    }
}

fn home(get: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    let named = get("HOME").filter(|value| !value.is_empty());
    named
        .map(PathBuf::from)
        .or_else(std::env::home_dir)
        .unwrap_or_default()
}

/// `~` at the front means the user's own folder, as it does to Python.
fn at_home(path: PathBuf, get: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => home(get).join(rest),
        Err(_) => path,
    }
}
