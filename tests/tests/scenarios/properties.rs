//! What holds of every cluster, on random small ones.
