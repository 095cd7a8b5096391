//! What servers and agents ask of a server, over the network seam.

mod agents;
pub(crate) mod beats;
pub(crate) mod observations;
pub(crate) mod orders;
pub(crate) mod pace;
pub(crate) mod peers;

use async_trait::async_trait;
use model::ServerId;
use proto::net::{Caller, Channel, Refusal, Service};
use proto::wire::{Frame, Hello, Request, Response, frame, hello, request, response};
use server_core::authorize::{self, Action, Decision, Object, authorize};
use tokio::sync::mpsc;

use crate::server::Server;

#[async_trait]
impl Service for Server {
    async fn call(&self, caller: Caller, request: Request) -> Result<Response, Refusal> {
        let body = match request.body {
            Some(request::Body::Raft(message)) => {
                let from = self.allow_server(caller)?;
                response::Body::Raft(self.inner.raft.handle(from, message).await)
            }
            Some(request::Body::Propose(propose)) => {
                self.allow_server(caller)?;
                response::Body::Proposed(self.propose_for(propose).await?)
            }
            Some(request::Body::Beats(batch)) => {
                self.allow_server(caller)?;
                response::Body::BeatsHeard(self.hear_beats(batch)?)
            }
            Some(request::Body::Admin(admin)) => {
                let from = self.allow_server(caller)?;
                response::Body::Admin(self.administer(from, &admin).await?)
            }
            Some(request::Body::Join(join)) => response::Body::Joined(self.admit_joiner(join).await?),
            Some(request::Body::ReadIndex(_)) | None => {
                return Err(Refusal::Invalid("this server does not know the question".into()));
            }
        };
        Ok(Response { body: Some(body) })
    }

    async fn open(&self, caller: Caller, mut channel: Channel) {
        let Some(Frame { body: Some(frame::Body::Hello(Hello { body: Some(hello) })) }) = channel.receiver.recv().await
        else {
            return;
        };
        let held = match hello {
            hello::Body::Raft(_) => match self.allow_server(caller) {
                Ok(from) => {
                    self.serve_appends(from, channel).await;
                    return;
                }
                Err(refusal) => Err((refusal, channel)),
            },
            hello::Body::Agent(hello) => agents::serve(self, caller, hello, channel).await,
            hello::Body::Answer(answer) => orders::take_answer(self, caller, answer, channel),
            hello::Body::Proxy(proxy) => match self.allow_server(caller) {
                Ok(_) => {
                    orders::serve_proxy(self, proxy, channel).await;
                    return;
                }
                Err(refusal) => Err((refusal, channel)),
            },
        };
        if let Err((refusal, channel)) = held {
            tracing::warn!(%caller, %refusal, "a conversation was refused");
            let _ = channel.sender.send(orders::end(403, refusal.to_string())).await;
        }
    }
}

/// Asks the one choke point, and keeps a record of what it denied.
fn allow(caller: authorize::Caller, action: Action, object: Object<'_>) -> Result<(), Refusal> {
    match authorize(caller, action, object) {
        Decision::Allow => {
            tracing::debug!(target: "audit", %caller, action = action.as_str(), %object, "allowed");
            Ok(())
        }
        Decision::Deny => {
            tracing::warn!(target: "audit", %caller, action = action.as_str(), %object, "denied");
            Err(Refusal::Denied(format!("{caller} may not {} of {object}", action.as_str())))
        }
    }
}

/// A conversation that was refused, handed back so that the other end can be told.
type Refused = (Refusal, Channel);

impl Server {
    /// Whether a server of this cluster asks; its id.
    fn allow_server(&self, caller: Caller) -> Result<ServerId, Refusal> {
        match caller {
            Caller::Server { cluster, id } if cluster == self.inner.config.cluster => {
                allow(authorize::Caller::Server(id), Action::Consensus, Object::Cluster)?;
                Ok(id)
            }
            caller => Err(Refusal::Denied(format!("{caller} is not a server of this cluster"))),
        }
    }

    async fn administer(&self, from: ServerId, admin: &proto::wire::Admin) -> Result<bytes::Bytes, Refusal> {
        match admin.action.as_str() {
            "member" => self.change_member(from, &admin.body).await,
            crate::marks::ACTION => self.take_mark(from, &admin.body),
            "usage" => self.usage_for_peer(),
            "members-alive" => self.members_alive_for_peer(),
            "servers-seen" => self.servers_seen_for_peer(),
            other => Err(Refusal::Invalid(format!("this server does not know how to {other}"))),
        }
    }

    /// Carries raft's stream of appends between frames and consensus.
    async fn serve_appends(&self, from: ServerId, channel: Channel) {
        let (requests_sender, requests) = mpsc::channel(proto::net::CHANNEL_FRAMES_MAX);
        let (replies, mut replies_receiver) = mpsc::channel(proto::net::CHANNEL_FRAMES_MAX);
        let Channel { sender, mut receiver } = channel;
        let inbound = async move {
            while let Some(Frame { body: Some(frame::Body::Raft(message)) }) = receiver.recv().await {
                if requests_sender.send(message).await.is_err() {
                    break;
                }
            }
        };
        let outbound = async move {
            while let Some(message) = replies_receiver.recv().await {
                if sender.send(Frame { body: Some(frame::Body::Raft(message)) }).await.is_err() {
                    break;
                }
            }
        };
        tokio::join!(inbound, outbound, self.inner.raft.serve_appends(from, requests, replies));
    }
}
