//! WebRTC and WebSocket adapters over a session.
