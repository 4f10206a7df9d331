//! What Slack posts, as it is read; and what Till shows, as Slack would judge it.

mod contract;
mod manifest;
mod received;
mod shown;
mod signed;
