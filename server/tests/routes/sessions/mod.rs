mod create;
mod end;
mod events;
mod read;
mod webrtc;
