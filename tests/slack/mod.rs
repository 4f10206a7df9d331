//! Stories in Slack, told over both ways in: each `story` runs once over HTTP and once over Socket Mode.

mod asking;
mod emulated;
mod installing;
mod judges;
mod living;
mod pictures;
mod staff;

/// Tells a story over both ways in.
macro_rules! both_ways {
    ($($(#[$doc:meta])* async fn $story:ident($office:ident: Office) $body:block)+) => {$(
        $(#[$doc])*
        #[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            for way in [fake_slack::Way::Http, fake_slack::Way::Socket] {
                let $office = crate::support::slack::Office::open(way).await;
                $body
            }
        }
    )+};
}
pub(crate) use both_ways;
