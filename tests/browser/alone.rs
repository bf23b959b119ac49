//! The page without a server: relprop in a worker, compiled to WebAssembly.
//!
//! `RELPROP_WEB` names the folder that `crates/wasm/build FOLDER` has written, with a classifier of texts in it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use relprop_testing::fixtures;
use relprop_testing::program::{Ran, relprop};
use serde_json::{Value, json};

use crate::TEXT;
use crate::driver::Browser;

/// Where the page lies on its host: a static host may put it anywhere.
const PLACE: &str = "/some/where/";
/// A picture among those of the fixtures.
const PICTURE: &str = "picture.webp";
/// What the host adds to the worker: it tells what it has fetched, and fails where it is told to.
const ADDED: &str = r#"
const told = new BroadcastChannel("fetched");
setInterval(() => told.postMessage(performance.getEntriesByType("resource").map((entry) => entry.name)), 100);
const answer = Models.prototype.answer;
Models.prototype.answer = function (path, body) {
  if (body.includes("a card is lost")) throw "the card is gone";
  return answer.call(this, path, body);
};
"#;

/// The folder of a fixture, as a browser wants it: without `..` in it.
fn folder(name: &str) -> PathBuf {
    fixtures::folder(name).canonicalize().unwrap()
}

/// The folder of the pictures.
fn pictures() -> PathBuf {
    folder("formats")
}

/// What `crates/wasm/build` has written.
fn web() -> PathBuf {
    let web = env::var_os("RELPROP_WEB");
    web.expect("RELPROP_WEB names what crates/wasm/build has written")
        .into()
}

/// The model that came with the page.
fn included() -> PathBuf {
    web().join("model")
}

/// A host of static files that sends no header but the type of a file.
fn host() -> String {
    let web = web();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let web = web.clone();
            thread::spawn(move || serve(&web, stream.unwrap()));
        }
    });
    address
}

/// Answers a request. A browser that goes on without the answer is no fault.
fn serve(web: &Path, mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    for line in lines {
        if line.map_or(true, |line| line.is_empty()) {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let name = path.strip_prefix(PLACE).filter(|name| !name.contains(".."));
    let name = name.map(|name| if name.is_empty() { "index.html" } else { name });
    let found = name.and_then(|name| Some((name, fs::read(web.join(name)).ok()?)));
    let Some((name, mut bytes)) = found else {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        return;
    };
    if name == "page/worker.js" {
        bytes.extend_from_slice(ADDED.as_bytes());
    }
    let mime = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {mime}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        bytes.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), &bytes].concat());
}

/// The page with the model that came with it.
fn page() -> (String, Browser) {
    let address = host();
    let browser = Browser::open(1280, 900, false);
    browser.go(&format!("{address}{PLACE}"));
    browser.until("document.querySelector('textarea')");
    (address, browser)
}

fn explain(browser: &Browser, text: &str) {
    browser.retype("textarea[name=text]", text);
    browser.click("button.main");
    browser.until(&format!(
        "document.querySelector('.earlier')?.textContent.includes({text:?})"
    ));
    browser.answered();
}

/// What the page keeps as JSON.
fn kept(browser: &Browser) -> Value {
    let _ = fs::remove_file(browser.downloads().join("relprop.json"));
    browser.run("[...document.querySelectorAll('.files button')].find(b => b.textContent === 'JSON').click()");
    serde_json::from_slice(&browser.downloaded("relprop.json")).unwrap()
}

/// What the program writes, beside the pictures.
fn program(model: &Path, arguments: &[&str]) -> Value {
    let mut program = relprop();
    program.args(["explain", "--format", "json", "--model"]);
    program.arg(model.canonicalize().unwrap()).args(arguments);
    program.current_dir(pictures());
    let ran = Ran::from(program.output().unwrap()).done();
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Numbers may differ by 1e-5, or by that part of them; everything else is the same. How many there are.
fn close(found: &Value, known: &Value, place: &str) -> usize {
    let inner =
        |key: &str, found: &Value, known: &Value| close(found, known, &format!("{place}/{key}"));
    match (found, known) {
        (Value::Number(found), Value::Number(known)) => {
            let (found, known) = (found.as_f64().unwrap(), known.as_f64().unwrap());
            let apart = (found - known).abs();
            assert!(
                apart <= 1e-5 * known.abs().max(1.0),
                "{place}: {found} is not {known}"
            );
            1
        }
        (Value::Array(found), Value::Array(known)) => {
            assert_eq!(found.len(), known.len(), "{place}");
            let pairs = found.iter().zip(known).enumerate();
            pairs
                .map(|(at, (found, known))| inner(&at.to_string(), found, known))
                .sum()
        }
        (Value::Object(found), Value::Object(known)) => {
            assert!(found.keys().eq(known.keys()), "{place}");
            let pairs = found.iter().zip(known.values());
            pairs
                .map(|((key, found), known)| inner(key, found, known))
                .sum()
        }
        _ => {
            assert_eq!(found, known, "{place}");
            0
        }
    }
}

#[test]
fn the_page_alone_finds_what_the_program_finds() {
    let (address, browser) = page();
    browser.run("window.fetched = []; new BroadcastChannel('fetched').onmessage = ({ data }) => window.fetched = data");
    explain(&browser, TEXT);
    let first = kept(&browser);
    let numbers = close(&first, &program(&included(), &[TEXT, "--ledger"]), "");
    assert!(numbers > 50, "{numbers}");
    assert!(
        browser.text("main .ledger").contains("closes"),
        "{}",
        browser.text("main .ledger")
    );

    // Other rules, another method beside them, and a word that is taken away.
    browser.choose("way", "rules:libra");
    browser.until("document.querySelector('main .decision')?.textContent.includes('libra')");
    browser.answered();
    close(
        &kept(&browser),
        &program(&included(), &[TEXT, "--ledger", "--rules", "libra"]),
        "",
    );
    browser.choose("beside", "method:gae");
    browser.until("document.querySelectorAll('main .sides section').length === 2");
    browser.choose("beside", "");
    browser.until("!document.querySelector('main .sides')");
    browser.answered();
    browser.click("main .map [data-start='2']");
    browser.click(".word-menu .main");
    browser.until("document.querySelector('relprop-changes .last')");
    browser.answered();
    browser.run("[...document.querySelectorAll('.files button')].find(b => b.textContent === 'PNG').click()");
    assert!(browser.downloaded("relprop.png").starts_with(b"\x89PNG"));

    // What cannot be asked is said, and the page goes on.
    browser.go(&format!("{address}{PLACE}#text={}&at=nowhere", "a+film"));
    browser.until("document.querySelector('relprop-page > .error:not([hidden])')?.textContent.includes('nowhere')");

    // Neither the page nor its worker has asked anybody else, and nothing was forbidden.
    browser.until("window.fetched.some((name) => name.endsWith('.wasm'))");
    let origins = browser.value(
        "[...new Set([...window.fetched, ...performance.getEntriesByType('resource').map((entry) => entry.name)]\
         .filter((name) => !name.startsWith('blob:')).map((name) => new URL(name).origin))]",
    );
    assert_eq!(origins, json!([address]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_folder_of_ones_own_is_chosen_or_dropped() {
    let (_, browser) = page();
    explain(&browser, TEXT);
    let chosen = folder("distilbert");
    browser.keys("relprop-open input", &chosen.display().to_string());
    browser.until("document.querySelector('.about')?.textContent.includes('distilbert')");
    // The text is asked again.
    browser.answered();
    close(
        &kept(&browser),
        &program(&folder("distilbert"), &[TEXT, "--ledger"]),
        "",
    );

    // What is no model is said, and what was open stays.
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("config.json"), "{}").unwrap();
    browser.drop_files(&[empty.path()]);
    browser.until("document.querySelector('relprop-open .error:not([hidden])')");
    let said = browser.text("relprop-open .error");
    assert!(said.contains("has no model.safetensors"), "{said}");
    explain(&browser, "a dull film");
    close(
        &kept(&browser),
        &program(&folder("distilbert"), &["a dull film", "--ledger"]),
        "",
    );

    // Two folders are two models.
    browser.drop_files(&[&folder("llama"), &folder("bert")]);
    browser.until("document.querySelector('select[name=model]')?.options.length === 2");
    browser.choose("model", "llama");
    browser.until("document.querySelector('input[name=generate]')");
    explain(&browser, "the film");
    browser.retype("input[name=generate]", "3");
    browser.click("button.main");
    browser.until("document.querySelectorAll('relprop-continuation .new').length === 3");
    browser.answered();
    close(
        &kept(&browser),
        &program(&folder("llama"), &["the film", "--generate", "3"]),
        "",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A model that reads pictures, dropped onto the page, and a picture from the disk.
#[test]
fn a_picture_is_explained_as_the_program_does() {
    let (address, browser) = page();
    browser.drop_files(&[&folder("vit")]);
    browser.until("document.querySelector('.inputs input[type=file]')");
    let picture = pictures().join(PICTURE).display().to_string();
    browser.keys(".inputs input[type=file]", &picture);
    browser.until("document.querySelector('main .decision')");
    browser.answered();
    let numbers = close(
        &kept(&browser),
        &program(&folder("vit"), &[PICTURE, "--ledger"]),
        "",
    );
    assert!(numbers > 50, "{numbers}");
    let drawn =
        browser.value("getComputedStyle(document.querySelector('main .pixels')).backgroundImage");
    let host = format!("url(\"blob:{address}");
    assert!(drawn.as_str().unwrap().contains(&host), "{drawn}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A panic leaves the memory of a worker in any state: another takes its place, with the same model.
#[test]
fn a_worker_that_cannot_go_on_is_replaced() {
    let (_, browser) = page();
    browser.keys("textarea[name=text]", "a card is lost");
    browser.click("button.main");
    browser.until(
        "document.querySelector('relprop-page > .error')?.textContent.includes('the card is gone')",
    );
    explain(&browser, TEXT);
    close(
        &kept(&browser),
        &program(&included(), &[TEXT, "--ledger"]),
        "",
    );
}
