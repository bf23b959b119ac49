//! Numbers about the server, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Requests that were answered, by path and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    pub(crate) texts: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) joined: AtomicU64,
    pub(crate) faults: AtomicU64,
    microseconds: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, path: &'static str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((path, status)).or_default() += 1;
    }

    /// Counts time in which the model computed.
    pub(crate) fn computed(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(time, Ordering::Relaxed);
    }

    /// All numbers, with how many requests wait and how many connections are open.
    pub(crate) fn text(&self, waiting: usize, connections: usize) -> String {
        let mut text = String::new();
        let mut add = |name: &str, kind: &str, about: &str, lines: &[(String, f64)]| {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# HELP relprop_{name} {about}\n# TYPE relprop_{name} {kind}"
            );
            for (labels, value) in lines {
                let _ = writeln!(text, "relprop_{name}{labels} {value}");
            }
        };
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let requests: Vec<_> = (requests.iter())
            .map(|((path, status), count)| {
                let labels = format!("{{path=\"{path}\",status=\"{status}\"}}");
                (labels, *count as f64)
            })
            .collect();
        let about = "Requests that were answered.";
        add("requests_total", "counter", about, &requests);
        let one = |value: f64| [(String::new(), value)];
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        for (name, counter, about) in [
            ("texts_total", &self.texts, "Texts that were explained."),
            (
                "batches_total",
                &self.batches,
                "Times that the model was given texts, those of one request or of several.",
            ),
            (
                "joined_requests_total",
                &self.joined,
                "Requests that shared a batch with an earlier one.",
            ),
            (
                "faults_total",
                &self.faults,
                "Panics that became the error of a request.",
            ),
        ] {
            add(name, "counter", about, &one(read(counter)));
        }
        let seconds = read(&self.microseconds) / 1e6;
        let about = "Time in which the model computed.";
        add("compute_seconds_total", "counter", about, &one(seconds));
        let about = "Requests that wait for the model.";
        add("waiting_requests", "gauge", about, &one(waiting as f64));
        let about = "Connections that are open.";
        add("connections", "gauge", about, &one(connections as f64));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_help_and_its_type() {
        let metrics = Metrics::default();
        metrics.answered("/api/explain", 200);
        metrics.answered("/api/explain", 200);
        metrics.answered("/api/explain", 400);
        metrics.computed(Duration::from_millis(1500));
        metrics.texts.fetch_add(3, Ordering::Relaxed);
        let text = metrics.text(2, 5);
        for line in [
            "relprop_requests_total{path=\"/api/explain\",status=\"200\"} 2",
            "relprop_requests_total{path=\"/api/explain\",status=\"400\"} 1",
            "relprop_texts_total 3",
            "relprop_compute_seconds_total 1.5",
            "relprop_waiting_requests 2",
            "relprop_connections 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
        let names = |start: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(start));
            let names = lines.map(|line| line.split(' ').next().unwrap_or_default());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names("# HELP "), names("# TYPE "));
        let known = names("# TYPE ");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            assert!(known.contains(&name), "{line}");
        }
    }
}
