//! One module a command.

pub(super) mod bench;
pub(super) mod classify;
pub(super) mod embed;
pub(super) mod manual;
pub(super) mod models;
pub(super) mod project;
pub(super) mod recognize;
pub(super) mod vary;
