//! One conversation as a pure, sans-IO state machine.
