//! What is answered at which path.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use relprop_api::{Answer, Comparison, SimilarAnswer, SimilarAsk, ask, object, sides};
use relprop_render::page::{self, PageOptions};
use serde::Serialize;

use crate::app::App;
use crate::openapi;
use crate::options;
use crate::queue::NotTaken;
use crate::refusal::Refusal;
use crate::worker::Job;

type Shared = State<Arc<App>>;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let not_allowed = || async {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Refusal::new(status, "this path is not asked with this method")
    };
    Router::new()
        .route("/", get(document))
        .route("/api/explain", post(explain))
        .route("/api/compare", post(compared))
        .route("/api/similar", post(similar))
        .route("/api/model", get(model))
        .route("/api/rules", get(rules))
        .route("/api/openapi.json", get(described))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(other)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .with_state(app)
}

/// Refuses other hosts, answers preflights, counts, and sets the headers that every answer has.
async fn guard(State(app): Shared, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // What else is asked for has one counter for all.
    let known = openapi::ROUTES.iter().find(|route| route.path == path);
    let path = known.map_or("other", |route| route.path);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        let cors = app.options.cors.as_deref();
        cors.is_some_and(|cors| origin.as_bytes() == cors.as_bytes())
    });
    let mut response = if !app.is_host(request.headers()) {
        let status = StatusCode::MISDIRECTED_REQUEST;
        Refusal::new(
            status,
            "this server answers to the name of this machine alone",
        )
        .into_response()
    } else if request.method() == Method::OPTIONS && allowed.is_some() {
        let methods = HeaderValue::from_static("GET, POST");
        let headers = HeaderValue::from_static("content-type");
        let mut response = StatusCode::NO_CONTENT.into_response();
        let set = response.headers_mut();
        set.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        set.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers);
        response
    } else {
        next.run(request).await
    };
    app.metrics.answered(path, response.status().as_u16());
    let headers = response.headers_mut();
    for (name, value) in SAFETY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.options.cors.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// Nothing but the server's own files is loaded or run, and no other page shows the page in a frame.
const SAFETY: [(header::HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

async fn document() -> Response {
    typed(
        "text/html; charset=utf-8",
        page::document(&PageOptions::default()).into(),
    )
}

/// The files of the page, and what is not there.
async fn other(request: Request) -> Response {
    let path = request.uri().path();
    let found = page::assets(&PageOptions::default())
        .iter()
        .find(|asset| asset.path == path);
    match found {
        Some(asset) if [Method::GET, Method::HEAD].contains(request.method()) => {
            typed(asset.mime, Bytes::from_static(asset.bytes))
        }
        _ => {
            let message = "there is nothing at this path; GET /api/openapi.json says what there is";
            Refusal::new(StatusCode::NOT_FOUND, message).into_response()
        }
    }
}

async fn health(State(app): Shared) -> Response {
    let waiting = app.queue.len();
    json(&serde_json::json!({"status": "ok", "waiting": waiting}))
}

async fn metrics(State(app): Shared) -> Response {
    let connections = app.connections.load(Ordering::Relaxed);
    let text = app.metrics.text(app.queue.len(), connections);
    typed("text/plain; version=0.0.4; charset=utf-8", text.into())
}

async fn model(State(app): Shared) -> Response {
    json(&app.described)
}

async fn rules() -> Response {
    json(&relprop_api::rules())
}

async fn described() -> Response {
    json(&openapi::description())
}

async fn explain(State(app): Shared, request: Request) -> Result<Response, Refusal> {
    let body = object(&body(&app, request).await?)?;
    let asked = ask(&app.models, body)?;
    let model = asked.question.model;
    let (job, waiting) = Job::explain(asked.question, asked.items);
    put(&app, vec![job])?;
    let explained = in_time(&app, waiting.answer()).await?;
    written(move || {
        let name = &app.models[model].name;
        json(&Answer::new(name, &explained, &asked.fragments))
    })
    .await
}

async fn compared(State(app): Shared, request: Request) -> Result<Response, Refusal> {
    let body = object(&body(&app, request).await?)?;
    let sides = sides(&app.models, body)?;
    let jobs = (sides.iter()).map(|side| Job::explain(side.question.clone(), side.items.clone()));
    let (jobs, waiting): (Vec<_>, Vec<_>) = jobs.unzip();
    put(&app, jobs)?;
    let all = async {
        let mut found = Vec::new();
        for (side, waiting) in sides.into_iter().zip(waiting) {
            found.push((side, waiting.answer().await?));
        }
        Ok::<_, Refusal>(found)
    };
    let found = in_time(&app, all).await?;
    written(move || json(&Comparison::new(&app.models, &found))).await
}

async fn similar(State(app): Shared, request: Request) -> Result<Response, Refusal> {
    let body = object(&body(&app, request).await?)?;
    let asked = SimilarAsk::read(&app.models, body)?;
    let (model, fragments) = (asked.place, asked.fragments.clone());
    let (job, waiting) = Job::similar(asked);
    put(&app, vec![job])?;
    let found = in_time(&app, waiting.answer()).await?;
    written(move || {
        json(&SimilarAnswer::new(
            &app.models[model].name,
            &found,
            &fragments,
        ))
    })
    .await
}

/// Lets jobs wait for the model.
fn put(app: &App, jobs: Vec<Job>) -> Result<(), Refusal> {
    app.queue.put(jobs).map_err(|error| match error {
        NotTaken::Full(waiting) => Refusal::busy(waiting),
        NotTaken::Closed => Refusal::ending(),
    })
}

/// The answer, if it comes in time.
async fn in_time<T>(
    app: &App,
    answer: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let time = app.options.timeout;
    let answer = tokio::time::timeout(time, answer).await;
    answer.unwrap_or_else(|_| {
        Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the model did not answer within {}", seconds(time)),
        ))
    })
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Writes an answer on another thread than the one that listens: an account of a large model is long.
async fn written(write: impl FnOnce() -> Response + Send + 'static) -> Result<Response, Refusal> {
    let written = tokio::task::spawn_blocking(write).await;
    written.map_err(|error| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Refusal::new(status, format!("the answer cannot be written: {error}"))
    })
}

/// The whole body of a request, which must say that it is JSON.
async fn body(app: &App, request: Request) -> Result<Bytes, Refusal> {
    is_json(request.headers())?;
    let read = tokio::time::timeout(options::ARRIVAL, read(app.body(), request.into_body()));
    read.await.unwrap_or_else(|_| {
        Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not arrive within {}",
                seconds(options::ARRIVAL)
            ),
        ))
    })
}

/// Up to `most` bytes. What is longer is read to its end, so that a client that is still writing comes to
/// read why it is refused, but not for ever.
async fn read(most: usize, mut body: Body) -> Result<Bytes, Refusal> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let message = format!("the body breaks off: {error}");
            Refusal::new(StatusCode::BAD_REQUEST, message)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length <= most {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
        if length > most.saturating_mul(16) {
            break;
        }
    }
    match length > most {
        true => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is longer than {most} bytes"),
        )),
        false => Ok(bytes.into()),
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON: say so with the header `content-type: application/json`",
        )),
    }
}

fn typed(mime: &'static str, bytes: Bytes) -> Response {
    let kind = HeaderValue::from_static(mime);
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

fn json(value: &impl Serialize) -> Response {
    match relprop_api::written(value) {
        Ok(bytes) => typed("application/json", bytes.into()),
        Err(error) => Refusal::from(error).into_response(),
    }
}
