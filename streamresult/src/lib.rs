//! Embeddable event pipelines for test results.
