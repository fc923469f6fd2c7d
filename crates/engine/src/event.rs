//! Events: placeholder.
