//! Slack's text: what people typed, read without its marks, and ours written so that it stays text.
//!
//! ```text
//! <@U1|ana>  ─► @ana, a mention       <mailto:a@b.example|a@b.example> ─► a@b.example
//! <#C1|shop> ─► #shop                 <https://x.example|x> ─► https://x.example      &amp; &lt; &gt; ─► & < >
//! ```
//! Source: Slack docs, "Formatting text for app surfaces": these three characters alone are escaped.

use till_core::command::Mention;

/// Text as it was meant, and who is named in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) text: String,
    pub(crate) mentions: Vec<Mention>,
}

/// Reads what Slack sends. `workspace` is where a person without a workspace of their own belongs.
pub(crate) fn read(text: &str, workspace: &str) -> Plain {
    let mut plain = Plain { text: String::with_capacity(text.len()), mentions: Vec::new() };
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        plain.text.push_str(&unescape(before));
        let Some((mark, after)) = tail.split_once('>') else {
            plain.text.push('<');
            rest = tail;
            continue;
        };
        let (what, label) = mark.split_once('|').unwrap_or((mark, ""));
        if let Some(user) = what.strip_prefix('@') {
            let name = unescape(if label.is_empty() { user } else { label });
            let start = plain.text.len();
            plain.text.push('@');
            plain.text.push_str(&name);
            let person = format!("{workspace}/{user}");
            plain.mentions.push(Mention { span: start..plain.text.len(), person, name });
        } else if let Some(channel) = what.strip_prefix('#') {
            plain.text.push('#');
            plain.text.push_str(&unescape(if label.is_empty() { channel } else { label }));
        } else if let Some(special) = what.strip_prefix('!') {
            plain.text.push('@');
            plain.text.push_str(&unescape(if label.is_empty() { special } else { label.trim_start_matches('@') }));
        } else {
            plain.text.push_str(&unescape(what.strip_prefix("mailto:").unwrap_or(what)));
        }
        rest = after;
    }
    plain.text.push_str(&unescape(rest));
    plain
}

/// Text that Slack shows as it is: no mention, link or mark becomes of it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_it_was_meant() {
        let plain = read("25 EUR tea &amp; cake to:<@U1|ana> email:<mailto:a@b.example|a@b.example> &lt;3", "T1");
        assert_eq!(plain.text, "25 EUR tea & cake to:@ana email:a@b.example <3");
        let [mention] = &plain.mentions[..] else { panic!("{plain:?}") };
        assert_eq!((&plain.text[mention.span.clone()], &*mention.person), ("@ana", "T1/U1"));
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_in_it_is_a_mark() {
        for text in ["<!channel> & <@U1>", "a < b > c", "&lt;", "", "<"] {
            assert_eq!(read(&escape(text), "T1"), Plain { text: text.to_owned(), mentions: Vec::new() });
        }
        assert_eq!(read("<@U1", "T1").text, "<@U1", "half a mark is text");
        assert_eq!(read("<!here> <#C1|shop> <https://x.example|x>", "T1").text, "@here #shop https://x.example");
    }
}
