//! What comes from a server: whole, taken up, refused, and never in half.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fusiform_pipelines::models::cache::present;
use fusiform_pipelines::models::digest::sha256;
use fusiform_pipelines::models::pull::Pulled;
use fusiform_pipelines::models::registry::parse;
use fusiform_pipelines::models::{Hub, Model, pull};
use fusiform_pipelines::run::{CancelToken, Event, Run, Stop, quietly};

use super::server::{Answer, COMMIT, REPO, Server, noise, weights};
use super::{hub, model};

const CONFIG: &[u8] = br#"{"architectures": ["Net"]}"#;
const WEIGHTS: &str = "unet/model.safetensors";

struct Scene {
    server: Server,
    hub: Hub,
    model: Model,
    folder: tempfile::TempDir,
    content: Vec<u8>,
}

impl Scene {
    /// A small and a large file behind a server, and an empty cache.
    fn new() -> Self {
        let content = weights(200_000);
        let server = Server::start(&[("config.json", CONFIG.to_vec()), (WEIGHTS, content.clone())]);
        let folder = tempfile::tempdir().unwrap();
        Self {
            hub: hub(&server.url, folder.path()),
            model: model(&["config.json", WEIGHTS]),
            server,
            folder,
            content,
        }
    }

    fn pull(&self) -> Result<Pulled, Stop> {
        quietly(|run| pull(&self.model, &self.hub, run))
    }

    fn refused(&self) -> String {
        let error = self.pull().expect_err("it should be refused").to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    fn root(&self) -> PathBuf {
        self.hub
            .cache
            .join(format!("models--{}", REPO.replace('/', "--")))
    }

    fn blob(&self) -> PathBuf {
        self.root().join("blobs").join(sha256(&self.content))
    }

    fn partial(&self) -> PathBuf {
        self.blob().with_extension("incomplete")
    }

    /// Nothing that could be taken for the large file.
    fn assert_not_here(&self) {
        assert!(!self.blob().exists());
        assert!(!self.root().join("refs").exists());
        assert!(
            present(&self.hub, &self.model)
                .missing
                .contains(&WEIGHTS.to_owned())
        );
    }

    fn assert_whole(&self) {
        let snapshot = self.root().join("snapshots").join(COMMIT);
        assert_eq!(fs::read(snapshot.join("config.json")).unwrap(), CONFIG);
        assert!(
            fs::read(snapshot.join(WEIGHTS)).unwrap() == self.content,
            "other bytes"
        );
        assert_eq!(
            fs::read_to_string(self.root().join("refs/main")).unwrap(),
            COMMIT
        );
        assert!(!self.partial().exists());
        assert!(present(&self.hub, &self.model).missing.is_empty());
    }
}

/// Cuts the first `n` answers with content after `at` bytes.
fn cutting(n: usize, at: usize) -> impl FnMut(&super::server::Asked, Answer) -> Answer {
    let mut left = n;
    move |asked, answer| {
        if asked.is_content() && left > 0 {
            left -= 1;
            return answer.cut(at);
        }
        answer
    }
}

#[test]
fn a_pulled_model_lies_where_python_looks_for_it() {
    let scene = Scene::new();
    let pulled = scene.pull().unwrap();
    scene.assert_whole();
    assert_eq!(pulled.commit.as_deref(), Some(COMMIT));
    assert_eq!(pulled.bytes, (CONFIG.len() + scene.content.len()) as u64);
    assert_eq!(pulled.fetched_bytes, pulled.bytes);
    #[cfg(unix)]
    {
        let link = fs::read_link(pulled.folder.join(WEIGHTS)).unwrap();
        let wanted = format!("../../../blobs/{}", sha256(&scene.content));
        assert_eq!(link, Path::new(&wanted));
    }
    // What is here is not fetched again.
    scene.server.asked();
    assert_eq!(scene.pull().unwrap().fetched_bytes, 0);
    assert!(
        scene
            .server
            .asked()
            .iter()
            .all(|asked| asked.method == "HEAD")
    );
}

#[test]
fn a_dropped_connection_is_taken_up_where_it_ended() {
    let scene = Scene::new();
    scene.server.misbehave(cutting(1, 300_000));
    scene.pull().unwrap();
    scene.assert_whole();
    let contents = scene.server.contents();
    assert_eq!(contents.len(), 2);
    assert!(!contents[0].headers.contains_key("range"));
    assert_eq!(contents[1].headers["range"], "bytes=300000-");
    let etag = format!("\"store-{}\"", &sha256(&scene.content)[..8]);
    assert_eq!(contents[1].headers["if-range"], etag);
}

#[test]
fn a_server_that_keeps_dropping_is_given_up_and_what_came_is_kept() {
    let scene = Scene::new();
    let mut first = true;
    scene.server.misbehave(move |asked, answer| {
        if !asked.is_content() {
            return answer;
        }
        let at = if std::mem::take(&mut first) {
            123_456
        } else {
            0
        };
        answer.cut(at)
    });
    let error = scene.refused();
    assert!(error.contains("lost after 123.5 kB of 800"), "{error}");
    assert!(error.contains("goes on from there"), "{error}");
    scene.assert_not_here();
    assert_eq!(fs::metadata(scene.partial()).unwrap().len(), 123_456);
    assert_eq!(present(&scene.hub, &scene.model).incomplete_bytes, 123_456);
    scene.server.behave();
    scene.server.asked();
    scene.pull().unwrap();
    scene.assert_whole();
    assert_eq!(scene.server.contents()[0].headers["range"], "bytes=123456-");
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let scene = Scene::new();
    let content = scene.content.clone();
    let mut n = 0;
    scene.server.misbehave(move |asked, answer| {
        if !asked.is_content() {
            return answer;
        }
        n += 1;
        let whole = Answer::new(200, content.clone());
        if n == 1 { whole.cut(300_000) } else { whole }
    });
    scene.pull().unwrap();
    scene.assert_whole();
}

#[test]
fn a_part_of_another_place_or_another_file_is_not_appended() {
    for wrong in [
        "bytes 5-800060/800061",
        "bytes 300000-800060/900000",
        "nonsense",
    ] {
        let scene = Scene::new();
        let mut n = 0;
        scene.server.misbehave(move |asked, mut answer| {
            if !asked.is_content() {
                return answer;
            }
            n += 1;
            if n == 1 {
                return answer.cut(300_000);
            }
            for (name, value) in &mut answer.headers {
                if name == "Content-Range" {
                    wrong.clone_into(value);
                }
            }
            answer
        });
        scene.pull().unwrap();
        scene.assert_whole();
        let ranges = scene.server.contents();
        assert!(!ranges[2].headers.contains_key("range"), "{wrong}");
    }
}

#[test]
fn a_file_that_changed_on_the_server_is_fetched_from_its_start() {
    // Half of the old file is here, under the old fingerprint.
    let mut scene = Scene::new();
    scene
        .server
        .misbehave(|asked, answer| match asked.is_content() {
            true => answer.cut(if asked.headers.contains_key("range") {
                0
            } else {
                400_000
            }),
            false => answer,
        });
    scene.refused();
    let old = scene.partial();
    assert_eq!(fs::metadata(&old).unwrap().len(), 400_000);
    scene.content = weights(150_000);
    let mut state = scene.server.state.lock().unwrap();
    state
        .files
        .insert(WEIGHTS.to_owned(), scene.content.clone());
    drop(state);
    scene.server.behave();
    scene.server.asked();
    scene.pull().unwrap();
    scene.assert_whole();
    assert!(!scene.server.contents()[0].headers.contains_key("range"));
}

#[test]
fn a_store_that_changed_answers_with_all_of_it() {
    // The server's name for its copy changed between two tries: the second answer is whole.
    let scene = Scene::new();
    scene.server.misbehave(cutting(5, 0));
    scene.refused();
    fs::write(scene.partial(), &scene.content[..1000]).unwrap();
    let mut etag = scene.partial().into_os_string();
    etag.push(".etag");
    fs::write(&etag, "\"another state\"").unwrap();
    scene.server.behave();
    scene.server.asked();
    scene.pull().unwrap();
    scene.assert_whole();
    let contents = scene.server.contents();
    assert_eq!(contents[0].headers["if-range"], "\"another state\"");
    assert_eq!(contents.len(), 1);
    assert!(!Path::new(&etag).exists());
}

#[test]
fn a_start_that_was_another_files_is_found_out_by_the_checksum() {
    let scene = Scene::new();
    fs::create_dir_all(scene.root().join("blobs")).unwrap();
    fs::write(scene.partial(), noise(3, 1000)).unwrap();
    scene.pull().unwrap();
    scene.assert_whole();
    let contents = scene.server.contents();
    assert_eq!(contents[0].headers["range"], "bytes=1000-");
    assert!(!contents[1].headers.contains_key("range"));
}

#[test]
fn a_wrong_checksum_is_refused_and_nothing_kept() {
    let scene = Scene::new();
    scene.server.misbehave(|asked, mut answer| {
        if asked.is_content() {
            answer.body[500_000] ^= 1;
        }
        answer
    });
    let error = scene.refused();
    assert!(
        error.contains("checksum") && error.contains("nothing was kept"),
        "{error}"
    );
    scene.assert_not_here();
    assert!(!scene.partial().exists());
    // A small file, by git's fingerprint.
    let scene = Scene::new();
    scene.server.misbehave(|asked, mut answer| {
        if asked.path.ends_with("config.json") && asked.method == "GET" {
            answer.body[0] = b'[';
        }
        answer
    });
    let error = scene.refused();
    assert!(
        error.contains("config.json") && error.contains("checksum"),
        "{error}"
    );
}

#[test]
fn a_fingerprint_that_is_not_the_known_one_is_refused_before_the_download() {
    let mut scene = Scene::new();
    scene
        .model
        .sha256
        .insert(WEIGHTS.to_owned(), sha256(b"what it should be"));
    let error = scene.refused();
    assert!(
        error.contains("another file than the one this version knows"),
        "{error}"
    );
    assert!(scene.server.contents().is_empty());
}

#[test]
fn a_longer_or_shorter_file_than_announced_is_refused() {
    for n in [10, 900_000] {
        let scene = Scene::new();
        scene
            .server
            .misbehave(move |asked, answer| match asked.is_content() {
                true => Answer::new(200, noise(1, n)),
                false => answer,
            });
        let error = scene.refused();
        let said = format!("sent {n}");
        assert!(
            error.contains("announced 800") && error.contains(&said),
            "{error}"
        );
        scene.assert_not_here();
        assert!(!scene.partial().exists());
    }
}

#[test]
fn a_web_page_is_no_model() {
    let page = "<!DOCTYPE html><html><body>Please log in to this hotel</body></html>";
    for kind in ["text/html; charset=utf-8", "application/octet-stream"] {
        let scene = Scene::new();
        scene
            .server
            .misbehave(move |asked, answer| match asked.is_content() {
                true => Answer::new(200, page).with("Content-Type", kind),
                false => answer,
            });
        let error = scene.refused();
        assert!(error.contains("a web page"), "{error}");
        scene.assert_not_here();
    }
    // A portal that answers everything, the question too.
    let scene = Scene::new();
    scene
        .server
        .misbehave(move |_, _| Answer::new(200, page).with("Content-Type", "text/html"));
    let error = scene.refused();
    assert!(error.contains("HF_ENDPOINT"), "{error}");
    scene.assert_not_here();
}

#[test]
fn a_damaged_safetensors_file_is_refused_even_when_the_server_likes_it() {
    let mut scene = Scene::new();
    scene.content = weights(200_000)[..700_000].to_vec();
    let mut state = scene.server.state.lock().unwrap();
    state
        .files
        .insert(WEIGHTS.to_owned(), scene.content.clone());
    drop(state);
    let error = scene.refused();
    assert!(
        error.contains("damaged") && error.contains("ends after 700000"),
        "{error}"
    );
    scene.assert_not_here();
}

#[test]
fn the_first_of_the_choices_that_is_there_is_taken() {
    let mut scene = Scene::new();
    scene.model.files[1] = format!("unet/other.safetensors | {WEIGHTS}");
    scene.pull().unwrap();
    scene.assert_whole();
}

#[test]
fn what_the_server_refuses_is_told_with_the_remedy() {
    let mut scene = Scene::new();
    scene.model.files.push("vae/model.safetensors".to_owned());
    let error = scene.refused();
    assert!(
        error.contains("no such file (HTTP 404)") && error.contains("vae/model"),
        "{error}"
    );
    scene.assert_not_here();

    let mut scene = Scene::new();
    scene.model.revision = "v9".to_owned();
    let error = scene.refused();
    assert!(error.contains("no such revision"), "{error}");

    let mut scene = Scene::new();
    scene.model.repo = Some("nobody/nothing".to_owned());
    let error = scene.refused();
    assert!(
        error.contains("not public") && error.contains("HF_TOKEN"),
        "{error}"
    );

    // Behind a licence: without a token, then with one that was not accepted.
    for token in [None, Some("hf_abc".to_owned())] {
        let mut scene = Scene::new();
        scene.hub.token.clone_from(&token);
        scene
            .server
            .misbehave(|_, _| Answer::new(403, "").with("X-Error-Code", "GatedRepo"));
        let error = scene.refused();
        let page = format!("{}/{REPO}", scene.server.url);
        assert!(error.contains("accept") && error.contains(&page), "{error}");
        assert_eq!(error.contains("HF_TOKEN"), token.is_none(), "{error}");
        assert!(!error.contains("hf_abc"));
    }
}

#[test]
fn a_token_goes_to_the_hub_and_to_nobody_else() {
    let mut scene = Scene::new();
    let store = Server::start(&[(WEIGHTS, scene.content.clone())]);
    scene
        .server
        .state
        .lock()
        .unwrap()
        .store
        .clone_from(&store.url);
    scene.hub.token = Some("hf_abc".to_owned());
    scene.pull().unwrap();
    scene.assert_whole();
    let asked = scene.server.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == "Bearer hf_abc")
    );
    let contents = store.asked();
    assert!(!contents.is_empty());
    assert!(
        contents
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
}

#[test]
fn a_busy_server_is_asked_again() {
    let scene = Scene::new();
    // Every address is busy the first time.
    let mut known = std::collections::BTreeSet::new();
    scene.server.misbehave(move |asked, answer| {
        match known.insert((asked.method.clone(), asked.path.clone())) {
            true => Answer::new(503, ""),
            false => answer,
        }
    });
    scene.pull().unwrap();
    scene.assert_whole();
    let scene = Scene::new();
    scene.server.misbehave(|_, _| Answer::new(503, ""));
    let error = scene.refused();
    assert!(error.contains("busy or broken (HTTP 503)"), "{error}");
}

#[test]
fn a_server_that_sends_round_in_circles_is_left() {
    let scene = Scene::new();
    scene
        .server
        .misbehave(|asked, _| Answer::new(307, "").with("Location", format!("{}x", asked.path)));
    let error = scene.refused();
    assert!(error.contains("sends on and on"), "{error}");
    assert!(scene.server.asked().len() < 10);
}

#[test]
fn a_renamed_repository_is_followed() {
    let scene = Scene::new();
    scene
        .server
        .misbehave(|asked, answer| match asked.path.strip_prefix("/old/net") {
            Some(rest) => Answer::new(307, "").with("Location", format!("/{REPO}{rest}")),
            None => answer,
        });
    let mut old = scene.model.clone();
    old.repo = Some("old/net".to_owned());
    let pulled = quietly(|run| pull(&old, &scene.hub, run)).unwrap();
    assert!(
        pulled
            .folder
            .starts_with(scene.hub.cache.join("models--old--net"))
    );
    assert_eq!(pulled.files.len(), 2);
}

#[test]
fn offline_asks_nobody() {
    let mut scene = Scene::new();
    scene.hub.offline = true;
    let error = scene.refused();
    assert!(
        error.contains(WEIGHTS) && error.contains("HF_HUB_OFFLINE"),
        "{error}"
    );
    scene.hub.offline = false;
    scene.pull().unwrap();
    scene.hub.offline = true;
    scene.server.asked();
    assert_eq!(scene.pull().unwrap().files.len(), 2);
    assert!(scene.server.asked().is_empty());
}

#[test]
fn nobody_there_is_said_unless_everything_is_here() {
    let mut scene = Scene::new();
    // A port on which nobody listens any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = std::mem::replace(&mut scene.hub.endpoint, format!("http://{gone}"));
    let error = scene.refused();
    assert!(
        error.contains("no answer") && error.contains("check the network"),
        "{error}"
    );
    scene.hub.endpoint = endpoint;
    scene.pull().unwrap();
    scene.hub.endpoint = format!("http://{gone}");
    let warnings = Mutex::new(Vec::new());
    let listen = |event| {
        if let Event::Warning(text) = event {
            warnings.lock().unwrap().push(text);
        }
    };
    let cancel = CancelToken::default();
    let pulled = pull(&scene.model, &scene.hub, &Run::new(&listen, &cancel)).unwrap();
    assert_eq!(pulled.files.len(), 2);
    assert!(warnings.lock().unwrap()[0].contains("used as it is"));
}

#[test]
fn a_disk_that_is_too_small_is_told_before_the_first_byte() {
    let scene = Scene::new();
    scene.server.misbehave(|_, mut answer| {
        for (name, value) in &mut answer.headers {
            if name == "X-Linked-Size" {
                "4000000000000000000".clone_into(value);
            }
        }
        answer
    });
    if cfg!(unix) {
        let error = scene.refused();
        assert!(error.contains("are to come and the disk has"), "{error}");
        assert!(
            scene
                .server
                .asked()
                .iter()
                .all(|asked| asked.method == "HEAD")
        );
        scene.assert_not_here();
    }
}

#[test]
fn a_cancel_leaves_what_came_for_the_next_time() {
    let scene = Scene::new();
    let cancel = CancelToken::default();
    let listen = |event| {
        if let Event::Progress { done, total } = event
            && total == scene.content.len() as u64
            && done > 100_000
        {
            cancel.cancel();
        }
    };
    let stopped = pull(&scene.model, &scene.hub, &Run::new(&listen, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    scene.assert_not_here();
    let came = fs::metadata(scene.partial()).unwrap().len();
    assert!(came > 100_000);
    scene.server.asked();
    scene.pull().unwrap();
    scene.assert_whole();
    if came < scene.content.len() as u64 {
        let range = scene.server.contents()[0].headers["range"].clone();
        assert_eq!(range, format!("bytes={came}-"));
    }
}

#[test]
fn a_cancel_while_the_checksum_is_made_costs_nothing() {
    let scene = Scene::new();
    let cancel = CancelToken::default();
    let n_ends = AtomicUsize::new(0);
    let listen = |event| {
        let whole = scene.content.len() as u64;
        let end = Event::Progress {
            done: whole,
            total: whole,
        };
        // The first is that of the download.
        if event == end && n_ends.fetch_add(1, Ordering::Relaxed) == 1 {
            cancel.cancel();
        }
    };
    let stopped = pull(&scene.model, &scene.hub, &Run::new(&listen, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    assert_eq!(n_ends.into_inner(), 2);
    scene.assert_not_here();
    assert_eq!(
        fs::metadata(scene.partial()).unwrap().len(),
        scene.content.len() as u64
    );
    scene.server.asked();
    scene.pull().unwrap();
    scene.assert_whole();
    assert!(scene.server.contents().is_empty());
}

#[test]
fn a_token_that_is_none_is_told() {
    let mut scene = Scene::new();
    scene.hub.token = Some("hf_a\u{e4}b".to_owned());
    assert!(scene.refused().contains("HF_TOKEN"));
}

#[test]
fn two_at_once_fetch_once() {
    let scene = Scene::new();
    let n_waiting = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (scene, n_waiting) = (&scene, Arc::clone(&n_waiting));
            scope.spawn(move || {
                let listen = |event| {
                    if matches!(event, Event::Stage(text) if text.starts_with("waiting")) {
                        n_waiting.fetch_add(1, Ordering::Relaxed);
                    }
                };
                let cancel = CancelToken::default();
                pull(&scene.model, &scene.hub, &Run::new(&listen, &cancel)).unwrap();
            });
        }
    });
    scene.assert_whole();
    assert_eq!(scene.server.contents().len(), 1);
}

#[test]
fn data_sets_and_commits_are_asked_for_as_such() {
    let mut scene = Scene::new();
    scene.model.dataset = true;
    scene.model.revision = COMMIT.to_owned();
    let pulled = scene.pull().unwrap();
    let root = scene.hub.cache.join("datasets--someone--net");
    assert_eq!(pulled.folder, root.join("snapshots").join(COMMIT));
    assert!(
        scene.server.asked()[0]
            .path
            .starts_with("/datasets/someone/net/resolve/")
    );
    // A commit needs no name for itself.
    assert!(!root.join("refs").exists());
}

#[test]
fn pytorchs_own_files_are_held_against_the_digits_in_their_name() {
    let scene = Scene::new();
    let content = noise(9, 50_000);
    let digits = &sha256(&content)[..8];
    let name = format!("net-{digits}.pth");
    let path = format!("/models/{name}");
    let sent = content.clone();
    let known = path.clone();
    scene
        .server
        .misbehave(move |asked, answer| match asked.path == known {
            true => Answer::new(200, sent.clone()).with("ETag", "\"any\""),
            false => answer,
        });
    let entry = |path: &str| {
        format!(
            "[[model]]\nname = \"a\"\ntitle = \"a\"\nurls = [\"{}{path}\"]\nlicence = \"MIT\"\n\
             used_by = []\ngood_for = \"b\"\n",
            scene.server.url
        )
    };
    let model = parse(&entry(&path)).unwrap().remove(0);
    let pulled = quietly(|run| pull(&model, &scene.hub, run)).unwrap();
    assert_eq!(pulled.files, [scene.hub.checkpoints.join(&name)]);
    assert!(fs::read(&pulled.files[0]).unwrap() == content);

    let wrong = "/models/net-00000000.pth";
    scene
        .server
        .misbehave(move |_, _| Answer::new(200, content.clone()));
    let model = parse(&entry(wrong)).unwrap().remove(0);
    let error = quietly(|run| pull(&model, &scene.hub, run))
        .unwrap_err()
        .to_string();
    assert!(error.contains("checksum"), "{error}");
    let kept = fs::read_dir(scene.folder.path().join("checkpoints"))
        .unwrap()
        .count();
    assert_eq!(kept, 1);
}
