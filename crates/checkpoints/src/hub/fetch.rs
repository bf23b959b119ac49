//! Fetches a model from the Hub into the cache that all of Hugging Face's libraries share.

use std::env;
use std::path::{Path, PathBuf};

use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::needed::{is_index, needed};
use super::{HubError, HubName};
use crate::files::File;
use crate::weights::read_index;

/// The Hub, unless HF_ENDPOINT names another.
const ENDPOINT: &str = "https://huggingface.co";
/// The newest state of a model.
const MAIN: &str = "main";
/// What ureq calls a range that lies outside of a file.
const OUT_OF_RANGE: u16 = 416;

impl HubName {
    /// The folder with the model, in the cache. Files that are not there are fetched: those that
    /// [`Model::load`](crate::Model::load) reads, and no others. Files that are there are not
    /// fetched again, even if the Hub has newer ones.
    ///
    /// The cache is in HF_HOME, or in `~/.cache/huggingface`. HF_ENDPOINT is the Hub's address,
    /// HF_TOKEN is the access token (or the file `token` beside the cache), and with
    /// HF_HUB_OFFLINE=1 nothing is fetched. `progress` gets the name of a file, how many bytes of
    /// it are fetched, and how many it has.
    ///
    /// # Errors
    ///
    /// A [`HubError`] that says what to do.
    pub fn fetch(&self, mut progress: impl FnMut(&str, u64, u64)) -> Result<PathBuf, HubError> {
        let cache = Cache::from_env();
        let named = self.at(self.revision.as_deref().unwrap_or(MAIN));
        let kept = cache.repo(named.clone());
        if let Some(folder) = self.in_cache(&kept) {
            return Ok(folder);
        }
        if is_offline() {
            let cache = cache.path().clone();
            let name = self.clone();
            return Err(HubError::Offline { name, cache });
        }

        let hub = Hub::new(self, &cache)?;
        let about = hub
            .api(named)
            .info()
            .map_err(|error| hub.error("", error))?;
        let commit = about.sha;
        if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(hub.answer("it names no commit"));
        }
        let has = |file: &str| about.siblings.iter().any(|found| found.rfilename == file);
        let files = needed(has).map_err(|file| HubError::NoFile {
            endpoint: hub.endpoint.clone(),
            name: self.clone(),
            file,
        })?;

        // All files are of one commit, even if another is pushed meanwhile.
        let fixed = self.at(&commit);
        let folder = cache.repo(fixed.clone()).pointer_path(&commit);
        let api = hub.api(fixed);
        let mut fetch = |file: &str| {
            if folder.join(file).is_file() {
                return Ok(());
            }
            let told = Told::new(&mut progress);
            let fetched = api.download_with_progress(file, told);
            fetched.map(drop).map_err(|error| hub.error(file, error))
        };
        for file in files {
            fetch(&file)?;
            if is_index(&file) {
                for part in read_index(&File::on_disk(&folder.join(file)))? {
                    fetch(&part)?;
                }
            }
        }
        kept.create_ref(&commit)
            .map_err(|error| hub.error("refs", error.into()))?;
        Ok(folder)
    }

    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(
            self.repository.clone(),
            RepoType::Model,
            revision.to_owned(),
        )
    }

    /// The folder in the cache, if it holds a whole model.
    fn in_cache(&self, kept: &CacheRepo) -> Option<PathBuf> {
        // A commit has a folder of its name; a branch or a tag is a file that says which.
        let named = self
            .revision
            .as_deref()
            .map(|revision| kept.pointer_path(revision));
        let folder = match named.filter(|folder| folder.is_dir()) {
            Some(folder) => folder,
            None => kept.get("config.json")?.parent()?.to_owned(),
        };
        is_whole(&folder).then_some(folder)
    }
}

/// Whether everything that is read is in the folder.
fn is_whole(folder: &Path) -> bool {
    let has = |file: &str| folder.join(file).is_file();
    let Ok(files) = needed(has) else { return false };
    let mut indices = files.iter().filter(|file| is_index(file));
    indices.all(|index| {
        let parts = read_index(&File::on_disk(&folder.join(index)));
        parts.is_ok_and(|parts| parts.iter().all(|part| has(part)))
    })
}

/// Whether HF_HUB_OFFLINE is set, to any value that Hugging Face's libraries understand.
fn is_offline() -> bool {
    let value = env::var("HF_HUB_OFFLINE").unwrap_or_default();
    ["1", "on", "yes", "true"].contains(&value.to_lowercase().as_str())
}

/// Where models are asked for, and for whom.
struct Hub<'n> {
    name: &'n HubName,
    endpoint: String,
    cache: &'n Cache,
    api: hf_hub::api::sync::Api,
}

impl<'n> Hub<'n> {
    fn new(name: &'n HubName, cache: &'n Cache) -> Result<Self, HubError> {
        let set = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
        let endpoint = set("HF_ENDPOINT").unwrap_or(ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let mut api = ApiBuilder::from_cache(cache.clone())
            .with_endpoint(endpoint.clone())
            .with_user_agent("relprop", env!("CARGO_PKG_VERSION"))
            .with_progress(false);
        if let Some(token) = set("HF_TOKEN") {
            api = api.with_token(Some(token));
        }
        match api.build() {
            Ok(api) => Ok(Self {
                name,
                endpoint,
                cache,
                api,
            }),
            Err(error) => Err(HubError::Answer {
                endpoint,
                reason: error.to_string(),
            }),
        }
    }

    fn api(&self, repository: Repo) -> ApiRepo {
        self.api.repo(repository)
    }

    fn answer(&self, reason: impl ToString) -> HubError {
        HubError::Answer {
            endpoint: self.endpoint.clone(),
            reason: reason.to_string(),
        }
    }

    /// What went wrong while `file` was fetched.
    fn error(&self, file: &str, error: ApiError) -> HubError {
        let (endpoint, name) = (self.endpoint.clone(), self.name.clone());
        let part = || HubError::Part {
            file: file.to_owned(),
            blobs: self.cache.repo(self.name.at(MAIN)).blob_path(""),
        };
        match error {
            ApiError::InvalidResume => part(),
            ApiError::IoError(_) | ApiError::LockAcquisition(_) => HubError::Broken {
                file: file.to_owned(),
                cache: self.cache.path().clone(),
                reason: error.to_string(),
            },
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(404) => HubError::Unknown { endpoint, name },
                ureq::Error::StatusCode(status @ (401 | 403)) => HubError::Refused {
                    endpoint,
                    name,
                    status,
                },
                ureq::Error::StatusCode(OUT_OF_RANGE) => part(),
                ureq::Error::StatusCode(_) | ureq::Error::Json(_) | ureq::Error::Protocol(_) => {
                    self.answer(error)
                }
                _ => HubError::Unreachable {
                    endpoint,
                    name,
                    reason: error.to_string(),
                },
            },
            other => self.answer(other),
        }
    }
}

/// Reports how much of a file is fetched.
struct Told<'p> {
    tell: &'p mut dyn FnMut(&str, u64, u64),
    file: String,
    here: u64,
    size: u64,
}

impl<'p> Told<'p> {
    fn new(tell: &'p mut dyn FnMut(&str, u64, u64)) -> Self {
        Self {
            tell,
            file: String::new(),
            here: 0,
            size: 0,
        }
    }
}

impl Progress for Told<'_> {
    fn init(&mut self, size: usize, file: &str) {
        (self.file, self.here, self.size) = (file.to_owned(), 0, size as u64);
        self.update(0);
    }

    fn update(&mut self, size: usize) {
        self.here += size as u64;
        (self.tell)(&self.file, self.here, self.size);
    }

    fn finish(&mut self) {}
}
