//! A browser, and the few calls of WebDriver that drive it; a server for it to ask.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use relprop_testing::fixtures::folder;
use relprop_testing::program::relprop;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// How long the page may take for anything.
const PATIENCE: Duration = Duration::from_secs(90);
/// The name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A program that is killed at the end, and the part behind `sign` of a line that it printed.
fn started(mut command: Command, sign: &str) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut found = lines.filter_map(|line| {
        let line = line.unwrap();
        let (_, found) = line.split_once(sign)?;
        let end = |c: char| !(c.is_ascii_digit() || c == ':' || c == '.');
        Some(found.split(end).next()?.trim_end_matches('.').to_owned())
    });
    let found = found.next();
    (child, found.expect("the program says where it listens"))
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// `relprop serve`, which is killed at the end.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    pub fn of(models: &[&Path]) -> Self {
        let mut command = relprop();
        command.args(["serve", "--port", "0"]);
        for model in models {
            command.arg("--model").arg(model);
        }
        let (child, address) = started(command, "http://");
        let address = format!("http://{address}");
        Self { child, address }
    }

    pub fn of_fixtures(names: &[&str]) -> Self {
        let folders: Vec<PathBuf> = names.iter().map(|name| folder(name)).collect();
        let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
        Self::of(&folders)
    }

    /// What the page asks, asked without it.
    pub fn explain(&self, body: &Value) -> Value {
        let mut answer = ureq::post(format!("{}/api/explain", self.address))
            .send_json(body)
            .unwrap();
        answer.body_mut().read_json().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Chromium without a window, with a profile of its own.
pub struct Browser {
    driver: Child,
    agent: Agent,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// A window of this many pixels, in light or dark mode.
    pub fn open(width: u32, height: u32, dark: bool) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stderr(Stdio::null());
        let (driver, port) = started(command, "successfully on port ");
        let agent = Agent::config_builder().http_status_as_error(false).build();
        let mut browser = Self {
            driver,
            agent: agent.into(),
            session: format!("http://127.0.0.1:{port}/session"),
            profile: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(browser.downloads()).unwrap();
        let data = format!(
            "--user-data-dir={}",
            browser.profile.path().join("data").display()
        );
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            &data,
        ];
        let session = browser.post(
            "",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "timeouts": {"script": 300_000},
                "goog:chromeOptions": {
                    "args": arguments,
                    "prefs": {
                        "download.default_directory": browser.downloads(),
                        "profile.default_content_setting_values.automatic_downloads": 1,
                    },
                },
                "goog:loggingPrefs": {"browser": "ALL"},
            }}}),
        );
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        let (scheme, phone) = (if dark { "dark" } else { "light" }, width < 600);
        browser.developer(
            "Emulation.setEmulatedMedia",
            &json!({"features": [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]}),
        );
        browser.developer(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}),
        );
        browser
    }

    pub fn downloads(&self) -> PathBuf {
        self.profile.path().join("downloads")
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        let mut answer = request.send_json(body).expect("the driver answers");
        let answer: Value = answer
            .body_mut()
            .with_config()
            .limit(1 << 28)
            .read_json()
            .unwrap();
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path} {body}: {value}");
        value
    }

    /// A call of the browser's own protocol.
    fn developer(&self, name: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        )
    }

    pub fn go(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// What a function with this body returns.
    pub fn run(&self, script: &str) -> Value {
        self.run_with(script, &[])
    }

    pub fn run_with(&self, script: &str, arguments: &[Value]) -> Value {
        self.post(
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// What an expression is.
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"))
    }

    pub fn text(&self, css: &str) -> String {
        let found = self.run_with(
            "return document.querySelector(arguments[0])?.textContent",
            &[json!(css)],
        );
        found
            .as_str()
            .unwrap_or_else(|| panic!("{css} is not on the page"))
            .to_owned()
    }

    /// Waits until an expression is true.
    pub fn until(&self, expression: &str) {
        let begun = Instant::now();
        while self.value(&format!("Boolean({expression})")) != true {
            if begun.elapsed() > PATIENCE {
                let page = self.value("document.body.innerText");
                panic!("`{expression}` is never true; the page says: {page}");
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until an answer stands on the page, and nothing is asked any more.
    pub fn answered(&self) {
        self.until(
            "[...document.querySelectorAll('.state')].some((state) => state.textContent.startsWith('Explained')) && !document.querySelector('[aria-busy]')",
        );
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks where a person would.
    pub fn click(&self, css: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into an element, key by key.
    pub fn keys(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Types in the place of what a field holds.
    pub fn retype(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.keys(css, text);
    }

    /// Chooses an entry of a menu.
    pub fn choose(&self, name: &str, value: &str) {
        self.click(&format!("select[name={name}] option[value={value:?}]"));
    }

    /// Drops files and folders on the page, as a person would from another window.
    pub fn drop_files(&self, paths: &[&Path]) {
        let data = json!({"items": [], "files": paths, "dragOperationsMask": 1});
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({"type": kind, "x": 300, "y": 300, "data": data});
            self.developer("Input.dispatchDragEvent", &event);
        }
    }

    /// What the browser complained about since it was asked last: errors, and what was forbidden.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        let bad = entries.filter(|entry| entry["level"] != "INFO");
        bad.map(|entry| entry["message"].to_string()).collect()
    }

    /// A file that is being downloaded, once it is whole.
    pub fn downloaded(&self, name: &str) -> Vec<u8> {
        let path = self.downloads().join(name);
        let begun = Instant::now();
        while !path.exists() {
            assert!(begun.elapsed() < PATIENCE, "{name} never came");
            sleep(Duration::from_millis(50));
        }
        fs::read(path).unwrap()
    }

    /// A picture of the page from its top, as high as this or as the page.
    pub fn picture(&self, width: u32, height: Option<u32>) -> Vec<u8> {
        let whole = self
            .value("document.documentElement.scrollHeight")
            .as_u64()
            .unwrap();
        let height = height.map_or(whole, u64::from);
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let taken = self.developer(
            "Page.captureScreenshot",
            &json!({"format": "png", "captureBeyondViewport": true, "clip": clip}),
        );
        STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        end(&mut self.driver);
    }
}
