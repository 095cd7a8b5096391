//! A cluster in memory, for the tests of this listener.
