//! The inline safety rules and the safety state machine; pure.
