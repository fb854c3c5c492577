//! Scripted providers, simulated callers, fault proxies, layering and tidy tests.
