//! Stories of the live chat, told over HTTP against the model store and a desk that follows a script.

mod contract;
mod customers;
mod shop;
mod staff;
mod trouble;
