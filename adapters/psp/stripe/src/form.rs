//! What Stripe is sent: form fields with brackets, in the order in which they are added.
//!
//! ```text
//! line_items[0][price_data][unit_amount]=1250&metadata[till_n]=1
//! ```
//! The order of the fields is the order of the bytes. Stripe compares parameters under a used key, so a field that is
//! renamed or added makes every order that is under way another one; a test holds the bytes.

use url::form_urlencoded::Serializer;

/// The content type of [`Form::finish`].
pub(crate) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Fields, written one after another.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// One more field.
    pub(crate) fn field(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// One more field, where there is something to say.
    pub(crate) fn some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// One field for each, numbered from 0: `name[0]`, `name[1]` …
    pub(crate) fn each(self, name: &str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        let numbered = values.into_iter().enumerate();
        numbered.fold(self, |form, (at, value)| form.field(&format!("{name}[{at}]"), value))
    }

    pub(crate) fn finish(self) -> String {
        Serializer::new(String::new()).extend_pairs(self.0).finish()
    }
}
