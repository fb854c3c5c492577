//! WebRTC, server side, over `str0m`: one UDP port for all calls, ICE-lite, Opus and one data
//! channel.
//!
//! [`Endpoint`] owns the socket and one task that receives and sorts datagrams into the inboxes
//! of the calls; [`WebRtcTransport`] is one call. All protocol work of a call happens in its
//! session's task: in the tick for media, at once for everything else, so that a call in progress
//! wakes its task 50 times a second and not once more for every packet.

mod addresses;
mod candidate;
mod channel;
mod endpoint;
mod farewell;
mod inbox;
mod media;
mod metrics;
mod offer;
mod route;
mod socket;
mod transport;

pub use channel::{CLIENT_MESSAGE_BYTES_MAX, EVENT_CHANNEL_LABEL, EVENTS_QUEUED_MAX};
pub use endpoint::{BindError, Endpoint, EndpointConfig};
pub use inbox::INBOX_DATAGRAMS_MAX;
pub use metrics::{Metrics, MetricsSnapshot};
pub use offer::{OFFER_BYTES_MAX, OfferError};
pub use transport::{CLOSED_AFTER_MS, HANDSHAKE_MS_MAX, STALLED_AFTER_MS, WebRtcTransport};
