//! The page in Chromium: `cargo test --workspace --features browser --test browser`.
//!
//! It needs `chromium` and `chromedriver`. `RELPROP_AXE` names the file `axe.min.js` of axe-core for the audit;
//! what `alone` needs, its file says.

mod alone;
mod driver;

use std::path::{Path, PathBuf};
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use driver::{Browser, Server};
use relprop_explain::{Comparison, Explanation};
use relprop_testing::fixtures::folder;
use relprop_testing::program::{Ran, relprop};
use rstest::rstest;
use serde_json::{Value, json};

/// A text that the fixtures know, with a word that they do not.
const TEXT: &str = "a warm , funny film";

/// A page, and what it asks.
fn page(fixtures: &[&str]) -> (Server, Browser) {
    let server = Server::of_fixtures(fixtures);
    let browser = Browser::open(1280, 900, false);
    browser.go(&format!("{}/", server.address));
    browser.until("document.querySelector('textarea')");
    (server, browser)
}

/// A page with an answer to this text.
fn explained(fixtures: &[&str], text: &str) -> (Server, Browser) {
    let (server, browser) = page(fixtures);
    browser.keys("textarea[name=text]", text);
    browser.click("button.main");
    browser.answered();
    (server, browser)
}

/// The words of the heat map, each with the classes of its color.
fn colors(browser: &Browser) -> Value {
    browser.value("[...document.querySelectorAll('main .map.large [data-start]')].map(w => [w.textContent, w.className])")
}

fn number(text: &str) -> f64 {
    text.replace('−', "-")
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("{text} is no number"))
}

#[test]
fn a_text_is_typed_seen_switched_changed_and_kept() {
    let (server, browser) = explained(&["bert"], TEXT);
    let asked = json!({"text": TEXT, "ledger": true});
    let first = &server.explain(&asked)["explanations"][0];
    let label = first["prediction"].as_str().unwrap();
    assert!(browser.text("main .decision strong").contains(label));
    assert_eq!(
        browser.value("document.querySelectorAll('main .labels li').length"),
        2
    );
    let words = colors(&browser);
    assert_eq!(
        words.as_array().unwrap().len(),
        first["words"].as_array().unwrap().len()
    );

    // The ledger ends at the target, and is closed and opened.
    assert_eq!(
        browser.value("document.querySelector('main .ledger').open"),
        true
    );
    let target = browser.text("main .ledger .total .number");
    assert!(
        (number(&target) - first["target"]["value"].as_f64().unwrap()).abs() < 0.01,
        "{target}"
    );
    browser.click("main .ledger summary");
    browser.click("main .layers summary");

    // Other rules: the text stays, and so does what is open.
    browser.choose("way", "rules:libra");
    browser.until("document.querySelector('main .decision')?.textContent.includes('libra')");
    browser.answered();
    assert_ne!(colors(&browser), words);
    assert_eq!(
        browser.value("document.querySelector('textarea').value"),
        TEXT
    );
    assert_eq!(
        browser.value("document.querySelector('main .ledger').open"),
        false
    );
    assert_eq!(
        browser.value("document.querySelector('main .layers').open"),
        true
    );

    // A word is taken away: the move is that of the same label.
    browser.choose("way", "rules:ah-ln");
    browser.until("document.querySelector('main .decision')?.textContent.includes('ah-ln')");
    browser.answered();
    browser.click("main .map [data-start='2']");
    assert!(browser.text(".word-menu p").starts_with("warm"));
    browser.click(".word-menu .main");
    browser.until("document.querySelector('relprop-changes .last')");
    browser.answered();
    assert_eq!(
        browser.value("document.querySelector('textarea').value"),
        "a , funny film"
    );
    let after = server.explain(&json!({"text": "a , funny film", "target": label}));
    let value = |explanation: &Value| explanation["target"]["value"].as_f64().unwrap();
    let moved = value(&after["explanations"][0]) - value(first);
    let shown: Vec<String> = serde_json::from_value(
        browser
            .value("[...document.querySelectorAll('.last .row .number')].map(n => n.textContent)"),
    )
    .unwrap();
    let promised = -first["words"][1]["relevance"].as_f64().unwrap();
    for (shown, known) in shown.iter().zip([promised, moved]) {
        assert!(
            (number(shown) - known).abs() < 0.011,
            "{shown} is not {known}"
        );
    }
    assert_eq!(shown.len(), 2);

    // Undone, and kept as the program writes it.
    browser.click(".undo");
    browser.until(&format!(
        "document.querySelector('textarea').value === {TEXT:?}"
    ));
    browser.answered();
    browser.run("[...document.querySelectorAll('.files button')].find(b => b.textContent === 'JSON').click()");
    let kept: Explanation = serde_json::from_slice(&browser.downloaded("relprop.json")).unwrap();
    let mut program = relprop();
    program.args(["explain", TEXT, "--ledger", "--format", "json", "--model"]);
    let written = Ran::from(program.arg(folder("bert")).output().unwrap()).done();
    assert_eq!(kept, serde_json::from_str(&written.stdout).unwrap());
    keeps_drawings(&browser);

    // Nothing came from elsewhere, and nothing was forbidden.
    let origins = browser.value("[...new Set(performance.getEntriesByType('resource').map(r => new URL(r.name).protocol === 'blob:' ? location.origin : new URL(r.name).origin))]");
    assert_eq!(origins, json!([server.address]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Texts, words that are put in the place of others, and addresses.
#[test]
fn what_is_typed_stays_text() {
    let bad = "<img src=x onerror=window.hit=1><script>window.hit=1</script> film";
    let (server, browser) = explained(&["bert"], bad);
    browser.keys("main .map [data-start='0']", "\u{E007}");
    browser.keys(
        ".word-menu input",
        "<img src=x onerror=window.hit=1>\u{E007}",
    );
    browser.until("document.querySelector('relprop-changes .last')");
    browser.answered();
    assert!(browser.text("relprop-changes .last").contains("<img src=x"));
    assert!(browser.text("main .map").contains("<script>"));
    browser.go(&format!(
        "{}/#text=%3Cimg+src%3Dx+onerror%3Dwindow.hit%3D1%3E+film&target=%3Cb%3E",
        server.address
    ));
    browser.until("document.querySelector('relprop-page > .error:not([hidden])')");
    assert_eq!(browser.value("window.hit ?? null"), Value::Null);
    assert_eq!(
        browser.value("document.querySelectorAll('img, main script, main b i').length"),
        0
    );
}

#[test]
fn a_link_asks_the_same_and_back_goes_back() {
    let (_server, browser) = explained(&["bert"], TEXT);
    browser.choose("way", "rules:libra");
    browser.until("document.querySelector('main .decision')?.textContent.includes('libra')");
    browser.answered();
    let link = browser.value("location.href");
    let seen = colors(&browser);
    let other = Browser::open(390, 800, true);
    other.go(link.as_str().unwrap());
    other.until("document.querySelector('textarea')");
    other.answered();
    assert_eq!(colors(&other), seen);
    assert_eq!(
        other.value("document.querySelector('select[name=way]').value"),
        "rules:libra"
    );
    browser.run("history.back()");
    browser.until("document.querySelector('main .decision')?.textContent.includes('ah-ln')");
    browser.answered();
    assert_ne!(colors(&browser), seen);
    assert_eq!(
        browser.value("document.querySelectorAll('.earlier li').length"),
        2
    );
}

#[test]
fn keys_reach_everything() {
    let (_server, browser) = explained(&["bert"], TEXT);
    let focused = || browser.value("document.activeElement.textContent");
    browser.run("document.querySelector('main .map [data-start]').focus()");
    browser.keys("main .map [tabindex='0']", "\u{E014}"); // the arrow to the right
    assert_eq!(focused(), "warm");
    browser.keys("main .map [tabindex='0']", "\u{E010}"); // End
    assert_eq!(focused(), "film");
    assert_eq!(
        browser.value("document.querySelectorAll('main .map [tabindex=\"0\"]').length"),
        1
    );
    browser.keys("main .map [tabindex='0']", "\u{E007}"); // Enter
    browser.until("document.activeElement.textContent === 'Take it away'");
    browser.keys(".word-menu .main", "\u{E00C}"); // Escape
    browser.until("!document.querySelector('.word-menu')");
    assert_eq!(focused(), "film");
    browser.keys("main .map [tabindex='0']", "\u{E017}"); // Delete
    browser.until("document.querySelector('textarea').value === 'a warm , funny'");
    browser.answered();
}

#[test]
fn two_ways_stand_side_by_side_on_one_scale() {
    let (server, browser) = explained(&["bert", "bert"], TEXT);
    browser.choose("beside", "rules:libra");
    browser.until("document.querySelectorAll('main .sides section').length === 2");
    browser.answered();
    let ask = |rules: &str| {
        server.explain(&json!({"text": TEXT, "rules": rules}))["explanations"][0]["words"].clone()
    };
    let sides = [ask("ah-ln"), ask("libra")];
    let all = sides.iter().flat_map(|words| words.as_array().unwrap());
    let all = all.map(|word| word["relevance"].as_f64().unwrap().abs());
    let most = all.fold(0.0, f64::max);
    for (place, words) in sides.iter().enumerate() {
        let shown = browser.run_with(
            "return [...document.querySelectorAll('.sides section')[arguments[0]].querySelectorAll('[data-start]')].map(w => w.className)",
            &[json!(place)],
        );
        for (shown, word) in shown
            .as_array()
            .unwrap()
            .iter()
            .zip(words.as_array().unwrap())
        {
            let depth = (50.0 * word["relevance"].as_f64().unwrap().abs() / most).round();
            let shown = shown.as_str().unwrap();
            assert!(
                shown.ends_with(&format!(" s{depth}")),
                "{shown} is not {depth}"
            );
        }
    }
    assert!(browser.text("main .hint").contains("one scale"));
    // Two models: the second of the same name has a number.
    browser.choose("beside", "model:bert-2");
    browser.until("document.querySelector('main .sides')?.textContent.includes('bert-2')");
    browser.answered();
    // A method has a unit of its own.
    browser.choose("beside", "method:gae");
    browser.until("document.querySelector('main')?.textContent.includes('a unit of its own')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn words_are_tried_one_by_one_and_removed_one_after_another() {
    let (server, browser) = explained(&["bert"], TEXT);
    browser.click(".try");
    browser.until("document.querySelector('.tried tbody')");
    let rows = browser.value("[...document.querySelectorAll('.tried tbody tr')].map(r => r.querySelector('td.number + td.number').textContent)");
    let first = &server.explain(&json!({"text": TEXT}))["explanations"][0];
    let (target, whole) = (
        first["prediction"].clone(),
        first["target"]["value"].as_f64().unwrap(),
    );
    let texts = [
        "warm , funny film",
        "a , funny film",
        "a warm funny film",
        "a warm , film",
        "a warm , funny",
    ];
    let without = server.explain(&json!({"texts": texts, "target": target}));
    let words: Vec<&str> = first["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word["text"].as_str().unwrap())
        .collect();
    let known: Vec<(usize, &Value)> = ["a", "warm", ",", "funny", "film"]
        .iter()
        .enumerate()
        .filter(|(_, word)| words.contains(word))
        .map(|(place, _)| (place, &without["explanations"][place]))
        .collect();
    assert_eq!(rows.as_array().unwrap().len(), known.len());
    for (shown, (place, explanation)) in rows.as_array().unwrap().iter().zip(&known) {
        let moved = explanation["target"]["value"].as_f64().unwrap() - whole;
        let shown = number(shown.as_str().unwrap());
        assert!(
            (shown - moved).abs() < 0.011,
            "{place}: {shown} is not {moved}"
        );
    }
    browser.click("relprop-curve .start");
    browser.until("document.querySelector('relprop-curve .told').textContent.includes('area')");
    let points = browser.value("[...document.querySelectorAll('relprop-curve polyline')].map(l => l.getAttribute('points').split(' ').length)");
    assert_eq!(points, json!([known.len(), known.len()]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_contrast_is_one_click() {
    let (server, browser) = explained(&["bert"], TEXT);
    let first = &server.explain(&json!({"text": TEXT}))["explanations"][0];
    browser.click("main .labels button");
    browser.until("document.querySelector('select[name=against]').value !== ''");
    browser.answered();
    let decision = browser.text("main .decision");
    let against = browser.value("document.querySelector('select[name=against]').value");
    let contrast = format!(
        "{}-{}",
        first["prediction"].as_str().unwrap(),
        against.as_str().unwrap()
    );
    assert!(
        decision.contains(&contrast),
        "{contrast} is not in {decision}"
    );
}

#[test]
fn a_continuation_says_who_drove_whom() {
    let (_server, browser) = page(&["gpt2"]);
    browser.keys("textarea[name=text]", "the keys");
    browser.retype("input[name=generate]", "3");
    browser.click("button.main");
    browser.until("document.querySelectorAll('relprop-continuation .new').length === 3");
    browser.answered();
    assert_eq!(
        browser.value("document.querySelectorAll('relprop-continuation .chosen').length"),
        1
    );
    let of_first = browser.value(
        "[...document.querySelectorAll('relprop-continuation [data-token]')].map(t => t.title)",
    );
    browser.click("relprop-continuation [data-token='0']");
    assert!(browser.text("relprop-continuation .told").contains("drove"));
    let driven = browser.value(
        "[...document.querySelectorAll('relprop-continuation .new')].every(t => t.title !== '')",
    );
    assert_eq!(driven, true);
    assert!(of_first.as_array().unwrap().iter().any(|title| title != ""));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn two_texts_are_joined_by_lines() {
    let (_server, browser) = page(&["heads/bert-vectors"]);
    browser.keys("textarea[name=text]", "a warm film");
    browser.keys("textarea[name=pair]", "the film is warm");
    browser.click("button.main");
    browser.until("document.querySelectorAll('relprop-pairs line').length > 2");
    browser.answered();
    let all = browser.value("document.querySelectorAll('relprop-pairs line').length");
    browser.run("document.querySelector('relprop-pairs .w').focus()");
    browser.until(&format!(
        "document.querySelectorAll('relprop-pairs line').length < {all}"
    ));
    assert!(browser.text("relprop-pairs .told").contains("meets"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Chooses a picture, and types these lines, by keys alone.
fn compared(browser: &Browser, lines: &str) {
    let picture = folder("pictures/large.png").canonicalize().unwrap();
    browser.keys(".inputs input[type=file]", picture.to_str().unwrap());
    browser.keys("textarea[name=text]", lines);
    browser.keys("textarea[name=text]", "\u{E009}\u{E007}"); // Control and Enter
    browser.answered();
}

#[test]
fn a_picture_is_compared_with_texts() {
    let server = Server::of_fixtures(&["bert", "towers/clip"]);
    let browser = Browser::open(1280, 900, false);
    browser.go(&format!("{}/", server.address));
    browser.until("document.querySelector('select[name=model]')");
    browser.choose("model", "clip");
    browser.until("document.querySelector('.inputs input[type=file]')");
    // Enter begins a line, and what is incomplete is not asked.
    compared(&browser, "a red cat\u{E007}two squares\u{E007}");
    let file = folder("pictures/large.png");
    let picture = STANDARD.encode(fs::read(file).unwrap());
    let ask = |more: &Value| {
        let mut body = json!({"model": "clip", "picture": {"name": "large.png", "data": picture}});
        body["texts"] = json!(["a red cat", "two squares"]);
        body["ledger"] = json!(true);
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        server.explain(&body)["explanations"][0].clone()
    };
    let rows = "[...document.querySelectorAll('relprop-texts tbody tr')].map(r => [...r.querySelectorAll('th, .number')].map(c => c.textContent))";
    let found = ask(&json!({}));
    let mut texts: Vec<&Value> = found["texts"].as_array().unwrap().iter().collect();
    let logit = |text: &Value| text["logit"].as_f64().unwrap();
    texts.sort_by(|a, b| logit(b).total_cmp(&logit(a)));
    for (place, text) in texts.iter().enumerate() {
        let row = browser.value(&format!("{rows}[{place}]"));
        assert_eq!(row[0], text["text"]);
        for (column, known) in [("cosine", 2), ("logit", 3)] {
            let shown = number(row[known].as_str().unwrap());
            let expected = text[column].as_f64().unwrap();
            assert!(
                (shown - expected).abs() < 0.006,
                "{shown} is not {expected}"
            );
        }
        let percent = row[1].as_str().unwrap().trim_end_matches("\u{a0}%");
        let expected = 100.0 * text["probability"].as_f64().unwrap();
        assert!((number(percent) - expected).abs() < 0.06, "{percent}");
    }
    // The picture with its patches, and the words of the likeliest text.
    let heads = "[...document.querySelectorAll('main article > h2')].map(h => h.textContent)";
    let best = texts[0]["text"].as_str().unwrap();
    let words = |text: &str| format!("By the words of {text}");
    assert_eq!(browser.value(heads), json!(["By its patches", words(best)]));
    let patches = found["picture"]["tokens"].as_array().unwrap().iter();
    let patches = patches.filter(|token| token["special"] != true).count();
    assert_eq!(
        browser.value("document.querySelectorAll('main article:first-of-type rect.p').length"),
        patches
    );
    let drawn =
        browser.value("getComputedStyle(document.querySelector('main .pixels')).backgroundImage");
    assert!(
        drawn.as_str().unwrap().starts_with("url(\"blob:"),
        "{drawn}"
    );
    // The chooser goes on naming the picture.
    assert_eq!(
        browser.value("document.querySelector('.inputs input[type=file]').files[0].name"),
        "large.png"
    );

    // Why the other, and why rather than the first.
    let other = texts[1]["text"].as_str().unwrap();
    browser.click(&format!("relprop-texts button[aria-label='Why {other}?']"));
    browser.until(&format!("{heads}[1] === {:?}", words(other)));
    browser.choose("against", best);
    browser.until(&format!("{heads}.length === 3"));
    browser.answered();
    let contrast = browser.text("main article .decision");
    assert!(contrast.contains(&format!("{other}-{best}")), "{contrast}");

    // Kept as the program writes it.
    browser.choose("pairs", "yes");
    browser.until("document.querySelector('main').textContent.includes('strongest pairs')");
    browser.answered();
    browser.run("[...document.querySelectorAll('.files button')].find(b => b.textContent === 'JSON').click()");
    let kept: Comparison = serde_json::from_slice(&browser.downloaded("relprop.json")).unwrap();
    let asked = ask(&json!({"target": other, "against": best, "pairs": true}));
    assert_eq!(kept, serde_json::from_value(asked).unwrap());
    keeps_drawings(&browser);

    // A text that is no more is no target.
    browser.retype("textarea[name=text]", best);
    browser.click("button.main");
    browser.until("document.querySelectorAll('relprop-texts tbody tr').length === 1");
    browser.answered();
    assert_eq!(browser.value(heads), json!(["By its patches", words(best)]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// A page that is wider than a phone has to be moved about.
#[rstest]
#[case(
    "a warm , funny film that a person of any age can watch again and again and again",
    "ltr"
)]
#[case("فيلم دافئ ومضحك", "rtl")]
#[case("这是一部温暖而有趣的电影", "ltr")]
fn a_phone_shows_all_of_it(#[case] text: &str, #[case] direction: &str) {
    let server = Server::of_fixtures(&["bert"]);
    let browser = Browser::open(390, 800, false);
    browser.go(&format!("{}/", server.address));
    browser.until("document.querySelector('textarea')");
    browser.run_with(
        "document.querySelector('textarea').value = arguments[0]",
        &[json!(text)],
    );
    browser.click("button.main");
    browser.answered();
    let wide = browser.value("document.documentElement.scrollWidth");
    assert!(wide.as_u64().unwrap() <= 390, "{wide}");
    assert_eq!(
        browser.value("getComputedStyle(document.querySelector('main .map')).direction"),
        direction
    );
}

/// By axe-core, on everything that can be on the page.
#[rstest]
fn an_audit_finds_nothing(#[values(1280, 390)] width: u32, #[values(false, true)] dark: bool) {
    let axe = env::var("RELPROP_AXE").expect("RELPROP_AXE names the file axe.min.js");
    let axe = fs::read_to_string(axe).unwrap();
    let server = Server::of_fixtures(&["bert", "gpt2", "heads/bert-vectors", "towers/clip"]);
    let browser = Browser::open(width, 900, dark);
    for (address, ready) in [
        ("", "document.querySelector('textarea')"),
        (
            "#text=a+warm+%2C+funny+film",
            "document.querySelector('relprop-changes')",
        ),
        (
            "#text=a+warm+%2C+funny+film&beside=rules%3Alibra",
            "document.querySelector('.sides')",
        ),
        (
            "#text=the+keys&model=gpt2&generate=2",
            "document.querySelector('relprop-continuation')",
        ),
        (
            "#text=a+film&pair=the+warm+film&model=bert-vectors",
            "document.querySelector('relprop-pairs')",
        ),
        (
            "#model=clip",
            "document.querySelector('.inputs input[type=file]')",
        ),
    ] {
        // A page of another address than its `#` is a new one.
        browser.go("about:blank");
        browser.go(&format!("{}/{address}", server.address));
        browser.until(ready);
        if address.ends_with("film") {
            browser
                .run("for (const part of document.querySelectorAll('details')) part.open = true");
            browser.click(".try");
            browser.until("document.querySelector('.tried tbody')");
            browser.click("relprop-curve .start");
            browser.until(
                "document.querySelector('relprop-curve .told').textContent.includes('area')",
            );
            browser.click("main .map [data-start='2']");
        }
        if address.ends_with("clip") {
            compared(&browser, "a red cat\u{E007}two squares");
        }
        browser.run(&axe);
        browser.run("window.audit = null; axe.run().then(found => window.audit = found)");
        browser.until("window.audit");
        let found = browser.value("window.audit.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html + ' ' + n.failureSummary)])");
        assert_eq!(found, json!([]), "{address}");
        let passed = browser.value("window.audit.passes.length");
        assert!(passed.as_u64().unwrap() > 10, "{passed}");
    }
}

/// Writes the pictures of README and docs: `RELPROP_MODEL=my-model cargo test --features browser --test browser --
/// --ignored pictures`.
#[test]
#[ignore = "it writes files of the repository"]
fn pictures_of_the_page() {
    let model = PathBuf::from(env::var("RELPROP_MODEL").expect("RELPROP_MODEL names a folder"));
    let folder = env::var("RELPROP_PICTURES").map_or(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"),
        PathBuf::from,
    );
    let server = Server::of(&[&model]);
    for (name, width, height, dark) in [("page", 1280, 1000, false), ("page-phone", 390, 844, true)]
    {
        let browser = Browser::open(width, height, dark);
        browser.go(&format!(
            "{}/#text=a+warm+%2C+funny+film+with+a+silly+plot",
            server.address
        ));
        browser.until("document.querySelector('relprop-changes')");
        if width > 600 {
            browser.keys("main .map [data-start='2']", "\u{E017}"); // Delete
            browser.until("document.querySelector('relprop-changes .last')");
            browser.answered();
            browser.click(".try");
            browser.until("document.querySelector('.tried tbody')");
        }
        fs::write(
            folder.join(format!("{name}.png")),
            browser.picture(width, Some(height)),
        )
        .unwrap();
    }
}

/// What is shown is kept as a drawing, a page and a picture as well.
fn keeps_drawings(browser: &Browser) {
    for (name, sign) in [("SVG", "<svg"), ("HTML", "<!DOCTYPE html>"), ("PNG", "PNG")] {
        browser.run_with(
            "[...document.querySelectorAll('.files button')].find(b => b.textContent === arguments[0]).click()",
            &[json!(name)],
        );
        let file = browser.downloaded(&format!("relprop.{}", name.to_lowercase()));
        let start = String::from_utf8_lossy(&file[..file.len().min(200)]).into_owned();
        assert!(start.contains(sign), "{start}");
    }
}
