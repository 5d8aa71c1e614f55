//! One file over HTTP: what it is, then its bytes, continued where an earlier try stopped.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use crate::error::{Error, Result};

/// Times that a broken transfer is taken up again.
const TRIES: usize = 4;
/// Ways on the same server that are followed.
const REDIRECTS: usize = 5;
/// Longest answer that is held in memory.
const TEXT: u64 = 16 << 20;

/// What a server says of a file.
pub(super) struct About {
    /// The file's name in the cache: its SHA-256 for large files.
    pub(super) etag: Option<String>,
    pub(super) size: Option<u64>,
}

pub(super) struct Client {
    agent: Agent,
    token: Option<String>,
}

impl Client {
    pub(super) fn new(token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("gen3d/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            token,
        }
    }

    /// A small text.
    pub(super) fn text(&self, url: &str, page: &str) -> Result<String> {
        let mut answer = self.get(url, None, page)?;
        answer
            .body_mut()
            .with_config()
            .limit(TEXT)
            .read_to_string()
            .map_err(|e| failed(url, page, &e))
    }

    /// Asks for a file's size and tag. A way to another place on the same server is followed, the
    /// way to the storage behind it is not: there the tag would be another one.
    pub(super) fn about(&self, url: &str, page: &str) -> Result<About> {
        let mut place = url.to_owned();
        for _ in 0..REDIRECTS {
            let answer = self.head(&place, page)?;
            let header = |name: &str| answer.headers().get(name)?.to_str().ok();
            let moved = answer.status().is_redirection();
            let elsewhere = header("location").filter(|to| moved && to.starts_with('/'));
            if let (None, Some(to)) = (header("x-linked-etag"), elsewhere) {
                let (server, _) = split_address(url);
                place = format!("{server}{to}");
                continue;
            }
            let tag = header("x-linked-etag").or_else(|| header("etag"));
            let own = header("content-length").filter(|_| !moved);
            let size = header("x-linked-size").or(own);
            return Ok(About {
                etag: tag.map(|t| t.trim_start_matches("W/").trim_matches('"').to_owned()),
                size: size.and_then(|s| s.parse().ok()),
            });
        }
        Err(Error::hub(
            url,
            "the server sends from place to place",
            "try again later",
        ))
    }

    fn head(&self, url: &str, page: &str) -> Result<Response<Body>> {
        let mut request = self
            .agent
            .head(url)
            .config()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.call().map_err(|e| failed(url, page, &e))?;
        match answer.status().as_u16() {
            400.. => Err(refused(url, page, answer.status().as_u16())),
            _ => Ok(answer),
        }
    }

    /// Fetches a file into `part`, beginning where `part` ends if the server can. `progress`
    /// hears bytes there and bytes in all, 0 if that is not known.
    pub(super) fn fetch(
        &self,
        url: &str,
        part: &Path,
        size: Option<u64>,
        page: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let mut last = None;
        for _ in 0..TRIES {
            let before = length(part);
            if size.is_some_and(|size| before == size && size > 0) {
                return Ok(());
            }
            match self.continued(url, part, size, page, progress) {
                Ok(()) => return Ok(()),
                Err(e @ Error::Hub { .. }) if length(part) > before => last = Some(e),
                Err(e) => return Err(e),
            }
        }
        Err(last.unwrap_or_else(|| Error::hub(url, "the transfer broke off", TRY_AGAIN)))
    }

    fn continued(
        &self,
        url: &str,
        part: &Path,
        size: Option<u64>,
        page: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<()> {
        let at = |e| Error::io(part.display(), e);
        let there = length(part);
        let mut answer = self.get(url, Some(there).filter(|n| *n > 0), page)?;
        let resumed = answer.status().as_u16() == 206;
        let mut done = if resumed { there } else { 0 };
        let rest = answer.body().content_length();
        let total = size.or(rest.map(|n| n + done)).unwrap_or(0);
        let mut file: File = OpenOptions::new()
            .create(true)
            .append(resumed)
            .write(true)
            .truncate(!resumed)
            .open(part)
            .map_err(at)?;
        let mut reader = answer.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let n = reader.read(&mut buffer).map_err(|e| {
                Error::hub(
                    url,
                    format!("the transfer broke off at byte {done} ({e})"),
                    TRY_AGAIN,
                )
            })?;
            let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else {
                break;
            };
            file.write_all(bytes).map_err(at)?;
            done += n as u64;
            progress(done, total);
        }
        file.sync_all().map_err(at)?;
        if total > 0 && done < total {
            let what = format!("the transfer broke off at byte {done} of {total}");
            return Err(Error::hub(url, what, TRY_AGAIN));
        }
        Ok(())
    }

    fn get(&self, url: &str, from: Option<u64>, page: &str) -> Result<Response<Body>> {
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(from) = from {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let answer = request.call().map_err(|e| failed(url, page, &e))?;
        match answer.status().as_u16() {
            200 | 206 => Ok(answer),
            // The part is no beginning of this file: begin again.
            416 if from.is_some() => self.get(url, None, page),
            other => Err(refused(url, page, other)),
        }
    }
}

const TRY_AGAIN: &str = "run the command again: it goes on where it stopped";

/// `https://server:port` and the path.
fn split_address(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(start..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |at| start + at);
    url.split_at(end)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

/// The server answered, but not with the file.
fn refused(url: &str, page: &str, status: u16) -> Error {
    match status {
        401 | 403 => Error::hub(
            url,
            format!("the server wants a login or an agreement to terms ({status})"),
            format!("accept the terms at {page} and set HF_TOKEN, or bring the file yourself"),
        ),
        404 | 410 => Error::hub(
            url,
            format!("the file is not there any more ({status})"),
            format!("look for it at {page} and give its path"),
        ),
        429 | 500..=599 => Error::hub(
            url,
            format!("the server cannot answer now ({status})"),
            "try again later, or bring the file yourself",
        ),
        _ => Error::hub(
            url,
            format!("the server answered with status {status}"),
            format!("look for the file at {page} and give its path"),
        ),
    }
}

/// No answer at all.
fn failed(url: &str, page: &str, error: &ureq::Error) -> Error {
    Error::hub(
        url,
        format!("the server cannot be reached ({error})"),
        format!("check the network and its proxy, or bring the file yourself from {page}"),
    )
}
