//! Downloads against a small server of our own: what is fetched, continued, refused.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use checkpoint::hub::{Cache, Hub};
use checkpoint::registry::{self, Tower};

/// A server that answers from a table and notes what it was asked.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Default)]
struct File {
    body: Vec<u8>,
    etag: String,
    /// Bytes after which the connection breaks, once.
    breaks: Arc<Mutex<Option<usize>>>,
    /// Where to look instead.
    moved: Option<String>,
}

impl Server {
    fn start(files: BTreeMap<String, File>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &files, &log);
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, files: &BTreeMap<String, File>, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let headers: Vec<String> = lines.take_while(|l| !l.is_empty()).collect();
    let range = headers.iter().find_map(|h| {
        h.to_lowercase()
            .strip_prefix("range: bytes=")?
            .trim_end_matches('-')
            .parse::<usize>()
            .ok()
    });
    let mut words = request.split(' ');
    let (method, path) = (
        words.next().unwrap().to_owned(),
        words.next().unwrap().to_owned(),
    );
    log.lock().unwrap().push(format!(
        "{method} {path} {}",
        range.map_or(-1, |r| r as i64)
    ));
    let Some(file) = files.get(&path) else {
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    if let Some(place) = &file.moved {
        let head = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes());
        return;
    }
    let body = file.body.get(range.unwrap_or(0)..).unwrap_or_default();
    let status = if range.is_some() {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"{}\"\r\nConnection: close\r\n\r\n",
        body.len(),
        file.etag
    );
    let _ = stream.write_all(head.as_bytes());
    if method == "GET" {
        let stop = file.breaks.lock().unwrap().take().unwrap_or(body.len());
        let _ = stream.write_all(&body[..stop.min(body.len())]);
    }
}

fn file(body: &[u8], etag: &str) -> File {
    File {
        body: body.to_vec(),
        etag: etag.into(),
        ..Default::default()
    }
}

fn tower(name: &str) -> &'static Tower {
    registry::find(name).unwrap()
}

fn hub(folder: &Path, server: &Server) -> Hub {
    let cache = Cache::at(folder.join("hub"), folder.join("clip"));
    Hub::new(cache, &server.address, None)
}

const REPOSITORY: &str = "openai/clip-vit-base-patch32";

/// A repository with two forms of the weights, of which one is wanted.
fn repository() -> BTreeMap<String, File> {
    let listing = serde_json::json!({
        "sha": "c0ffee",
        "siblings": [
            {"rfilename": "README.md"},
            {"rfilename": "config.json"},
            {"rfilename": "pytorch_model.bin"},
            {"rfilename": "model.safetensors"},
        ],
    });
    let weights = file(
        b"abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    BTreeMap::from([
        (
            format!("/api/models/{REPOSITORY}/revision/main"),
            file(listing.to_string().as_bytes(), "x"),
        ),
        (
            format!("/{REPOSITORY}/resolve/c0ffee/config.json"),
            file(b"{}", "tag1"),
        ),
        (
            format!("/{REPOSITORY}/resolve/c0ffee/model.safetensors"),
            weights,
        ),
    ])
}

#[test]
fn a_repository_is_fetched_once_in_the_layout_of_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(repository());
    let hub = hub(folder.path(), &server);
    let mut seen = Vec::new();
    let path = hub
        .pull(tower(REPOSITORY), &mut |p| {
            seen.push((p.file.to_owned(), p.done, p.total))
        })
        .unwrap();
    let home = folder
        .path()
        .join("hub/models--openai--clip-vit-base-patch32");
    assert_eq!(path, home.join("snapshots/c0ffee"));
    assert_eq!(
        std::fs::read(path.join("model.safetensors")).unwrap(),
        b"abc"
    );
    assert_eq!(
        std::fs::read_to_string(home.join("refs/main")).unwrap(),
        "c0ffee"
    );
    assert!(home.join("blobs/tag1").is_file());
    assert!(!path.join("pytorch_model.bin").exists());
    #[cfg(unix)]
    assert_eq!(
        std::fs::read_link(path.join("config.json")).unwrap(),
        Path::new("../../blobs/tag1")
    );
    assert!(
        seen.contains(&("model.safetensors".into(), 3, 3)),
        "{seen:?}"
    );

    hub.pull(tower(REPOSITORY), &mut |_| ()).unwrap();
    let fetched = server
        .asked()
        .iter()
        .filter(|a| a.starts_with("GET") && a.contains("resolve"))
        .count();
    assert_eq!(fetched, 2, "{:?}", server.asked());
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let files = repository();
    let name = format!("/{REPOSITORY}/resolve/c0ffee/model.safetensors");
    *files[&name].breaks.lock().unwrap() = Some(2);
    let server = Server::start(files);
    hub(folder.path(), &server)
        .pull(tower(REPOSITORY), &mut |_| ())
        .unwrap();
    assert!(
        server.asked().contains(&format!("GET {name} 2")),
        "{:?}",
        server.asked()
    );
}

#[test]
fn moved_files_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = repository();
    let name = format!("/{REPOSITORY}/resolve/c0ffee/config.json");
    let there = files.remove(&name).unwrap();
    files.insert(
        name,
        File {
            moved: Some("/cache/config.json".into()),
            ..Default::default()
        },
    );
    files.insert("/cache/config.json".into(), there);
    let server = Server::start(files);
    let path = hub(folder.path(), &server)
        .pull(tower(REPOSITORY), &mut |_| ())
        .unwrap();
    assert_eq!(std::fs::read(path.join("config.json")).unwrap(), b"{}");
}

#[test]
fn another_file_than_published_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = repository();
    let name = format!("/{REPOSITORY}/resolve/c0ffee/model.safetensors");
    files.get_mut(&name).unwrap().body = b"abd".to_vec();
    let server = Server::start(files);
    let error = hub(folder.path(), &server)
        .pull(tower(REPOSITORY), &mut |_| ())
        .unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
    let blobs = folder
        .path()
        .join("hub/models--openai--clip-vit-base-patch32/blobs");
    assert_eq!(
        std::fs::read_dir(blobs).unwrap().count(),
        1,
        "only the configuration"
    );
}

#[test]
fn dead_links_and_dead_networks_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BTreeMap::new());
    let said = |hub: &Hub| {
        hub.pull(tower(REPOSITORY), &mut |_| ())
            .unwrap_err()
            .to_string()
    };
    let gone = said(&hub(folder.path(), &server));
    assert!(
        gone.contains("404") && gone.contains("https://huggingface.co/openai"),
        "{gone}"
    );

    let cache = Cache::at(folder.path().join("hub"), folder.path().join("clip"));
    // Port 9 of this machine: nobody listens.
    let dead = said(&Hub::new(cache.clone(), "http://127.0.0.1:9", None));
    assert!(
        dead.contains("cannot be reached") && dead.contains("bring the file"),
        "{dead}"
    );
    let offline = said(&Hub::new(cache, "http://127.0.0.1:9", None).offline(true));
    assert!(offline.contains("not on this machine"), "{offline}");
    for message in [gone, dead, offline] {
        assert_eq!(message.lines().count(), 1);
    }
    let by_hand = hub(folder.path(), &server)
        .pull(tower("clip_l14_grit20m_fultune_2xe"), &mut |_| ())
        .unwrap_err();
    assert!(by_hand.to_string().contains("by hand"), "{by_hand}");
}

#[test]
fn what_was_fetched_serves_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(repository());
    let path = hub(folder.path(), &server)
        .pull(tower(REPOSITORY), &mut |_| ())
        .unwrap();
    let cache = Cache::at(folder.path().join("hub"), folder.path().join("clip"));
    let dead = Hub::new(cache, "http://127.0.0.1:9", None);
    assert_eq!(dead.pull(tower(REPOSITORY), &mut |_| ()).unwrap(), path);
    assert_eq!(
        dead.offline(true)
            .pull(tower(REPOSITORY), &mut |_| ())
            .unwrap(),
        path
    );
}

#[test]
fn a_repository_cannot_write_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let listing = br#"{"sha": "c0ffee", "siblings": [{"rfilename": "../../config.json"}]}"#;
    let path = format!("/api/models/{REPOSITORY}/revision/main");
    let server = Server::start(BTreeMap::from([(path, file(listing, "x"))]));
    let error = hub(folder.path(), &server)
        .pull(tower(REPOSITORY), &mut |_| ())
        .unwrap_err();
    assert!(error.to_string().contains("../../config.json"), "{error}");
    let bad = hub(folder.path(), &server).repository("../x/y", "main", &[], "", &mut |_| ());
    assert!(
        bad.unwrap_err()
            .to_string()
            .contains("no name of a repository")
    );
}
