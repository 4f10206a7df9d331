//! Reading a row: every value is checked, and what does not fit names the row.

use crate::Result;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row as _, Type};
use std::fmt::Display;
use std::str::FromStr;
use till_core::port::store::StoreError;
use till_core::time::Timestamp;

/// A row of `table`. Its first column is what it is called by.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'r> {
    table: &'static str,
    row: &'r SqliteRow,
}

impl<'r> Cells<'r> {
    pub(crate) fn of(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { table, row }
    }

    /// A value, as it is.
    pub(crate) fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &str) -> Result<T> {
        self.row.try_get(column).map_err(|error| self.unreadable(error))
    }

    /// A whole number in the range of `T`.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| self.unreadable(format!("`{column}` is {number}")))
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp> {
        self.get(column).map(Timestamp::from_ms)
    }

    /// An id or code.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T> {
        self.get::<&str>(column)?.parse().map_err(|error| self.unreadable(format!("`{column}`: {error}")))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        self.json_in(column, self.get(column)?)
    }

    /// JSON where there is some.
    pub(crate) fn json_or_none<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        self.get::<Option<&str>>(column)?.map(|text| self.json_in(column, text)).transpose()
    }

    fn json_in<T: DeserializeOwned>(&self, column: &str, text: &str) -> Result<T> {
        // The error's own text may quote what it read, which may be a person's words.
        serde_json::from_str(text).map_err(|error| self.unreadable(format!("`{column}` at column {}", error.column())))
    }

    /// That this row cannot be read.
    pub(crate) fn unreadable(&self, why: impl Display) -> StoreError {
        let text = self.row.try_get::<String, _>(0);
        let name = text.or_else(|_| self.row.try_get::<i64, _>(0).map(|number| number.to_string()));
        let name = name.unwrap_or_else(|_| "?".to_owned());
        StoreError::Unreadable { row: format!("{}/{name}", self.table), why: why.to_string() }
    }
}
