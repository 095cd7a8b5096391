//! An HTTP server with canned answers, on a port of its own, that remembers what it was asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// A canned answer.
#[derive(Clone, Debug)]
pub struct Canned {
    status: u16,
    body: Vec<u8>,
}

impl From<Value> for Canned {
    fn from(value: Value) -> Self {
        Canned { status: 200, body: value.to_string().into_bytes() }
    }
}

impl From<&[u8]> for Canned {
    fn from(body: &[u8]) -> Self {
        Canned { status: 200, body: body.to_vec() }
    }
}

impl From<(u16, &str)> for Canned {
    fn from((status, body): (u16, &str)) -> Self {
        Canned { status, body: body.as_bytes().to_vec() }
    }
}

/// What a command sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `PUT /v1/jobs`.
    pub what: String,
    /// The query, encoded.
    pub query: String,
    /// The body as JSON; null where there was none.
    pub body: Value,
    /// The token.
    pub token: Option<String>,
}

/// Answers by method and path, each a list of which the last one repeats.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    answers: BTreeMap<String, Vec<Canned>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fixture {
    /// Adds an answer: `with("GET /v1/jobs", json!([]))`. A further one for the same request is given next time.
    pub fn with(mut self, what: &str, answer: impl Into<Canned>) -> Self {
        self.answers.entry(what.to_owned()).or_default().push(answer.into());
        self
    }

    /// Replaces all answers to a request.
    pub fn only(mut self, what: &str, answer: impl Into<Canned>) -> Self {
        self.answers.insert(what.to_owned(), vec![answer.into()]);
        self
    }

    /// Serves on a free port until the test ends.
    pub async fn serve(self) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = self.asked.clone();
        let shared = Arc::new(Mutex::new(self));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| answer(shared.clone(), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Server { address, asked }
    }

    fn next(&mut self, what: &str) -> Canned {
        match self.answers.get_mut(what) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => (404, "Not found").into(),
        }
    }
}

async fn answer(fixture: Arc<Mutex<Fixture>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let what = format!("{} {}", request.method(), request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let token = request.headers().get("X-Nomad-Token").and_then(|token| token.to_str().ok()).map(str::to_owned);
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut fixture = fixture.lock().expect("no test panics while it holds the fixture");
    let canned = fixture.next(&what);
    fixture.asked.lock().expect("as above").push(Asked { what, query, body, token });
    let response = Response::builder().status(canned.status).header("X-Nomad-Index", 42);
    Ok(response.body(Full::new(canned.body.into())).expect("the parts are valid"))
}

/// A fixture that serves.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panics while it holds the list").clone()
    }

    /// The first request of that kind.
    #[track_caller]
    pub fn first(&self, what: &str) -> Asked {
        self.asked().into_iter().find(|asked| asked.what == what).unwrap_or_else(|| panic!("nobody asked {what}"))
    }
}
